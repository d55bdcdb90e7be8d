/**
 * The demo's API, as the page calls it: every call goes through `auth.fetch`, which adds the token.
 *
 * @module
 */
import type { Auth } from '@hfauth/browser'

export interface Model {
  readonly id: string
  readonly private: boolean
  readonly gated: boolean
  readonly tags: readonly string[]
}

/** A line of the audit trail. */
export interface TrailEvent {
  readonly time: string
  readonly service: string
  readonly environment: string
  readonly type: string
  readonly actor: { readonly id: string; readonly name?: string }
  readonly action?: string
  readonly resource?: { readonly kind: string; readonly id: string }
  readonly decision?: { readonly effect: 'allow' | 'deny'; readonly reason: string }
  readonly http?: { readonly status?: number }
}

export interface DemoApi {
  models(): Promise<Model[]>
  card(id: string): Promise<string>
  saveCard(id: string, text: string): Promise<void>
  remove(id: string): Promise<void>
  /** The answer, piece by piece as it is made. */
  chat(id: string, prompt: string): AsyncIterable<string>
  /** The trail so far and from then on. */
  trail(signal: AbortSignal): AsyncIterable<TrailEvent>
}

export function createApi(auth: Auth): DemoApi {
  async function call(path: string, init?: RequestInit): Promise<Response> {
    const response = await auth.fetch(path, init)
    if (!response.ok) {
      const problem = await response.json().catch(() => ({}))
      throw new Error(`${problem.title ?? 'refused'} (${problem.reason ?? response.status})`)
    }
    return response
  }
  const json = (method: string, body: unknown): RequestInit => ({
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

  return {
    models: async () => (await call('/api/models')).json(),
    card: async (id) => (await call(`/api/models/${id}/card`)).text(),
    saveCard: async (id, text) => void (await call(`/api/models/${id}/card`, json('PUT', { text }))),
    remove: async (id) => void (await call(`/api/models/${id}`, { method: 'DELETE' })),
    async *chat(id, prompt) {
      yield* pieces(await call(`/api/models/${id}/chat`, json('POST', { prompt })))
    },
    async *trail(signal) {
      let rest = ''
      for await (const piece of pieces(await call('/api/audit', { signal }))) {
        const lines = (rest + piece).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) if (line !== '') yield JSON.parse(line)
      }
    },
  }
}

async function* pieces(response: Response): AsyncIterable<string> {
  if (response.body === null) return
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    yield value
  }
}
