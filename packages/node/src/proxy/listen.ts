/**
 * Listen: the proxy as an HTTP server.
 *
 * socket → **listen** → pipeline. Works from what came over the wire: Node's parsed headers hide the second
 * `Host`, and a URL hides dot segments. A request that did not end well ends its connection.
 *
 * @see RFC 9112 §9.6 (closing), §11.2 (request smuggling)
 * @module
 */
import { createServer, type IncomingMessage, type Server, ServerResponse, STATUS_CODES } from 'node:http'
import { createServer as createSecureServer, Server as SecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { headerList, readBody } from '../adapters/web.ts'
import { problemType } from '../guard/refusal.ts'
import { Bag, type Placed } from '../internal/bag.ts'
import { numberOption } from '../internal/number-option.ts'
import type { TrustedProxies } from '../internal/trusted-proxies.ts'
import { createOpenConnections } from '../limits/open-connections.ts'
import type { MalformedReason, Pipeline } from './pipeline.ts'
import type { Readiness } from './readiness.ts'
import { joinSockets } from './request/socket-request.ts'
import type { Inbound } from './wire/inbound.ts'
import { proxyRefusal } from './wire/proxy-refusal.ts'
import { isReply } from './wire/reply.ts'
import { maxHeaderBytes } from './wire/request-headers.ts'
import { sendReply } from './wire/send-reply.ts'
import { Stop } from './wire/stop.ts'

export interface ListenOptions {
  /** 0 picks a free one. */
  readonly port: number
  /** Default `127.0.0.1`. */
  readonly host?: string
  /** Longest wait for the header section of a request, in milliseconds. Default 10,000. */
  readonly headersTimeoutMs?: number
  /**
   * Most connections of one address (IPv6: of a network of 64 bits) at a time; more are closed unread. Those of
   * `trustedProxies` are not counted. Default 1,000.
   */
  readonly connectionsPerAddress?: number
  /** Serves over TLS 1.2 or later. Default plain HTTP, for behind something that ends TLS. */
  readonly tls?: TlsFiles
}

/** In PEM. */
export interface TlsFiles {
  /** The server's certificate, and those between it and the root. */
  readonly cert: string
  readonly key: string
}

export interface DrainOptions {
  /**
   * How long `/readyz` says no before the proxy stops listening, so that whoever spreads the load notices, in
   * milliseconds. Default 0.
   */
  readonly noticeMs?: number
  /** Longest wait for requests and streams that are under way, in milliseconds; then they are cut. Default 30,000. */
  readonly timeoutMs?: number
}

export interface ListeningProxy {
  /** `http://HOST:PORT` or `https://HOST:PORT`, without a trailing slash. */
  readonly url: string
  /** Takes another certificate for connections from now on. */
  renewTls(tls: TlsFiles): void
  /** Says no to `/readyz`, stops listening, and lets what is under way finish. Tells how many were cut. */
  drain(options?: DrainOptions): Promise<{ readonly cut: number }>
  /** Stops listening, and cuts what is still open. */
  close(): Promise<void>
}

/** Longest wait for a whole request, in milliseconds. */
const requestTimeoutMs = 3_600_000

export async function listen(
  pipeline: Pipeline,
  { port, host = '127.0.0.1', headersTimeoutMs = 10_000, connectionsPerAddress = 1_000, tls }: ListenOptions,
  readiness: Readiness,
  proxies: Pick<TrustedProxies, 'has'>,
): Promise<ListeningProxy> {
  const connections = createOpenConnections(
    numberOption('connectionsPerAddress', connectionsPerAddress, { min: 1, max: 10_000_000 }),
  )
  const wire = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: numberOption('headersTimeoutMs', headersTimeoutMs, { min: 1 }),
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(headersTimeoutMs, 2_000),
    insecureHTTPParser: false,
    // Missed here, so that it is refused and on record like everything else.
    requireHostHeader: false,
  }
  const server = tls === undefined ? createServer(wire) : createSecureServer({ ...wire, ...tls })
  const underWay = new Bag<Open<ServerResponse | Socket>>()
  const sockets = new Bag<Open<Socket>>()
  server.on('connection', (socket: Socket) => {
    // Read once: a socket that is gone has forgotten it.
    const { remoteAddress } = socket
    const isCounted = !proxies.has(remoteAddress)
    if (isCounted && !connections.open(remoteAddress)) return void socket.destroy()
    keepOpen(sockets, socket)
    if (isCounted) socket.once('close', () => connections.closed(remoteAddress))
  })
  // Node would drop the fields above its own limit and say nothing; ours are counted, and refused.
  server.maxHeadersCount = 0
  const take = (req: IncomingMessage, res: ServerResponse) => {
    keepOpen(underWay, res)
    if (readiness.isDraining) res.shouldKeepAlive = false
    serve(pipeline, req, res)
  }
  server.on('request', take)
  // Whoever waits to be asked for the body is asked when it is wanted, and not when it is refused.
  server.on('checkContinue', take)
  server.on('checkExpectation', take)
  server.on('upgrade', (req, socket: Socket, early) => {
    keepOpen(underWay, socket)
    inTurn(socket, () => upgrade(pipeline, req, socket, early))
  })
  server.on('connect', (_, socket: Socket) => refuseRaw(pipeline, socket, 'method_unknown'))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    const reason = clientErrors[error.code ?? ''] ?? 'request_malformed'
    const last = latest.get(socket as Socket)
    // Broken off within a body: its own request waits for the rest, and so would we.
    if (last === undefined || last.req.complete) refuseRaw(pipeline, socket as Socket, reason)
    else if (last.res.headersSent) socket.destroy()
    else endRaw(pipeline, socket as Socket, reason)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, host }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    renewTls(renewed) {
      if (server instanceof SecureServer) server.setSecureContext(renewed)
    },
    async drain({ noticeMs = 0, timeoutMs = 30_000 } = {}) {
      readiness.isDraining = true
      if (noticeMs > 0) await delay(noticeMs)
      for (const { item } of underWay) if (item instanceof ServerResponse) item.shouldKeepAlive = false
      const closed = closeServer(server)
      const late = new AbortController()
      const ended = closed.then(() => late.abort())
      await delay(timeoutMs, undefined, { signal: late.signal }).catch(() => undefined)
      const cut = underWay.size
      for (const { item } of sockets) item.destroy()
      await ended
      return { cut }
    },
    close() {
      const closed = closeServer(server)
      for (const { item } of sockets) item.destroy()
      return closed
    },
  }
}

