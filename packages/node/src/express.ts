/**
 * `@hfauth/node/express`: the guard as Express 5 middleware.
 *
 * @module
 */

export { type Admission, type ProtectedRequest, protect } from './adapters/express.ts'
