/**
 * CSRF: whether a request that changes something was sent by our own page.
 *
 * Two independent signs are asked for. The browser says where the request comes from, in headers that a page
 * cannot set; and the request carries a token that only a page which could read an answer of ours knows.
 *
 * @see Fetch Metadata Request Headers; RFC 6454 §7 (`Origin`)
 * @module
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import { deriveKey } from './sealed-box.ts'
import type { SessionRequest } from './types.ts'

export const csrfHeader = 'x-csrf-token'

export interface Csrf {
  tokenFor(sessionId: string): string
  /** @throws HfAuthError `HFAUTH_REQUEST_FORGED` unless both signs are there. */
  assertOwn(headers: Pick<Headers, 'get'>, sessionId: string, token?: string | null): void
  /** For requests to which no session belongs yet. @throws HfAuthError `HFAUTH_REQUEST_FORGED`. */
  assertOrigin(headers: Pick<Headers, 'get'>): void
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

export function isUnsafe({ method }: SessionRequest): boolean {
  return !safeMethods.has(method.toUpperCase())
}

/** @param origin - The one origin whose pages may send unsafe requests. */
export function createCsrf(secrets: readonly string[], origin: string): Csrf {
  const keys = secrets.map((secret) => deriveKey(secret, 'csrf'))
  const tokens = (sessionId: string) =>
    keys.map((key) => createHmac('sha256', key).update(sessionId).digest('base64url'))

  const csrf: Csrf = {
    tokenFor: (sessionId) => tokens(sessionId)[0] ?? '',
    assertOwn(headers, sessionId, token = headers.get(csrfHeader)) {
      csrf.assertOrigin(headers)
      if (token === null || !tokens(sessionId).some((expected) => isSame(expected, token))) {
        throw forged('it lacks the session’s own token')
      }
    },
    assertOrigin(headers) {
      const site = headers.get('sec-fetch-site')
      const sender = headers.get('origin')
      if (site === null && sender === null) throw forged('it does not say which page sent it')
      if (site !== null && site !== 'same-origin') throw forged('another site sent it')
      if (sender !== null && sender !== origin) throw forged('a page of another origin sent it')
    },
  }
  return csrf
}

function isSame(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function forged(why: string): HfAuthError {
  return new HfAuthError('HFAUTH_REQUEST_FORGED', `the request is not taken: ${why}`)
}
