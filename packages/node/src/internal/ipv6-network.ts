/**
 * IPv6 network: the first groups of an address, as one text for every way to write it.
 *
 * @module
 */

/** @param ip - A valid IPv6 address, without a zone. */
export function ipv6Network(ip: string, groupCount: number): string {
  // `::` stands for as many zeros as are missing.
  const [head = '', tail] = ip.split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const zeros = Array<string>(8 - before.length - after.length).fill('0')
  const network = [...before, ...zeros, ...after].slice(0, groupCount)
  return `${network.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::`
}

/** Groups of 16 bits; an IPv4 address at the end is two of them. */
function groupsOf(text: string): string[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]))
}
