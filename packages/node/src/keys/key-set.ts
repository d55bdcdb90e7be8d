/**
 * Key set: the public keys in a JWKS document that may verify signatures.
 *
 * discovery → **key set** → verify. A key that is for something else, or too weak, is left out, and the
 * others stay usable; a set in which a name is ambiguous, or in which nothing is usable, is refused as a
 * whole.
 *
 * @see RFC 7517 §4, §5
 * @module
 */
import type { Claims, Json } from '@hfauth/core'
import { parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, unavailable } from '../internal/request.ts'
import { fitsAlgorithm, isSignatureKey, isStrong } from './key-rules.ts'
import { importVerificationKey, type VerificationKey } from './signature.ts'

/** Most keys in a document. */
const maxKeys = 100

/** A JWK Set (RFC 7517 §5). */
export interface KeySetDocument {
  readonly keys: readonly object[]
}

interface UsableKey {
  readonly kid?: string
  /** Whose key it is, where one set serves several issuers; may have `{tenantid}` in it. */
  readonly issuer?: string
  readonly algorithms: ReadonlyMap<string, VerificationKey>
}

/** Whose keys are looked for: `iss` of the token, and its tenant where each has an address of its own. */
export interface KeyOwner {
  readonly iss: string
  readonly tenant?: string
}

export class KeySet {
  /** The document it was read from. */
  readonly text: string
  private readonly keys: readonly UsableKey[]
  private readonly prepared: ReadonlySet<VerificationKey>

  constructor(text: string, keys: readonly UsableKey[]) {
    this.text = text
    this.keys = keys
    this.prepared = new Set(keys.flatMap(({ algorithms }) => [...algorithms.values()]))
  }

  /** Whether a key of that name is in the set, for whatever algorithm. */
  has(kid: string): boolean {
    return this.keys.some((key) => key.kid === kid)
  }

  /** Whether it was this set that gave `key`. */
  gave(key: VerificationKey): boolean {
    return this.prepared.has(key)
  }

  /**
   * The key named `kid` when it fits `algorithm`. Without a name: the only key that fits, because trying
   * several would let a token choose. A key that names its issuer fits that one's tokens only.
   */
  find(kid: string | undefined, algorithm: string, of?: KeyOwner): VerificationKey | undefined {
    let found: VerificationKey | undefined
    for (const key of this.keys) {
      const fitting = kid === undefined || key.kid === kid ? key.algorithms.get(algorithm) : undefined
      if (fitting === undefined || !belongsTo(key.issuer, of)) continue
      if (found !== undefined) return undefined
      found = fitting
    }
    return found
  }
}

/**
 * Reads the answer of a JWKS endpoint and imports its keys.
 *
 * @param subject - What was asked, for messages.
 * @param algorithms - Those of the issuer's preset; a key that fits none of them is left out.
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when it is no key set, a `kid` stands for
 * two signature keys, or no key is usable.
 */
export async function readKeySet(
  { status, text }: Pick<BoundedResponse, 'status' | 'text'>,
  subject: string,
  algorithms: readonly string[],
): Promise<KeySet> {
  if (status !== 200) throw unavailable(subject, `status ${status}`)
  const members = parseJsonObject(text)?.keys
  if (!Array.isArray(members)) throw unavailable(subject, 'it is not a JSON Web Key Set')
  if (members.length > maxKeys) throw unavailable(subject, `it has more than ${maxKeys} keys`)
  const candidates = (members as readonly Json[]).filter(isSignatureKey)
  const kids = candidates.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : []))
  if (new Set(kids).size < kids.length) throw unavailable(subject, 'two of its keys have the same `kid`')
  const keys = await Promise.all(candidates.filter(isStrong).map((jwk) => prepareKey(jwk, algorithms)))
  const usable = keys.filter((key) => key.algorithms.size > 0)
  if (usable.length === 0) throw unavailable(subject, 'it has no key that may verify signatures')
  return new KeySet(text, usable)
}

async function prepareKey(jwk: Claims, algorithms: readonly string[]): Promise<UsableKey> {
  const prepared = new Map<string, VerificationKey>()
  for (const algorithm of algorithms) {
    const key = fitsAlgorithm(jwk, algorithm) ? await importVerificationKey(jwk, algorithm) : undefined
    if (key !== undefined) prepared.set(algorithm, key)
  }
  return {
    ...(typeof jwk.kid === 'string' ? { kid: jwk.kid } : {}),
    ...(typeof jwk.issuer === 'string' ? { issuer: jwk.issuer } : {}),
    algorithms: prepared,
  }
}

/** Only issuers with tenants say of a key whose it is; elsewhere a member of that name means nothing. */
function belongsTo(issuer: string | undefined, of: KeyOwner | undefined): boolean {
  if (issuer === undefined || of?.tenant === undefined) return true
  return issuer.replace('{tenantid}', of.tenant) === of.iss
}
