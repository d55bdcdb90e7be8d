/**
 * Git credential: a token that Git brings as a password.
 *
 * inbound → **Git credential** → verify. Only where Git asks; everywhere else Basic is refused.
 *
 * @see RFC 7617 §2; huggingface.co/docs/hub/security-tokens, "How to use User Access Tokens"
 * @module
 */
import type { Fields } from './fields.ts'

const basic = /^Basic +([A-Za-z0-9+/]+={0,2})$/i
const token = /^[A-Za-z0-9\-._~+/]+=*$/

/** Turns `Basic` with a token as its password into `Bearer`; the user name says nothing. Anything else stays. */
export function basicAsBearer(headers: Fields): void {
  const [, encoded] = basic.exec(headers.get('authorization') ?? '') ?? []
  if (encoded === undefined) return
  const pair = Buffer.from(encoded, 'base64').toString('utf8')
  const password = pair.slice(pair.indexOf(':') + 1)
  if (pair.includes(':') && token.test(password)) headers.set('authorization', `Bearer ${password}`)
}
