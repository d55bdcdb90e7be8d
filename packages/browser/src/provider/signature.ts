/**
 * Signature: whether a key of the provider has signed an ID token.
 *
 * network → **signature** → oauth. RS256 and nothing else, whatever the token's header says.
 *
 * @see RFC 7515 §5.2, RFC 7518 §3.3
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Settings } from '../options.ts'
import { fromBase64url, readTokenPart } from './bytes.ts'
import { readDocument } from './network.ts'

const rs256 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }

/**
 * @param token - Three parts and a JSON header: the protocol library has read it.
 * @throws HfAuthError `HFAUTH_SIGNIN_INVALID`, `HFAUTH_ISSUER_UNAVAILABLE`.
 */
export async function assertSignature(settings: Settings, jwksUri: string, token: string): Promise<void> {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const { kid } = readTokenPart(header)
  // The key may be younger than the browser's copy of the list.
  const jwk = (await findKey(settings, jwksUri, kid, false)) ?? (await findKey(settings, jwksUri, kid, true))
  if (jwk === undefined) throw wrong('is by none of the keys that the provider publishes')
  const { n, e } = jwk
  const key = await crypto.subtle.importKey('jwk', { kty: 'RSA', n, e } as JsonWebKey, rs256, false, [
    'verify',
  ])
  if ((key.algorithm as RsaKeyAlgorithm).modulusLength < 2048) throw wrong('is by a key that is too short')
  const signed = new TextEncoder().encode(`${header}.${payload}`)
  if (!(await crypto.subtle.verify(rs256, key, fromBase64url(signature), signed))) throw wrong('is wrong')
}

/** The one key that it can be. @see RFC 7517 §4 */
async function findKey(
  settings: Settings,
  jwksUri: string,
  kid: string | undefined,
  fresh: boolean,
): Promise<JsonWebKey | undefined> {
  const { keys } = await readDocument(settings, jwksUri, fresh)
  const found = (Array.isArray(keys) ? keys : []).filter(
    (jwk) =>
      jwk?.kty === 'RSA' &&
      (kid === undefined || jwk.kid === kid) &&
      (jwk.alg ?? 'RS256') === 'RS256' &&
      (jwk.use ?? 'sig') === 'sig' &&
      (jwk.key_ops ?? ['verify']).includes('verify'),
  )
  return found.length === 1 ? found[0] : undefined
}

function wrong(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNIN_INVALID', `the signature of the ID token ${why}`)
}
