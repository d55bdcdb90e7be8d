/**
 * Where a policy comes from while the program runs.
 *
 * Types only.
 *
 * @module
 */

export interface PolicySource {
  /**
   * The text as it is now, or `undefined` when the source itself says that it is what it was.
   *
   * @throws HfAuthError `HFAUTH_POLICY_UNAVAILABLE` (retryable) when it cannot be read whole.
   */
  load(): Promise<string | undefined>
  /** Calls `changed` when the text may be another; returns the way to stop. A hint and no promise. */
  watch?(changed: () => void): () => void
}
