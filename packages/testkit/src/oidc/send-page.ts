/**
 * Send page: gives a page to the provider to send.
 *
 * pages → **send page** → provider's own answers (device flow, errors).
 *
 * @module
 */

import type { KoaContextWithOIDC } from 'oidc-provider'
import type { Page } from './pages.ts'

export function sendPage(ctx: KoaContextWithOIDC, page: Page): void {
  ctx.set(page.headers)
  ctx.body = page.html
}
