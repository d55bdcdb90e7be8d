/**
 * Record outcome: what is written down of a request after its decision.
 *
 * decision → **begun** → **ended**. A request that streams, or that is under way for long, has its beginning on
 * record as well, so that a trail shows what was open when a process ended; every such request has an end.
 *
 * @module
 */
import type { AuditEventType, AuditModel, Decision } from '@hfauth/core'
import type { AuditEntry } from '../../audit/types.ts'
import { recordedResource } from '../../guard/gate.ts'
import type { AnswerUsage } from '../bodies/answer-usage.ts'
import type { AskedQuestion } from '../bodies/body-question.ts'
import { isEventStream } from '../wire/response-headers.ts'
import type { Known, Parts } from './known.ts'
import { type Ending, outcomeType } from './outcome.ts'

/** How a request ended: as {@link Ending}, or before there was an answer. */
export type Outcome = Partial<Omit<Ending, 'error'>> & {
  readonly error?: string
  readonly usage?: AnswerUsage | undefined
}

export interface OutcomeRecord {
  /** Takes note of the answer: its status, the commit and the provider that it names. Puts a stream on record. */
  answered(answer: { readonly status: number; readonly headers: Pick<Headers, 'get'> }): void
  /** Puts the end on record, once; nothing for routes whose decision says it all. */
  end(outcome: Outcome): void
  /** Nothing more is to be put on record: its decision is not either. */
  forget(): void
}

export function openOutcome(
  { match, caller, progress, inbound }: Known,
  { gate, audit, settings }: Parts,
  { action, resource: asked }: AskedQuestion,
  decision: Decision,
): OutcomeRecord {
  const type = outcomeType(match, action, settings.signedUrls)
  const resource = recordedResource(decision, asked.attributes)
  let answer: Answered = {}
  let hasBegun = false
  let isOver = false

  function record(event: AuditEventType, more: Partial<AuditEntry>): void {
    const { commit, provider = asked.attributes.provider, status } = answer
    const model = modelOf(resource, action, provider)
    const entry: AuditEntry = {
      ...gate.entryFor(caller),
      type: event,
      action,
      resource: commit === undefined ? resource : { ...resource, commit },
      ...(model === undefined ? {} : { model }),
      ...more,
      http: { ...progress.http, ...(status === undefined ? {} : { status }), ...more.http },
      durationMs: settings.now() - caller.startedAt,
    }
    // The request is allowed and under way; all that can still be done about it is to say that health is bad.
    void audit.record(entry).catch(() => undefined)
  }

  function begin(): void {
    if (hasBegun || isOver) return
    hasBegun = true
    record('io.hfauth.stream.started', {})
  }

  const timer = setTimeout(begin, settings.longAfterMs).unref()
  if (/\/git-(?:upload|receive)-pack$/.test(match.route.path)) begin()

  return {
    answered({ status, headers }) {
      answer = answeredBy(status, headers)
      if (status === 101 || isEventStream(headers)) begin()
    },
    forget() {
      isOver = true
      clearTimeout(timer)
    },
    end({ bytesOut, bytesIn = inbound.received(), error, usage: { model, ...usage } = {} }) {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      const ended = type ?? (hasBegun ? 'io.hfauth.stream.ended' : undefined)
      if (ended === undefined) return
      const http = {
        ...progress.http,
        ...(inbound.body === undefined && bytesIn === 0 ? {} : { bytesIn }),
        ...(bytesOut === undefined ? {} : { bytesOut }),
      }
      record(ended, {
        http,
        // What is deployed has its model from its answers alone.
        ...(resource.kind === 'model' || model === undefined ? {} : { model: { id: model } }),
        ...(Object.keys(usage).length === 0 ? {} : { usage }),
        ...(error === undefined ? {} : { error }),
      })
    },
  }
}

interface Answered {
  readonly status?: number
  readonly commit?: string
  readonly provider?: string
}

function answeredBy(status: number, headers: Pick<Headers, 'get'>): Answered {
  const commit = headers.get('x-repo-commit')?.toLowerCase()
  const provider = headers.get('x-inference-provider')
  return {
    status,
    ...(commit !== undefined && /^[0-9a-f]{40}$/.test(commit) ? { commit } : {}),
    ...(provider === null ? {} : { provider }),
  }
}

function modelOf(
  { kind, id }: NonNullable<AuditEntry['resource']>,
  action: string,
  provider: string | undefined,
): AuditModel | undefined {
  if (kind !== 'model' || (action !== 'read' && action !== 'infer')) return undefined
  return { id, ...(provider === undefined ? {} : { provider }) }
}
