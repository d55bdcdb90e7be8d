/**
 * Node's own server: puts the guard in front of a request listener, of `node:http`, `node:https` or
 * `node:http2`.
 *
 * Translates and holds no rules.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Guard } from '../guard/types.ts'
import { type Admission, admissionOf, type QuestionFor, questionFor } from './admission.ts'
import { checkNodeRequest } from './node-request.ts'
import { sendResponse } from './web.ts'

export interface ProtectOptions {
  readonly question?: QuestionFor<[req: IncomingMessage]>
}

/**
 * A listener that calls `handler` when the guard allows, and answers when it does not.
 *
 * @returns A promise that fails as the handler does. Node ends the process for one that nobody catches.
 */
export function protect(
  guard: Guard,
  handler: (req: IncomingMessage, res: ServerResponse, admission: Admission) => unknown,
  { question }: ProtectOptions = {},
): (req: IncomingMessage, res: ServerResponse) => Promise<void> {
  return async (req, res) => {
    const outcome = await checkNodeRequest(guard, req, req.url, await questionFor(question, req))
    if (!outcome.allowed) return sendResponse(outcome.response, res)
    if (outcome.setCookie !== undefined) res.appendHeader('set-cookie', outcome.setCookie)
    await handler(req, res, admissionOf(outcome))
  }
}
