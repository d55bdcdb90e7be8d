/**
 * Express: puts the guard in front of a route.
 *
 * Translates and holds no rules. Types are Node's own, so that Express is nothing this package needs.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Access, Decision, Principal } from '@hfauth/core'
import type { Guard, GuardQuestion } from '../guard/types.ts'
import { headerList, sendResponse } from './web.ts'

/** What a handler behind `protect` knows. */
export interface Admission {
  readonly principal: Principal
  readonly access: Access
  readonly decision: Decision
}

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

/**
 * Middleware for Express 5: goes on when the guard allows, answers when it does not.
 *
 * @param question - What is asked: fixed, or worked out from the request. Without one the policy's own
 * `routes` name it.
 */
export function protect<Req extends ProtectedRequest = ProtectedRequest>(
  guard: Guard,
  question?: GuardQuestion | ((req: Req) => GuardQuestion | undefined),
): (req: Req, res: ServerResponse, next: (error?: unknown) => void) => Promise<void> {
  return async (req, res, next) => {
    const target = req.originalUrl ?? req.url ?? ''
    // Repeated fields are joined, so that two credentials are seen as two and not as the first.
    const headers = new Headers(headerList(req))
    // The guard reads the target as sent; the URL is there because a Web request has one.
    const request = { method: req.method ?? '', url: 'http://target.invalid/', headers }
    const asked = typeof question === 'function' ? question(req) : question
    const outcome = await guard.check(request, asked, { remoteAddress: req.socket.remoteAddress, target })
    if (!outcome.allowed) return sendResponse(outcome.response, res)
    const { principal, access, decision } = outcome
    if (outcome.setCookie !== undefined) res.appendHeader('set-cookie', outcome.setCookie)
    req.hfauth = { principal, access, decision }
    next()
  }
}
