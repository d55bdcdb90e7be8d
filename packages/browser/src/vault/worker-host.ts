/**
 * Worker host: a vault behind messages, in a worker that alone holds the tokens.
 *
 * vault → **worker host** → worker client in the page. Takes its configuration once. Whoever can send it messages
 * can have requests sent to the listed addresses, and can not have a token.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { type AuthOptions, readOptions } from '../options.ts'
import type { Surroundings } from '../page.ts'
import { createProvider, type Tokens } from '../provider/oauth.ts'
import type { Holding } from './grant.ts'
import type { VaultChange } from './holder.ts'
import {
  type Call,
  packError,
  type Reply,
  type SentRequest,
  type SentResponse,
  type WorkerConfig,
} from './messages.ts'
import { createVault, type Vault } from './vault.ts'

/** A dedicated worker's scope, or one port of a shared one. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void
  onmessage: ((event: MessageEvent) => void) | null
}

export interface WorkerScope extends Surroundings {
  readonly location: { readonly href: string; readonly origin: string }
}

export interface WorkerHost {
  connect(port: Port): void
}

export function createWorkerHost(scope: WorkerScope, fetch?: typeof globalThis.fetch): WorkerHost {
  const ports = new Map<Port, Set<number>>()
  let configured: string | undefined
  let vault: Vault | undefined
  let holding: Holding | undefined

  function configure(config: WorkerConfig): void {
    const text = JSON.stringify(config)
    if (configured === text) return
    if (configured !== undefined) throw invalid('this worker has another configuration, and keeps it')
    const options: AuthOptions = {
      ...config,
      apiOrigins: config.apiOrigins ?? [scope.location.origin],
      // Not used here: answers come to the page. It has to be an address that may be spoken to.
      redirectUri: config.issuer,
      ...(fetch && { fetch }),
      // What goes over a channel can be heard by every script of the origin.
      shareTabs: false,
    }
    const settings = readOptions(options)
    configured = text
    vault = createVault({
      settings,
      provider: createProvider(settings),
      surroundings: () => scope,
      home: () => scope.location.href,
      onChange: tell,
    })
  }

  function tell(change: VaultChange): void {
    holding = change.holding
    for (const [port, calls] of ports) {
      const by = change.by === 'this-tab' && calls.size === 0 ? 'other-tab' : change.by
      post(port, { change: { ...change, by } })
    }
  }

  async function answer(port: Port, { id, name, input }: Call, signal: AbortSignal): Promise<void> {
    if (name === 'configure') return post(port, { id, output: configure(input as WorkerConfig) })
    if (vault === undefined) throw invalid('this worker has not been configured')
    if (name === 'send') {
      const { url, init } = input as SentRequest
      const response = await pack(await vault.send(new Request(url, { ...init, signal })))
      return post(
        port,
        { id, output: response },
        response.body instanceof ReadableStream ? [response.body] : [],
      )
    }
    const work = Object.hasOwn(methods, name) ? methods[name] : undefined
    if (work === undefined) throw invalid('this worker does not know that')
    post(port, { id, output: await work(vault, input as never) })
  }

  const methods: Readonly<Record<string, (vault: Vault, input: never) => unknown>> = {
    async restore(held) {
      await held.restore()
      return holding
    },
    redeem: (held, [answer, expected]: [string, Parameters<Vault['redeem']>[1]]) =>
      held.redeem(new URLSearchParams(answer), expected),
    accept: (held, tokens: Tokens) => held.accept(tokens),
    renew: (held, than: number) => held.renew(than),
    end: (held, by: 'this-tab' | 'time') => held.end(by),
    check: (held, missed: boolean) => held.check(missed),
    logoutUrl: (held, returnTo: string | undefined) => held.logoutUrl(returnTo),
  }

  return {
    connect(port) {
      const calls = new Set<number>()
      const running = new Map<number, AbortController>()
      ports.set(port, calls)
      port.onmessage = ({ data }: MessageEvent) => {
        if (data?.name === 'abort') return running.get(data.input)?.abort()
        if (typeof data?.id !== 'number' || typeof data.name !== 'string') return
        const controller = new AbortController()
        calls.add(data.id)
        running.set(data.id, controller)
        answer(port, data, controller.signal)
          .catch((error) => post(port, { id: data.id, error: packError(error) }))
          .finally(() => {
            calls.delete(data.id)
            running.delete(data.id)
          })
      }
    },
  }
}

function post(port: Port, reply: Reply, transfer: Transferable[] = []): void {
  port.postMessage(reply, transfer)
}

async function pack(response: Response): Promise<SentResponse> {
  const { status, statusText, headers, url, redirected } = response
  return {
    init: { status, statusText, headers: [...headers] },
    url,
    redirected,
    body: response.body && (canTransferStreams() ? response.body : await response.blob()),
  }
}

/** Some browsers cannot hand a stream to another thread; there an answer arrives when it is complete. */
function canTransferStreams(): boolean {
  const stream = new ReadableStream()
  try {
    structuredClone(stream, { transfer: [stream] })
    return true
  } catch {
    return false
  }
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', message)
}
