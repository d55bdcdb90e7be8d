/**
 * Stream watch: notices that an event stream has stopped, which otherwise looks like one with nothing to tell.
 *
 * event receiver → **stream watch** → stream verification, audit. In every turn the transmitter is asked once
 * for a verification, by one of the replicas that share the store. Whichever of them the event reaches, all
 * know that the stream arrives. What does not come within its time is on record.
 *
 * @see OpenID Shared Signals Framework 1.0 §8.1.4 (verification), §8.1.5 (stream updated)
 * @module
 */
import { hash, randomBytes, randomUUID } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import type { AuditLog } from '../audit/types.ts'
import { numberOption } from '../internal/number-option.ts'
import { pause } from '../internal/pause.ts'
import { eventIssuerOf, type SecurityEvent } from './security-event.ts'
import { NoticeError } from './signed-notice.ts'
import {
  type AskedVerification,
  createVerificationRequest,
  type StreamVerificationOptions,
} from './stream-verification.ts'
import { type MarkStore, mark, memoryMarks } from './used-ids.ts'

export interface StreamWatchOptions extends Omit<StreamVerificationOptions, 'timeoutMs'> {
  /** What is silent, and what is heard again, goes here. */
  readonly audit: Pick<AuditLog, 'record'>
  /**
   * One verification in this time, in milliseconds. Default an hour. Where the stream's configuration has a longer
   * `min_verification_interval`, that is how long a turn takes.
   */
  readonly everyMs?: number
  /** How long its event may take, in milliseconds, up to `everyMs`. Default five minutes. */
  readonly answerWithinMs?: number
  /** Pause between two looks, in milliseconds; doubled after a request that failed, up to `everyMs`. Default 15,000. */
  readonly lookEveryMs?: number
  /** Longest wait for one answer, in milliseconds. Default 5000. */
  readonly timeoutMs?: number
  /** Shared by all replicas that events may reach. Default this process's memory. */
  readonly store?: MarkStore
  /** Hears of every change of the health's name. */
  readonly onHealth?: (health: StreamHealth) => void
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Waits; for tests. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>
}

/**
 * `starting`: nothing is known yet. `live`: the last verification that is due came. `silent`: it did not, and
 * what the transmitter has to tell may be missing.
 */
export interface StreamHealth {
  readonly name: 'starting' | 'live' | 'silent'
  /**
   * `unanswered`: the transmitter took the request, and no event came in time. `not_asked`: the request failed.
   * `stopped`: the transmitter says that it paused or disabled the stream. `unchecked`: nobody looked for longer
   * than a turn takes.
   */
  readonly reason?: SilenceReason
  /** Why the last request failed; without anything secret. */
  readonly failure?: string
  /** Epoch milliseconds of the last event that reached this process. */
  readonly lastEventAt?: number
  /** Epoch milliseconds at which the last verification reached one of the replicas. */
  readonly verifiedAt?: number
  /** For `silent`: epoch milliseconds of the last sign of life, or of the start. */
  readonly silentSince?: number
}

export type SilenceReason = 'unanswered' | 'not_asked' | 'stopped' | 'unchecked'

export interface StreamWatch {
  /** What is known. Asks nobody. */
  health(): StreamHealth
  /**
   * Looks once, and asks where a verification is due. A transmitter that fails is part of the health.
   *
   * @throws HfAuthError `HFAUTH_STORE_UNAVAILABLE`, `HFAUTH_AUDIT_UNAVAILABLE` (retryable).
   */
  check(): Promise<StreamHealth>
  /** Looks until `signal` is aborted; failures are told to `onFailure`. */
  run(signal: AbortSignal, onFailure?: (error: unknown) => void): Promise<void>
  /**
   * For the door that events come in by.
   *
   * @returns What to call when they have been dealt with.
   * @throws NoticeError `invalid_state` for a verification that nobody here asked for; `HFAUTH_STORE_UNAVAILABLE`.
   */
  hear(events: readonly SecurityEvent[]): Promise<() => Promise<void>>
}

/** One verification that was asked for, by whatever replica. */
interface Turn {
  readonly state: string
  readonly askedAt: number
}

/** The last request that the transmitter took. */
interface Asked {
  /** When its turn began, and when it was taken, in epoch milliseconds. */
  readonly turn: number
  readonly at: number
  readonly leastIntervalMs: number
}

interface Request extends Turn {
  readonly turn: number
  isSent: boolean
  failures: number
  nextAt: number
}

