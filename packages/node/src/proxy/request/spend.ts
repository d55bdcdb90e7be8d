/**
 * Spend: what an answer has used, taken from the limits that count tokens, once it has ended.
 *
 * usage → **spend** → limiter. Nobody can know beforehand what an answer will cost: a budget can be overdrawn by
 * what is under way, and nothing new begins until that has grown back.
 *
 * @module
 */
import type { LimitedCaller, Limiter } from '../../limits/types.ts'
import type { AnswerUsage } from '../bodies/answer-usage.ts'

/** An answer that has ended. */
export interface Spent {
  readonly caller: LimitedCaller
  readonly action: string
  readonly method: string
  readonly status: number
  /** Of the resource. */
  readonly type: string
  readonly usage: AnswerUsage | undefined
}

export type Spend = (spent: Spent) => void

export function createSpend(limiter: Limiter | undefined): Spend {
  return ({ caller, action, method, status, type, usage }) => {
    if (limiter?.spend === undefined || action !== 'infer' || status !== 200) return
    const tokens = usage === undefined ? undefined : (usage.input ?? 0) + (usage.output ?? 0)
    // A Space is an app, with pages and pictures; a question to a model is a POST.
    if (tokens === undefined && (type === 'space' || method !== 'POST')) return
    // The answer is out. A store that is away refuses the next request by itself, where that was chosen.
    void limiter.spend(caller, action, tokens).catch(() => undefined)
  }
}
