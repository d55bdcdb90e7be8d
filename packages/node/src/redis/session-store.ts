/**
 * Session store in Redis: several replicas share sessions, and none keeps any.
 *
 * A session is one string under its digest, with Redis's own expiry. Replacing compares the whole text inside
 * Redis, so that of two replicas only one succeeds. An index is a sorted set of digests by their end; no
 * command touches two keys, so that a cluster serves as well.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { numberOption } from '../internal/number-option.ts'
import type { SessionStore } from '../session/types.ts'
import type { RedisClient } from './client.ts'

export interface RedisSessionStoreOptions {
  /** In front of every key. Default `hfauth:session:`. */
  readonly prefix?: string
  /** Longest wait for an answer of Redis, in milliseconds. Default 1000. */
  readonly timeoutMs?: number
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** KEYS: session. ARGV: previous, next, lifetime in milliseconds. */
const replaceScript = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`

/** KEYS: index. ARGV: now, end, member. The index lives as long as what it names longest. */
const indexScript = `
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
return redis.call('PEXPIRE', KEYS[1], math.max(1, tonumber(last[2]) - tonumber(ARGV[1])))`

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `timeoutMs` is out of its range. */
export function redisSessionStore(client: RedisClient, options: RedisSessionStoreOptions = {}): SessionStore {
  const { prefix = 'hfauth:session:', now = Date.now } = options
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 1000, { min: 1 })
  const sessionKey = (key: string) => `${prefix}${key}`
  const indexKey = (index: string) => `${prefix}index:${index}`
  const lifetime = (untilMs: number) => String(Math.max(1, Math.ceil(untilMs - now())))

  async function send(...args: string[]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(unavailable(`no answer within ${timeoutMs} ms`)), timeoutMs)
    })
    try {
      return await Promise.race([client.sendCommand(args), late])
    } catch (error) {
      // What a client throws may quote the command, and with it what was to be kept.
      throw error instanceof HfAuthError ? error : unavailable('the command failed')
    } finally {
      clearTimeout(timer)
    }
  }

  return {
    async get(key) {
      const value = await send('GET', sessionKey(key))
      return typeof value === 'string' ? value : undefined
    },

    async create(key, value, { untilMs, indexes, indexUntilMs }) {
      // Names first: a name of nothing is harmless, a session without its name could not be ended.
      for (const index of indexes) {
        const times = [String(now()), String(indexUntilMs)]
        await send('EVAL', indexScript, '1', indexKey(index), ...times, key)
      }
      return (await send('SET', sessionKey(key), value, 'PX', lifetime(untilMs), 'NX')) === 'OK'
    },

    async replace(key, previous, next, untilMs) {
      return (
        (await send('EVAL', replaceScript, '1', sessionKey(key), previous, next, lifetime(untilMs))) === 1
      )
    },

    delete: async (key) => (await send('DEL', sessionKey(key))) === 1,

    async deleteIndexed(index) {
      const keys = await send('ZRANGE', indexKey(index), '0', '-1')
      let removed = 0
      for (const key of Array.isArray(keys) ? keys : []) {
        if ((await send('DEL', sessionKey(String(key)))) !== 1) continue
        removed += 1
        // The name of nothing stays until its time is over: it may be that of a session which is about to begin.
        await send('ZREM', indexKey(index), String(key))
      }
      return removed
    },
  }
}

function unavailable(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_STORE_UNAVAILABLE', `Redis is unavailable: ${reason}`, { retryable: true })
}
