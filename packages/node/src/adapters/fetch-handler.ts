/**
 * Fetch handler: puts the guard in front of a function from `Request` to `Response`.
 *
 * Translates and holds no rules.
 *
 * @module
 */
import type { Connection, Guard } from '../guard/types.ts'
import { type Admission, admissionOf, type QuestionFor, questionFor } from './admission.ts'
import { withCookie } from './web.ts'

export interface ProtectOptions {
  readonly question?: QuestionFor<[request: Request]>
}

/** A function that calls `handler` when the guard allows, and answers when it does not. */
export function protect(
  guard: Guard,
  handler: (request: Request, admission: Admission) => Response | Promise<Response>,
  { question }: ProtectOptions = {},
): (request: Request, connection?: Connection) => Promise<Response> {
  return async (request, connection) => {
    const outcome = await guard.check(request, await questionFor(question, request), connection)
    if (!outcome.allowed) return outcome.response
    return withCookie(await handler(request, admissionOf(outcome)), outcome.setCookie)
  }
}
