/**
 * Web: between Node's requests and responses and those of the Web.
 *
 * Nothing is buffered on the way: a body is read when somebody asks for it, and an answer is written as fast
 * as the other end takes it.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

/** The header fields as sent, in their order. */
export function headerList(req: IncomingMessage): [name: string, value: string][] {
  const list: [string, string][] = []
  const raw = req.rawHeaders
  for (let i = 0; i + 1 < raw.length; i += 2) list.push([raw[i] ?? '', raw[i + 1] ?? ''])
  return list
}

export interface ReadBodyOptions {
  /** Called when somebody wants the body: a client may be waiting to be asked for it. */
  readonly onFirstRead?: () => void
  /** Told how many bytes were read, piece by piece. */
  readonly onBytes?: (count: number) => void
}

/**
 * The request's body, read on demand. It fails when the client breaks off.
 */
export function readBody(
  req: IncomingMessage,
  { onFirstRead, onBytes }: ReadBodyOptions = {},
): ReadableStream<Uint8Array> {
  let isFirst = true
  // Giving up on a body must not close the socket: the answer still has to go out on it.
  const chunks = req.iterator({ destroyOnReturn: false })
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          if (isFirst) onFirstRead?.()
          isFirst = false
          const { done, value } = (await chunks.next()) as IteratorResult<Uint8Array, undefined>
          if (done) return controller.close()
          onBytes?.(value.length)
          controller.enqueue(value)
        } catch (error) {
          controller.error(error)
        }
      },
      async cancel() {
        await chunks.return?.()
      },
    },
    { highWaterMark: 0 },
  )
}

/**
 * Writes a Web response, and waits for the client between chunks. When the body fails, the connection is cut,
 * so that half an answer never looks like a whole one.
 */
export async function sendResponse(response: Response, res: ServerResponse): Promise<void> {
  if (res.destroyed) {
    await response.body?.cancel()
    return
  }
  res.statusCode = response.status
  // Several cookies are several fields of one name.
  for (const [name, value] of response.headers) {
    if (name === 'set-cookie') res.appendHeader(name, value)
    else res.setHeader(name, value)
  }
  if (response.body === null) {
    res.end()
    return
  }
  res.flushHeaders()
  const reader = response.body.getReader()
  const cancel = () => void reader.cancel().catch(() => undefined)
  res.once('close', cancel)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done || res.destroyed) break
      if (!res.write(value)) await drained(res)
    }
    res.end()
  } catch {
    res.destroy()
  } finally {
    res.off('close', cancel)
  }
}

/** Until the other end has taken what was written, or is gone. */
export function drained(res: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      res.off('drain', settle)
      res.off('close', settle)
      resolve()
    }
    res.once('drain', settle)
    res.once('close', settle)
  })
}

/** The whole body of an answer that was made here. */
export async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer())
}

/** The same answer with one more cookie; a new one, since headers may be closed to changes. */
export function withCookie(response: Response, cookie: string | undefined): Response {
  if (cookie === undefined) return response
  const answer = new Response(response.body, response)
  answer.headers.append('set-cookie', cookie)
  return answer
}
