/**
 * Key set: the public keys in a JWKS document that may verify signatures.
 *
 * discovery → **key set** → verify. A key that is for something else is left out, which is ordinary;
 * a set in which a name is ambiguous, or in which nothing is usable, is refused as a whole.
 *
 * @see RFC 7517 §4, §5; RFC 7518 §3.3 (RSA keys of 2048 bits or more); RFC 8725 §3.1
 * @module
 */
import type { Claims, Json } from '@hfauth/core'
import { isJsonObject, parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, unavailable } from '../internal/request.ts'
import { decodeBase64url } from '../token/base64url.ts'
import { importVerificationKey, type VerificationKey } from './signature.ts'

/** Most keys in a document. */
const maxKeys = 100
const leastRsaBits = 2048

/** Members that only a private or a symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4.1). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

const shapes: Readonly<Record<string, { readonly kty: string; readonly crv?: string }>> = {
  RS256: { kty: 'RSA' },
  RS384: { kty: 'RSA' },
  RS512: { kty: 'RSA' },
  PS256: { kty: 'RSA' },
  PS384: { kty: 'RSA' },
  PS512: { kty: 'RSA' },
  ES256: { kty: 'EC', crv: 'P-256' },
  ES384: { kty: 'EC', crv: 'P-384' },
  ES512: { kty: 'EC', crv: 'P-521' },
  EdDSA: { kty: 'OKP', crv: 'Ed25519' },
  Ed25519: { kty: 'OKP', crv: 'Ed25519' },
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
  private readonly keys: readonly UsableKey[]

  constructor(keys: readonly UsableKey[]) {
    this.keys = keys
  }

  /** Whether a key of that name is in the set, for whatever algorithm. */
  has(kid: string): boolean {
    return this.keys.some((key) => key.kid === kid)
  }

  /**
   * The key named `kid` when it fits `algorithm`. Without a name: the only key that fits, because trying
   * several would let a token choose. A key that names its issuer fits that one's tokens only.
   */
  find(kid: string | undefined, algorithm: string, of?: KeyOwner): VerificationKey | undefined {
    const fitting = this.keys.filter(
      (key) =>
        (kid === undefined || key.kid === kid) && key.algorithms.has(algorithm) && belongsTo(key.issuer, of),
    )
    return fitting.length === 1 ? fitting[0]?.algorithms.get(algorithm) : undefined
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
  { status, text }: BoundedResponse,
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
  const keys = await Promise.all(candidates.map((jwk) => prepareKey(jwk, algorithms)))
  const usable = keys.filter((key) => key.algorithms.size > 0)
  if (usable.length === 0) throw unavailable(subject, 'it has no key that may verify signatures')
  return new KeySet(usable)
}

async function prepareKey(jwk: Claims, algorithms: readonly string[]): Promise<UsableKey> {
  const prepared = new Map<string, VerificationKey>()
  for (const algorithm of algorithms) {
    const key = fits(jwk, algorithm) ? await importVerificationKey(jwk, algorithm) : undefined
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

function isSignatureKey(value: Json): value is Claims {
  if (!isJsonObject(value)) return false
  const { kty, use, key_ops: operations, kid } = value
  if (kty === 'oct' || secretMembers.some((member) => Object.hasOwn(value, member))) return false
  if (use !== undefined && use !== 'sig') return false
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return false
  if (kid !== undefined && typeof kid !== 'string') return false
  return kty !== 'RSA' || rsaBits(value.n) >= leastRsaBits
}

/** One key, one algorithm: what the key says of itself wins over what its type would allow. */
function fits({ kty, crv, alg }: Claims, algorithm: string): boolean {
  const shape = shapes[algorithm]
  if (shape === undefined || kty !== shape.kty) return false
  if (shape.crv !== undefined && crv !== shape.crv) return false
  return alg === undefined || alg === algorithm
}

function rsaBits(modulus: Json | undefined): number {
  const bytes = typeof modulus === 'string' ? decodeBase64url(modulus) : undefined
  const start = bytes?.findIndex((byte) => byte !== 0) ?? -1
  const first = bytes?.[start]
  if (bytes === undefined || first === undefined) return 0
  return (bytes.length - start) * 8 - Math.clz32(first) + 24
}
