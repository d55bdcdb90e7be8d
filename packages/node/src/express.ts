/**
 * `@hfauth/node/express`: the guard and Web handlers as Express 5 middleware.
 *
 * @module
 */

export type { Admission, QuestionFor } from './adapters/admission.ts'
export { type AnswerOptions, answer, type WebHandler } from './adapters/answer.ts'
export { type ProtectedRequest, protect } from './adapters/express.ts'
