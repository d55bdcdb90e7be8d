/**
 * Redis client: the one method that is needed of whatever client the caller has.
 *
 * @module
 */

/**
 * A connection to Redis. A client of `redis` (node-redis) is one; for `ioredis` it is
 * `{ sendCommand: ([name, ...args]) => redis.call(name, ...args) }`.
 */
export interface RedisClient {
  /** Sends one command, its name first, and resolves to the reply. */
  sendCommand(args: string[]): Promise<unknown>
}
