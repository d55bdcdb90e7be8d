/**
 * Pop-up: a sign-in in a small window, while the page stays as it is.
 *
 * elsewhere, wait → **pop-up** → the page. Also the way for a page in a frame of another site, where the provider
 * would not show itself.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { SignInResult } from '../login/callback.ts'
import { beginElsewhere, type ElsewhereOptions, type SignInElsewhere } from '../login/elsewhere.ts'
import { invalid } from '../options.ts'
import { attemptLifetimeMs } from '../provider/lifetime.ts'
import { parseUrl } from '../secure-url.ts'
import { isMessage, type Order, relayHash } from './messages.ts'
import { type WaitingWindow, waitForAnswer } from './wait.ts'

/** What is needed of the window around the page. */
export type OpeningWindow = WaitingWindow & Pick<Window, 'open'>

export interface PopupOptions extends ElsewhereOptions {
  /** Registered address, on the origin of this page, of a page that loads `@hfauth/browser/popup-callback`. */
  readonly redirectUri: string
  /** Gives the sign-in up. */
  readonly signal?: AbortSignal
  /**
   * Called once when the window looks closed. It may not be: a provider that isolates its pages looks the same. So
   * show the way in again and go on waiting, for an answer that comes later still counts.
   */
  readonly onClosed?: () => void
  /**
   * For a page in a frame, with a provider that cuts the tie to its opener: the small window stays on this origin, asks
   * for one more click, and hands on the answer. Default false.
   */
  readonly relay?: boolean
  /** In CSS pixels. Default 500 by 700. */
  readonly width?: number
  readonly height?: number
  /** Replaces the global window. */
  readonly window?: OpeningWindow
}

/** The browser opened no window. Code `HFAUTH_POPUP_BLOCKED`. */
export class PopupBlockedError extends HfAuthError {
  /**
   * For a link with `target="_blank"` that the person clicks instead. Where this page is framed by another site the
   * answer finds no way back from there: use `directSignInUrl`.
   */
  readonly url: string
  /** What comes of that link. Fails with `HFAUTH_SIGNIN_ABANDONED` after ten minutes. */
  readonly result: Promise<SignInResult>

  constructor(url: string, result: Promise<SignInResult>) {
    super('HFAUTH_POPUP_BLOCKED', 'the browser blocked the window: call this inside a click, or offer a link')
    this.url = url
    this.result = result
    // Whoever has no use for the link has none for how it ends.
    result.catch(() => {})
  }
}

/** One window of ours at a time: another sign-in takes it over, even after a reload of this page. */
const windowName = 'hfauth.sign-in'
const closedCheckMs = 500
let current: AbortController | undefined

/**
 * Signs in through a small window. Call it straight from a click: it opens the window before anything else.
 *
 * @param auth - From `createAuth`.
 * @throws HfAuthError `HFAUTH_POPUP_BLOCKED` (see {@link PopupBlockedError}); `HFAUTH_SIGNIN_ABANDONED` when given up
 *   by `signal`, by another pop-up or after ten minutes; and what `handleCallback` throws.
 */
export async function signInWithPopup(auth: object, options: PopupOptions): Promise<SignInResult> {
  const {
    signal,
    onClosed,
    relay = false,
    width = 500,
    height = 700,
    window: here = window,
    ...request
  } = options
  const { origin } = here.location
  if (parseUrl(options.redirectUri)?.origin !== origin) {
    throw invalid(
      `\`redirectUri\` is \`${options.redirectUri}\`, which is not on this page's origin \`${origin}\``,
    )
  }
  // Before any wait: browsers tie the permission to open a window to the click.
  const opened = here.open('', windowName, `popup,width=${width},height=${height}`) ?? undefined
  current?.abort()
  const mine = new AbortController()
  current = mine
  signal?.addEventListener('abort', () => mine.abort())
  if (signal?.aborted) mine.abort()
  const stopWatching = opened && onClosed ? watchClosed(opened, onClosed) : () => {}

  const close = () => {
    stopWatching()
    opened?.close()
    if (current === mine) current = undefined
  }
  try {
    const begun = await beginElsewhere(auth, request)
    if (opened && relay) instruct(here, opened, begun, mine.signal)
    const wait = { state: begun.state, opened, signal: mine.signal, timeoutMs: attemptLifetimeMs }
    const result = waitForAnswer(here, wait).then((url) => begun.complete(url))
    if (opened === undefined) throw new PopupBlockedError(begun.url, result)
    // Another sign-in may have taken the window over meanwhile.
    if (!mine.signal.aborted) {
      opened.location.replace(relay ? options.redirectUri + relayHash : begun.url)
      opened.focus()
    }
    const done = await result
    mine.abort()
    close()
    return done
  } catch (error) {
    // Not when another sign-in has taken the window over.
    if (current === mine && !(error instanceof PopupBlockedError)) close()
    else stopWatching()
    // The link of a blocked one is still to be used.
    if (!(error instanceof PopupBlockedError)) mine.abort()
    throw error
  }
}

/** Tells the relay where to send the person, as soon as it asks. */
function instruct(
  here: OpeningWindow,
  opened: Window,
  { url, state }: SignInElsewhere,
  signal: AbortSignal,
): void {
  const { origin } = here.location
  const order: Order = { hfauth: 'order', version: 1, url, state }
  const hear = ({ origin: from, source, data }: MessageEvent) => {
    if (source === opened && from === origin && isMessage(data, 'ready')) opened.postMessage(order, origin)
  }
  here.addEventListener('message', hear)
  signal.addEventListener('abort', () => here.removeEventListener('message', hear))
}

function watchClosed(opened: Window, onClosed: () => void): () => void {
  const timer = setInterval(() => {
    if (!opened.closed) return
    clearInterval(timer)
    onClosed()
  }, closedCheckMs)
  return () => clearInterval(timer)
}
