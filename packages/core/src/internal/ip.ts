/**
 * IP addresses and ranges, version 4 and 6, as numbers.
 *
 * @module
 */

export interface IpAddress {
  readonly version: 4 | 6
  readonly value: bigint
}

export interface IpRange extends IpAddress {
  readonly prefix: number
}

/** Reads an address in one of its usual spellings; an IPv4-mapped IPv6 address is the IPv4 one. */
export function parseIp(text: string): IpAddress | undefined {
  const v4 = parseV4(text)
  if (v4 !== undefined) return { version: 4, value: v4 }
  const v6 = parseV6(text)
  if (v6 === undefined) return undefined
  return v6 >> 32n === 0xffffn ? { version: 4, value: v6 & 0xffffffffn } : { version: 6, value: v6 }
}

/** Reads `192.0.2.0/24` or `2001:db8::/32`. */
export function parseCidr(text: string): IpRange | undefined {
  const match = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(text)
  const address = match?.[1] === undefined ? undefined : parseIp(match[1])
  const prefix = Number(match?.[2])
  if (address === undefined || prefix > (address.version === 4 ? 32 : 128)) return undefined
  return { ...address, prefix }
}

export function inRange(address: IpAddress, range: IpRange): boolean {
  if (address.version !== range.version) return false
  const shift = BigInt((range.version === 4 ? 32 : 128) - range.prefix)
  return address.value >> shift === range.value >> shift
}

function parseV4(text: string): bigint | undefined {
  const octets = text.split('.')
  if (octets.length !== 4) return undefined
  let value = 0n
  for (const octet of octets) {
    // No leading zeros: some readers take them for octal.
    if (!/^(?:0|[1-9]\d{0,2})$/.test(octet) || Number(octet) > 255) return undefined
    value = (value << 8n) | BigInt(octet)
  }
  return value
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0] ?? '')
  const tail = groupsOf(halves[1] ?? '')
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  return [...head, ...Array<bigint>(missing).fill(0n), ...tail].reduce(
    (value, group) => (value << 16n) | group,
    0n,
  )
}

function groupsOf(text: string): bigint[] | undefined {
  if (text === '') return []
  const groups: bigint[] = []
  const pieces = text.split(':')
  for (const [i, piece] of pieces.entries()) {
    const v4 = i === pieces.length - 1 ? parseV4(piece) : undefined
    if (v4 !== undefined) groups.push(v4 >> 16n, v4 & 0xffffn)
    else if (/^[0-9a-fA-F]{1,4}$/.test(piece)) groups.push(BigInt(`0x${piece}`))
    else return undefined
  }
  return groups
}
