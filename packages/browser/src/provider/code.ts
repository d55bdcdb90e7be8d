/**
 * Code: what a provider's answer in the address must say before its code is used.
 *
 * metadata → **code** → oauth. Whose answer it is has been found out by its `state`; here it is compared with what was sent.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Metadata } from './metadata.ts'
import { type RefusedRequest, SignInRefusedError } from './refusal.ts'

/**
 * @param state - As it was sent.
 * @throws HfAuthError `HFAUTH_SIGNIN_INVALID`, or `HFAUTH_SIGNIN_REFUSED` when the answer is an error of the right provider.
 * @see RFC 6749 §3.1 (no parameter twice), §4.1.2; RFC 9207 §2.4
 */
export function readCode(
  answer: URLSearchParams,
  { issuer, authorization_response_iss_parameter_supported: promised }: Metadata,
  state: string,
  request: RefusedRequest,
): string {
  const once = (name: string) => {
    const [value, ...others] = answer.getAll(name)
    if (others.length > 0) throw wrong(`has \`${name}\` twice`)
    return value
  }
  const iss = once('iss')
  if (once('state') !== state) throw wrong('has another `state`')
  if (iss === undefined ? promised : iss !== issuer)
    throw wrong('comes from another `iss`, or does not say from which')
  const code = once('code')
  const error = once('error')
  if (error) throw new SignInRefusedError(error, once('error_description'), request)
  if (!code) throw wrong('has no code')
  return code
}

function wrong(what: string): HfAuthError {
  return new HfAuthError('HFAUTH_SIGNIN_INVALID', `the answer in the address ${what}`)
}
