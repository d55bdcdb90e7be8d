/**
 * `@hfauth/node/next`: the guard in front of Next.js route handlers.
 *
 * @module
 */

export type { Admission, QuestionFor } from './adapters/admission.ts'
export { type ProtectOptions, protect } from './adapters/next.ts'
