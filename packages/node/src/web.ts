/**
 * `@hfauth/node/web`: the guard in front of a function from `Request` to `Response`.
 *
 * @module
 */

export type { Admission, QuestionFor } from './adapters/admission.ts'
export { type ProtectOptions, protect } from './adapters/fetch-handler.ts'
