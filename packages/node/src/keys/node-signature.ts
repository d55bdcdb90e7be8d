/**
 * Signatures by `node:crypto`, at once and on a prepared key object.
 *
 * @see RFC 7518 §3.3 to §3.5; RFC 8037 §3.1
 * @module
 */
import { constants, createVerify, KeyObject, verify, type webcrypto } from 'node:crypto'
import { maxTokenLength } from '../token/kind.ts'
import { toDerSignature } from './ecdsa-der.ts'
import type { SignatureCheck } from './signature-check.ts'

/** `undefined` where the runtime cannot do this, or for an algorithm that is not ours. */
export function prepareNodeCheck(key: webcrypto.CryptoKey, algorithm: string): SignatureCheck | undefined {
  const object = toKeyObject(key)
  if (object === undefined || typeof verify !== 'function' || typeof createVerify !== 'function')
    return undefined
  const hash = `sha${algorithm.slice(2)}`
  switch (algorithm) {
    case 'RS256':
    case 'RS384':
    case 'RS512':
      // The older call takes the text as it is, and half a microsecond less.
      return (input, signature) => createVerify(hash).update(input, 'latin1').verify(object, signature)
    case 'PS256':
    case 'PS384':
    case 'PS512': {
      const padded = {
        key: object,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      }
      return (input, signature) => verify(hash, bytesOf(input), padded, signature)
    }
    case 'ES256':
    case 'ES384':
    case 'ES512': {
      const numberLength = algorithm === 'ES512' ? 66 : Number(algorithm.slice(2)) / 8
      return (input, signature) => {
        const der = toDerSignature(signature, numberLength)
        return der !== undefined && verify(hash, bytesOf(input), object, der)
      }
    }
    case 'EdDSA':
    case 'Ed25519':
      return (input, signature) => verify(null, bytesOf(input), object, signature)
    default:
      return undefined
  }
}

/** Used again for every input: what is checked at once needs no bytes of its own. */
const scratch = Buffer.alloc(maxTokenLength)

function bytesOf(input: string): Uint8Array {
  if (input.length > scratch.length) return Buffer.from(input, 'latin1')
  return scratch.subarray(0, scratch.write(input, 'latin1'))
}

function toKeyObject(key: webcrypto.CryptoKey): KeyObject | undefined {
  try {
    return KeyObject.from(key)
  } catch {
    return undefined
  }
}
