/**
 * Fold: names without their case, as far as ASCII goes.
 *
 * Unicode's own folding takes letters together that an issuer keeps apart: the Kelvin sign becomes `k`, so whoever
 * could register `Kim` with it would be `kim` here.
 *
 * @module
 */

export function foldCase(name: string): string {
  return isAscii.test(name) ? name.toLowerCase() : name.replaceAll(/[A-Z]+/g, (some) => some.toLowerCase())
}

const isAscii = /^[\u0000-\u007f]*$/
