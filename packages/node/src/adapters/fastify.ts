/**
 * Fastify: puts the guard in front of a route, as a hook.
 *
 * Translates and holds no rules. Types are structural, so that Fastify is nothing this package needs.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type {} from 'fastify'
import type { Guard, GuardQuestion } from '../guard/types.ts'
import { type Admission, admissionOf, type QuestionFor, questionFor } from './admission.ts'
import { checkNodeRequest } from './node-request.ts'
import { bytesOf } from './web.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `protect` of `@hfauth/node/fastify`. */
    hfauth?: Admission
  }
}

/** A Fastify request, as far as it is needed here. */
export interface ProtectedRequest {
  readonly raw: IncomingMessage
  /** The target as it came, before `rewriteUrl`. */
  readonly originalUrl: string
  hfauth?: Admission
}

/** A Fastify reply, as far as it is needed here. */
export interface RefusingReply {
  code(status: number): unknown
  header(name: string, value: string): unknown
  headers(values: Record<string, string>): unknown
  send(payload: Uint8Array): unknown
}

export type ProtectHook<Req> = (request: Req, reply: RefusingReply) => Promise<unknown>

/**
 * A hook for Fastify 5. As `onRequest` it refuses before the body is read; as `preHandler` the question can
 * be worked out from the parsed body.
 */
export function protect(guard: Guard, question?: GuardQuestion): ProtectHook<ProtectedRequest>
export function protect<Req extends ProtectedRequest>(
  guard: Guard,
  question: QuestionFor<[request: Req]>,
): ProtectHook<Req>
export function protect<Req extends ProtectedRequest>(
  guard: Guard,
  question?: QuestionFor<[request: Req]>,
): ProtectHook<Req> {
  return async (request, reply) => {
    const asked = await questionFor(question, request)
    const outcome = await checkNodeRequest(guard, request.raw, request.originalUrl, asked)
    if (outcome.allowed) {
      request.hfauth = admissionOf(outcome)
      if (outcome.setCookie !== undefined) reply.header('set-cookie', outcome.setCookie)
      return undefined
    }
    const { response } = outcome
    reply.code(response.status)
    reply.headers(Object.fromEntries(response.headers))
    reply.send(await bytesOf(response))
    // Whoever gives a reply back tells Fastify that it has been answered.
    return reply
  }
}
