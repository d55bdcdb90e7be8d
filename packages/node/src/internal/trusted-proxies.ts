/**
 * Trusted proxies: who really holds the other end.
 *
 * The socket says so; a forwarding header is believed only from proxies that were named.
 *
 * @module
 */
import { BlockList, isIP } from 'node:net'
import { HfAuthError } from '@hfauth/core'

export interface TrustedProxies {
  /** Whether a socket with this address at its other end is held by one of them. */
  has(remoteAddress: string | undefined): boolean
  /**
   * The client, given the socket's address and the `X-Forwarded-For` header. Walks the header from the right:
   * skips trusted hops and stops at the first that is not one. What cannot be read ends the walk, since
   * everything left of it is hearsay.
   */
  clientOf(remoteAddress: string | undefined, forwardedFor: string | null): string | undefined
}

/**
 * @param addresses - Addresses, or ranges in CIDR notation.
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` for what is neither, and for a range that covers everybody.
 */
export function createTrustedProxies(addresses: readonly string[] = []): TrustedProxies {
  const trusted = new BlockList()
  for (const entry of addresses) trust(trusted, entry)
  return {
    has(remoteAddress) {
      if (addresses.length === 0) return false
      const address = plainAddress(remoteAddress ?? '')
      return address !== undefined && isTrusted(trusted, address)
    },
    clientOf(remoteAddress, forwardedFor) {
      let client = plainAddress(remoteAddress ?? '')
      if (client === undefined || forwardedFor === null) return client
      const hops = forwardedFor.split(',')
      while (isTrusted(trusted, client)) {
        const next = plainAddress(hops.pop()?.trim() ?? '')
        if (next === undefined) return client
        client = next
      }
      return client
    },
  }
}

function trust(list: BlockList, entry: string): void {
  const [address = '', prefix, more] = entry.split('/')
  const version = isIP(address)
  const bits = prefix === undefined ? undefined : Number(prefix)
  const longest = version === 4 ? 32 : 128
  const known = bits === undefined || (/^\d{1,3}$/.test(prefix ?? '') && bits > 0 && bits <= longest)
  if (version === 0 || !known || more !== undefined) {
    throw new HfAuthError(
      'HFAUTH_CONFIG_INVALID',
      `\`trustedProxies\` has \`${entry}\`, which is no proxy's address`,
    )
  }
  const family = version === 4 ? 'ipv4' : 'ipv6'
  if (bits === undefined) list.addAddress(address, family)
  else list.addSubnet(address, bits, family)
}

function isTrusted(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}

/** An address without the IPv4-mapped prefix and zone that sockets report; `undefined` when it is none. */
function plainAddress(text: string): string | undefined {
  const address = text.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  return isIP(address) === 0 ? undefined : address
}
