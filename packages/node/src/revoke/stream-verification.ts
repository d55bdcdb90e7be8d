/**
 * Stream verification: asks a transmitter to prove that its event stream still arrives here.
 *
 * stream watch → **stream verification** → transmitter. A good answer proves nothing yet; the event that it
 * brings about does, when it comes through the stream with the same `state`.
 *
 * @see OpenID Shared Signals Framework 1.0 §7.2 (transmitter metadata), §8.1.1 (stream configuration), §8.1.4.2 (asking
 * for a verification)
 * @module
 */
import { type Claims, HfAuthError } from '@hfauth/core'
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
  /**
   * Where the configuration of the stream is read, which says how often a verification may be asked for. Default
   * `configuration_endpoint` of the description, if that is needed anyway and this is on the issuer's own origin.
   */
  readonly configurationEndpoint?: string
  /** Replaces the global `fetch`. */
  readonly fetch?: Fetch
  /** Longest wait for one answer, in milliseconds. Default 5000. */
  readonly timeoutMs: number
}

/** A request that was taken. */
export interface AskedVerification {
  /** The transmitter takes the next one after so many milliseconds; 0 where it does not say. */
  readonly leastIntervalMs: number
}

/** Asks for one verification. @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable). */
export type AskForVerification = (state: string) => Promise<AskedVerification>

const maxAnswerBytes = 256 * 1024
/** A transmitter that wants to be asked less often than once in 31 days is asked as often, in milliseconds. */
const mostIntervalMs = 31 * 86_400_000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an address is not one that may be called. */
export function createVerificationRequest(options: StreamVerificationOptions): AskForVerification {
  const { transmitter, streamId, authorization, fetch = globalThis.fetch, timeoutMs } = options
  const { issuer } = transmitter
  const subject = `the event stream of \`${issuer}\``
  const bounds = { subject, fetch, timeoutMs, maxBytes: maxAnswerBytes }
  const given = (name: 'verificationEndpoint' | 'configurationEndpoint') => {
    const address = options[name]
    return address === undefined ? undefined : addressOf(name, address, issuer)
  }
  const [verificationEndpoint, configurationEndpoint] = [
    given('verificationEndpoint'),
    given('configurationEndpoint'),
  ]
  const description = addressOf(
    'configurationUrl',
    options.configurationUrl ?? configurationOf(transmitter),
    issuer,
  )

  async function describe(): Promise<Claims> {
    const response = await requestBounded(description, {
      ...bounds,
      headers: { accept: 'application/json' },
    })
    return readDescription(response, transmitter, subject)
  }

  /** What cannot be learnt keeps nobody from asking: a transmitter that is asked too often says so. */
  async function leastIntervalMs(endpoint: string | undefined): Promise<number> {
    if (endpoint === undefined || streamId === undefined) return 0
    const url = new URL(endpoint)
    url.searchParams.set('stream_id', streamId)
    try {
      const headers = { authorization: await authorization(), accept: 'application/json' }
      return readLeastIntervalMs(await requestBounded(url.href, { ...bounds, headers }), streamId)
    } catch {
      return 0
    }
  }

  return async (state) => {
    const found = verificationEndpoint === undefined ? await describe() : undefined
    const endpoint = verificationEndpoint ?? readVerificationEndpoint(found ?? {}, transmitter, subject)
    const configuration =
      configurationEndpoint ?? (found && onOwnOrigin(claim(found, 'configuration_endpoint'), transmitter))
    const least = await leastIntervalMs(configuration)
    const { status } = await requestBounded(endpoint, {
      ...bounds,
      method: 'POST',
      headers: { authorization: await authorization(), 'content-type': 'application/json' },
      body: JSON.stringify({ ...(streamId === undefined ? {} : { stream_id: streamId }), state }),
    })
    if (status < 200 || status > 299)
      throw unavailable(subject, `the verification is refused, status ${status}`)
    return { leastIntervalMs: least }
  }
}

/** `min_verification_interval` of a stream's configuration, in milliseconds; 0 where it is not told of this stream. */
function readLeastIntervalMs({ status, text }: BoundedResponse, streamId: string): number {
  const document = status === 200 ? parseJsonObject(text) : undefined
  if (document === undefined || claim(document, 'stream_id') !== streamId) return 0
  const seconds = claim(document, 'min_verification_interval')
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds * 1000, mostIntervalMs) : 0
}

/** @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when it is another transmitter's. */
function readDescription(
  { status, text }: BoundedResponse,
  transmitter: Transmitter,
  subject: string,
): Claims {
  if (status !== 200) throw unavailable(subject, `its configuration has status ${status}`)
  const document = parseJsonObject(text)
  if (document === undefined) throw unavailable(subject, 'its configuration is not a JSON object')
  if (claim(document, 'issuer') !== eventIssuerOf(transmitter)) {
    throw unavailable(subject, 'its configuration names another issuer')
  }
  return document
}

/** @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when the description names none that may be called. */
function readVerificationEndpoint(description: Claims, transmitter: Transmitter, subject: string): string {
  const named = claim(description, 'verification_endpoint')
  if (callableEndpoint(named, transmitter.issuer) === undefined) {
    throw unavailable(subject, 'its configuration has no `verification_endpoint`')
  }
  const endpoint = onOwnOrigin(named, transmitter)
  if (endpoint !== undefined) return endpoint
  throw unavailable(
    subject,
    'its `verification_endpoint` is on another origin: confirm it with the option `verificationEndpoint`',
  )
}

/** The credential of the stream goes nowhere else unasked. */
function onOwnOrigin(endpoint: unknown, { issuer }: Transmitter): string | undefined {
  const url = callableEndpoint(endpoint, issuer)
  return url?.origin === new URL(issuer).origin ? url.href : undefined
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
