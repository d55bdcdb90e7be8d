/**
 * Signature check: what both ways of checking a signature have in common.
 *
 * @module
 */

/**
 * Whether `signature` over `input` was made with the private half of one key, by one algorithm. Each
 * character of `input` stands for one byte, as in a JWS, which is ASCII.
 */
export type SignatureCheck = (input: string, signature: Uint8Array) => boolean | Promise<boolean>
