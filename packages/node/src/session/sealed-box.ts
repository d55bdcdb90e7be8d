/**
 * Sealed box: text that only this service can read, and only where it was meant to be read.
 *
 * The one place where jose works for sessions. Each purpose has its own key, derived from the configured
 * secret, so that a sign-in under way can never be shown as a session. The first secret seals, all of them
 * open: a new one is put in front, and the old one is dropped when nothing sealed with it is alive.
 *
 * @see RFC 7516 (JWE), RFC 7518 §4.5 (`dir`), §5.3 (`A256GCM`); RFC 5869 (HKDF)
 * @module
 */
import { hash, hkdfSync } from 'node:crypto'
import { type Claims, HfAuthError } from '@hfauth/core'
import { CompactEncrypt, compactDecrypt } from 'jose'
import { parseJsonObject } from '../internal/json-object.ts'
import { decodeUtf8 } from '../internal/request.ts'
import { decodeBase64url } from '../token/base64url.ts'

export interface SealedBox {
  /**
   * @param place - Where the text will stand: it opens nowhere else.
   * @throws HfAuthError `HFAUTH_SESSION_TOO_LARGE` for what could not be opened again.
   */
  seal(content: object, place: string): Promise<string>
  /** The content, or `undefined` for everything that was not sealed here for this place. */
  open(text: string, place: string): Promise<Claims | undefined>
}

/** Longest text that is sealed, in characters: all that a provider may tell of a person, and their tokens. */
const maxTextLength = 1_048_576
/** Longest sealed text that is looked at, in characters: four for three bytes, and a character may have three. */
const maxLength = 4 * maxTextLength + 1024
/** Nobody's claims are deeper. */
const limits = { maxDepth: 24, maxLength: maxTextLength }

export function createSealedBox(secrets: readonly string[], purpose: string): SealedBox {
  const keys = secrets.map((secret) => {
    const key = deriveKey(secret, purpose)
    return { key, kid: hash('sha256', key, 'base64url').slice(0, 11) }
  })
  const [first] = keys
  if (first === undefined) throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`secrets` must not be empty')
  const header = { alg: 'dir', enc: 'A256GCM', kid: first.kid } as const

  return {
    async seal(content, place) {
      const text = JSON.stringify({ place, content })
      if (text.length > maxTextLength) {
        throw new HfAuthError(
          'HFAUTH_SESSION_TOO_LARGE',
          `the session is longer than ${maxTextLength} characters`,
        )
      }
      return new CompactEncrypt(Buffer.from(text)).setProtectedHeader(header).encrypt(first.key)
    },
    async open(text, place) {
      // In one spelling only: the library takes spare bits for nothing.
      if (text.length > maxLength || text.split('.').some((part) => decodeBase64url(part) === undefined))
        return undefined
      try {
        const { plaintext } = await compactDecrypt(text, ({ kid }) => keyNamed(keys, kid), {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        })
        const sealed = parseJsonObject(decodeUtf8(plaintext) ?? '', limits)
        const { content } = sealed ?? {}
        if (sealed?.place !== place || typeof content !== 'object' || content === null) return undefined
        return Array.isArray(content) ? undefined : (content as Claims)
      } catch {
        // Tampered, cut, of another key or no JWE at all: nothing that was sealed here.
        return undefined
      }
    },
  }
}

/** 32 bytes for one purpose, from a secret of any length. */
export function deriveKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, '', `hfauth ${purpose} 1`, 32))
}

function keyNamed(
  keys: readonly { readonly key: Uint8Array; readonly kid: string }[],
  kid: string | undefined,
): Uint8Array {
  const found = keys.find((candidate) => candidate.kid === kid)
  if (found === undefined) throw new Error('sealed with a key that is not here')
  return found.key
}
