/**
 * `@hfauth/node/http`: the guard in front of a listener of Node's own servers.
 *
 * @module
 */

export type { Admission, QuestionFor } from './adapters/admission.ts'
export { type ProtectOptions, protect } from './adapters/http.ts'
