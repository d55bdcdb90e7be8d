/**
 * Upstream credentials of `hfauth proxy`: with what it goes to Hugging Face.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import {
  type AuditLog,
  type ClientSecret,
  createSecretRing,
  createTokenExchange,
  exchangeForMember,
  exchangeForPublisher,
  firstOf,
  forwardCaller,
  type UpstreamCredentials,
} from '@hfauth/node'
import type { CommandIo } from '../command.ts'
import type { ProxyConfig } from './config.ts'
import { secretPlace } from './secret-place.ts'

export interface OpenCredentials {
  readonly credentials: UpstreamCredentials
  close(): void
}

export interface CredentialsOptions {
  readonly hubUrl: string
  /** The app that may exchange tokens, as the configuration has it; the environment goes under it. */
  readonly exchange: ProxyConfig['exchange']
  readonly env: CommandIo['env']
  readonly audit: AuditLog
}

/**
 * The caller's own token, one exchanged by a CI job's ID token, or with an app one for whoever has that address.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` for an app without a secret;
 * `HFAUTH_SECRET_UNAVAILABLE` when its file holds none.
 */
export async function openCredentials(options: CredentialsOptions): Promise<OpenCredentials> {
  const { hubUrl, audit, env } = options
  const id = options.exchange?.clientId ?? present(env.HF_EXCHANGE_CLIENT_ID)
  const secret = id === undefined ? undefined : await appSecret(options.exchange?.secretFile, env, audit)
  const client = id === undefined || secret === undefined ? undefined : { id, secret }
  const exchange = createTokenExchange({ hubUrl, ...(client === undefined ? {} : { client }) })
  const credentials = firstOf(
    forwardCaller(),
    exchangeForPublisher(exchange),
    ...(client === undefined ? [] : [exchangeForMember(exchange)]),
  )
  return {
    credentials,
    close() {
      if (typeof secret === 'object') secret.close()
    },
  }
}

/** From a file it is a ring, which lives through a rotation; from the environment there is one version. */
async function appSecret(
  configured: string | undefined,
  env: CommandIo['env'],
  audit: AuditLog,
): Promise<ClientSecret> {
  const file = configured ?? present(env.HF_EXCHANGE_CLIENT_SECRET_FILE)
  if (file !== undefined) {
    return createSecretRing({ name: exchangeRing, source: await secretPlace(file), audit })
  }
  const text = present(env.HF_EXCHANGE_CLIENT_SECRET)
  if (text !== undefined) return text
  throw new HfAuthError(
    'HFAUTH_CONFIG_INVALID',
    'the app that exchanges tokens has no secret: give it as a file, or set HF_EXCHANGE_CLIENT_SECRET',
  )
}

/** What the ring of its secret is called, on record and in messages. */
export const exchangeRing = 'exchange app'

function present(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}
