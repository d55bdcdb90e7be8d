/**
 * Stream verification: asks a transmitter to prove that its event stream still arrives here.
 *
 * stream watch → **stream verification** → transmitter. A good answer proves nothing yet; the event that it
 * brings about does, when it comes through the stream with the same `state`.
 *
 * @see OpenID Shared Signals Framework 1.0 §7.2 (transmitter metadata), §8.1.4.2 (asking for a verification)
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { callableEndpoint } from '../internal/endpoint.ts'
import { parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, type Fetch, requestBounded, unavailable } from '../internal/request.ts'
import { claim } from '../token/claims.ts'
import { eventIssuerOf, type Transmitter } from './security-event.ts'

export interface StreamVerificationOptions {
  readonly transmitter: Transmitter
  /** `stream_id`, as the transmitter gave it. Left out for Google, which has one stream for each project. */
  readonly streamId?: string
  /** Value of `Authorization`, asked before every request. */
  readonly authorization: () => string | Promise<string>
  /**
   * Where the transmitter describes itself. Default `/.well-known/ssf-configuration` between host and path of
   * its issuer; for `google` `/.well-known/risc-configuration`.
   */
  readonly configurationUrl?: string
  /**
   * Where a verification is asked for. Default `verification_endpoint` of that description, if it is on the
   * issuer's own origin: the credential of the stream is sent there.
   */
  readonly verificationEndpoint?: string
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch
  /** Longest wait for one answer, in milliseconds. Default 5000. */
  readonly timeoutMs: number
}

/** Asks for one verification. @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable). */
export type AskForVerification = (state: string) => Promise<void>

const maxAnswerBytes = 256 * 1024

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an address is not one that may be called. */
export function createVerificationRequest(options: StreamVerificationOptions): AskForVerification {
  const { transmitter, streamId, authorization, fetch = globalThis.fetch, timeoutMs } = options
  const { issuer } = transmitter
  const subject = `the event stream of \`${issuer}\``
  const bounds = { subject, fetch, timeoutMs, maxBytes: maxAnswerBytes }
  const given =
    options.verificationEndpoint === undefined
      ? undefined
      : addressOf('verificationEndpoint', options.verificationEndpoint, issuer)
  const configuration = addressOf(
    'configurationUrl',
    options.configurationUrl ?? configurationOf(transmitter),
    issuer,
  )

  async function find(): Promise<string> {
    const response = await requestBounded(configuration, {
      ...bounds,
      headers: { accept: 'application/json' },
    })
    return readVerificationEndpoint(response, transmitter, subject)
  }

  return async (state) => {
    const endpoint = given ?? (await find())
    const { status } = await requestBounded(endpoint, {
      ...bounds,
      method: 'POST',
      headers: { authorization: await authorization(), 'content-type': 'application/json' },
      body: JSON.stringify({ ...(streamId === undefined ? {} : { stream_id: streamId }), state }),
    })
    if (status < 200 || status > 299)
      throw unavailable(subject, `the verification is refused, status ${status}`)
  }
}

/**
 * `verification_endpoint` of a transmitter's description.
 *
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when it is another transmitter's, or names none that
 * may be called.
 */
export function readVerificationEndpoint(
  { status, text }: BoundedResponse,
  transmitter: Transmitter,
  subject: string,
): string {
  if (status !== 200) throw unavailable(subject, `its configuration has status ${status}`)
  const document = parseJsonObject(text)
  if (document === undefined) throw unavailable(subject, 'its configuration is not a JSON object')
  if (claim(document, 'issuer') !== eventIssuerOf(transmitter)) {
    throw unavailable(subject, 'its configuration names another issuer')
  }
  const url = callableEndpoint(claim(document, 'verification_endpoint'), transmitter.issuer)
  if (url === undefined) throw unavailable(subject, 'its configuration has no `verification_endpoint`')
  if (url.origin === new URL(transmitter.issuer).origin) return url.href
  throw unavailable(
    subject,
    'its `verification_endpoint` is on another origin: confirm it with the option `verificationEndpoint`',
  )
}

/** SSF 1.0 §7.2.1: the well-known part stands between host and path. */
function configurationOf({ issuer, legacy }: Transmitter): string {
  if (!URL.canParse(issuer)) return issuer
  const { origin, pathname } = new URL(issuer)
  const name = legacy === 'google' ? 'risc-configuration' : 'ssf-configuration'
  return `${origin}/.well-known/${name}${pathname.replace(/\/$/, '')}`
}

function addressOf(name: string, address: string, issuer: string): string {
  const url = callableEndpoint(address, URL.canParse(issuer) ? issuer : 'https://invalid')
  if (url !== undefined) return url.href
  throw new HfAuthError('HFAUTH_CONFIG_INVALID', `\`${name}\` must be an https address`)
}
