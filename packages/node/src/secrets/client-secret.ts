/**
 * Client secret: what may stand where a token endpoint asks for one, and how a rotation is lived through.
 *
 * ring → **client secret** → token endpoint. The newest version is sent; refused as `invalid_client`, the
 * one before is tried, once: the provider may not have been told of the new one yet.
 *
 * @see RFC 6749 §5.2
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { readSecret } from './secret.ts'
import type { SecretRing } from './types.ts'

/** A fixed text, a ring, or a function that is asked before every request. */
export type ClientSecret = string | SecretRing | (() => string | Promise<string>)

/** A token endpoint refused the client itself. */
export class InvalidClientError extends HfAuthError {}

/**
 * Calls a token endpoint with the secret.
 *
 * @param call - Sends the request; to be told apart, `invalid_client` has to make `isInvalidClient` true.
 * @throws HfAuthError `HFAUTH_SECRET_EXPIRED`, `HFAUTH_SECRET_UNAVAILABLE`; and what `call` throws, the
 * first time when it was called twice.
 */
export async function withClientSecret<T>(
  secret: ClientSecret,
  call: (secret: string) => Promise<T>,
  isInvalidClient: (error: unknown) => boolean = (error) => error instanceof InvalidClientError,
): Promise<T> {
  if (typeof secret === 'string') return call(secret)
  if (typeof secret === 'function') return call(readSecret(await secret()).reveal())
  const [newest, previous] = secret.candidates()
  try {
    return await call(newest.secret.reveal())
  } catch (error) {
    if (previous === undefined || !isInvalidClient(error)) throw error
    const value = await call(previous.secret.reveal()).catch((second: unknown) => {
      throw isInvalidClient(second) ? error : second
    })
    secret.noteFallback(previous)
    return value
  }
}
