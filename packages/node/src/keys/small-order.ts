/**
 * Small order: the points of Ed25519 that are no keys.
 *
 * Eight times such a point is the neutral one, so that one signature, which anybody can write down, fits
 * every eighth message or all of them. Not every OpenSSL that we run on refuses them.
 *
 * @see RFC 8032 §5.1; RFC 7748 §7 (checking for small order)
 * @module
 */

/** Their y, little-endian in hex; the last two are 0 and 1 written with the prime added. */
const ordinates: ReadonlySet<string> = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

/** @param point - As in a key: 32 bytes, y and the sign of x in the highest bit, which makes no difference here. */
export function isSmallOrder(point: Uint8Array): boolean {
  const ordinate = Buffer.from(point)
  ordinate[31] = (ordinate[31] ?? 0) & 0x7f
  return ordinates.has(ordinate.toString('hex'))
}
