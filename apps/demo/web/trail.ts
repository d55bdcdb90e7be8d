/**
 * The audit trail, newest first, as it fills.
 *
 * @module
 */
import type { DemoApi, TrailEvent } from './api.ts'
import { element } from './dom.ts'

const columns = ['Time', 'Where', 'Who', 'Action', 'Resource', 'Decision', 'Why'] as const
const shownAtMost = 200

export async function showTrail(section: HTMLElement, api: DemoApi, signal: AbortSignal): Promise<void> {
  const rows = element('tbody')
  const table = element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...columns.map((name) => element('th', { scope: 'col' }, name)))),
    rows,
  )
  section.replaceChildren(
    element('h2', {}, 'Audit trail'),
    element('div', { className: 'scroll', tabIndex: 0 }, table),
  )
  for await (const event of api.trail(signal)) {
    rows.prepend(row(event))
    if (rows.childElementCount > shownAtMost) rows.lastElementChild?.remove()
  }
}

function row(event: TrailEvent): Node {
  const { decision, resource } = event
  const outcome = decision === undefined ? event.type.replace('io.hfauth.', '') : decision.effect
  const why = decision?.reason ?? (event.http?.status === undefined ? '' : `status ${event.http.status}`)
  return element(
    'tr',
    {},
    element('td', {}, event.time.slice(11, 23)),
    element('td', {}, event.service),
    element('td', {}, event.actor.name ?? event.actor.id),
    element('td', {}, event.action ?? ''),
    element('td', {}, resource === undefined ? '' : `${resource.kind}:${resource.id}`),
    element('td', { className: decision?.effect ?? 'soft' }, outcome),
    element('td', {}, why),
  )
}
