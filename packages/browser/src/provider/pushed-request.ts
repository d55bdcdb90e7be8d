/**
 * Pushed request: hands the authorization request to the provider before the person goes there.
 *
 * network → **pushed request** → sign-in address. Passed in as an option, so that pages which do not need it do not
 * load it.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { PushRequest } from '../options.ts'
import { isSecureUrl, parseUrl } from '../secure-url.ts'
import { exchange, unavailable } from './network.ts'
import { SignInRefusedError } from './refusal.ts'

/**
 * For `createAuth({ pushRequest })`. What is asked for then stays out of the address bar and cannot be changed there.
 *
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` when the metadata has no endpoint for it or its answer is none;
 *   `HFAUTH_SIGNIN_REFUSED`, see `SignInRefusedError`.
 * @see RFC 9126 §2
 */
export const pushRequest: PushRequest = async (settings, metadata, query) => {
  const endpoint = metadata.pushed_authorization_request_endpoint
  const url = typeof endpoint === 'string' ? parseUrl(endpoint) : undefined
  if (url === undefined || !isSecureUrl(url, settings.allowLoopbackHttp)) {
    throw unavailable('the metadata has no https `pushed_authorization_request_endpoint`', false)
  }
  const response = await exchange(settings, url.href, { body: query })
  const answer: Partial<Record<string, unknown>> | null = await response.json().catch(() => null)
  if (response.ok && typeof answer?.request_uri === 'string') return answer.request_uri
  if (typeof answer?.error === 'string') {
    const { error_description: description } = answer
    throw new SignInRefusedError(answer.error, typeof description === 'string' ? description : undefined)
  }
  throw new HfAuthError('HFAUTH_ISSUER_UNAVAILABLE', `\`${url.pathname}\` gave no \`request_uri\``)
}
