/**
 * Express: puts the guard in front of a route.
 *
 * Translates and holds no rules. Types are Node's own, so that Express is nothing this package needs.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guard } from '../guard/types.ts'
import { type Admission, admissionOf, type QuestionFor, questionFor } from './admission.ts'
import { checkNodeRequest } from './node-request.ts'
import { sendResponse } from './web.ts'

declare global {
  namespace Express {
    interface Request {
      /** Set by `protect` of `@hfauth/node/express`. */
      hfauth?: Admission
    }
  }
}

/** An Express request, as far as it is needed here. */
export interface ProtectedRequest extends IncomingMessage {
  /** The target as it came, whatever a router has taken off `url` since. */
  originalUrl?: string
  hfauth?: Admission
}

/** Middleware for Express 5: goes on when the guard allows, answers when it does not. */
export function protect<Req extends ProtectedRequest = ProtectedRequest>(
  guard: Guard,
  question?: QuestionFor<[req: Req]>,
): (req: Req, res: ServerResponse, next: (error?: unknown) => void) => Promise<void> {
  return async (req, res, next) => {
    const asked = await questionFor(question, req)
    const outcome = await checkNodeRequest(guard, req, req.originalUrl ?? req.url, asked)
    if (!outcome.allowed) return sendResponse(outcome.response, res)
    if (outcome.setCookie !== undefined) res.appendHeader('set-cookie', outcome.setCookie)
    req.hfauth = admissionOf(outcome)
    next()
  }
}
