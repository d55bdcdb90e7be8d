/**
 * Signatures by WebCrypto, for runtimes without the synchronous step.
 *
 * @see RFC 7518 §3.3 to §3.5; RFC 8037 §3.1
 * @module
 */
import type { webcrypto } from 'node:crypto'
import type { SignatureCheck } from './signature-check.ts'

/** `undefined` for an algorithm that is not ours. */
export function prepareWebCheck(key: webcrypto.CryptoKey, algorithm: string): SignatureCheck | undefined {
  const parameters = parametersOf(algorithm)
  if (parameters === undefined) return undefined
  return async (input, signature) => {
    try {
      return await crypto.subtle.verify(
        parameters,
        key,
        new Uint8Array(signature),
        Buffer.from(input, 'latin1'),
      )
    } catch {
      return false
    }
  }
}

function parametersOf(algorithm: string): webcrypto.AlgorithmIdentifier | undefined {
  const bits = Number(algorithm.slice(2))
  switch (algorithm) {
    case 'RS256':
    case 'RS384':
    case 'RS512':
      return 'RSASSA-PKCS1-v1_5'
    case 'PS256':
    case 'PS384':
    case 'PS512':
      return { name: 'RSA-PSS', saltLength: bits / 8 } as webcrypto.RsaPssParams
    case 'ES256':
    case 'ES384':
    case 'ES512':
      return { name: 'ECDSA', hash: `SHA-${bits}` } as webcrypto.EcdsaParams
    case 'EdDSA':
    case 'Ed25519':
      return 'Ed25519'
    default:
      return undefined
  }
}
