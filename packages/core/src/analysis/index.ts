/**
 * `@hfauth/core/analysis`: what can be proved of a policy. An entry of its own, so that pages do not load it.
 *
 * @module
 */
export { type Proof, type ProveOptions, proveInvariants, type Verdict } from './prove.ts'
export type { Counterexample } from './witness.ts'
