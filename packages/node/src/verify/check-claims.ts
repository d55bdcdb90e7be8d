/**
 * Check claims: for whom a signed token was made, when it counts, and whether it is what it seems.
 *
 * signature → **check claims** → principal.
 *
 * @see RFC 7519 §4.1; OpenID Connect Core 1.0 §3.1.3.7; RFC 8725 §3.9
 * @module
 */
import { type Claims, HfAuthError, type Issuer, type Preset } from '@hfauth/core'
import { claim } from '../token/claims.ts'

export interface TimeOptions {
  /** Epoch milliseconds. */
  readonly nowMs: number
  readonly toleranceSeconds: number
}

/**
 * Checks `exp`, `nbf` and `iat`.
 *
 * @returns `exp` in epoch seconds; `undefined` only when it is absent and not required.
 * @throws HfAuthError `HFAUTH_TOKEN_EXPIRED`; `HFAUTH_TOKEN_INVALID` when a time is missing, not a whole
 * number, or to come.
 */
export function checkTimes(
  claims: Claims,
  { nowMs, toleranceSeconds, requireExpiry = true }: TimeOptions & { readonly requireExpiry?: boolean },
): number | undefined {
  const now = nowMs / 1000
  const exp = readTime(claims, 'exp')
  const nbf = readTime(claims, 'nbf')
  const iat = readTime(claims, 'iat')
  if (exp === undefined && requireExpiry) throw invalid('the token has no `exp`')
  if (nbf !== undefined && nbf > now + toleranceSeconds) throw invalid('the token is not valid yet (`nbf`)')
  if (iat !== undefined && iat > now + toleranceSeconds) {
    throw invalid('the token was issued in the future (`iat`)')
  }
  if (exp !== undefined && exp <= now - toleranceSeconds) {
    throw new HfAuthError('HFAUTH_TOKEN_EXPIRED', 'the token has expired')
  }
  return exp
}

/**
 * Checks `aud` and `azp`. Further audiences are taken only when the token says that it was made for one
 * of our own clients: a token that others hold too could be played back by them.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_AUDIENCE`; `HFAUTH_TOKEN_INVALID` when either claim is malformed.
 */
export function checkAudience(claims: Claims, issuer: Issuer, kind: 'id_token' | 'access_token'): void {
  const audiences = readAudiences(claims)
  if (audiences === undefined) throw invalid('`aud` of the token is neither a text nor a list of texts')
  if (!audiences.some((audience) => issuer.audience.includes(audience))) {
    throw foreign(
      `the token was not made for this service: \`aud\` has none of the audiences of issuer \`${issuer.alias}\``,
    )
  }
  const { authorizedParty } = issuer.preset
  const party = claim(claims, 'azp')
  if (party !== undefined && typeof party !== 'string') throw invalid('`azp` of the token is not a text')
  const ours = party !== undefined && issuer.audience.includes(party)
  // The audience of an ID token is a client, so the party it was given to must be one of ours as well.
  if (kind === 'id_token' && authorizedParty === 'client' && party !== undefined && !ours) {
    throw foreign('the token was given to another client (`azp`)')
  }
  if (!ours && audiences.length > 1) checkOthers(claims, audiences, issuer)
}

function checkOthers(claims: Claims, audiences: readonly string[], { audience: ours, preset }: Issuer): void {
  // The issuer itself gains nothing by playing its own token back.
  const own = preset.ownAudiences?.map((audience) => audience.replace('{iss}', String(claim(claims, 'iss'))))
  if (!audiences.every((audience) => ours.includes(audience) || own?.includes(audience) === true)) {
    throw foreign('the token is for others as well: `aud` has audiences that are not in the policy')
  }
}

/** The values of `aud`; empty when it is absent, `undefined` when it is malformed. */
export function readAudiences(claims: Claims): readonly string[] | undefined {
  const audience = claim(claims, 'aud') ?? []
  const list = Array.isArray(audience) ? audience : [audience]
  return list.every((value) => typeof value === 'string') ? (list as string[]) : undefined
}

/**
 * Checks how long the token lives, where its preset says how long such tokens do.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID`
 */
export function checkLifetime(claims: Claims, { maxLifetimeSeconds }: Preset): void {
  if (maxLifetimeSeconds === undefined) return
  const [exp, iat] = [readTime(claims, 'exp'), readTime(claims, 'iat')]
  if (exp === undefined || iat === undefined || exp - iat > maxLifetimeSeconds) {
    throw invalid(`the token is made to live longer than ${maxLifetimeSeconds} seconds`)
  }
}

/**
 * Refuses what is signed by the same keys and is no credential for a bearer.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` for a security event (a logout token has `aud` and `exp` like
 * an ID token), and for a token bound to a key, whose proof is not checked here.
 * @see RFC 8417 §2.2; OpenID Connect Back-Channel Logout 1.0 §2.4; RFC 9449 §7.1, RFC 8705 §3
 */
export function checkPurpose(claims: Claims): void {
  if (Object.hasOwn(claims, 'events')) throw invalid('a security event or logout token is not a credential')
  if (Object.hasOwn(claims, 'cnf')) {
    throw invalid('the token is bound to a key (`cnf`), so it must not be sent as a bearer token')
  }
}

/** NumericDate allows fractions; issuers write whole seconds, and anything else is not worth a guess. */
function readTime(claims: Claims, name: string): number | undefined {
  const value = claim(claims, name)
  if (value === undefined) return undefined
  if (!Number.isSafeInteger(value)) throw invalid(`\`${name}\` of the token is not a whole number of seconds`)
  return value as number
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_TOKEN_INVALID', message)
}

function foreign(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_TOKEN_AUDIENCE', message)
}
