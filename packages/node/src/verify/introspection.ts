/**
 * Introspection: verifies an access token by asking its issuer, as one of its clients.
 *
 * kind → **introspection** → principal. What the issuer says is checked like a token: an active token of
 * someone else's app, or one bound to a key, is not ours to take.
 *
 * @see RFC 7662 §2; RFC 9449 §7.1 (a bound token must not be sent as a bearer token)
 * @module
 */
import { type Claims, HfAuthError, type Issuer, type Preset } from '@hfauth/core'
import { basicAuthorization } from '../internal/basic-authorization.ts'
import { parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, type Fetch, requestBounded, unavailable } from '../internal/request.ts'
import type { IssuerClient } from '../keys/issuer-client.ts'
import { withClientSecret } from '../secrets/client-secret.ts'
import { claim } from '../token/claims.ts'
import { checkPurpose, checkTimes, readAudiences, type TimeOptions } from './check-claims.ts'
import { checkIdentity } from './check-identity.ts'
import { assertClientAccepted, type ClientCredentials } from './clients.ts'
import type { AcceptedToken } from './jwt.ts'

export interface VerifyByIntrospectionOptions {
  clientOf(issuer: Pick<Issuer, 'alias'>, url: string): IssuerClient
  time(preset: Preset): TimeOptions
  readonly fetch: Fetch
  /** Longest wait for the answer, in milliseconds. */
  readonly timeoutMs: number
}

const maxAnswerBytes = 256 * 1024

/**
 * Verifies one access token.
 *
 * @param client - As whom the issuer is asked.
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when the issuer says that it is not active, or whose it is may
 * not come in; `HFAUTH_TOKEN_AUDIENCE`, `HFAUTH_TOKEN_EXPIRED`; `HFAUTH_ISSUER_UNAVAILABLE` (retryable).
 */
export async function verifyByIntrospection(
  token: string,
  issuer: Issuer,
  client: ClientCredentials,
  { clientOf, time, fetch, timeoutMs }: VerifyByIntrospectionOptions,
): Promise<AcceptedToken> {
  const subject = `introspection at issuer \`${issuer.url}\``
  const { introspectionEndpoint } = await clientOf(issuer, issuer.url).metadata()
  if (introspectionEndpoint === undefined) {
    throw unavailable(subject, 'discovery names no endpoint on its origin')
  }
  const ask = (secret: string) =>
    requestBounded(introspectionEndpoint, {
      subject,
      fetch,
      timeoutMs,
      maxBytes: maxAnswerBytes,
      method: 'POST',
      headers: {
        authorization: basicAuthorization({ id: client.id, secret }),
        accept: 'application/json',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token, token_type_hint: 'access_token' }).toString(),
    })
  const claims = await withClientSecret(client.secret, async (secret) =>
    readIntrospection(await ask(secret), subject),
  )
  return judge(claims, issuer, time(issuer.preset))
}

/**
 * Reads the answer of an introspection endpoint.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when the token is not active; `HFAUTH_ISSUER_UNAVAILABLE`
 * (retryable) for every answer that says neither.
 */
export function readIntrospection(response: BoundedResponse, subject: string): Claims {
  assertClientAccepted(response, subject)
  const { status, text } = response
  if (status !== 200) throw unavailable(subject, `status ${status}`)
  const claims = parseJsonObject(text)
  if (typeof claims?.active !== 'boolean') throw unavailable(subject, 'the answer does not say `active`')
  if (!claims.active)
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the issuer says that the token is not active')
  return claims
}

function judge(claims: Claims, issuer: Issuer, times: TimeOptions): AcceptedToken {
  const type = claim(claims, 'token_type')
  if (type !== undefined && (typeof type !== 'string' || type.toLowerCase() !== 'bearer')) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the token is not a bearer access token (`token_type`)')
  }
  const iss = claim(claims, 'iss')
  if (iss !== undefined && !issuer.addresses.some((address) => address.iss === iss)) {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the token is another issuer’s (`iss`)')
  }
  checkPurpose(claims)
  checkRecipient(claims, issuer)
  const expiresAt = checkTimes(claims, { ...times, requireExpiry: false })
  checkIdentity(claims, 'access_token', issuer)
  return {
    issuer,
    kind: 'access_token',
    claims,
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }
}

/** `aud` when there is one, all of it ours; otherwise, or where the preset says so, the app it was given to. */
function checkRecipient(claims: Claims, { alias, audience, preset }: Issuer): void {
  const audiences = readAudiences(claims) ?? ['']
  const byClient = preset.introspectedAudience === 'client_id' || audiences.length === 0
  const recipients = byClient ? [claim(claims, 'client_id')] : audiences
  if (!recipients.every((recipient) => typeof recipient === 'string' && audience.includes(recipient))) {
    throw new HfAuthError(
      'HFAUTH_TOKEN_AUDIENCE',
      `the token is not for an audience of issuer \`${alias}\` (\`${byClient ? 'client_id' : 'aud'}\`)`,
    )
  }
}
