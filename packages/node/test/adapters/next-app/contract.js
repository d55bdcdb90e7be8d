/**
 * The parts that the test has put on `process`; see `../next.test.ts`. Looked up when a request comes: Next.js
 * also loads routes where there is none, to find out what they export.
 */
const contract = () => process.hfauthContract

export const guard = { check: (...args) => contract().guard.check(...args) }
export const question = (name) => contract().question(name)
export const officeQuestion = () => contract().officeQuestion
export const readQuestion = () => contract().readQuestion
export const seen = (admission) => contract().seen(admission)
export const reach = (path) => contract().reached.push(path)
export const report = (error) => contract().errors.push(error)
export const fail = () => {
  throw new Error(contract().failure)
}
