/**
 * Ask Hub: one question of the proxy's own to the Hub, answered in JSON and within bounds.
 *
 * @module
 */
import { Fields } from '../wire/fields.ts'
import { readBounded } from '../wire/json-body.ts'
import { Stop } from '../wire/stop.ts'
import type { Send } from './upstream-client.ts'

export interface HubAddress {
  /** Origin of the Hub. */
  readonly hub: string
  readonly send: Send
  /** Longest wait for one answer, in milliseconds. Default 5000. */
  readonly timeoutMs?: number
}

const maxBytes = 2 * 1024 * 1024

/**
 * @param path - With its query.
 * @throws Error for whatever is no answer: another status, more than is read, no JSON, late.
 */
export async function askHub(
  { hub, send, timeoutMs = 5000 }: HubAddress,
  path: string,
  token?: string,
): Promise<unknown> {
  const headers = new Fields(Object.entries({ accept: 'application/json', 'accept-encoding': 'identity' }))
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
  const stop = new Stop()
  const timer = setTimeout(() => stop.stop('late'), timeoutMs)
  try {
    const { status, body } = await send({ method: 'GET', origin: hub, path, headers, stop })
    const bytes = await readBounded(body, { maxBytes, timeoutMs })
    if (status !== 200 || typeof bytes === 'string') throw new Error('no answer')
    return JSON.parse(new TextDecoder().decode(bytes))
  } finally {
    clearTimeout(timer)
  }
}
