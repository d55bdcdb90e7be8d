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

  constructor(error: string, description: string | undefined, request: RefusedRequest = {}) {
    const said = description ? `: ${boundedText(description)}` : ''
    const hint = adviceFor(error, description ?? '', request)
    super(
      'HFAUTH_SIGNIN_REFUSED',
      `the provider refused the sign-in, \`${boundedText(error)}\`${said}${hint}`,
      {
        retryable: (passing as readonly string[]).includes(error),
      },
    )
    this.reason = reasons.find((reason) => reason === error) ?? 'other'
  }
}

/** What was sent, to say what has to be like it. */
export interface RefusedRequest {
  readonly redirectUri?: string
  readonly scope?: string
}

/** What to change in the settings of the app, where the error tells. */
function adviceFor(error: string, description: string, { redirectUri, scope }: RefusedRequest): string {
  if (error === 'invalid_scope' && scope) {
    return `. Enable these in the app's settings: \`${scope}\``
  }
  if (error === 'invalid_client' || error === 'unauthorized_client') {
    return '. A page needs a public app: one with a secret is confidential'
  }
  if (redirectUri && (error === 'invalid_grant' || /redirect.?uri/i.test(description))) {
    return `. The app's settings need this very redirect address: \`${redirectUri}\``
  }
  return ''
}

function boundedText(text: string): string {
  return text.slice(0, 200).replace(/[\x00-\x1F\x7F-\x9F\u2028-\u202E\u2066-\u2069]+/g, ' ')
}
