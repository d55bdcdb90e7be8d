/**
 * Redis server: the real one, at `REDIS_URL` or on this machine, through both clients that people use.
 *
 * A test that needs it says so and is skipped where there is none, except in CI, where it fails.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { test } from 'vitest'
import type { RedisClient } from '../src/redis.ts'

export const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'

export interface Connected {
  readonly client: RedisClient
  close(): Promise<void>
}

export async function connectNodeRedis(): Promise<Connected> {
  const client = createClient({ url: redisUrl, socket: { connectTimeout: 2000, reconnectStrategy: false } })
  client.on('error', () => {})
  await client.connect()
  return { client, close: async () => client.destroy() }
}

export async function connectIoredis(): Promise<Connected> {
  const redis = new Redis(redisUrl, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 })
  redis.on('error', () => {})
  await redis.connect()
  const sendCommand = ([name = '', ...args]: string[]) => redis.call(name, ...args)
  return { client: { sendCommand }, close: async () => redis.disconnect() }
}

/** Keys of this run and of no other. */
export function randomPrefix(): string {
  return `hfauth-test:${randomBytes(6).toString('hex')}:`
}

/** Removes every key of a run. */
export async function removeKeys({ client }: Connected, prefix: string): Promise<void> {
  const keys = (await client.sendCommand(['KEYS', `${prefix}*`])) as string[]
  if (keys.length > 0) await client.sendCommand(['DEL', ...keys])
}

export const redisIsThere: boolean = await connectNodeRedis().then(
  ({ close }) => close().then(() => true),
  () => false,
)

/** `test`, or a test that is skipped by name because there is no Redis here. */
export const redisTest = redisIsThere || process.env.CI !== undefined ? test : test.skip