interface Open<T> extends Placed {
  readonly item: T
}

/** Until it closes. */
function keepOpen<T extends ServerResponse | Socket>(bag: Bag<Open<T>>, item: T): void {
  const open = { item, place: -1 }
  bag.add(open)
  item.once('close', () => bag.delete(open))
}

/** Stops listening; resolves when the last connection is gone. Those without a request go at once. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}

const clientErrors: Readonly<Record<string, 'headers_too_large' | 'request_timeout'>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
}

/** The request that was read last on each connection. */
const latest = new WeakMap<Socket, { readonly req: IncomingMessage; readonly res: ServerResponse }>()

/** The last answer under way on each connection. */
const turns = new WeakMap<Socket, Promise<void>>()

/** One after the other on each connection: whoever sends the next request early does not overtake himself. */
function inTurn(socket: Socket, take: () => void | Promise<void>): void {
  const turn = (turns.get(socket) ?? Promise.resolve()).then(take).catch(() => void socket.destroy())
  turns.set(socket, turn)
}

function serve(pipeline: Pipeline, req: IncomingMessage, res: ServerResponse): void {
  latest.set(req.socket, { req, res })
  // The parser takes a line without a version, and versions that are not its own.
  const { host, 'transfer-encoding': encoding } = req.headers
  const isOurs =
    (req.httpVersion === '1.1' && host !== undefined) || (req.httpVersion === '1.0' && encoding === undefined)
  if (isOurs) inTurn(req.socket, () => answer(pipeline, req, res))
  else refuseRaw(pipeline, req.socket, 'request_malformed')
}

