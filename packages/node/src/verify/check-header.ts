/**
 * Check header: what the header of a JWT may say, given the issuer it claims.
 *
 * compact JWT → **check header** → signature. The header only picks among what the preset allows; a
 * header that brings its own key, or asks for a feature, is refused and nothing it points to is fetched.
 *
 * @see RFC 7515 §4.1; RFC 8725 §3.1, §3.5, §3.11
 * @module
 */
import { type Claims, HfAuthError, type Preset } from '@hfauth/core'
import { claim } from '../token/claims.ts'

/** Keys and references that a token brings along, extensions that must be understood, and other encodings. */
export const refusedMembers = ['crit', 'jwk', 'jku', 'x5u', 'x5c', 'b64', 'zip', 'enc'] as const

export interface CheckedHeader {
  readonly algorithm: string
  readonly kid?: string
  /** Whether `typ` says that this is a JWT access token (RFC 9068 §2.1). */
  readonly accessToken: boolean
}

/** By the header itself, which is one and the same object for all tokens of a key, and never changed. */
const passed = new WeakMap<Claims, { readonly preset: Preset; readonly checked: CheckedHeader }>()

/**
 * @param header - As `readCompactJwt` gives it.
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when the header says anything but what the preset allows.
 */
export function checkHeader(header: Claims, preset: Preset): CheckedHeader {
  const before = passed.get(header)
  if (before?.preset === preset) return before.checked
  const checked = readHeader(header, preset)
  passed.set(header, { preset, checked })
  return checked
}

function readHeader(header: Claims, preset: Preset): CheckedHeader {
  const refused = refusedMembers.find((name) => Object.hasOwn(header, name))
  if (refused !== undefined) throw invalid(`a token with \`${refused}\` in its header is not taken`)
  const algorithm = claim(header, 'alg')
  if (typeof algorithm !== 'string' || !preset.algorithms.includes(algorithm)) {
    throw invalid(`\`alg\` of the token is none of ${preset.algorithms.join(', ')}`)
  }
  const kid = claim(header, 'kid')
  if (kid !== undefined && !isKeyName(kid)) {
    throw invalid('`kid` of the token is not a text of 1 to 256 printable characters')
  }
  const accessToken = isAccessTokenType(claim(header, 'typ'), preset)
  if (accessToken && preset.accessTokens !== 'jwt') throw refusedAccessToken(preset)
  return { algorithm, accessToken, ...(kid === undefined ? {} : { kid }) }
}

/** What is said of an access token that this preset does not verify by its signature. */
export function refusedAccessToken({ name, accessTokens }: Preset): HfAuthError {
  const how =
    accessTokens === 'introspection'
      ? ', or name a client that may ask about it (`clients` of the verifier)'
      : ''
  return invalid(`JWT access tokens of a \`${name}\` issuer are not taken: send its ID token${how}`)
}

/** A key's name is only ever compared; what no issuer writes is not worth asking for either. */
function isKeyName(kid: unknown): kid is string {
  return typeof kid === 'string' && /^[\x20-\x7e]{1,256}$/.test(kid)
}

/** Types are media types: compared without case, and `application/` may be left out (RFC 7515 §4.1.9). */
export function isAccessTokenType(type: unknown, { types, accessTypes }: Preset): boolean {
  if (type === undefined) return false
  const name = typeof type === 'string' ? type.toLowerCase().replace(/^application\//, '') : ''
  if (types.includes(name)) return false
  if (accessTypes.includes(name)) return true
  throw invalid('`typ` of the token is neither `JWT` nor `at+jwt`')
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_TOKEN_INVALID', message)
}
