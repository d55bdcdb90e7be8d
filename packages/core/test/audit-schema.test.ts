import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { auditSchemaText } from '../scripts/audit-schema.ts'
import { auditEventTypes } from '../src/index.ts'

const text = auditSchemaText()
const validate = new Ajv({ strict: true, allErrors: true }).compile(JSON.parse(text))

const event = {
  v: 1,
  id: '0199b0a2-7c1e-7000-8000-000000000000',
  type: 'io.hfauth.decision',
  time: '2026-11-25T08:00:00.000Z',
  environment: 'production',
  service: 'proxy/1',
  writer: 'w-1',
  seq: 1,
  requestId: 'r-1',
  actor: { kind: 'user', id: 'hf|64a1', issuer: 'hf', name: 'ana', roles: ['viewer'], actedBy: ['hf|bot'] },
  client: { ip: '192.0.2.1', userAgent: 'curl/8' },
  trace: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' },
  action: 'read',
  resource: {
    kind: 'model',
    id: 'acme/vision',
    revision: 'main',
    commit: '0123456789abcdef0123456789abcdef01234567',
    path: 'config.json',
  },
  model: { id: 'acme/vision', provider: 'hf-inference' },
  usage: { input: 12, output: 30 },
  http: { method: 'GET', route: '/{id}', status: 200, bytesIn: 4, bytesOut: 12 },
  decision: {
    effect: 'allow',
    reason: 'rule',
    statements: ['a'],
    policy: 'sha256:00',
    missingAttributes: [],
  },
  scopes: ['read-repos'],
  revocation: { door: 'admin', latencyMs: 1.5 },
  loss: { reason: 'unavailable', count: 2, since: '2026-11-25T08:00:00.000Z' },
  durationMs: 3,
  cut: ['client.userAgent'],
  hash: 'A'.repeat(43),
}

describe('the JSON Schema of an event', () => {
  test('takes an event with every member, and one with none that can be left out', () => {
    expect(validate(event) || validate.errors).toBe(true)
    const { v, id, type, time, environment, service, writer, seq, requestId } = event
    const actor = { kind: 'anonymous', id: 'anonymous', issuer: '', roles: [] }
    const least = { v, id, type, time, environment, service, writer, seq, requestId, actor }
    expect(validate(least) || validate.errors).toBe(true)
  })

  test.each(auditEventTypes)('knows the type %s', (type) => {
    expect(validate({ ...event, type })).toBe(true)
  })

  test.each<[string, object]>([
    ['a member that there is not', { token: 'x' }],
    ['another version', { v: 2 }],
    ['another type', { type: 'io.hfauth.other' }],
    ['a time without milliseconds', { time: '2026-11-25T08:00:00Z' }],
    ['a number that is none', { seq: '1' }],
    ['an actor without an id', { actor: { kind: 'user', issuer: 'hf', roles: [] } }],
    ['an actor with more', { actor: { ...event.actor, email: 'ana@acme.dev' } }],
    ['a text that is too long', { action: 'x'.repeat(65) }],
    ['a trace that is none', { trace: { traceId: 'xyz', spanId: '00f067aa0ba902b7' } }],
    ['a commit that is none', { resource: { ...event.resource, commit: 'main' } }],
    ['an effect that there is not', { decision: { ...event.decision, effect: 'maybe' } }],
    ['a hash that is none', { hash: 'short' }],
  ])('refuses %s', (_, change) => {
    expect(validate({ ...event, ...change })).toBe(false)
  })
})
