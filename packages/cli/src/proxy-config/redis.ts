/**
 * Redis for a proxy: the server that `REDIS_URL` names, through the library where it is installed.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { RedisClient } from '@hfauth/node/redis'

export interface ConnectedRedis extends RedisClient {
  close(): Promise<unknown>
}

interface NodeRedis extends ConnectedRedis {
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<unknown>
}

/**
 * The library is the deployment's own: whoever needs no Redis needs no client either.
 *
 * @param what - The member of the configuration that asks for it.
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` without an address or the library; `HFAUTH_STORE_UNAVAILABLE` (retryable).
 */
export async function connectRedis(url: string | undefined, what: string): Promise<ConnectedRedis> {
  if (url === undefined) throw new HfAuthError('HFAUTH_CONFIG_INVALID', `\`${what}: redis\` needs REDIS_URL`)
  const library = 'redis'
  const loaded = await import(library).catch(() => {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `\`${what}: redis\` needs the package \`redis\``)
  })
  const client: NodeRedis = loaded.createClient({ url })
  client.on('error', () => {})
  try {
    await client.connect()
  } catch {
    throw new HfAuthError('HFAUTH_STORE_UNAVAILABLE', 'Redis cannot be reached', { retryable: true })
  }
  return client
}
