/**
 * Body URLs: addresses in a question to a model, which somebody else would fetch.
 *
 * JSON body → **body URLs** → decide. An image, a file or a tool may be given by its address, and then a server
 * inside some other network goes there. Only hosts that were listed are; data in the body itself is no address.
 *
 * @module
 */
import type { Json } from '@hfauth/core'
import type { JsonObject } from '../wire/json-body.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'

const bearers: ReadonlySet<string> = new Set([
  'audio_url',
  'base_url',
  'connector_url',
  'endpoint_url',
  'file_url',
  'image_url',
  'server_url',
  'url',
  'video_url',
])

/**
 * @param hosts - Exact, or a suffix that begins with a dot; lower case.
 * @throws ProxyRefusal 403 `body_url`.
 */
export function assertUrls(body: JsonObject, hosts: readonly string[]): void {
  const open: Json[] = [body]
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value !== 'object' || value === null) continue
    for (const [name, member] of Object.entries(value) as [string, Json][]) {
      if (typeof member === 'object' && member !== null) open.push(member)
      else if (
        typeof member === 'string' &&
        bearers.has(name.trim().toLowerCase()) &&
        !isListed(member, hosts)
      ) {
        throw new ProxyRefusal('body_url')
      }
    }
  }
}

function isListed(text: string, hosts: readonly string[]): boolean {
  if (/^data:/i.test(text)) return true
  if (!URL.canParse(text)) return false
  const { protocol, hostname, port, username, password } = new URL(text)
  if (protocol !== 'https:' || port !== '' || username !== '' || password !== '') return false
  return hosts.some((host) => (host.startsWith('.') ? hostname.endsWith(host) : hostname === host))
}
