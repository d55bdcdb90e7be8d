/**
 * Secrets: the random texts that tie an answer to the sign-in that asked for it.
 *
 * **secrets** → sign-in address.
 *
 * @module
 */
import { sha256, toBase64url } from './bytes.ts'

/** What a sign-in must be compared with when its answer comes. */
export interface Secrets {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
}

export function randomSecrets(): Secrets {
  return { state: randomText(), nonce: randomText(), verifier: randomText() }
}

/** The S256 code challenge. @see RFC 7636 §4.2 */
export async function challengeOf(verifier: string): Promise<string> {
  return toBase64url(await sha256(verifier))
}

/** 256 bits, as RFC 7636 §7.1 advises for the verifier. */
function randomText(): string {
  return toBase64url(crypto.getRandomValues(new Uint8Array(32)))
}
