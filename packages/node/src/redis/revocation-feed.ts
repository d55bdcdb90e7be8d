/**
 * Redis revocation feed: one stream that every replica reads from where it left off.
 *
 * A stream keeps what pub/sub would lose while a connection is down, and is read with a plain `XRANGE`:
 * a blocking read would hold up every other command on the caller's connection.
 *
 * @see redis.io/docs: XADD, XRANGE, "Redis Streams"
 * @module
 */
import { parseJsonObject } from '../internal/json-object.ts'
import { numberOption } from '../internal/number-option.ts'
import { readRevocation } from '../revoke/read-revocation.ts'
import type { FeedPage, RevocationFeed, RevocationRecord } from '../revoke/types.ts'
import type { RedisClient } from './client.ts'

export interface RedisRevocationFeedOptions {
  readonly client: RedisClient
  /** Name of the stream. Default `hfauth:revocations`. */
  readonly key?: string
  /** How long entries stay in the stream, in seconds; not less than the set's `lifeSeconds`. Default 7 days. */
  readonly lifeSeconds?: number
  /** Longest wait for one reply, in milliseconds. Default 1000. */
  readonly timeoutMs?: number
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

/** Most entries in one reply. */
const pageSize = 1000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is out of its range. */
export function redisRevocationFeed(options: RedisRevocationFeedOptions): RevocationFeed {
  const { client, key = 'hfauth:revocations', now = Date.now } = options
  const lifeSeconds = numberOption('lifeSeconds', options.lifeSeconds ?? 7 * 86_400, {
    min: 60,
    max: 400 * 86_400,
  })
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 1000, { min: 1 })

  async function send(...args: string[]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('Redis did not reply in time')), timeoutMs)
    })
    try {
      return await Promise.race([client.sendCommand(args), late])
    } finally {
      clearTimeout(timer)
    }
  }

  async function range(start: string): Promise<[id: string, record: RevocationRecord | undefined][]> {
    const reply = await send('XRANGE', key, start, '+', 'COUNT', String(pageSize))
    if (!Array.isArray(reply)) throw new Error('Redis replied with something else than a list')
    return reply.map(readEntry)
  }

  return {
    async append({ revocation, revokedAt }) {
      // Ids begin with the server's time; an hour more, because its clock may be another than ours.
      const oldest = Math.max(0, now() - (lifeSeconds + 3600) * 1000)
      const text = JSON.stringify({ revocation, revokedAt })
      await send('XADD', key, 'MINID', '~', String(oldest), '*', 'r', text)
    },

    async read(position): Promise<FeedPage> {
      // From the last known entry on, that one included: when it is gone, so may be others.
      let entries = await range(position ?? '-')
      const isThere = position === undefined || entries[0]?.[0] === position
      if (!isThere) entries = await range('-')
      const last = entries.at(-1)?.[0]
      return {
        records: entries.flatMap(([, record]) => record ?? []),
        ...(last === undefined ? {} : { position: last }),
        restarted: !isThere,
        more: entries.length === pageSize,
      }
    },
  }
}

/** An entry that is none of ours is passed over: it must not stop those behind it. */
function readEntry(entry: unknown): [id: string, record: RevocationRecord | undefined] {
  const [id, fields] = Array.isArray(entry) ? entry : []
  const text = Array.isArray(fields) ? String(fields[1]) : ''
  const value = parseJsonObject(text, { maxDepth: 3, maxValues: 20 })
  const revokedAt = value?.revokedAt
  if (value === undefined || !Number.isSafeInteger(revokedAt)) return [String(id), undefined]
  try {
    return [String(id), { revocation: readRevocation(value.revocation), revokedAt: revokedAt as number }]
  } catch {
    return [String(id), undefined]
  }
}
