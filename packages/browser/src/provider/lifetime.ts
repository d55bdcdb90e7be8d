/**
 * Lifetime: how long a sign-in may be under way.
 *
 * @module
 */

/** From leaving for the provider to coming back, in milliseconds. */
export const attemptLifetimeMs = 600_000
