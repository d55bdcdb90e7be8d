/**
 * `@hfauth/node/authzen`: the policy behind the OpenID AuthZEN Authorization API 1.0.
 *
 * @module
 */

export type { Entity, Properties } from './authzen/entities.ts'
export { createAuthzen } from './authzen/handler.ts'
export type { Authzen, AuthzenOptions } from './authzen/types.ts'
