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

/** @throws DOMException `InvalidCharacterError` */
export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const bytes = atob(text.replace(/-/g, '+').replace(/_/g, '/'))
  return Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))
}

/** Reads the header or the payload of a token, without judging it. @throws DOMException, SyntaxError */
export function readTokenPart(part: string) {
  return JSON.parse(new TextDecoder().decode(fromBase64url(part)))
}
