/**
 * Send reply: writes an answer to the client's connection.
 *
 * answer → **send reply** → socket. What is there already goes out in one piece with its head; what is not yet
 * there does not hold the head up. Nothing is read ahead of the client.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import { drained } from '../../adapters/web.ts'
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

/** Longest answer that is sent as text, in bytes. */
const shortBytes = 16_384

/** Node puts a short text into one write with the head; bytes are a second piece of it, which takes longer. */
function endWithHead(bytes: Uint8Array, res: ServerResponse): void {
  if (bytes.length > shortBytes) return void res.end(bytes)
  // One character for each byte.
  res.end(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'), 'latin1')
}

async function sendChunks(body: Chunks, res: ServerResponse): Promise<void> {
  const cancel = () => body.cancel()
  res.once('close', cancel)
  try {
    for (let isFirst = true; ; isFirst = false) {
      const next = body.read()
      const isThere = !(next instanceof Promise)
      if (isFirst && !isThere) res.flushHeaders()
      const chunk = isThere ? next : await next
      if (chunk === undefined || res.destroyed) break
      if (body.isDone) return isFirst && isThere ? endWithHead(chunk, res) : void res.end(chunk)
      if (!res.write(chunk)) await drained(res)
    }
    res.end()
  } catch {
    res.destroy()
  } finally {
    res.off('close', cancel)
  }
}
