/**
 * Worker client: the vault as a page sees it that has its tokens in a worker.
 *
 * worker host → **worker client** → session. Passes questions on and answers back. There is no token on this side.
 *
 * @module
 */
import type { Holding } from './grant.ts'
import { type Reply, type SentResponse, unpackError, type WorkerConfig } from './messages.ts'
import type { Vault, VaultParts } from './vault.ts'

/** What is needed of a `Worker` or a `SharedWorker`. */
export type WorkerLike = MessageTarget | { readonly port: MessageTarget }

export interface MessageTarget {
  postMessage(message: unknown, transfer: Transferable[]): void
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void
  start?(): void
}

/**
 * Keeps the tokens in a worker that runs `@hfauth/browser/worker`. Page script can have requests sent by it and
 * cannot read a token. In a `SharedWorker` all tabs have one sign-in; with a `Worker` each tab has its own.
 *
 * An upload from a stream is collected before it is sent.
 */
export function inWorker(worker: WorkerLike): (parts: VaultParts) => Vault {
  return ({ settings, onChange }) => {
    const shared = 'port' in worker
    const port = shared ? worker.port : worker
    const waiting = new Map<number, { resolve(output: never): void; reject(error: Error): void }>()
    let last = 0
    let holding: Holding | undefined
    /** Signed out here; what the worker said before it heard of it does not count. */
    let leaving = false

    function call<T>(name: string, input?: unknown, transfer: Transferable[] = []): Promise<T> {
      last += 1
      const id = last
      return new Promise<T>((resolve, reject) => {
        waiting.set(id, { resolve, reject })
        port.postMessage({ id, name, input }, transfer)
      })
    }

    port.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
      if ('change' in data) {
        if (data.change.holding === undefined) leaving = false
        else if (leaving) return
        holding = data.change.holding
        return onChange(data.change)
      }
      const { resolve, reject } = waiting.get(data.id) ?? {}
      waiting.delete(data.id)
      if ('error' in data) reject?.(unpackError(data.error))
      else resolve?.(data.output as never)
    })
    port.start?.()

    const { issuer, clientId, apiOrigins, allowLoopbackHttp, clockToleranceSeconds, requestTimeoutMs } =
      settings
    const config: WorkerConfig = {
      issuer,
      clientId,
      apiOrigins,
      allowLoopbackHttp,
      clockToleranceSeconds,
      requestTimeoutMs,
    }
    const configured = call<void>('configure', config)
    // Whoever asks for something hears of it.
    configured.catch(() => {})
    const ask = async <T>(name: string, input?: unknown) => {
      await configured
      return call<T>(name, input)
    }

    async function send(request: Request): Promise<Response> {
      await configured
      const {
        url,
        signal,
        method,
        mode,
        credentials,
        cache,
        redirect,
        referrerPolicy,
        integrity,
        keepalive,
      } = request
      const init = { method, mode, credentials, cache, redirect, referrerPolicy, integrity, keepalive }
      const body = method === 'GET' || method === 'HEAD' ? null : await request.blob()
      signal.throwIfAborted()
      const answer = call<SentResponse>('send', {
        url,
        init: { ...init, headers: [...request.headers], body: body?.size ? body : null },
      })
      const id = last
      const abort = () => port.postMessage({ name: 'abort', input: id }, [])
      signal.addEventListener('abort', abort)
      const { init: status, body: stream, url: from, redirected } = await answer
      const response = new Response(stream, status)
      Object.defineProperties(response, { url: { value: from }, redirected: { value: redirected } })
      return response
    }

    return {
      async restore() {
        const found = await ask<Holding | undefined>('restore')
        if (found && holding === undefined && !leaving) {
          holding = found
          onChange({ type: 'signed-in', by: 'other-tab', holding })
        }
      },
      redeem: (answer, expected) => ask('redeem', [answer.toString(), { ...expected }]),
      accept: (tokens) => ask('accept', tokens),
      renew: (than) => ask('renew', than),
      send,
      end(by) {
        leaving = true
        holding = undefined
        onChange({ type: 'signed-out', by, holding: undefined })
        return ask('end', by)
      },
      check: (missed) => ask('check', missed),
      logoutUrl: (returnTo) => ask('logoutUrl', returnTo),
      sharing: async () => shared,
      rest: () => {},
    }
  }
}
