/**
 * Mount: puts the panel into the page and keeps it up to date.
 *
 * views, ask → **mount**. Reads `subscribe` and `getSnapshot` and nothing else, and lives in a shadow tree, so the
 * page's styles and its own do not meet.
 *
 * @module
 */
import type { Permissions } from '../access/permissions.ts'
import type { Auth } from '../create-auth.ts'
import { createAsk } from './ask.ts'
import { element } from './dom.ts'
import { panelSheet } from './style.ts'
import { claimsView, clockText, identityView, rulesView, statusText } from './views.ts'

export interface PanelOptions {
  readonly auth: Pick<Auth, 'subscribe' | 'getSnapshot'>
  readonly permissions?: Permissions
  /** Where it is put. Default the body. */
  readonly container?: Element
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

export interface Panel {
  readonly element: HTMLElement
  /** Takes it out of the page, and lets go of everything. */
  remove(): void
}

/** Most lines of the log. */
const longestLog = 50

/**
 * Shows who is signed in, with which claims and roles, what they may do and why not, and what has happened.
 *
 * For developers: it shows no token, but it does show the claims of whoever looks at the page. Its own text is English.
 */
export function mountPanel({ auth, permissions, container, now = Date.now }: PanelOptions): Panel {
  const host = element('hfauth-panel' as 'div')
  const root = host.attachShadow({ mode: 'open' })
  root.adoptedStyleSheets = [panelSheet()]

  const dot = element('span', { class: 'dot', 'aria-hidden': 'true' })
  const title = element('h2', { id: 'title' })
  const close = element('button', { type: 'button', 'aria-label': 'Close the panel' }, '×')
  const [identity, claims, rules] = [element('div'), element('div'), element('div')]
  const log = element('ol', { 'aria-label': 'What has happened, newest first' })
  const ask = permissions && createAsk(permissions, () => auth.getSnapshot().session)

  const part = (name: string, content: Node, open = true) =>
    element('details', open ? { open: '' } : {}, element('summary', {}, name), content)
  root.append(
    element(
      'aside',
      { class: 'panel', 'aria-labelledby': 'title' },
      element('header', {}, dot, title, close),
      element(
        'div',
        { class: 'body' },
        part('Who', identity),
        part('Claims', claims, false),
        part('Roles and rules', rules),
        ...(ask ? [part('May I?', ask.form)] : []),
        part('What has happened', log, false),
      ),
    ),
  )

  let logged = ''
  function note(text: string): void {
    if (text === logged) return
    logged = text
    log.prepend(element('li', {}, element('time', {}, clockText(now())), text))
    if (log.childElementCount > longestLog) log.lastElementChild?.remove()
  }

  function drawIdentity(): void {
    identity.replaceChildren(...identityView(auth.getSnapshot(), now()))
  }

  function draw(): void {
    const state = auth.getSnapshot()
    const held = permissions?.getSnapshot() ?? nothing
    const who = state.session && (state.session.username ?? state.session.sub)
    dot.dataset.status = state.status
    title.textContent = who ? `Signed in as ${who}` : `hfauth: ${statusText(state.status)}`
    drawIdentity()
    claims.replaceChildren(...claimsView(state))
    rules.replaceChildren(...rulesView(held))
    ask?.answerAgain()
    const version = held.access ? `rules ${held.access.digest.slice(7, 15)}` : `rules ${held.status}`
    note([statusText(state.status), ...(who ? [who] : []), ...(permissions ? [version] : [])].join(', '))
  }

  const stops = [auth.subscribe(draw), permissions?.subscribe(draw)]
  const timer = setInterval(drawIdentity, 1000)
  function remove(): void {
    for (const stop of stops) stop?.()
    clearInterval(timer)
    host.remove()
  }
  close.addEventListener('click', remove)
  draw()
  ;(container ?? document.body).append(host)
  return { element: host, remove }
}

const nothing = { status: 'empty', access: undefined, error: undefined } as const
