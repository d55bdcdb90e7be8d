/**
 * `@hfauth/node/http`: the guard in front of a listener of Node's own servers, and Web handlers as listeners.
 *
 * @module
 */

export type { Admission, QuestionFor } from './adapters/admission.ts'
export { type AnswerOptions, answer, type WebHandler } from './adapters/answer.ts'
export { type ProtectOptions, protect } from './adapters/http.ts'
