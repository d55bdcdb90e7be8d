/**
 * GitHub Actions: asks the runner for the job's ID token.
 *
 * @see docs.github.com: Actions, OpenID Connect reference
 * @module
 */
import { setTimeout as wait } from 'node:timers/promises'
import { HfAuthError } from '@hfauth/core'
import { callableEndpoint } from '../../internal/endpoint.ts'
import { parseJsonObject } from '../../internal/json-object.ts'
import { requestBounded, unavailable } from '../../internal/request.ts'
import { claim } from '../../token/claims.ts'
import { isBearerText } from '../../token/kind.ts'
import type { CiRequest } from './types.ts'

const subject = 'the ID token service of GitHub Actions'

/** The runner's service is under load at times; its own toolkit tries again as well. */
const maxTries = 5

/**
 * @throws HfAuthError `HFAUTH_CI_TOKEN_UNAVAILABLE` when the job may not have a token;
 * `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when the service gives none.
 */
export async function githubToken(request: CiRequest): Promise<string> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: key = '' } = request.env
  if (address === '' || key === '') {
    throw new HfAuthError(
      'HFAUTH_CI_TOKEN_UNAVAILABLE',
      'the job may not ask for an ID token: give it `permissions: { id-token: write, contents: read }` in the workflow',
    )
  }
  const url = callableEndpoint(address, URL.canParse(address) ? address : 'https://invalid')
  if (url === undefined || !isBearerText(key)) {
    throw new HfAuthError(
      'HFAUTH_CI_TOKEN_UNAVAILABLE',
      '`ACTIONS_ID_TOKEN_REQUEST_URL` is not an https address, or its token cannot be sent',
    )
  }
  url.searchParams.set('audience', request.audience)
  for (let tries = 1; ; tries++) {
    try {
      return await ask(url.href, key, request)
    } catch (error) {
      const again = error instanceof HfAuthError && error.retryable && tries < maxTries
      if (!again) throw error
      await wait(request.retryMs * 2 ** (tries - 1))
    }
  }
}

async function ask(url: string, key: string, { fetch, timeoutMs }: CiRequest): Promise<string> {
  const { status, text } = await requestBounded(url, {
    subject,
    fetch,
    timeoutMs,
    maxBytes: 64 * 1024,
    headers: { accept: 'application/json', authorization: `Bearer ${key}` },
  })
  if (status === 429 || status >= 500) throw unavailable(subject, `status ${status}`)
  if (status !== 200) {
    throw new HfAuthError('HFAUTH_CI_TOKEN_UNAVAILABLE', `${subject} refused with status ${status}`)
  }
  const body = parseJsonObject(text)
  const value = body === undefined ? undefined : claim(body, 'value')
  if (typeof value !== 'string') throw unavailable(subject, 'the answer has no token')
  return value
}
