/**
 * Reply: an answer on its way to the client, from the upstream or made here.
 *
 * What `Response` is to the Web, without its streams: a body is read chunk by chunk, and what has arrived
 * already is there at once, so that a short answer is written in one piece.
 *
 * @module
 */
import { buildRefusalText, type Refusal, type RefusalOptions } from '../../guard/refusal.ts'
import { Fields } from './fields.ts'

export interface Reply {
  readonly status: number
  readonly headers: Fields
  readonly body: Chunks | string | null
}

/** Bytes that arrive, and are read by one reader. */
export interface Chunks {
  /** The next ones, at once where they are there; `undefined` at the end. Throws or rejects when they break off. */
  read(): Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** Whether the end is known to have been read. */
  readonly isDone: boolean
  /** Nobody wants the rest. */
  cancel(): void
}

/** Tells an answer from a socket that was opened. */
export function isReply(outcome: object): outcome is Reply {
  return 'status' in outcome
}

/** An answer that was made here. */
export function textReply(status: number, headers: Iterable<readonly [string, string]>, text: string): Reply {
  const fields = new Fields(headers)
  fields.set('content-length', String(Buffer.byteLength(text)))
  return { status, headers: fields, body: text }
}

export function refusalReply(refusal: Refusal, options: RefusalOptions): Reply {
  const { status, headers, text } = buildRefusalText(refusal, options)
  return textReply(status, Object.entries(headers), text)
}

export function replyOf({ status, headers, body }: Response): Reply {
  return { status, headers: new Fields(headers), body: body === null ? null : chunksOf(body) }
}

const withoutBody: ReadonlySet<number> = new Set([204, 205, 304])

export function responseOf({ status, headers, body }: Reply): Response {
  const content =
    body === null || withoutBody.has(status) ? null : typeof body === 'string' ? body : streamOf(body)
  return new Response(content, { status, headers: [...headers] })
}

export function chunksOf(stream: ReadableStream<Uint8Array>): Chunks {
  const reader = stream.getReader()
  return {
    async read() {
      const { done, value } = await reader.read()
      return done ? undefined : value
    },
    isDone: false,
    cancel: () => void reader.cancel().catch(() => undefined),
  }
}

function streamOf(chunks: Chunks): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const chunk = await chunks.read()
        if (chunk === undefined) controller.close()
        else controller.enqueue(chunk)
      },
      cancel: () => chunks.cancel(),
    },
    { highWaterMark: 0 },
  )
}