async function answer(pipeline: Pipeline, req: IncomingMessage, res: ServerResponse): Promise<void> {
  // The request before this one has ended the connection, and all that came behind it.
  if (closing.has(req.socket) || req.socket.destroyed) return
  const reply = await pipeline.handle(inboundFrom(req, res))
  // What is left of a body that nobody wanted must not be read as the next request.
  if (!req.complete || closes.has(reply.status)) {
    closing.add(req.socket)
    res.shouldKeepAlive = false
  }
  await sendReply(reply, res)
  // The socket is this answer's until all of it is out.
  if (!res.destroyed) await new Promise((resolve) => res.once('close', resolve))
}

const closing = new WeakSet<Socket>()

const closes: ReadonlySet<number> = new Set([400, 408, 413, 414, 431])

function inboundFrom(req: IncomingMessage, res: ServerResponse): Inbound {
  const { 'content-length': length = '0', 'transfer-encoding': encoding, host = 'localhost' } = req.headers
  const waits = req.headers.expect?.toLowerCase() === '100-continue'
  const hasBody = encoding !== undefined || length !== '0'
  let received = 0
  const options = {
    ...(waits ? { onFirstRead: () => res.writeContinue() } : {}),
    onBytes: (count: number) => {
      received += count
    },
  }
  return {
    method: req.method ?? '',
    target: req.url ?? '',
    headers: headerList(req),
    body: hasBody ? readBody(req, options) : undefined,
    received: () => received,
    stop: goneStop(res),
    remoteAddress: req.socket.remoteAddress,
    origin: `${(req.socket as Partial<TLSSocket>).encrypted ? 'https' : 'http'}://${host}`,
  }
}

/** Stopped when the other end is gone before the answer has been written. */
function goneStop(res: ServerResponse): Stop {
  const stop = new Stop()
  res.once('close', () => {
    if (!res.writableFinished) stop.stop('client_closed')
  })
  return stop
}

/** Switches to a WebSocket; whatever else a client would rather speak is answered in HTTP/1.1, as if not asked. */
async function upgrade(
  pipeline: Pipeline,
  req: IncomingMessage,
  socket: Socket,
  early: Buffer,
): Promise<void> {
  socket.on('error', () => socket.destroy())
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  const isSocket = req.headers.upgrade?.toLowerCase() === 'websocket'
  // What comes before the switch would go on as frames, or be the next request.
  if (closing.has(socket) || socket.destroyed) return
  const { method, httpVersion, headers } = req
  const isWhole = method === 'GET' && httpVersion === '1.1' && headers.host !== undefined
  if (!isWhole || (isSocket && early.length > 0)) {
    return endRaw(pipeline, socket, 'request_malformed')
  }
  res.assignSocket(socket)
  res.once('finish', () => {
    res.detachSocket(socket)
    socket.end()
  })
  const inbound = inboundFrom(req, res)
  const answer = isSocket ? await pipeline.open(inbound) : await pipeline.handle(inbound)
  if (isReply(answer)) return sendReply(answer, res)
  res.detachSocket(socket)
  const fields = [...answer.headers].map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields.join('')}\r\n`)
  joinSockets(socket, answer)
}

/** For what never became a request: there is no response object to write with, and nothing comes after it. */
function refuseRaw(pipeline: Pipeline, socket: Socket, reason: MalformedReason): void {
  inTurn(socket, () => endRaw(pipeline, socket, reason))
}

function endRaw(pipeline: Pipeline, socket: Socket, reason: MalformedReason): void {
  if (closing.has(socket) || !socket.writable) return void socket.destroy()
  closing.add(socket)
  pipeline.recordMalformed(reason, socket.remoteAddress)
  const { status, detail } = proxyRefusal(reason)
  const body = JSON.stringify({
    type: problemType(reason),
    title: STATUS_CODES[status],
    status,
    detail,
    reason,
  })
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/problem+json\r\n` +
      `Cache-Control: no-store\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  )
}
