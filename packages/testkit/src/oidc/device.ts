/**
 * Device: the pages of the device flow.
 *
 * provider → **device** → pages. The provider keeps the state; these functions only draw it.
 *
 * @module
 */

import type { Configuration, KoaContextWithOIDC } from 'oidc-provider'
import { buildDeviceCodePage, buildDeviceConfirmPage, buildMessagePage } from './pages.ts'
import { sendPage } from './send-page.ts'

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>

export function deviceConfiguration(url: string): DeviceFlow {
  const action = `${url}/oauth/device/verify`
  return {
    enabled: true,
    charset: 'base-20',
    mask: '****-****',
    deviceInfo: () => ({}),
    userCodeInputSource(ctx, _form, _out, error) {
      const xsrf = xsrfOf(ctx)
      sendPage(ctx, buildDeviceCodePage({ action, xsrf, ...(error && { problem: problemOf(error) }) }))
    },
    userCodeConfirmSource(ctx, _form, client, _info, userCode) {
      const appName = client.clientName ?? client.clientId
      sendPage(ctx, buildDeviceConfirmPage({ action, xsrf: xsrfOf(ctx), appName, userCode }))
    },
    successSource(ctx) {
      sendPage(
        ctx,
        buildMessagePage('Device connected', 'You can close this page and return to your device.'),
      )
    },
  }
}

function xsrfOf(ctx: KoaContextWithOIDC): string {
  const secret = ctx.oidc.session?.state?.secret
  return typeof secret === 'string' ? secret : ''
}

function problemOf(error: Error): string {
  return error.name === 'AbortedError'
    ? 'The device was not connected.'
    : 'This code is wrong or no longer valid.'
}
