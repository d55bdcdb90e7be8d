/**
 * Basic authorization: how a client says who it is.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'

/**
 * The value of an `Authorization` header. Id and secret are form-encoded before they are joined (RFC 6749
 * §2.3.1), or a `:` in one would move the border.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when one of them is empty.
 */
export function basicAuthorization({ id, secret }: { readonly id: string; readonly secret: string }): string {
  if (id === '' || secret === '') {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`client.id` and `client.secret` must not be empty')
  }
  const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`
}
