/**
 * Faults: makes one part of the testkit slow, broken or silent.
 *
 * request log → **faults** → routes. Read for each request, so a test can switch
 * a fault on and off while everything runs.
 *
 * @module
 */

import { setTimeout as wait } from 'node:timers/promises'
import type { Exchange } from './exchange.ts'

export interface Fault {
  /** Answer with this status instead of the real answer. Default 503 when only `body` is given. */
  status?: number
  /** Wait this long first, in milliseconds. Alone, it makes a slow but correct answer. */
  delayMs?: number
  /** Body of the fault answer. Default a JSON object with `error`. */
  body?: string
  /** Never answer. The connection stays open until the client or `close()` ends it. */
  hang?: boolean
}

/**
 * Applies a fault.
 *
 * @returns True when the exchange is dealt with, false when the real answer should follow.
 */
export async function applyFault({ res, method }: Exchange, fault: Fault | undefined): Promise<boolean> {
  if (fault === undefined) return false
  if (fault.hang) return true
  // Not a reason to keep the process alive once the server is closed.
  if (fault.delayMs) await wait(fault.delayMs, undefined, { ref: false })
  if (fault.status === undefined && fault.body === undefined) return false
  const status = fault.status ?? 503
  res.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  res.end(
    method === 'HEAD' ? undefined : (fault.body ?? JSON.stringify({ error: 'temporarily_unavailable' })),
  )
  return true
}
