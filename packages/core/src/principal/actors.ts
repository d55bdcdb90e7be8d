/**
 * Actors: who acts for the subject of a token, as its `act` claim says.
 *
 * claims → **actors** → principal. Read from verified claims only. What cannot be read is refused: an actor
 * that was overlooked would leave the subject's whole rights to whoever holds the token.
 *
 * @see RFC 8693 §4.1
 * @module
 */
import { HfAuthError } from '../errors.ts'
import type { Json } from '../types.ts'
import { type Claims, own } from './claims.ts'
import { normalClaims } from './normal-claims.ts'
import type { Preset } from './preset.ts'

/** An issuer as the policy has it. */
export interface NamedIssuer {
  readonly alias: string
  readonly preset: Preset
}

export interface ReadActorsOptions {
  /** The issuer of the token, for actors that name none. */
  readonly issuer: NamedIssuer
  /** Finds the issuer with exactly this `iss`; without it, only actors of the token's own issuer are known. */
  readonly issuerAt?: ((iss: string) => NamedIssuer | undefined) | undefined
}

export interface ActorClaims {
  readonly issuer: NamedIssuer
  readonly subject: string
  readonly claims: Claims
}

/** Most actors in one chain. */
export const maxActors = 4

/**
 * The chain of actors: who acts now first, then on whose behalf they do, as it is nested.
 *
 * @throws HfAuthError `HFAUTH_CLAIMS_INVALID` when an actor is no object, has no subject or one of another type,
 * names an issuer that the policy does not know, or when there are more than {@link maxActors}.
 */
export function readActors(claims: Claims, { issuer, issuerAt }: ReadActorsOptions): ActorClaims[] {
  const chain: ActorClaims[] = []
  for (let act = own(claims, 'act'); act !== undefined; act = own(chain.at(-1)?.claims ?? {}, 'act')) {
    if (chain.length === maxActors) throw invalid(`\`act\` names more than ${maxActors} actors`)
    if (!isClaims(act)) throw invalid('`act` is not an object')
    const url = own(act, 'iss')
    const known = url === undefined || url === own(claims, 'iss') ? issuer : issuerNamed(url, issuerAt)
    const normal = normalClaims(known.preset, act)
    const subject = known.preset.subject(normal)
    if (subject === undefined) throw invalid('an actor in `act` has no subject')
    chain.push({ issuer: known, subject, claims: normal })
  }
  return chain
}

function issuerNamed(url: Json, issuerAt: ReadActorsOptions['issuerAt']): NamedIssuer {
  const known = typeof url === 'string' ? issuerAt?.(url) : undefined
  if (known === undefined)
    throw invalid('an actor in `act` is of an issuer that the policy does not name once')
  return known
}

/**
 * By any of an issuer's addresses, as `iss` spells it. Of two aliases with one address nobody can tell which
 * is meant, so neither is.
 */
export function issuerAtAddress<
  T extends NamedIssuer & { readonly addresses: readonly { readonly iss: string }[] },
>(issuers: Iterable<T>): (iss: string) => T | undefined {
  const known = new Map<string, T | undefined>()
  for (const issuer of issuers) {
    for (const iss of new Set(issuer.addresses.map((address) => address.iss))) {
      known.set(iss, known.has(iss) ? undefined : issuer)
    }
  }
  return (iss) => known.get(iss)
}

function isClaims(value: Json): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CLAIMS_INVALID', message)
}
