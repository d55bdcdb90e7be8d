/**
 * Panel app: a page with the panel, around a session that the tests put in. Bundled for the panel tests only.
 *
 * @module
 */
import type { Snapshot } from '@hfauth/core'
import { type AuthListener, type AuthState, createPermissions } from '../../src/index.ts'
import { mountPanel, type Panel } from '../../src/panel.ts'

const listeners = new Set<AuthListener>()
let state: AuthState = { status: 'unknown', session: undefined }
const auth = {
  get session() {
    return state.session
  },
  getSnapshot: () => state,
  subscribe(listener: AuthListener) {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  },
  fetch: globalThis.fetch,
}
const permissions = createPermissions(auth)

document.addEventListener('securitypolicyviolation', ({ violatedDirective }) => {
  document.title += ` ${violatedDirective}`
})

const page = {
  panel: mountPanel({ auth, permissions }) as Panel,
  listeners: () => listeners.size,
  become(next: AuthState) {
    state = next
    for (const listener of [...listeners]) listener({ type: 'ready' })
  },
  load: (snapshot: Snapshot) => permissions.load(snapshot).then(() => {}),
}
Object.assign(window, { panelPage: page })

export type PanelPage = typeof page
