/**
 * Direct: the way out of a frame, to the same page under its own address.
 *
 * **direct** → the page. In a frame of another site nothing but a pop-up can sign in, and where the provider cuts
 * its ties or storage is partitioned not even that. A new tab, or the whole window, always can.
 *
 * @module
 */
import type { SignInOptions } from '../login/sign-in-url.ts'
import { invalid } from '../options.ts'
import { currentPage, isFramed, type Page } from '../page.ts'

/** Says in the address that the person clicked on signing in before they came. */
const marker = 'hfauth_sign_in=1'

/** How a page can sign in where it stands, the best way first. Each belongs behind a click of the person. */
export type SignInWay = 'redirect' | 'popup' | 'new-tab' | 'full-page'

/** In a frame of another site no redirect is among them: it would lead to a page that refuses to be framed. */
export function signInWays(page: Page | undefined = currentPage()): readonly SignInWay[] {
  if (page === undefined) return []
  return isFramed(page) ? ['popup', 'new-tab', 'full-page'] : ['redirect', 'popup']
}

/**
 * The address of this page itself, whatever frames it, for a link with `target="_blank"` (new tab) or `target="_top"` (full page).
 *
 * The page there signs in by itself if it calls {@link continueSignIn}.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` outside a window.
 */
export function directSignInUrl(page: Page | undefined = currentPage()): string {
  if (page === undefined) throw invalid('`directSignInUrl` needs a window')
  const url = new URL(withoutMarker(page.location.href))
  // As text: what the application has in its address stays letter for letter.
  url.search += `${url.search === '' ? '?' : '&'}${marker}`
  return url.href
}

/** What is needed of `createAuth`. */
export interface DirectAuth {
  readonly session: unknown
  signIn(options?: SignInOptions): Promise<void>
}

/**
 * Goes on with the sign-in that was clicked in the frame. Call it after `handleCallback`.
 *
 * The mark is taken out of the address first, so that what comes back from the provider never starts another round.
 *
 * @returns False when nobody came here to sign in; the page then goes on as usual.
 */
export async function continueSignIn(
  auth: DirectAuth,
  options: SignInOptions = {},
  page: Page | undefined = currentPage(),
): Promise<boolean> {
  if (page === undefined) return false
  const { href } = page.location
  const cleaned = withoutMarker(href)
  if (cleaned === href) return false
  page.history.replaceState(page.history.state, '', cleaned)
  if (isFramed(page) || auth.session !== undefined) return false
  await auth.signIn(options)
  return true
}

function withoutMarker(href: string): string {
  const url = new URL(href)
  const pairs = url.search.slice(1).split('&')
  if (!pairs.includes(marker)) return href
  url.search = pairs.filter((pair) => pair !== marker).join('&')
  return url.href
}
