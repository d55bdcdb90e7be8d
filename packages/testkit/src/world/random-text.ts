/**
 * Random text: letters and digits for secrets, tokens and ids.
 *
 * Stands under everything that mints a value. Always cryptographic randomness:
 * a test value that can be guessed hides replay bugs.
 *
 * @module
 */

import { randomInt } from 'node:crypto'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** @param length - Number of characters. */
export function randomText(length: number): string {
  let text = ''
  while (text.length < length) text += alphabet[randomInt(alphabet.length)]
  return text
}
