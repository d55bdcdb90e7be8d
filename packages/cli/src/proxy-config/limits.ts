/**
 * Limits of a configuration: in memory, or in the Redis that `REDIS_URL` names.
 *
 * @module
 */
import { createLimiter, type Limiter } from '@hfauth/node'
import { redisLimitStore } from '@hfauth/node/redis'
import type { ProxyConfig } from './config.ts'
import { connectRedis } from './redis.ts'

export interface OpenLimits {
  readonly limiter?: Limiter
  close(): Promise<void>
}

export async function openLimits(
  limits: ProxyConfig['limits'],
  env: Readonly<Record<string, string | undefined>>,
): Promise<OpenLimits> {
  if (limits === undefined) return { close: async () => {} }
  const { rules, store = 'memory', whenUnavailable } = limits
  const options = { rules, ...(whenUnavailable === undefined ? {} : { whenUnavailable }) }
  if (store === 'memory') return { limiter: createLimiter(options), close: async () => {} }
  const client = await connectRedis(env.REDIS_URL, 'limits.store')
  return {
    limiter: createLimiter({ ...options, store: redisLimitStore({ client }) }),
    close: async () => void (await client.close()),
  }
}
