/**
 * Koa: puts the guard in front of what comes after it.
 *
 * Translates and holds no rules. Types are structural, so that Koa is nothing this package needs.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Guard } from '../guard/types.ts'
import { type Admission, admissionOf, type QuestionFor, questionFor } from './admission.ts'
import { checkNodeRequest } from './node-request.ts'
import { bytesOf } from './web.ts'

/** A Koa context, as far as it is needed here. */
export interface ProtectedContext {
  readonly req: IncomingMessage
  /** The target as it came, whatever a router has taken off `url` since. */
  readonly originalUrl: string
  status: number
  body: unknown
  /** `state.hfauth` is set by `protect`. */
  state: { hfauth?: Admission }
  set(headers: Record<string, string>): void
  append(name: string, value: string): void
}

/** Middleware for Koa 3: goes on when the guard allows, answers when it does not. */
export function protect<Context extends ProtectedContext = ProtectedContext>(
  guard: Guard,
  question?: QuestionFor<[ctx: Context]>,
): (ctx: Context, next: () => Promise<unknown>) => Promise<unknown> {
  return async (ctx, next) => {
    const asked = await questionFor(question, ctx)
    const outcome = await checkNodeRequest(guard, ctx.req, ctx.originalUrl, asked)
    if (outcome.allowed) {
      ctx.state.hfauth = admissionOf(outcome)
      if (outcome.setCookie !== undefined) ctx.append('set-cookie', outcome.setCookie)
      return next()
    }
    const { response } = outcome
    ctx.status = response.status
    ctx.set(Object.fromEntries(response.headers))
    ctx.body = await bytesOf(response)
    return undefined
  }
}
