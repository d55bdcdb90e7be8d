/**
 * Bytes: a digest, and bytes as the text that tokens and protocols write them in.
 *
 * **bytes** → secrets, signature, ID token, marks.
 *
 * @see RFC 4648 §5 (base64url)
 * @module
 */

export async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}

export function toBase64url(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes))
  return text.replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')
}

/**
 * Takes the one text that stands for these bytes: no padding, no spaces, no bits left over.
 *
 * @throws DOMException `InvalidCharacterError`, SyntaxError
 */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (byte) =>
    byte.charCodeAt(0),
  )
  if (toBase64url(bytes) !== text) throw new SyntaxError()
  return bytes
}

/** Reads the header or the payload of a token, without judging it. @throws DOMException, SyntaxError */
export function readTokenPart(part: string) {
  return JSON.parse(new TextDecoder().decode(fromBase64url(part)))
}
