/**
 * Revocations of a proxy: the set that its verifier and its streams ask, and what fills it.
 *
 * doors, polls, Redis → **revocations** → verifier, proxy.
 *
 * @module
 */
import type { Policy } from '@hfauth/core'
import {
  type AuditLog,
  createRevocationIntake,
  createRevocations,
  createSetPoller,
  type PolicyParts,
  type RevocationSet,
  type RevocationsOptions,
  type StreamWatch,
} from '@hfauth/node'
import { redisRevocationFeed, redisSessionStore } from '@hfauth/node/redis'
import type { CommandIo } from '../command.ts'
import { present } from './arguments.ts'
import type { ProxyConfig } from './config.ts'
import { type Doors, openDoors } from './doors.ts'
import { connectRedis } from './redis.ts'
import { requiredToken } from './required-token.ts'
import { createStreamWatches } from './stream-watches.ts'
import { transmitterOf } from './transmitter.ts'

export interface OpenRevocations {
  /** Absent where the configuration has none. */
  readonly set?: RevocationSet
  /** The event streams that are watched, by name. */
  readonly streams: Readonly<Record<string, StreamWatch>>
  /** Where the doors are, once they are open. */
  readonly doorsUrl?: string
  /** Whose logouts are taken, and who may revoke, is the policy's to say. */
  use(policy: Policy, parts: Pick<PolicyParts, 'engine' | 'verifier'>): void
  close(): Promise<void>
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` for what cannot be; `HFAUTH_STORE_UNAVAILABLE` without Redis. */
export async function openRevocations(
  config: ProxyConfig['revocations'],
  audit: AuditLog,
  io: Pick<CommandIo, 'env' | 'error'>,
): Promise<OpenRevocations> {
  if (config === undefined) return { streams: {}, use() {}, close: async () => {} }
  const { store = 'memory', key, lifeSeconds, onUnavailable, doors: doorsConfig, polls = [] } = config
  const tokens = polls.map(({ tokenEnv }) => requiredToken(tokenEnv, io.env, '`revocations.polls`'))
  const client = store === 'redis' ? await connectRedis(io.env.REDIS_URL, 'revocations.store') : undefined
  const life = present({ lifeSeconds })
  const options: RevocationsOptions = {
    ...life,
    ...present({ onUnavailable }),
    ...(client === undefined ? {} : { feed: redisRevocationFeed({ client, ...present({ key }), ...life }) }),
    onState: ({ name }) => io.error(`revocations are ${name}`),
  }
  const set = createRevocations(options)
  const stop = new AbortController()
  const watches = createStreamWatches({
    audit,
    io,
    signal: stop.signal,
    ...(client === undefined
      ? {}
      : { store: redisSessionStore(client, { prefix: `${key ?? 'hfauth:revocations'}:streams:` }) }),
  })
  let doors: Doors | undefined
  const close = async () => {
    stop.abort()
    await doors?.close()
    set.close()
    await client?.close()
  }
  try {
    // Before that nobody could be let in.
    if (client !== undefined) await set.ready()
    const intake = createRevocationIntake({ revocations: set, audit })
    if (doorsConfig !== undefined) doors = await openDoors(doorsConfig, { intake, audit, watches })
    for (const [i, poll] of polls.entries()) {
      const { endpoint, name = `poll-${i + 1}` } = poll
      const authorization = () => `Bearer ${tokens[i]}`
      const poller = createSetPoller({
        intake,
        transmitter: transmitterOf(poll),
        endpoint,
        authorization,
        ...present({ watch: watches.watch(name, poll, poll.tokenEnv) }),
      })
      void poller.run(stop.signal, () => io.error(`events of ${poll.issuer} could not be fetched`))
    }
  } catch (error) {
    await close()
    throw error
  }
  return {
    set,
    streams: watches.streams,
    ...(doors === undefined ? {} : { doorsUrl: doors.url }),
    use: (policy, parts) => doors?.use(policy, parts),
    close,
  }
}
