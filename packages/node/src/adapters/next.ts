/**
 * Next.js: puts the guard in front of a route handler, in the Node.js runtime.
 *
 * Translates and holds no rules. Types are structural, so that Next.js is nothing this package needs.
 *
 * @module
 */
import type { Connection, Guard } from '../guard/types.ts'
import { type Admission, admissionOf, type QuestionFor, questionFor } from './admission.ts'
import { withCookie } from './web.ts'

export interface ProtectOptions<Req extends Request, Context> {
  readonly question?: QuestionFor<[request: Req, context: Context]>
  /**
   * Where a request comes from. Next.js does not say who holds the socket: name what your platform vouches
   * for. Default nothing is known of it, and `X-Forwarded-For` is not believed.
   */
  readonly connection?: (request: Req) => Connection
}

/**
 * A route handler that calls `handler` when the guard allows, and answers when it does not.
 *
 * Next.js has joined nothing and resolved everything by then: of two `Authorization` fields it shows the first,
 * and of a path only its normal form.
 */
export function protect<Context, Req extends Request = Request>(
  guard: Guard,
  handler: (request: Req, context: Context, admission: Admission) => Response | Promise<Response>,
  { question, connection }: ProtectOptions<Req, Context> = {},
): (request: Req, context: Context) => Promise<Response> {
  return async (request, context) => {
    const asked = await questionFor(question, request, context)
    const outcome = await guard.check(request, asked, connection?.(request))
    if (!outcome.allowed) return outcome.response
    return withCookie(await handler(request, context, admissionOf(outcome)), outcome.setCookie)
  }
}
