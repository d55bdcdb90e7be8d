/**
 * Capabilities: what can be had here, so that a page promises nothing else.
 *
 * parts → **capabilities** → the page. Read from what the provider says and sent, never assumed.
 *
 * @module
 */
import { partsOf } from './parts.ts'
import type { RenewalWay } from './session/renewal.ts'
import type { TokenStore } from './token-store.ts'
import { canRefresh } from './vault/grant.ts'

export interface Capabilities {
  /** Ways to renew without the person, for the sign-in of this moment. Empty: it ends with its access token. */
  readonly renewal: readonly ('refresh-token' | RenewalWay['name'])[]
  /** Whether the tabs of this origin share one sign-in; otherwise each has its own. */
  readonly tabsShare: boolean
  /**
   * How long tokens are kept: as long as the page, or as the store does. A store that fails, or that does not hold what it was
   * given, such as one that the browser blocks, is none.
   */
  readonly tokens: 'page' | 'store'
  /** Whether the provider forgets tokens when it is told to; `undefined` when it could not be asked. */
  readonly revocation: boolean | undefined
  /** Whether access tokens are bound to a key (RFC 9449). Never: this package does not do that. */
  readonly senderConstrained: false
  /** Whether `signOut({ atProvider: true })` ends the session there too; `undefined` as above. */
  readonly logoutAtProvider: boolean | undefined
}

/**
 * What the provider, the browser and the options offer for the sign-in of this moment.
 *
 * @param auth - From `createAuth`.
 */
export async function capabilitiesOf(auth: object): Promise<Capabilities> {
  const { settings, provider, vault, state, renewal } = partsOf(auth)
  const metadata = await provider.metadata().catch(() => undefined)
  const tabsShare = await vault.sharing()
  const own = renewal.ways().map(({ name }) => name)
  const { holding } = state
  return {
    renewal: holding && canRefresh(holding, settings.now()) ? ['refresh-token', ...own] : own,
    tabsShare,
    tokens: (await keeps(settings.tokenStore, holding !== undefined)) ? 'store' : 'page',
    senderConstrained: false,
    revocation: metadata && metadata.revocation_endpoint !== undefined,
    logoutAtProvider: metadata && metadata.end_session_endpoint !== undefined,
  }
}

async function keeps(store: TokenStore | undefined, signedIn: boolean): Promise<boolean> {
  if (store === undefined) return false
  try {
    const kept = await store.read()
    return !signedIn || Boolean(kept)
  } catch {
    return false
  }
}
