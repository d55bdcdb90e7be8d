/**
 * Principal: verified claims, normalised, and from here on trusted.
 *
 * verify → claims → **principal** → decide. A principal is issued only here; the engine takes no
 * other, so that a request's own JSON can never pass for one by accident.
 *
 * @module
 */
import type { Brand } from '../brand.ts'
import { HfAuthError } from '../errors.ts'
import type { CredentialKind, PrincipalShape } from '../types.ts'
import type { Claims } from './claims.ts'
import type { Preset } from './preset.ts'

export type Principal = Brand<Readonly<PrincipalShape>, 'Principal'>

export interface VerifiedClaims {
  /** Alias of the issuer in the policy. */
  readonly issuer: string
  readonly preset: Preset
  readonly credential: Exclude<CredentialKind, 'none'>
  /** Claims whose signature, issuer, audience and times have been checked. */
  readonly claims: Claims
}

const issued = new WeakSet<object>()

/**
 * Turns verified claims into a principal. Only a token verifier may call this, after every check has
 * passed; tests of a policy call it with the claims they suppose.
 *
 * @throws HfAuthError `HFAUTH_CLAIMS_INVALID` when the claims have no subject.
 */
export function principalFromClaims(verified: VerifiedClaims): Principal {
  const { issuer, preset, credential, claims } = verified
  const subject = preset.subject(claims)
  if (subject === undefined) throw new HfAuthError('HFAUTH_CLAIMS_INVALID', 'verified claims have no subject')
  return issue({
    kind: preset.kind,
    issuer,
    id: `${issuer}|${subject}`,
    subject,
    credential,
    huggingface: preset.huggingface,
    claims,
    ...preset.read(claims),
  })
}

/** Someone who showed no credential. A policy says with `anonymous: true` what they may do. */
export const anonymous: Principal = /* @__PURE__ */ issue({
  kind: 'anonymous',
  issuer: '',
  id: 'anonymous',
  subject: '',
  credential: 'none',
  huggingface: false,
  claims: {},
})

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` unless `value` was issued in this process. */
export function assertPrincipal(value: unknown): asserts value is Principal {
  if (typeof value !== 'object' || value === null || !issued.has(value)) {
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      '`principal` must come from verified claims, not from a request',
    )
  }
}

function issue(shape: PrincipalShape): Principal {
  const principal = Object.freeze(shape) as Principal
  issued.add(principal)
  return principal
}
