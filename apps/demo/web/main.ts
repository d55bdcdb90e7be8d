/**
 * The page: signs in, loads what this person may do, and shows only that.
 *
 * @module
 */
import { createAuth, createPermissions } from '@hfauth/browser'
import type { Panel } from '@hfauth/browser/panel'
import { createApi } from './api.ts'
import { loadConfig } from './config.ts'
import { byId, element } from './dom.ts'
import { accountView, environmentLinks, signedOutView } from './frame.ts'
import { showModels } from './models.ts'
import { showTrail } from './trail.ts'

const config = await loadConfig()
const auth = createAuth({
  issuer: config.issuer,
  clientId: config.clientId,
  redirectUri: `${location.origin}/callback`,
  scopes: config.scopes,
  // The page's own API, and nobody else, gets the token.
  apiOrigins: [location.origin],
  allowLoopbackHttp: true,
})
const permissions = createPermissions(auth)
const api = createApi(auth)
let leaving = new AbortController()
let panel: Panel | undefined

byId('environments').append(...environmentLinks(config))
document.body.dataset.environment = config.environment

try {
  await auth.handleCallback()
} catch (error) {
  notify(error)
}
await render()

async function render(): Promise<void> {
  leaving.abort()
  leaving = new AbortController()
  const page = byId('page')
  const session = auth.session
  byId('account').replaceChildren(...accountView(session, { inspect, signOut }))
  if (session === undefined) {
    page.replaceChildren(signedOutView(config, () => auth.signIn().catch(notify)))
    return
  }
  try {
    await permissions.load(`${location.origin}/api/access`)
  } catch (error) {
    notify(error)
  }
  const models = element('section', { id: 'models' })
  const work = element('section', { id: 'work' })
  const trail = element('section', { id: 'trail', className: 'wide' })
  page.replaceChildren(models, work, trail)
  void showTrail(trail, api, leaving.signal).catch(() => undefined)
  await showModels({ list: models, work, api, permissions, organisation: config.organisation, notify }).catch(
    notify,
  )
}

/** The panel is for developers: loaded when somebody asks for it, and gone at the second click. */
async function inspect(): Promise<void> {
  const { mountPanel } = await import('@hfauth/browser/panel')
  if (panel?.element.isConnected) panel.remove()
  else panel = mountPanel({ auth, permissions })
}

async function signOut(): Promise<void> {
  await auth.signOut()
  await render()
}

function notify(problem: unknown): void {
  const notice = byId('notice')
  notice.textContent = problem instanceof Error ? problem.message : String(problem)
  setTimeout(() => notice.replaceChildren(), 6000)
}
