/**
 * Node request: asks the guard about a request of Node's own server, from the bytes that came.
 *
 * framework → **node request** → guard. Shared by the adapters whose framework stands on `node:http`.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type { Allowed, Guard, GuardQuestion, Refused } from '../guard/types.ts'
import { headerList } from './web.ts'

/**
 * @param target - The target as it came, before a router took anything off it.
 */
export function checkNodeRequest(
  guard: Guard,
  req: IncomingMessage,
  target: string | undefined,
  question: GuardQuestion | undefined,
): Promise<Allowed | Refused> {
  // Repeated fields are joined, so that two credentials are seen as two and not as the first. The
  // pseudo-fields of HTTP/2 are no headers.
  const headers = new Headers(headerList(req).filter(([name]) => !name.startsWith(':')))
  // The guard reads the target as sent; the URL is there because a Web request has one.
  const request = { method: req.method ?? '', url: 'http://target.invalid/', headers }
  return guard.check(request, question, { remoteAddress: req.socket.remoteAddress, target: target ?? '' })
}
