/**
 * What each engine has to be able to do to be measured.
 */
import type { Question, Repository, Workload } from './workload.ts'

export interface Engine {
  readonly name: string
  /** Loads the policy; what it costs is not measured here. */
  load(workload: Workload): LoadedEngine
  /** The largest policy it is measured at: some need seconds for one answer beyond it. */
  readonly largest: number
}

export interface LoadedEngine {
  /** A principal that has been met before, ready for questions. Questions are put in the engine's own form beforehand. */
  warm(groups: readonly string[]): (question: Question) => boolean
  /**
   * A principal met for the first time: what a verifier hands over, made beforehand. Calling it is what one
   * request costs: everything the engine does to know the principal, and one question.
   */
  newcomer(groups: readonly string[]): (question: Question) => boolean
  /** How many of a list the principal may read. */
  filter?(groups: readonly string[]): (action: string, resources: readonly Repository[]) => number
}
