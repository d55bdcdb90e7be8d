/**
 * `@hfauth/node/hono`: the guard as Hono 4 middleware.
 *
 * @module
 */

export type { Admission, QuestionFor } from './adapters/admission.ts'
export { type ProtectedContext, type ProtectOptions, protect } from './adapters/hono.ts'
