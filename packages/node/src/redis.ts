/**
 * `@hfauth/node/redis`: what several replicas share through a Redis client of the caller's.
 *
 * @module
 */

export type { RedisClient } from './redis/client.ts'
export { type RedisLimitStoreOptions, redisLimitStore } from './redis/limit-store.ts'
export { type RedisRevocationFeedOptions, redisRevocationFeed } from './redis/revocation-feed.ts'
export { type RedisSessionStoreOptions, redisSessionStore } from './redis/session-store.ts'
