/**
 * Identity: from tokens to verified claims, at the sign-in and at every refresh.
 *
 * oauth → **identity** → record. The ID token goes through the same verifier as any credential; where the
 * provider tells more of a person by userinfo, that is asked too, and must speak of the same person.
 *
 * @see OpenID Connect Core 1.0 §3.1.3.7, §5.3.2, §12.2
 * @module
 */
import { hash } from 'node:crypto'
import { type Claims, HfAuthError } from '@hfauth/core'
import { claim } from '../token/claims.ts'
import { readCompactJwt } from '../token/compact-jwt.ts'
import type { VerifiedCredential, Verifier } from '../verify/types.ts'
import type { OAuthProvider, TokenAnswer } from './oauth.ts'
import type { ProviderSettings } from './options.ts'
import type { SessionRecord, SessionTokens } from './record.ts'

/** The part of a record that the provider decides. */
export type Identity = Pick<SessionRecord, 'credential' | 'claims' | 'scopes' | 'vouchedAt'>

export interface IdentityReader {
  readonly provider: ProviderSettings
  readonly oauth: OAuthProvider
  readonly verifier: Verifier
  readonly now: () => number
}

/**
 * Who signed in.
 *
 * @throws HfAuthError `HFAUTH_SIGNIN_INVALID` when a check fails, `HFAUTH_ISSUER_UNAVAILABLE` (retryable).
 */
export async function identityOf(
  answer: TokenAnswer,
  asked: readonly string[],
  reader: IdentityReader,
): Promise<Identity> {
  const claims = await verifiedIdToken(answer, reader)
  return withUserinfo(claims, answer, asked, reader)
}

/**
 * Who the provider now says it is: the same person, perhaps with other claims. Without a new ID token or
 * userinfo the claims stay as old as they are.
 *
 * @throws HfAuthError `HFAUTH_SIGNED_OUT` when it is another person or another sign-in; otherwise as above.
 */
export async function renewedIdentity(
  answer: TokenAnswer,
  before: SessionRecord,
  reader: IdentityReader,
): Promise<Identity> {
  const { credential, claims, scopes, vouchedAt } = before
  const fresh = answer.idToken === undefined ? undefined : await verifiedIdToken(answer, reader)
  if (fresh !== undefined && fresh.sub !== claims.sub) {
    throw new HfAuthError('HFAUTH_SIGNED_OUT', 'the renewed ID token is another person’s')
  }
  if (fresh === undefined && reader.provider.issuer.preset.accessTokens !== 'userinfo') {
    return { credential, claims, scopes: answer.scope?.split(' ') ?? scopes, vouchedAt }
  }
  // Nothing else is taken over: a group that is no longer told of is a group that the person has left.
  const kept = Object.entries(claims).filter(([name]) => signInClaims.has(name))
  return withUserinfo({ ...fresh, ...Object.fromEntries(kept) }, answer, scopes, reader)
}

/** What belongs to the sign-in and not to the renewal: whoever renews has not proved themselves again (§12.2). */
const signInClaims: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', 'auth_time', 'acr', 'amr', 'sid'])

export function tokensOf(answer: TokenAnswer, before?: SessionTokens): SessionTokens {
  const refresh = answer.refreshToken ?? before?.refresh
  const id = answer.idToken ?? before?.id
  return {
    access: answer.accessToken,
    accessUntil: answer.accessUntil,
    ...(refresh === undefined ? {} : { refresh }),
    ...(id === undefined ? {} : { id }),
  }
}

async function withUserinfo(
  claims: Claims,
  answer: TokenAnswer,
  asked: readonly string[],
  { provider, oauth, now }: IdentityReader,
): Promise<Identity> {
  const scopes = answer.scope === undefined ? asked : answer.scope.split(' ').filter(Boolean)
  const vouchedAt = now()
  if (provider.issuer.preset.accessTokens !== 'userinfo') {
    return { credential: 'id_token', claims, scopes, vouchedAt }
  }
  const told = await oauth.userinfo(answer.accessToken, String(claims.sub))
  // What was granted binds what the person may do here, as it would with the access token itself.
  return {
    credential: 'access_token',
    claims: { ...claims, ...told, scope: scopes.join(' ') },
    scopes,
    vouchedAt,
  }
}

async function verifiedIdToken(
  { idToken, accessToken }: TokenAnswer,
  { provider, verifier }: IdentityReader,
): Promise<Claims> {
  if (idToken === undefined) throw invalid('there is none')
  let credential: VerifiedCredential
  try {
    credential = await verifier.verify(idToken)
  } catch (error) {
    if (error instanceof HfAuthError && error.retryable) throw error
    throw invalid(error instanceof HfAuthError ? error.code : 'it cannot be verified')
  }
  const { claims } = credential.principal
  if (credential.issuer.alias !== provider.issuer.alias || credential.kind !== 'id_token')
    throw invalid('it is of another kind')
  // That `aud` has our client, whatever other audiences the policy knows, the protocol's library has checked.
  const party = claim(claims, 'azp')
  if (party !== undefined && party !== provider.clientId) throw invalid('`azp` is another client')
  const digest = claim(claims, 'at_hash')
  if (digest !== undefined && digest !== halfDigest(accessToken, idToken)) throw invalid('`at_hash` is wrong')
  return claims
}

/** Left half of the hash that goes with the ID token's algorithm (§3.1.3.6). */
function halfDigest(accessToken: string, idToken: string): string {
  const algorithm = String(readCompactJwt(idToken).header.alg)
  const name = /256$/.test(algorithm) ? 'sha256' : /384$/.test(algorithm) ? 'sha384' : 'sha512'
  const digest = hash(name, accessToken, 'buffer')
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

function invalid(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNIN_INVALID', `the ID token is not accepted: ${why}`)
}
