/**
 * By frame: renewal through a hidden frame, where the person is still signed in at the provider.
 *
 * options → **by frame** → create auth. Works only where the provider may be framed and gets its cookies there: on the
 * same site, or in browsers that block nothing. Where it cannot work it takes its time limit and says no.
 *
 * @module
 */
import { signInSilently } from '../login/silent-sign-in.ts'
import type { Settings } from '../options.ts'
import type { Page } from '../page.ts'
import type { RenewalWay } from '../session/renewal.ts'

const frameName = 'hfauth.renewal'

export interface FrameOptions {
  /** Longest wait for the provider to send the frame back, in milliseconds. Default 5000. */
  readonly timeoutMs?: number
}

/**
 * Renews with `prompt=none` in a hidden frame. The page at the redirect address has to call `auth.handleCallback()`
 * and may be framed by its own origin (`frame-ancestors 'self'`).
 *
 * @see OpenID Connect Core §3.1.2.1
 */
export function byFrame({ timeoutMs = 5_000 }: FrameOptions = {}): RenewalWay {
  return {
    name: 'frame',
    handsOver,
    async renew(tools) {
      const { page, redirectUri } = tools.settings
      const here = page()
      return here ? signInSilently(tools, (url) => showInFrame(here, url, redirectUri, timeoutMs)) : false
    },
  }
}

/** In the hidden frame the answer is the business of the page around. */
function handsOver({ page, redirectUri }: Settings): boolean {
  const { name, parent, location } = page() ?? {}
  if (name !== frameName || parent === undefined || (parent as unknown) === page()) return false
  parent.postMessage({ hfauthAnswer: location?.href }, new URL(redirectUri).origin)
  return true
}

function showInFrame(
  page: Page,
  url: string,
  redirectUri: string,
  timeoutMs: number,
): Promise<string | undefined> {
  const { document } = page
  const frame = document?.createElement?.('iframe')
  if (frame === undefined) return Promise.resolve(undefined)
  frame.name = frameName
  frame.hidden = true
  frame.src = url
  return new Promise<string | undefined>((resolve) => {
    const done = (answer?: string) => {
      clearTimeout(timer)
      page.removeEventListener?.('message', hear)
      frame.remove()
      resolve(answer)
    }
    const hear = (event: Event) => {
      const { origin, source, data } = event as MessageEvent
      const ours = origin === new URL(redirectUri).origin && source === frame.contentWindow
      if (ours && typeof data?.hfauthAnswer === 'string') done(data.hfauthAnswer)
    }
    const timer = setTimeout(done, timeoutMs)
    page.addEventListener?.('message', hear)
    document?.body?.append(frame)
  })
}
