/**
 * Send reply: writes an answer to the client's connection.
 *
 * answer → **send reply** → socket. What is there already goes out in one piece with its head; what is not yet
 * there does not hold the head up. Nothing is read ahead of the client.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import { drained } from '../adapters/web.ts'
import type { Chunks, Reply } from './reply.ts'

/** When the body fails, the connection is cut, so that half an answer never looks like a whole one. */
export async function sendReply({ status, headers, body }: Reply, res: ServerResponse): Promise<void> {
  if (res.destroyed) {
    if (body !== null && typeof body !== 'string') body.cancel()
    return
  }
  res.writeHead(status, headers.flat())
  if (body === null || typeof body === 'string') res.end(body)
  else await sendChunks(body, res)
}

async function sendChunks(body: Chunks, res: ServerResponse): Promise<void> {
  const cancel = () => body.cancel()
  res.once('close', cancel)
  try {
    for (let isFirst = true; ; isFirst = false) {
      const next = body.read()
      if (isFirst && next instanceof Promise) res.flushHeaders()
      const chunk = next instanceof Promise ? await next : next
      if (chunk === undefined || res.destroyed) break
      if (body.isDone) return void res.end(chunk)
      if (!res.write(chunk)) await drained(res)
    }
    res.end()
  } catch {
    res.destroy()
  } finally {
    res.off('close', cancel)
  }
}
