/**
 * Callback page: hands the provider's answer to the page that waits for it, and closes its window.
 *
 * messages → **callback page** → the waiting page. Judges nothing and keeps nothing; it cannot, since what the answer
 * is compared with never leaves the page that waits.
 *
 * @module
 */
import { answerMessage, isMessage, openChannel } from './messages.ts'

/** What becomes of the answer, as `data-hfauth` on the root element for a page that wants to say it in its own words. */
export type HandOver = 'sent' | 'taken' | 'unclaimed' | 'empty'

const sentences: Readonly<Record<Exclude<HandOver, 'sent'>, string>> = {
  taken: 'You can close this window.',
  unclaimed: 'Nobody is waiting for this sign-in any more. Close this window and start again.',
  empty: 'This page is only for coming back from a sign-in.',
}

/** A page that waits answers in one turn of its event loop; longer means that it is gone. */
const patienceMs = 3000

/** Runs once, when the page loads. */
export function handAnswerOver(page: Window): void {
  const { location, history, document } = page
  const { href, origin, pathname } = location
  const state = new URLSearchParams(location.search).get('state')
  // At once, so that neither a reload nor the history of the window holds the code.
  history.replaceState(null, '', pathname)
  show(state === null ? 'empty' : 'sent')
  if (state === null) return

  const opener = page.opener as Window | null
  const channel = openChannel(state)
  const timer = setTimeout(() => end('unclaimed'), patienceMs)

  function end(outcome: 'taken' | 'unclaimed'): void {
    clearTimeout(timer)
    channel?.close()
    page.removeEventListener('message', hear)
    show(outcome)
    if (outcome === 'taken') page.close()
  }

  function hear({ origin: from, source, data }: MessageEvent): void {
    if (from === origin && source === opener && isMessage(data, 'taken')) end('taken')
  }

  page.addEventListener('message', hear)
  if (channel) channel.onmessage = ({ data }) => void (isMessage(data, 'taken') && end('taken'))
  channel?.postMessage(answerMessage(href))
  // Delivered to a window of this origin and to no other, whoever opened us.
  opener?.postMessage(answerMessage(href), origin)

  function show(outcome: HandOver): void {
    document.documentElement.dataset.hfauth = outcome
    const place = document.querySelector('[data-hfauth-text]')
    if (place !== null && outcome !== 'sent') place.textContent = sentences[outcome]
  }
}
