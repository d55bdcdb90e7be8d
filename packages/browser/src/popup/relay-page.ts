/**
 * Relay page: stands between a framed page and a provider that cuts the tie to whoever opened it.
 *
 * messages → **relay page** → the waiting page. It is a window of its own, so the channel of this origin reaches it, and it
 * was opened by the frame and never left this origin, so its opener does too. It hands on what it hears.
 *
 * @module
 */
import {
  answerMessage,
  isMessage,
  openChannel,
  readAnswerMessage,
  readOrder,
  relayHash,
  sayReady,
  takenMessage,
} from './messages.ts'

/** @returns False when this window was not opened as a relay. */
export function relayAnswer(page: Window): boolean {
  const { document, location } = page
  const { origin } = location
  const opener = page.opener as Window | null
  if (location.hash !== relayHash || opener === null) return false

  let channel: BroadcastChannel | undefined
  page.addEventListener('message', ({ origin: from, source, data }: MessageEvent) => {
    if (from !== origin || source !== opener) return
    if (isMessage(data, 'taken')) page.close()
    const order = readOrder(data)
    if (order === undefined || channel !== undefined) return
    const opened = openChannel(order.state)
    if (opened === undefined) return
    opened.onmessage = ({ data: heard }) => {
      const url = readAnswerMessage(heard)
      if (url === undefined) return
      opened.postMessage(takenMessage)
      opener.postMessage(answerMessage(url), origin)
    }
    channel = opened
    offer(order.url)
  })
  opener.postMessage(sayReady, origin)
  return true

  /** A window needs a click of its own: the one in the frame has opened this one. */
  function offer(url: string): void {
    const button = document.createElement('button')
    button.textContent = 'Continue'
    button.addEventListener('click', () => page.open(url, '_blank', 'popup,width=500,height=700'))
    document.querySelector('[data-hfauth-text]')?.replaceChildren(button)
    document.documentElement.dataset.hfauth = 'relay'
  }
}
