/**
 * Audit events as a month at a small company leaves them, for exporters, sinks, questions and reports.
 *
 * @module
 */
import { type AuditEventType, auditEventTypes } from '@hfauth/core'
import { type RecordedEvent, type SegmentSinkOptions, segmentSink } from '../../src/index.ts'
import { key } from './segment-fixture.ts'

export const firstDay: number = Date.parse('2026-01-01T00:00:00.000Z')
export const dayMs = 86_400_000

const actors = {
  ada: { kind: 'user', id: 'hf|ada', issuer: 'hf', name: 'ada', roles: ['engineer'] },
  ben: { kind: 'user', id: 'hf|ben', issuer: 'hf', name: 'ben', roles: ['viewer'] },
  ci: {
    kind: 'workload',
    id: 'repo:acme/serving:ref:refs/heads/main',
    issuer: 'github',
    roles: ['deployer'],
  },
  nobody: { kind: 'anonymous', id: 'anonymous', issuer: 'none', roles: [] },
} as const

export type Actor = keyof typeof actors

export interface EventOf extends Partial<RecordedEvent> {
  readonly by?: Actor
  /** Days since the first one. */
  readonly day?: number
}

/** Makes events of one writer, numbered from 1. */
export function eventMaker(writer = 'writer-1'): (event: EventOf) => RecordedEvent {
  let seq = 0
  return ({ by = 'ada', day = 0, ...event }) => {
    seq++
    const timeMs = firstDay + day * dayMs + seq
    return {
      v: 1,
      id: `${timeMs
        .toString(16)
        .padStart(12, '0')
        .replace(/(.{8})/, '$1-')}-7000-8000-${String(seq).padStart(12, '0')}`,
      type: 'io.hfauth.decision',
      time: new Date(timeMs).toISOString(),
      environment: 'production',
      service: 'hfauth-proxy/1.2.0',
      writer,
      seq,
      requestId: `request-${seq}`,
      actor: actors[by],
      ...event,
    }
  }
}

export const ranker = { kind: 'model', id: 'acme/ranker' } as const
export const revision = '0123456789abcdef0123456789abcdef01234567'
export const policyDigest = 'sha256:aaaa'

export function decided(
  effect: 'allow' | 'deny',
  reason: string,
  statements: readonly string[] = [],
): NonNullable<RecordedEvent['decision']> {
  return { effect, reason, statements, policy: policyDigest }
}

/** One event of every type, each with all that can stand on it. */
export function oneOfEach(): RecordedEvent[] {
  const make = eventMaker()
  return auditEventTypes.map((type) => make({ type, ...membersOf(type) }))
}

function membersOf(type: AuditEventType): EventOf {
  const client = { ip: '192.0.2.10', userAgent: 'huggingface_hub/1.3' }
  const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
  const http = {
    method: 'GET',
    route: '/{ns}/{name}/resolve/{rev}/{path}',
    status: 200,
    bytesIn: 64,
    bytesOut: 1024,
  }
  const request = { client, trace, http, durationMs: 12.5 }
  switch (type) {
    case 'io.hfauth.decision':
      return { ...request, action: 'read', resource: ranker, decision: decided('deny', 'no_matching_rule') }
    case 'io.hfauth.model.load':
    case 'io.hfauth.repo.write':
    case 'io.hfauth.stream.started':
    case 'io.hfauth.stream.ended':
    case 'io.hfauth.inference.completed':
      return {
        ...request,
        by: 'ci',
        action: 'read',
        resource: { ...ranker, revision: 'main', commit: revision, path: 'model.safetensors' },
        model: { id: ranker.id, provider: 'hf-inference' },
        usage: { input: 12, output: 30 },
      }
    case 'io.hfauth.token.rejected':
      return { ...request, by: 'nobody', error: 'HFAUTH_TOKEN_EXPIRED' }
    case 'io.hfauth.revocation.received':
      return {
        revocation: {
          door: 'admin',
          by: 'subject',
          issuer: 'https://huggingface.co',
          target: 'ben',
          latencyMs: 140,
        },
      }
    case 'io.hfauth.secret.rotated':
      return { resource: { kind: 'secret', id: 'client', revision: '2' } }
    case 'io.hfauth.policy.loaded':
      return { resource: { kind: 'policy', id: 'acme', revision: policyDigest } }
    case 'io.hfauth.audit.gap':
      return { loss: { reason: 'unavailable', count: 3 } }
    default:
      return { ...request, scopes: ['read-repos'] }
  }
}

/** Events of one writer as a log on the disk: a list for each segment. */
export async function writeSegments(
  directory: string,
  segments: readonly (readonly RecordedEvent[])[],
  options: Partial<SegmentSinkOptions> = {},
): Promise<void> {
  const sink = await segmentSink({ directory, key, headEveryMs: 1e9, writer: 'writer-1', ...options })
  for (const [index, events] of segments.entries()) {
    if (index > 0) await sink.rotate()
    if (events.length > 0) await sink.writeAll(events)
  }
  await sink.close()
}
