/**
 * `@hfauth/node/fastify`: the guard as a Fastify 5 hook.
 *
 * @module
 */

export type { Admission, QuestionFor } from './adapters/admission.ts'
export { type ProtectedRequest, type ProtectHook, protect, type RefusingReply } from './adapters/fastify.ts'
