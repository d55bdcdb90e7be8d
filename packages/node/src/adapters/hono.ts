/**
 * Hono: puts the guard in front of what comes after it.
 *
 * Translates and holds no rules. Types are structural, so that Hono is nothing this package needs.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import type {} from 'hono'
import type { Allowed, Connection, Guard, GuardQuestion, Refused } from '../guard/types.ts'
import { type Admission, admissionOf, type QuestionFor, questionFor } from './admission.ts'
import { checkNodeRequest } from './node-request.ts'

declare module 'hono' {
  interface ContextVariableMap {
    /** Set by `protect` of `@hfauth/node/hono`. */
    hfauth: Admission
  }
}

/** A Hono context, as far as it is needed here. */
export interface ProtectedContext {
  readonly req: { readonly raw: Request }
  readonly env: unknown
  set(key: 'hfauth', value: Admission): void
  header(name: string, value: string, options: { append: true }): void
}

export interface ProtectOptions<Context> {
  /** Where a request comes from, on a server that is not `@hono/node-server`. Default nothing is known of it. */
  readonly connection?: (c: Context) => Connection
}

/** Middleware for Hono 4: goes on when the guard allows, answers when it does not. */
export function protect<Context extends ProtectedContext = ProtectedContext>(
  guard: Guard,
  question?: QuestionFor<[c: Context]>,
  { connection }: ProtectOptions<Context> = {},
): (c: Context, next: () => Promise<void>) => Promise<Response | undefined> {
  return async (c, next) => {
    const outcome = await check(guard, c.req.raw, await questionFor(question, c), {
      incoming: connection === undefined ? incomingOf(c.env) : undefined,
      connection: connection?.(c),
    })
    if (!outcome.allowed) return outcome.response
    c.set('hfauth', admissionOf(outcome))
    await next()
    // Afterwards, since a handler may answer with a response of its own making.
    if (outcome.setCookie !== undefined) c.header('set-cookie', outcome.setCookie, { append: true })
    return undefined
  }
}

/**
 * From the bytes that came, where they are what is routed: middleware may have made another request of them. Of a path
 * under which an application is mounted only the rest is left, and the whole is judged.
 */
function check(
  guard: Guard,
  raw: Request,
  question: GuardQuestion | undefined,
  { incoming, connection }: { incoming: Incoming | undefined; connection: Connection | undefined },
): Promise<Allowed | Refused> {
  if (incoming === undefined) return guard.check(raw, question, connection)
  const target = incoming.originalUrl ?? incoming.url ?? ''
  if (raw.method === incoming.method && isEndOf(pathOf(raw.url), pathOf(target)))
    return checkNodeRequest(guard, incoming, target, question)
  return guard.check(raw, question, { remoteAddress: incoming.socket.remoteAddress })
}

/** Of the path of a mounted application itself nothing is left, which Hono writes as `/`. */
function isEndOf(path: string, whole: string): boolean {
  return path === '/' || whole.endsWith(path)
}

/** The path as a URL parser leaves it; empty for what has none. */
function pathOf(target: string): string {
  const address = target.startsWith('/') ? `http://target.invalid${target}` : target
  return URL.canParse(address) ? new URL(address).pathname : ''
}

type Incoming = IncomingMessage & { readonly originalUrl?: string }

/** Node's request behind the Web's, which `@hono/node-server` hands over in one of these two places. */
function incomingOf(env: unknown): Incoming | undefined {
  const { incoming, server } = (env ?? {}) as { incoming?: Incoming; server?: { incoming?: Incoming } }
  return incoming ?? server?.incoming
}
