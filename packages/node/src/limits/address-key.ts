/**
 * Address key: what counts as one address.
 *
 * Of IPv6 the network of 64 bits: whoever has one address there has all of them.
 *
 * @module
 */
import { isIP } from 'node:net'
import { ipv6Network } from '../internal/ipv6-network.ts'

export function addressKey(ip: string | undefined): string {
  const address = (ip ?? '').replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
  switch (isIP(address)) {
    case 4:
      return address
    case 6:
      return ipv6Network(address, 4)
    default:
      return 'unknown'
  }
}
