/**
 * Limits of a configuration: in memory, or in the Redis that `REDIS_URL` names.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { createLimiter, type Limiter } from '@hfauth/node'
import { type RedisClient, redisLimitStore } from '@hfauth/node/redis'
import type { ProxyConfig } from './config.ts'

export interface OpenLimits {
  readonly limiter?: Limiter
  close(): Promise<void>
}

interface NodeRedis extends RedisClient {
  on(event: 'error', listener: () => void): unknown
  connect(): Promise<unknown>
  close(): Promise<unknown>
}

export async function openLimits(
  limits: ProxyConfig['limits'],
  env: Readonly<Record<string, string | undefined>>,
): Promise<OpenLimits> {
  if (limits === undefined) return { close: async () => {} }
  const { rules, store = 'memory', whenUnavailable } = limits
  const options = { rules, ...(whenUnavailable === undefined ? {} : { whenUnavailable }) }
  if (store === 'memory') return { limiter: createLimiter(options), close: async () => {} }
  const client = await connect(env.REDIS_URL)
  return {
    limiter: createLimiter({ ...options, store: redisLimitStore({ client }) }),
    close: async () => void (await client.close()),
  }
}

/** The library is the deployment's own: whoever needs no Redis needs no client either. */
async function connect(url: string | undefined): Promise<NodeRedis> {
  if (url === undefined)
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`limits.store: redis` needs REDIS_URL')
  const library = 'redis'
  const loaded = await import(library).catch(() => {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`limits.store: redis` needs the package `redis`')
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
