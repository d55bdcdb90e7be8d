/**
 * Page cache: a page that the browser puts aside and shows again, perhaps after a sign-out elsewhere.
 *
 * vault, session state → **page cache**. What is put aside holds no lock and no channel; what comes back shows
 * nobody until it is known that nobody signed out meanwhile.
 *
 * @module
 */
import type { Page } from '../page.ts'
import type { Vault } from '../vault/vault.ts'
import type { SessionState } from './session-state.ts'

export interface PageCacheParts {
  readonly vault: Pick<Vault, 'check' | 'rest'>
  readonly state: SessionState
}

export function watchPage(page: Page, { vault, state }: PageCacheParts): void {
  const check = (missed: boolean) => vault.check(missed).finally(state.settle)
  page.addEventListener?.('pagehide', () => vault.rest())
  page.addEventListener?.('pageshow', (event) => {
    if (!(event as PageTransitionEvent).persisted) return
    state.suspend()
    void check(true)
  })
  // A tab that was frozen may have slept through a message.
  page.document?.addEventListener?.('resume', () => void check(false))
}
