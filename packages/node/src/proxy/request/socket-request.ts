/**
 * Socket request: a WebSocket to a Space or an endpoint that has an address of its own.
 *
 * who → **decide → record → credential → open upstream** → frames both ways. A page of any origin can open one
 * with the cookies of whoever looks at it, so a session counts only for our own pages.
 *
 * @see RFC 6455 §4.2.2 (handshake), §5.5.1 (close), §10.2 (origin)
 * @module
 */

import type { Duplex } from 'node:stream'
import { HfAuthError } from '@hfauth/core'
import { refusalOfDecision } from '../../guard/refusal.ts'
import type { AskedQuestion } from '../bodies/body-question.ts'
import { Fields } from '../wire/fields.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'
import type { Reply } from '../wire/reply.ts'
import { forwardedHeaders, headerValue } from '../wire/request-headers.ts'
import { type Stop, signalOf } from '../wire/stop.ts'
import { decideOn } from './decide-on.ts'
import type { Known, Parts } from './known.ts'
import { onFailure } from './on-failure.ts'
import type { Ending } from './outcome.ts'
import { openOutcome } from './record-outcome.ts'

export interface OpenSocket {
  readonly upstream: Duplex
  /** What the client's 101 says. */
  readonly headers: Fields
  /** Of the request; stopped when the caller's lease has ended. */
  readonly stop: Stop
  onEnd(ending: Ending): void
}

/** @throws ProxyRefusal, HfAuthError as the steps do. */
export async function openSocket(known: Known, parts: Parts): Promise<Reply | OpenSocket> {
  const { inbound, address, target, match, caller, progress } = known
  const { settings, leases } = parts
  const { deployed } = address
  if (deployed === undefined) throw new ProxyRefusal('route_unknown')
  const ownOrigin = settings.publicOrigin ?? inbound.origin
  if (caller.session !== undefined && headerValue(inbound.headers, 'origin') !== ownOrigin) {
    throw new HfAuthError('HFAUTH_REQUEST_FORGED', 'the WebSocket was not opened by a page of ours')
  }
  const { type, id, origin } = deployed
  const question: AskedQuestion = { action: match.action, resource: { type, id, attributes: {} } }
  const { decision, isRefused, recorded } = await decideOn(question, false, known, parts)
  await recorded
  if (isRefused) return parts.refuse(refusalOfDecision(decision), progress)
  const { http, isTrial } = progress
  const asked = { questions: [question], discovery: false, http, isTrial }
  const lease = leases.take({ caller, headers: known.headers, asked, judge: parts.judge }, inbound.stop)
  const outcome = openOutcome(known, parts, question, decision)
  onFailure(progress, (reason) => {
    lease.release()
    outcome.end({ error: reason })
  })
  const { scopes } = decision
  const credential = await parts.upstreamFor(progress).requireCredential(caller, { ...question, scopes })
  const headers = socketHeaders(known, credential?.token)
  const { stop } = inbound
  const signal = AbortSignal.any([signalOf(stop), AbortSignal.timeout(settings.upstreamTimeoutMs)])
  const opened = await settings
    .openSocket(`${origin}${target.path}${target.search}`, { headers, signal })
    .catch(() => {
      throw new ProxyRefusal('upstream_unavailable')
    })
  outcome.answered({ status: 101, headers: opened.headers })
  return {
    upstream: opened.socket,
    headers: answerHeaders(opened.headers),
    stop,
    onEnd(ending) {
      lease.release()
      outcome.end(ending)
    },
  }
}

function socketHeaders({ inbound }: Known, token: string | undefined): Fields {
  const headers = forwardedHeaders(inbound.headers)
  for (const name of ['content-length', 'content-type']) headers.delete(name)
  for (const name of ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions']) {
    const value = headerValue(inbound.headers, name)
    if (value !== undefined) headers.set(name, value)
  }
  // Some put a token among the protocols; it is none of ours, and goes no further.
  const protocols = (headerValue(inbound.headers, 'sec-websocket-protocol') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !/^(?:bearer|base64url\.bearer|authorization)\b/i.test(name))
  if (protocols.length > 0) headers.set('sec-websocket-protocol', protocols.join(', '))
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  return headers
}

function answerHeaders(upstream: Fields): Fields {
  const headers = new Fields(Object.entries({ upgrade: 'websocket', connection: 'Upgrade' }))
  for (const name of ['sec-websocket-accept', 'sec-websocket-protocol', 'sec-websocket-extensions']) {
    const value = upstream.get(name)
    if (value !== null) headers.set(name, value)
  }
  return headers
}

/** Joins the two ends, until one of them is gone or the lease ends; then the client is told why: 4401, or 4403. */
export function joinSockets(client: Duplex, { upstream, stop, onEnd }: OpenSocket): void {
  let bytesIn = 0
  let bytesOut = 0
  let ending: Ending['error']
  let isOver = false
  upstream.on('data', (chunk: Buffer) => {
    bytesOut += chunk.length
  })
  client.on('data', (chunk: Buffer) => {
    bytesIn += chunk.length
  })
  upstream.pipe(client)
  client.pipe(upstream)
  const over = () => {
    isOver = true
    client.destroy()
    upstream.destroy()
    onEnd({ bytesIn, bytesOut, ...(ending === undefined ? {} : { error: ending }) })
  }
  const cut = (reason: string) => {
    if (isOver) return
    ending = reason
    upstream.unpipe(client)
    upstream.destroy()
    client.end(closeFrame(reason === 'policy_changed' ? 4403 : 4401, reason))
  }
  for (const end of [client, upstream]) end.on('error', () => end.destroy())
  upstream.once('close', () => {
    // A close frame is still on its way to the client.
    if (ending === undefined) client.destroy()
  })
  client.once('close', over)
  stop.onStop(cut)
}

/** A frame that closes (RFC 6455 §5.5.1), as a server writes it: without a mask. */
function closeFrame(code: number, reason: string): Buffer {
  const text = Buffer.from(reason)
  const frame = Buffer.alloc(4 + text.length)
  frame[0] = 0x88
  frame[1] = 2 + text.length
  frame.writeUInt16BE(code, 2)
  text.copy(frame, 4)
  return frame
}
