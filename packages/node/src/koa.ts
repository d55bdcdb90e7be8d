/**
 * `@hfauth/node/koa`: the guard as Koa 3 middleware.
 *
 * @module
 */

export type { Admission, QuestionFor } from './adapters/admission.ts'
export { type ProtectedContext, protect } from './adapters/koa.ts'
