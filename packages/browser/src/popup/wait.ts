/**
 * Wait: listens for the answer that another window brings back.
 *
 * messages → **wait** → pop-up. Two ways lead here: the channel of this origin, and a message of the very window that
 * was opened. The first works when the provider has cut the tie to the opener, the second where storage is
 * partitioned. Everything else that arrives is left alone.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { parseUrl } from '../secure-url.ts'
import { openChannel, readAnswerMessage, takenMessage } from './messages.ts'

/** What is needed of the window that waits. */
export type WaitingWindow = Pick<Window, 'location' | 'addEventListener' | 'removeEventListener'>

export interface WaitOptions {
  readonly state: string
  /** The window that was opened; without one, only the channel is listened to. */
  readonly opened: Window | undefined
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

/**
 * @returns The address the provider sent the other window back to. Checked for nothing but its `state`.
 * @throws HfAuthError `HFAUTH_SIGNIN_ABANDONED` when `signal` says so, or after `timeoutMs`.
 */
export function waitForAnswer(
  here: WaitingWindow,
  { state, opened, signal, timeoutMs }: WaitOptions,
): Promise<string> {
  const channel = openChannel(state)
  return new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => end(() => reject(abandoned('nobody came back in time'))), timeoutMs)
    const abort = () => end(() => reject(abandoned('it was given up')))

    function end(settle: () => void): void {
      clearTimeout(timer)
      here.removeEventListener('message', hear)
      signal.removeEventListener('abort', abort)
      channel?.close()
      settle()
    }

    function take(data: unknown, acknowledge: () => void): void {
      const url = readAnswerMessage(data)
      if (url === undefined || parseUrl(url)?.searchParams.get('state') !== state) return
      acknowledge()
      end(() => resolve(url))
    }

    function hear({ origin, source, data }: MessageEvent): void {
      if (opened === undefined || source !== opened || origin !== here.location.origin) return
      take(data, () => opened.postMessage(takenMessage, origin))
    }

    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort)
    here.addEventListener('message', hear)
    if (channel) channel.onmessage = ({ data }) => take(data, () => channel.postMessage(takenMessage))
  })
}

function abandoned(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNIN_ABANDONED', `the sign-in in another window ended: ${why}`, {
    retryable: true,
  })
}
