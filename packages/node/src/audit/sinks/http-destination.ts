/**
 * HTTP destination: batches of events as CloudEvents, OCSF or plain JSON, posted to a collector.
 *
 * shipper → **HTTP destination** → collector. At least once: a collector that saw an id before drops it.
 *
 * @see CloudEvents HTTP protocol binding §3.3 (batched content mode)
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { callableEndpoint } from '../../internal/endpoint.ts'
import { type Fetch, requestBounded } from '../../internal/request.ts'
import { toCloudEvent } from '../export/cloud-event.ts'
import { toOcsf } from '../export/ocsf.ts'
import type { RecordedEvent } from '../types.ts'
import { type AuditDestination, undelivered } from './destination.ts'

export interface HttpDestinationOptions {
  /** https, or http on this machine. */
  readonly url: string
  /** `cloudevents`: a batch of CloudEvents. `ocsf`, `json`: a JSON array. Default `cloudevents`. */
  readonly format?: 'cloudevents' | 'ocsf' | 'json'
  /** Asked before every request, so that a credential may change. */
  readonly headers?: () => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>
  /** Longest wait for an answer, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number
  readonly fetch?: Fetch
}

const formats: Readonly<Record<string, { contentType: string; convert(event: RecordedEvent): object }>> = {
  cloudevents: { contentType: 'application/cloudevents-batch+json', convert: toCloudEvent },
  ocsf: { contentType: 'application/json', convert: toOcsf },
  json: { contentType: 'application/json', convert: (event) => event },
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the address may not be called, or there is no such format. */
export function httpDestination(options: HttpDestinationOptions): AuditDestination {
  const { format = 'cloudevents', headers, timeoutMs = 10_000, fetch = globalThis.fetch } = options
  const url = callableEndpoint(options.url, options.url)
  if (url === undefined) throw invalid('`url` must be https, or http on this machine')
  const chosen = Object.hasOwn(formats, format) ? formats[format] : undefined
  if (chosen === undefined) throw invalid('`format` must be `cloudevents`, `ocsf` or `json`')
  const { contentType, convert } = chosen
  return {
    async deliver(events) {
      const { status } = await requestBounded(url.href, {
        subject: 'the audit collector',
        method: 'POST',
        headers: { ...(await headers?.()), 'content-type': contentType },
        body: JSON.stringify(events.map((event) => convert(event))),
        timeoutMs,
        maxBytes: 64 * 1024,
        fetch,
      }).catch((error: unknown) => {
        throw undelivered(error instanceof HfAuthError ? error.message : 'the request could not be made')
      })
      if (status < 200 || status > 299) throw undelivered(`the collector answered ${status}`)
    },
  }
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', message)
}
