/**
 * Upstream credentials of `hfauth proxy`: with what it goes to Hugging Face.
 *
 * @module
 */
import {
  createTokenExchange,
  exchangeForMember,
  exchangeForPublisher,
  firstOf,
  forwardCaller,
  type UpstreamCredentials,
} from '@hfauth/node'
import type { CommandIo } from '../command.ts'

/** The caller's own token, one exchanged by a CI job's ID token, or with an app one for whoever has that address. */
export function openCredentials(hubUrl: string, env: CommandIo['env']): UpstreamCredentials {
  const client = exchangeClient(env)
  const exchange = createTokenExchange({ hubUrl, ...(client === undefined ? {} : { client }) })
  return firstOf(
    forwardCaller(),
    exchangeForPublisher(exchange),
    ...(client === undefined ? [] : [exchangeForMember(exchange)]),
  )
}

function exchangeClient(env: CommandIo['env']): { id: string; secret: string } | undefined {
  const id = env.HF_EXCHANGE_CLIENT_ID
  const secret = env.HF_EXCHANGE_CLIENT_SECRET
  if (id === undefined || secret === undefined || id === '' || secret === '') return undefined
  return { id, secret }
}
