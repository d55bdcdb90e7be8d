/**
 * Admission: what a handler behind the guard knows, and how an adapter comes to its question.
 *
 * guard → **admission** → handler. The same under every framework.
 *
 * @module
 */
import type { Access, Decision, Principal } from '@hfauth/core'
import type { Allowed, GuardQuestion } from '../guard/types.ts'

/** What a handler behind `protect` knows. */
export interface Admission {
  readonly principal: Principal
  readonly access: Access
  readonly decision: Decision
  /** The id under which the decision is on record. */
  readonly requestId: string
}

type Maybe<T> = T | undefined | Promise<T | undefined>

/**
 * What is asked: fixed, or worked out from what the framework hands over. Without one, or where the function
 * gives `undefined`, the policy's own `routes` name it.
 */
export type QuestionFor<Args extends readonly unknown[]> =
  | GuardQuestion
  | ((...args: Args) => Maybe<GuardQuestion>)

export async function questionFor<Args extends readonly unknown[]>(
  question: QuestionFor<Args> | undefined,
  ...args: Args
): Promise<GuardQuestion | undefined> {
  return typeof question === 'function' ? question(...args) : question
}

export function admissionOf({ principal, access, decision, requestId }: Allowed): Admission {
  return { principal, access, decision, requestId }
}
