/**
 * Limits: how much one caller, or all callers of one organisation, may ask for in a time.
 *
 * Types only.
 *
 * @module
 */
import type { Principal } from '@hfauth/core'
import type { Refusal } from '../guard/refusal.ts'

export interface LimitRule {
  /** For people, records and the `RateLimit` header: lower case, digits and dashes. */
  readonly name: string
  /**
   * Who shares it. `principal`: each caller has their own, and anonymous ones one for each address, of IPv6 for each
   * network of 64 bits.
   * `organisation`: all callers of each of the caller's organisations, and those of no organisation all who
   * come from the same issuer. `address`: everybody at an address (IPv6: a network of 64 bits), counted before a
   * credential is looked at, so that those which are refused count.
   */
  readonly per: 'principal' | 'organisation' | 'address'
  /**
   * What is counted. `tokens`: what the answers of models say that they used, in and out; a request begins where
   * there is one left, and what it comes to is taken when its answer has ended. Default `requests`.
   */
  readonly unit?: 'requests' | 'tokens'
  /** With `tokens`, what an answer counts that does not say how many it used. Default 1000. */
  readonly untoldTokens?: number
  /** How many units a window has. */
  readonly limit: number
  /** Length of the window, in seconds; up to 31 days, so that it can be a budget. */
  readonly windowSeconds: number
  /** How many may come at once. Default `limit`. */
  readonly burst?: number
  /**
   * What a request costs, by action; others cost nothing. Default 1 for every action. A budget gives what is
   * dear more units than what is cheap. Not with `address`: there the action is not known yet.
   */
  readonly costs?: Readonly<Record<string, number>>
}

/** One bucket that a request has to find room in (generic cell rate algorithm). */
export interface LimitDemand {
  readonly key: string
  /** Time that one unit takes to grow back, in milliseconds. */
  readonly unitMs: number
  /** Units that fit in. */
  readonly burst: number
  /** Units that the request takes. */
  readonly cost: number
}

export interface LimitState {
  readonly allowed: boolean
  /** Whole units left. */
  readonly remaining: number
  /** Until it is full again, in milliseconds. */
  readonly resetMs: number
  /** Until this request would find room, in milliseconds; 0 when it does. */
  readonly retryMs: number
}

export interface LimitStore {
  /**
   * Takes what is asked for from every bucket, or from none when one of them has no room.
   *
   * @throws When the store cannot be asked.
   */
  take(demands: readonly LimitDemand[]): Promise<readonly LimitState[]>
}

export interface LimitedCaller {
  readonly principal: Principal
  readonly ip?: string | undefined
}

export interface Limiter {
  /**
   * As {@link Limiter.take} by the rules for addresses, before anybody knows who asks.
   *
   * @throws HfAuthError as {@link Limiter.take}.
   */
  arrive?(ip: string | undefined): Promise<Refusal | undefined>
  /**
   * `undefined` when there is room, and then it is taken; otherwise how to say no. By the rules for callers and
   * organisations.
   *
   * @throws HfAuthError `HFAUTH_STORE_UNAVAILABLE` when the store cannot be asked, unless the options let it pass.
   */
  take(caller: LimitedCaller, action: string): Promise<Refusal | undefined>
  /**
   * Takes what an answer has used from the rules that count tokens, whether there is room or not.
   *
   * @param tokens - In and out; `undefined` when the answer does not say.
   * @throws When the store cannot be asked.
   */
  spend?(caller: LimitedCaller, action: string, tokens: number | undefined): Promise<void>
}