const secevent = 'https://schemas.openid.net/secevent/'
const verifications: ReadonlySet<string> = new Set([
  `${secevent}ssf/event-type/verification`,
  // Google's, from before the framework had its name.
  `${secevent}risc/event-type/verification`,
])
const streamUpdated = `${secevent}ssf/event-type/stream-updated`

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is malformed. */
export function createStreamWatch(options: StreamWatchOptions): StreamWatch {
  const { transmitter, streamId, audit, onHealth, now = Date.now, sleep = pause } = options
  const { store = memoryMarks(now) } = options
  const everyMs = numberOption('everyMs', options.everyMs ?? 3_600_000, { min: 1000 })
  const answerWithinMs = numberOption(
    'answerWithinMs',
    options.answerWithinMs ?? Math.min(300_000, everyMs),
    {
      min: 1,
      max: everyMs,
    },
  )
  const lookEveryMs = numberOption('lookEveryMs', options.lookEveryMs ?? Math.min(15_000, everyMs), {
    min: 1,
    max: everyMs,
  })
  const timeoutMs = numberOption('timeoutMs', options.timeoutMs ?? 5000, { min: 1 })
  if (streamId === undefined && transmitter.legacy !== 'google') {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'a stream is verified by its `streamId`')
  }
  const ask = createVerificationRequest({ ...options, timeoutMs })
  const stream = streamId === undefined ? transmitter.issuer : `${transmitter.issuer}#${streamId}`
  const keyOf = (name: string) =>
    hash('sha256', JSON.stringify(['stream', eventIssuerOf(transmitter), streamId ?? '', name]), 'hex')

  const startedAt = now()
  let name: StreamHealth['name'] = 'starting'
  let told: StreamHealth['name'] = 'starting'
  let reason: SilenceReason | undefined
  let request: Request | undefined
  let failure: string | undefined
  let checkedAt = startedAt
  let lastEventAt: number | undefined
  let verifiedAt: number | undefined
  let stoppedAt: number | undefined

  /** @param start - Epoch milliseconds at which the turn began: its name, however long turns are. */
  async function turnOf(start: number): Promise<Turn | undefined> {
    const [askedAt, state] = (await store.get(keyOf(`turn ${start}`)))?.split(' ') ?? []
    return state === undefined ? undefined : { askedAt: Number(askedAt), state }
  }

  /** The turn that began then; whoever is first begins it. */
  async function begin(start: number, lengthMs: number): Promise<Turn> {
    const state = `${start}.${randomBytes(18).toString('base64url')}`
    const askedAt = now()
    if (await mark(store, keyOf(`turn ${start}`), `${askedAt} ${state}`, askedAt + 3 * lengthMs)) {
      request = { turn: start, state, askedAt, isSent: false, failures: 0, nextAt: askedAt }
    }
    return (await turnOf(start)) ?? { state, askedAt }
  }

  async function lastAsked(): Promise<Asked | undefined> {
    const numbers = (await store.get(keyOf('asked')))?.split(' ').map(Number)
    if (numbers === undefined) return undefined
    const [turn = 0, at = 0, leastIntervalMs = 0] = numbers
    return { turn, at, leastIntervalMs }
  }

  async function noteAsked({ turn, at, leastIntervalMs }: Asked): Promise<void> {
    await store.delete(keyOf('asked'))
    const untilMs = at + 3 * Math.max(everyMs, leastIntervalMs)
    await mark(store, keyOf('asked'), `${turn} ${at} ${leastIntervalMs}`, untilMs)
  }

  async function send(): Promise<void> {
    if (request === undefined || request.isSent || now() < request.nextAt) return
    const current = request
    let answer: AskedVerification
    try {
      answer = await ask(current.state)
    } catch (error) {
      if (!(error instanceof HfAuthError)) throw error
      failure = error.message
      current.failures += 1
      current.nextAt = now() + Math.min(lookEveryMs * 2 ** current.failures, everyMs)
      return
    }
    current.isSent = true
    failure = undefined
    await noteAsked({ turn: current.turn, at: now(), ...answer })
  }

  async function answeredAt({ state }: Turn): Promise<number | undefined> {
    const at = await store.get(keyOf(`answered ${state}`))
    return at === undefined ? undefined : Number(at)
  }

  async function judge(turns: readonly Turn[]): Promise<void> {
    // Newest first: an answer to a newer one says more than silence after an older one.
    for (const turn of turns) {
      const answered = await answeredAt(turn)
      if (answered === undefined && now() < turn.askedAt + answerWithinMs) continue
      if (answered !== undefined) {
        verifiedAt = Math.max(verifiedAt ?? 0, answered)
        name = 'live'
        reason = undefined
      } else {
        name = 'silent'
        const isUnsent = request?.state === turn.state && !request.isSent
        reason = isUnsent ? 'not_asked' : 'unanswered'
      }
      break
    }
    if (stoppedAt === undefined) return
    if ((verifiedAt ?? 0) > stoppedAt) {
      stoppedAt = undefined
      return
    }
    name = 'silent'
    reason = 'stopped'
  }

  async function announce(): Promise<void> {
    if (name === told) return
    const before = told
    if (name === 'silent' || before === 'silent') {
      await audit.record({
        type: name === 'silent' ? 'io.hfauth.stream.silent' : 'io.hfauth.stream.resumed',
        requestId: randomUUID(),
        actor: { kind: 'workload', id: 'hfauth', issuer: 'hfauth', roles: [] },
        resource: { kind: 'event-stream', id: stream },
        ...(reason === undefined ? {} : { error: `stream_${reason}` }),
      })
    }
    told = name
    try {
      onHealth?.(health())
    } catch {
      // A listener's fault must not end the watch.
    }
  }

  function health(): StreamHealth {
    const isLate = Math.abs(now() - checkedAt) > everyMs + answerWithinMs
    const [shown, why]: [StreamHealth['name'], SilenceReason | undefined] =
      isLate && name !== 'silent' ? ['silent', 'unchecked'] : [name, reason]
    const signs = [lastEventAt, verifiedAt].filter((at) => at !== undefined)
    return {
      name: shown,
      ...(why === undefined ? {} : { reason: why }),
      ...(failure === undefined ? {} : { failure }),
      ...(lastEventAt === undefined ? {} : { lastEventAt }),
      ...(verifiedAt === undefined ? {} : { verifiedAt }),
      ...(shown === 'silent' ? { silentSince: Math.max(startedAt, ...signs) } : {}),
    }
  }

  async function check(): Promise<StreamHealth> {
    const last = await lastAsked()
    const leastMs = last?.leastIntervalMs ?? 0
    const lengthMs = Math.max(everyMs, leastMs)
    const start = Math.floor(now() / lengthMs) * lengthMs
    const mayBegin = last === undefined || now() >= last.at + leastMs
    const current = (await turnOf(start)) ?? (mayBegin ? await begin(start, lengthMs) : undefined)
    await send()
    // The last one asked in may have begun when turns were shorter.
    const earlier = [start - lengthMs, ...(last === undefined || last.turn === start ? [] : [last.turn])]
    const before = await Promise.all(earlier.map(turnOf))
    const turns = [current, ...before].filter((turn) => turn !== undefined)
    await judge(turns.sort((one, other) => other.askedAt - one.askedAt))
    checkedAt = now()
    await announce()
    return health()
  }

  /** @throws NoticeError when it is about another stream. */
  function assertOwn({ subject }: SecurityEvent): void {
    if (streamId === undefined || subject === undefined || subject.id === streamId) return
    throw new NoticeError('invalid_state', 'the event is about another stream')
  }

  async function assertExpected(state: unknown): Promise<string> {
    const number = typeof state === 'string' ? /^(\d{1,15})\./.exec(state)?.[1] : undefined
    const turn = number === undefined ? undefined : await turnOf(Number(number))
    if (turn !== undefined && turn.state === state) return turn.state
    throw new NoticeError('invalid_state', 'nobody here asked for this verification (`state`)')
  }

  return {
    health,
    check,
    async run(signal, onFailure) {
      while (!signal.aborted) {
        await check().catch((error) => onFailure?.(error))
        await sleep(lookEveryMs, signal)
      }
    },
    async hear(events) {
      const states: string[] = []
      let status: unknown
      for (const event of events) {
        if (verifications.has(event.type)) {
          assertOwn(event)
          // One that the transmitter sends of its own accord has none.
          if (event.members.state !== undefined) states.push(await assertExpected(event.members.state))
        } else if (event.type === streamUpdated) {
          assertOwn(event)
          status = event.members.status
        }
      }
      return async () => {
        const at = now()
        lastEventAt = at
        if (status !== undefined) stoppedAt = status === 'enabled' ? undefined : at
        for (const state of states) {
          const leastMs = (await lastAsked())?.leastIntervalMs ?? 0
          await mark(store, keyOf(`answered ${state}`), String(at), at + 3 * Math.max(everyMs, leastMs))
        }
      }
    },
  }
}
