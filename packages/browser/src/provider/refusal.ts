/**
 * Refusal: a provider's error answer as an error of ours.
 *
 * oauth → **refusal**. What the provider wrote is text from outside: cut, without control
 * characters, and never markup.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'

/** Reasons worth telling apart; everything else is `other`. */
export type RefusalReason = (typeof reasons)[number] | 'other'

const passing = ['temporarily_unavailable', 'server_error'] as const
const reasons = [
  'access_denied',
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
  'invalid_scope',
  'invalid_grant',
  ...passing,
] as const

/** The provider ended the sign-in. Code `HFAUTH_SIGNIN_REFUSED`. */
export class SignInRefusedError extends HfAuthError {
  readonly reason: RefusalReason

  constructor(error: string, description: string | undefined) {
    const said = description ? `: ${boundedText(description)}` : ''
    super('HFAUTH_SIGNIN_REFUSED', `the provider refused the sign-in, \`${boundedText(error)}\`${said}`, {
      retryable: (passing as readonly string[]).includes(error),
    })
    this.reason = reasons.find((reason) => reason === error) ?? 'other'
  }
}

function boundedText(text: string): string {
  return text.slice(0, 200).replace(/[\x00-\x1F\x7F-\x9F\u2028-\u202E\u2066-\u2069]+/g, ' ')
}
