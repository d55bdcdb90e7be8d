/**
 * Backend answer: an access token from the application's own server, which keeps the session.
 *
 * **backend answer** → by backend → vault. The server has verified the person; the page takes its word, as it took its script.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { IdTokenClaims } from '../provider/id-token.ts'
import type { Tokens } from '../provider/oauth.ts'

/**
 * Reads `{ access_token, expires_in, scope, claims: { sub, … } }`: seconds, and scopes separated by spaces.
 *
 * @throws HfAuthError `HFAUTH_SIGNIN_INVALID`.
 */
export function readBackendAnswer(answer: unknown, now: number): Tokens {
  const found = (typeof answer === 'object' && answer !== null ? answer : {}) as Record<string, unknown>
  const { access_token: accessToken, expires_in: seconds, scope = '' } = found
  const claims = found.claims as IdTokenClaims | undefined
  const whole =
    typeof accessToken === 'string' &&
    accessToken !== '' &&
    typeof seconds === 'number' &&
    seconds > 0 &&
    typeof scope === 'string' &&
    typeof claims?.sub === 'string' &&
    claims.sub !== ''
  if (!whole) {
    throw new HfAuthError(
      'HFAUTH_SIGNIN_INVALID',
      'the answer of the backend needs `access_token`, `expires_in` above 0, and `claims` with `sub`',
    )
  }
  const lifetimeMs = seconds * 1000
  const rest = { refreshToken: undefined, renewableUntil: undefined, idToken: undefined }
  return { accessToken, claims, scope, lifetimeMs, expiresAt: now + lifetimeMs, ...rest }
}
