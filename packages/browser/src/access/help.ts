/**
 * Help: what would turn a denial into an allow, as far as a page can tell.
 *
 * decision → **help** → the page. From a snapshot: it names no role that somebody lacks and nobody who could grant it.
 *
 * @module
 */
import type { Decision } from '@hfauth/core'
import type { SignInOptions } from '../login/sign-in-url.ts'
import type { Session } from '../session/session.ts'

export type Help =
  /** Nothing is needed. */
  | { readonly kind: 'none' }
  /** A sign-in with these options: `auth.signIn(options)`. `scopes` holds those of the session and what is lacking. */
  | {
      readonly kind: 'sign_in'
      readonly options: Pick<SignInOptions, 'maxAgeSeconds' | 'acrValues' | 'scopes'>
    }
  /** Attributes of the resource or the request that the page did not give, as `resource.gated`. */
  | { readonly kind: 'attributes'; readonly names: readonly string[] }
  /** Somebody has to grant it: no rule of theirs covers this. */
  | { readonly kind: 'ask' }
  /** Nobody is let through here, whatever they do: a denial, or the ceiling of this environment. */
  | { readonly kind: 'forbidden' }
  /** The question itself is wrong: an action, type or id that does not exist. */
  | { readonly kind: 'wrong_question' }

/**
 * Reads a decision of `access.decide` for what the person, or the page, could do about it.
 *
 * @param session - Whose scopes a sign-in for more of them must ask for as well.
 */
export function helpFor(decision: Decision, session?: Session): Help {
  const { reason, scopes, missingAttributes, stepUp } = decision
  switch (reason) {
    case 'allowed':
      return { kind: 'none' }
    case 'authentication_required':
      return { kind: 'sign_in', options: {} }
    case 'token_too_old':
    case 'step_up_required': {
      const { maxAgeSeconds, acrValues } = stepUp ?? {}
      return {
        kind: 'sign_in',
        options: {
          ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
          ...(acrValues !== undefined && { acrValues }),
        },
      }
    }
    case 'insufficient_scope':
      return scopes.length > 0
        ? { kind: 'sign_in', options: { scopes: [...(session?.scopes ?? []), ...scopes] } }
        : { kind: 'ask' }
    case 'condition_unknown':
      return { kind: 'attributes', names: missingAttributes }
    case 'no_matching_rule':
      return { kind: 'ask' }
    case 'explicit_deny':
      // A denial that only might hold gives way once it is known not to.
      return missingAttributes.length > 0
        ? { kind: 'attributes', names: missingAttributes }
        : { kind: 'forbidden' }
    case 'environment_ceiling':
      return { kind: 'forbidden' }
    case 'unknown_environment':
    case 'unknown_action':
    case 'unknown_resource_type':
    case 'invalid_resource':
      return { kind: 'wrong_question' }
  }
}
