/**
 * Messages: what the window that comes back from the provider and the page that waits say to each other.
 *
 * **messages** → pop-up, callback page. The channel is named by `state`, which is random, told to nobody but the
 * provider, and part of what is sent; so a listener learns nothing that it did not need to know to listen.
 *
 * @module
 */

export interface AnswerMessage {
  readonly hfauth: 'answer'
  readonly version: 1
  /** Address the provider sent the window back to, whole. */
  readonly url: string
}

/** Tells the callback page that it may close. */
export const takenMessage = { hfauth: 'taken', version: 1 } as const

/** Only pages of this origin can open it; a frame of another site has a room of its own, even there. */
export function openChannel(state: string): BroadcastChannel | undefined {
  try {
    return new BroadcastChannel(`hfauth.answer.1.${state}`)
  } catch {
    return undefined
  }
}

export function answerMessage(url: string): AnswerMessage {
  return { hfauth: 'answer', version: 1, url }
}

/** The address in an answer; `undefined` for every other message, whatever it is. */
export function readAnswerMessage(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const { hfauth, version, url } = data as Partial<Record<string, unknown>>
  return hfauth === 'answer' && version === 1 && typeof url === 'string' ? url : undefined
}

export function isMessage(data: unknown, kind: 'taken' | 'ready'): boolean {
  if (typeof data !== 'object' || data === null) return false
  const { hfauth, version } = data as Partial<Record<string, unknown>>
  return hfauth === kind && version === 1
}

/** In the address of a window that is opened as a relay. */
export const relayHash = '#hfauth-relay'

/** A relay's first word to its opener. */
export const sayReady = { hfauth: 'ready', version: 1 } as const

/** What a relay is told: where the person has to go, and which answer to listen for. */
export interface Order {
  readonly hfauth: 'order'
  readonly version: 1
  readonly url: string
  readonly state: string
}

/** @returns `undefined` for every other message, and for an address that is no web page's. */
export function readOrder(data: unknown): Order | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const { hfauth, version, url, state } = data as Partial<Record<string, unknown>>
  if (hfauth !== 'order' || version !== 1 || typeof url !== 'string' || typeof state !== 'string')
    return undefined
  return /^https?:\/\//i.test(url) ? { hfauth, version, url, state } : undefined
}
