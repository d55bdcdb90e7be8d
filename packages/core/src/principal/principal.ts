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
  const { kind, huggingface } = preset
  return issue(
    { kind, issuer, id: `${issuer}|${subject}`, subject, credential, huggingface, claims },
    said,
    actor,
  )
}

/** From the first actor to the one who acts now, each with the one before. */
function issueActor(
  { issuer, preset, claims: verified, issuerAt }: VerifiedClaims,
  { issuedAt, expiresAt }: ClaimedMembers,
): Principal | undefined {
  let actor: Principal | undefined
  for (const said of readActors(verified, { issuer: { alias: issuer, preset }, issuerAt }).reverse()) {
    const { alias, preset: known } = said.issuer
    const { subject, claims } = said
    const { kind, huggingface } = known
    const members = known.read(claims)
    // An actor shows no credential: the token's scopes bind its subject, its times bind both.
    const times = {
      issuedAt: issuedAt ?? members.issuedAt,
      expiresAt: expiresAt ?? members.expiresAt,
    }
    actor = issue(
      { kind, issuer: alias, id: `${alias}|${subject}`, subject, credential: 'none', huggingface, claims },
      { ...members, ...times },
      actor,
    )
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

type Identity = Omit<PrincipalShape, keyof ClaimedMembers | 'actor'>

/** Frozen, and marked by a private member that no object from elsewhere can have. */
class IssuedPrincipal {
  #owner: object | undefined
  #kept: object | undefined
  /** For what further owners keep; they can go while the principal stays. */
  #others: WeakMap<object, object> | undefined

  /** Member by member, because it runs for every new token: to copy objects takes three times as long. */
  constructor(identity: Identity, said: Partial<ClaimedMembers>, actor: Principal | undefined) {
    const shape = this as { -readonly [Name in keyof PrincipalShape]?: PrincipalShape[Name] }
    shape.kind = identity.kind
    shape.issuer = identity.issuer
    shape.id = identity.id
    shape.subject = identity.subject
    shape.credential = identity.credential
    shape.huggingface = identity.huggingface
    shape.claims = identity.claims
    if (said.username !== undefined) shape.username = said.username
    if (said.name !== undefined) shape.name = said.name
    if (said.email !== undefined) shape.email = said.email
    if (said.emailVerified !== undefined) shape.emailVerified = said.emailVerified
    if (said.mfa !== undefined) shape.mfa = said.mfa
    if (said.authTime !== undefined) shape.authTime = said.authTime
    if (said.issuedAt !== undefined) shape.issuedAt = said.issuedAt
    if (said.expiresAt !== undefined) shape.expiresAt = said.expiresAt
    if (said.orgs !== undefined) shape.orgs = said.orgs
    if (said.groups !== undefined) shape.groups = said.groups
    if (said.scopes !== undefined) shape.scopes = said.scopes
    if (actor !== undefined) shape.actor = actor
    Object.freeze(this)
    // There is one anonymous for ever, and it must not keep the first engine alive that long.
    if (identity.kind === 'anonymous') this.#owner = this
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

function issue(identity: Identity, said: Partial<ClaimedMembers>, actor?: Principal): Principal {
  return new IssuedPrincipal(identity, said, actor) as unknown as Principal
}

/** Someone who showed no credential. A policy says with `anonymous: true` what they may do. */
export const anonymous: Principal = /* @__PURE__ */ issue(
  {
    kind: 'anonymous',
    issuer: '',
    id: 'anonymous',
    subject: '',
    credential: 'none',
    huggingface: false,
    claims: {},
  },
  {},
)
