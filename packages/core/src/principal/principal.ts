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
import { present } from '../internal/present.ts'
import type { CredentialKind, PrincipalShape } from '../types.ts'
import { type NamedIssuer, readActors } from './actors.ts'
import type { Claims } from './claims.ts'
import { normalClaims } from './normal-claims.ts'
import type { ClaimedMembers, Preset } from './preset.ts'

export type Principal = Brand<Readonly<PrincipalShape>, 'Principal'>

export interface VerifiedClaims {
  /** Alias of the issuer in the policy. */
  readonly issuer: string
  readonly preset: Preset
  readonly credential: Exclude<CredentialKind, 'none'>
  /** Claims whose signature, issuer, audience and times have been checked. */
  readonly claims: Claims
  /** Finds the issuer with an address, for actors (`act`) of another issuer than the token's own. */
  readonly issuerAt?: (url: string) => NamedIssuer | undefined
}

/**
 * Turns verified claims into a principal. Only a token verifier may call this, after every check has
 * passed; tests of a policy call it with the claims they suppose.
 *
 * Who acts for the subject becomes `actor` (RFC 8693 §4.1), on the word of the token's issuer.
 *
 * @throws HfAuthError `HFAUTH_CLAIMS_INVALID` when the claims have no subject, or actors that cannot be read.
 */
export function principalFromClaims(verified: VerifiedClaims): Principal {
  const { issuer, preset, credential } = verified
  const claims = normalClaims(preset, verified.claims)
  const subject = preset.subject(claims)
  if (subject === undefined) throw new HfAuthError('HFAUTH_CLAIMS_INVALID', 'verified claims have no subject')
  const said = preset.read(claims)
  const actor = Object.hasOwn(claims, 'act') ? issueActor(verified, said) : undefined
  return issue({
    kind: preset.kind,
    issuer,
    id: `${issuer}|${subject}`,
    subject,
    credential,
    huggingface: preset.huggingface,
    claims,
    ...said,
    ...(actor === undefined ? {} : { actor }),
  })
}

/** From the first actor to the one who acts now, each with the one before. */
function issueActor(
  { issuer, preset, claims, issuerAt }: VerifiedClaims,
  { issuedAt, expiresAt }: ClaimedMembers,
): Principal | undefined {
  let actor: Principal | undefined
  for (const said of readActors(claims, { issuer: { alias: issuer, preset }, issuerAt }).reverse()) {
    const { alias, preset: known } = said.issuer
    actor = issue({
      ...known.read(said.claims),
      kind: known.kind,
      issuer: alias,
      id: `${alias}|${said.subject}`,
      subject: said.subject,
      // An actor shows no credential: the token's scopes bind its subject, its times bind both.
      credential: 'none',
      huggingface: known.huggingface,
      claims: said.claims,
      ...present({ issuedAt, expiresAt, actor }),
    })
  }
  return actor
}

/** Who acts now for the principal, itself a principal with those before it as its own `actor`. */
export function actorFor(principal: Principal): Principal | undefined {
  const { actor } = principal
  if (actor !== undefined) assertPrincipal(actor)
  return actor
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` unless `value` was issued in this process. */
export function assertPrincipal(value: unknown): asserts value is Principal {
  if (!IssuedPrincipal.is(value)) {
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      '`principal` must come from verified claims, not from a request',
    )
  }
}

/**
 * What `owner` has kept for a principal; `undefined` when nothing.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` unless the principal was issued in this process.
 */
export function keptFor<T extends object>(principal: Principal, owner: object): T | undefined {
  assertPrincipal(principal)
  return IssuedPrincipal.kept(principal, owner) as T | undefined
}

/** Keeps something for a principal that came through {@link keptFor}; it lives as long as the principal does. */
export function keepFor<T extends object>(principal: Principal, owner: object, value: T): T {
  IssuedPrincipal.keep(principal, owner, value)
  return value
}

/** Frozen, and marked by a private member that no object from elsewhere can have. */
class IssuedPrincipal {
  #owner: object | undefined
  #kept: object | undefined
  /** For what further owners keep; they can go while the principal stays. */
  #others: WeakMap<object, object> | undefined

  constructor(shape: PrincipalShape) {
    Object.assign(this, shape)
    Object.freeze(this)
    // There is one anonymous for ever, and it must not keep the first engine alive that long.
    if (shape.kind === 'anonymous') this.#owner = this
  }

  static is(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #owner in value
  }

  static kept(principal: Principal, owner: object): object | undefined {
    const issued = principal as unknown as IssuedPrincipal
    return issued.#owner === owner ? issued.#kept : issued.#others?.get(owner)
  }

  static keep(principal: Principal, owner: object, value: object): void {
    const issued = principal as unknown as IssuedPrincipal
    if (issued.#owner === undefined) {
      issued.#owner = owner
      issued.#kept = value
      return
    }
    issued.#others ??= new WeakMap()
    issued.#others.set(owner, value)
  }
}

function issue(shape: PrincipalShape): Principal {
  return new IssuedPrincipal(shape) as unknown as Principal
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
