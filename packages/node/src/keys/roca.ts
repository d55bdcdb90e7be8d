/**
 * ROCA: RSA keys of a chip library that drew its primes from too small a family, so that their factors
 * can be computed.
 *
 * Such primes are powers of 65537 modulo a product of small primes, and so is their product. Another key
 * is one modulo all of these by chance once in some hundred million.
 *
 * @see CVE-2017-15361; Nemec et al., The Return of Coppersmith's Attack, CCS 2017, §2
 * @module
 */

/** Those that the family is built on whatever the length of the key. */
const primes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
] as const

const powers = primes.map((prime) => ({ prime: BigInt(prime), residues: powersOf(65537 % prime, prime) }))

/** Whether `modulus` is a power of 65537 modulo every one of the primes. */
export function hasRocaFingerprint(modulus: bigint): boolean {
  return powers.every(({ prime, residues }) => residues.has(Number(modulus % prime)))
}

function powersOf(generator: number, prime: number): ReadonlySet<number> {
  const residues = new Set<number>()
  for (let power = 1; !residues.has(power); power = (power * generator) % prime) residues.add(power)
  return residues
}
