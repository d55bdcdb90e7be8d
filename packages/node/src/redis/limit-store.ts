/**
 * Redis limit store: the buckets that several replicas share.
 *
 * One script looks at all buckets of a request and takes from all or none, by the server's own clock, so that
 * neither two replicas nor their clocks can be played against each other.
 *
 * @see redis.io/docs: EVAL, TIME, "Scripts and replication"
 * @module
 */
import { numberOption } from '../internal/number-option.ts'
import type { LimitState, LimitStore } from '../limits/types.ts'
import type { RedisClient } from './client.ts'

export interface RedisLimitStoreOptions {
  readonly client: RedisClient
  /** What keys begin with; in a cluster the part in braces keeps them on one node. Default `{hfauth:limits}:`. */
  readonly prefix?: string
  /** Longest wait for one reply, in milliseconds. Default 250. */
  readonly timeoutMs?: number
}

/**
 * Each bucket is the time at which it is full again, in microseconds. Gives for each bucket whether there is
 * room, the units left, and two waits in microseconds: until full, until there is room.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local states = {}
local full = {}
local fits = true
for i, key in ipairs(KEYS) do
  local unit = tonumber(ARGV[3 * i - 2])
  local burst = tonumber(ARGV[3 * i - 1])
  local cost = tonumber(ARGV[3 * i])
  local at = math.max(tonumber(redis.call('GET', key) or now), now)
  local over = at - now + cost * unit - burst * unit
  if over > 0 then fits = false end
  full[i] = at
  states[i] = { over > 0 and 0 or 1, math.floor(burst - (at - now) / unit + 1e-9), at - now, math.max(0, over) }
end
if fits then
  for i, key in ipairs(KEYS) do
    local unit = tonumber(ARGV[3 * i - 2])
    local cost = tonumber(ARGV[3 * i])
    local at = full[i] + cost * unit
    redis.call('SET', key, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000) + 1)
    states[i][2] = math.floor(states[i][2] - cost)
    states[i][3] = at - now
  end
end
for i in ipairs(states) do
  states[i][3] = math.ceil(states[i][3])
  states[i][4] = math.ceil(states[i][4])
end
return states
`

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when `timeoutMs` is no number. */
export function redisLimitStore(options: RedisLimitStoreOptions): LimitStore {
  const { client, prefix = '{hfauth:limits}:' } = options
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 250, { min: 1 })
  return {
    async take(demands) {
      const keys = demands.map(({ key }) => prefix + key)
      const numbers = demands.flatMap(({ unitMs, burst, cost }) => [unitMs * 1000, burst, cost])
      const command = ['EVAL', script, String(keys.length), ...keys, ...numbers.map(String)]
      const reply = await inTime(client.sendCommand(command), timeoutMs)
      if (!Array.isArray(reply) || reply.length !== demands.length)
        throw new Error('Redis replied out of order')
      return reply.map(readState)
    },
  }
}

function readState(reply: unknown): LimitState {
  const [allowed, remaining, resetMicros, retryMicros] = (Array.isArray(reply) ? reply : []).map(Number)
  if (retryMicros === undefined || Number.isNaN(retryMicros)) throw new Error('Redis replied out of order')
  return {
    allowed: allowed === 1,
    remaining: remaining ?? 0,
    resetMs: (resetMicros ?? 0) / 1000,
    retryMs: retryMicros / 1000,
  }
}

async function inTime<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('Redis did not reply in time')), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
