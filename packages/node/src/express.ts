/**
 * `@hfauth/node/express`: the guard as Express 5 middleware.
 *
 * @module
 */

export type { Admission, QuestionFor } from './adapters/admission.ts'
export { type ProtectedRequest, protect } from './adapters/express.ts'
