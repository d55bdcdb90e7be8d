/**
 * SET poll: fetches security events from a transmitter that cannot, or may not, call here.
 *
 * **set poll** → event receiver. An event is acknowledged with the next request, after it is in force,
 * shared and on record; until then the transmitter keeps it.
 *
 * @see RFC 8936 §2
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { callableEndpoint } from '../internal/endpoint.ts'
import { isJsonObject, parseJsonObject } from '../internal/json-object.ts'
import { numberOption } from '../internal/number-option.ts'
import { pause } from '../internal/pause.ts'
import { requestBounded, unavailable } from '../internal/request.ts'
import { claim } from '../token/claims.ts'
import { createEventReceiver, type EventReceiverOptions } from './event-receiver.ts'
import { isRetryable } from './http.ts'
import { NoticeError } from './signed-notice.ts'

export interface SetPollOptions extends EventReceiverOptions {
  /** Address of the stream's poll endpoint. */
  readonly endpoint: string
  /** Value of `Authorization`, asked before every request. */
  readonly authorization: () => string | Promise<string>
  /** Most events in one answer, up to 1000. Default 100. */
  readonly maxEvents?: number
  /** Lets the transmitter hold its answer until there is an event. Default true. */
  readonly longPoll?: boolean
  /** Longest wait for one answer, in milliseconds. Default 90,000. */
  readonly timeoutMs?: number
  /** Pause between two polls that brought nothing, in milliseconds; doubled after each failure up to five minutes. Default 1000. */
  readonly pauseMs?: number
  /** Number from 0 to 1 that spreads the pauses. Default from `node:crypto`. */
  readonly random?: () => number
  /** Waits; for tests. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

export interface SetPoller {
  /**
   * Asks once and deals with what comes. `received` counts what was not in the last answer already.
   *
   * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable), or the failure that kept an event from
   * being acknowledged.
   */
  poll(): Promise<{ readonly received: number; readonly more: boolean }>
  /** Polls until `signal` is aborted; failures make the pauses longer and are told to `onFailure`. */
  run(signal: AbortSignal, onFailure?: (error: unknown) => void): Promise<void>
}

/** Longest answer, in bytes. */
const maxAnswerBytes = 4 * 1024 * 1024
const maxPauseMs = 300_000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is malformed. */
export function createSetPoller(options: SetPollOptions): SetPoller {
  const { transmitter, authorization, longPoll = true, fetch = globalThis.fetch } = options
  const { random = randomFraction, sleep = pause } = options
  const maxEvents = numberOption('maxEvents', options.maxEvents ?? 100, { min: 1, max: 1000 })
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 90_000, { min: 1 })
  const pauseMs = numberOption('pauseMs', options.pauseMs ?? 1000, { min: 1, max: maxPauseMs })
  const endpoint = callableEndpoint(options.endpoint, transmitter.issuer)
  if (endpoint === undefined)
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`endpoint` must be an https address')
  const url = endpoint.href
  const subject = `the event stream of \`${transmitter.issuer}\``
  const receiver = createEventReceiver(options)
  /** What the transmitter has to be told with the next request. */
  const acknowledged = new Set<string>()
  const refused = new Map<string, { err: string; description: string }>()
  let lastIds: ReadonlySet<string> = new Set()

  async function request(): Promise<{ sets: [string, unknown][]; more: boolean }> {
    const [acks, errors] = [[...acknowledged], [...refused]]
    const body = {
      maxEvents,
      returnImmediately: !longPoll,
      ...(acks.length === 0 ? {} : { ack: acks }),
      ...(errors.length === 0 ? {} : { setErrs: Object.fromEntries(errors) }),
    }
    const response = await requestBounded(url, {
      subject,
      fetch,
      timeoutMs,
      maxBytes: maxAnswerBytes,
      method: 'POST',
      headers: {
        authorization: await authorization(),
        'content-type': 'application/json',
        accept: 'application/json',
        'content-language': 'en',
      },
      body: JSON.stringify(body),
    })
    if (response.status !== 200) throw unavailable(subject, `status ${response.status}`)
    const document = parseJsonObject(response.text, { maxLength: maxAnswerBytes })
    const sets = document === undefined ? undefined : claim(document, 'sets')
    if (document === undefined || !isJsonObject(sets)) throw unavailable(subject, 'the answer has no `sets`')
    const list = Object.entries(sets)
    if (list.length > maxEvents) throw unavailable(subject, 'the answer has more events than were asked for')
    for (const id of acks) acknowledged.delete(id)
    for (const [id] of errors) refused.delete(id)
    return { sets: list, more: claim(document, 'moreAvailable') === true }
  }

  async function deal(id: string, text: unknown): Promise<void> {
    try {
      const found = await receiver.receive(typeof text === 'string' ? text : '', 'set-poll')
      if (found !== id)
        throw new NoticeError('invalid_request', '`jti` is not the name the event is listed under')
      acknowledged.add(id)
    } catch (error) {
      if (!(error instanceof NoticeError)) throw error
      refused.set(id, { err: error.fault, description: error.message })
    }
  }

  async function poll() {
    const { sets, more } = await request()
    let failure: unknown
    for (const [id, text] of sets) {
      try {
        await deal(id, text)
      } catch (error) {
        // The others may still be dealt with; this one comes again.
        if (!isRetryable(error)) throw error
        failure = error
      }
    }
    if (failure !== undefined) throw failure
    const received = sets.filter(([id]) => !lastIds.has(id)).length
    lastIds = new Set(sets.map(([id]) => id))
    return { received, more }
  }

  return {
    poll,
    async run(signal, onFailure) {
      let wait = pauseMs
      while (!signal.aborted) {
        try {
          const { received } = await poll()
          wait = pauseMs
          // Asking again acknowledges, and fetches what is left; a transmitter that repeats itself has to wait.
          if (received > 0) continue
        } catch (error) {
          onFailure?.(error)
          wait = Math.min(wait * 2, maxPauseMs)
        }
        await sleep(wait * (0.75 + random() / 2), signal)
      }
    },
  }
}

function randomFraction(): number {
  return (globalThis.crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32
}
