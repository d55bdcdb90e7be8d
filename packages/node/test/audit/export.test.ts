/**
 * Exports: audit events as OCSF, CloudEvents and OpenTelemetry log records, each held against its own schema.
 */
import { auditEventTypes } from '@hfauth/core'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { CloudEvent, HTTP } from 'cloudevents'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type RecordedEvent, toCloudEvent, toLogRecord, toOcsf } from '../../src/index.ts'
import { decided, eventMaker, oneOfEach, policyDigest, ranker, revision } from './event-fixture.ts'
import { ocsfSchemas } from './ocsf-schema.ts'

const ajv = new Ajv2020({ strict: true, allErrors: true })
const validators = new Map(
  Object.entries(ocsfSchemas).map(([uid, schema]) => [Number(uid), ajv.compile(schema)]),
)

function ocsfFaults(event: RecordedEvent): unknown {
  const exported = toOcsf(event)
  const validate = validators.get(exported.class_uid)
  if (validate === undefined) return `no schema for class ${exported.class_uid}`
  return validate(JSON.parse(JSON.stringify(exported))) ? undefined : validate.errors
}

/** Events as bare as they may be, and with whatever texts a request could bring. */
const anyEvent = fc
  .record({
    type: fc.constantFrom(...auditEventTypes),
    by: fc.constantFrom('ada', 'ci', 'nobody'),
    action: fc.option(fc.constantFrom('read', 'infer', 'create', 'write', 'delete', 'admin'), {
      nil: undefined,
    }),
    ip: fc.option(fc.ipV4(), { nil: undefined }),
    id: fc.option(fc.string({ unit: 'binary', minLength: 1 }), { nil: undefined }),
    effect: fc.option(fc.constantFrom('allow', 'deny'), { nil: undefined }),
    durationMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
  })
  .map(({ type, by, action, ip, id, effect, durationMs }) =>
    eventMaker()({
      type,
      by: by as 'ada',
      ...(action === undefined ? {} : { action }),
      ...(ip === undefined ? {} : { client: { ip } }),
      ...(id === undefined ? {} : { resource: { kind: 'model', id } }),
      ...(effect === undefined ? {} : { decision: decided(effect as 'allow', 'allowed', ['s#1']) }),
      ...(durationMs === undefined ? {} : { durationMs }),
    }),
  )

describe('OCSF', () => {
  test.each(oneOfEach().map((event) => [event.type, event] as const))(
    '%s has what its class requires, and nothing that it does not know',
    (_, event) => expect(ocsfFaults(event)).toBeUndefined(),
  )

  test('an event is valid whatever of its optional members is there', () => {
    fc.assert(fc.property(anyEvent, (event) => ocsfFaults(event) === undefined))
  })

  test('the schema refuses an event without the attributes that its class requires', () => {
    const { actor: _, ...broken } = toOcsf(eventMaker()({ action: 'read' }))
    expect(validators.get(6003)?.(broken)).toBe(false)
  })

  test('a denied read is API Activity, Read, blocked, under its policy', () => {
    const event = eventMaker()({
      action: 'read',
      resource: { ...ranker, revision },
      client: { ip: '192.0.2.10' },
      decision: decided('deny', 'explicit_deny', ['roles.engineer.deny#1']),
    })
    expect(toOcsf(event)).toMatchObject({
      class_uid: 6003,
      type_uid: 600302,
      status_id: 2,
      status_code: 'explicit_deny',
      action_id: 2,
      disposition_id: 2,
      policy: { uid: policyDigest },
      resources: [{ type: 'model', uid: 'acme/ranker', version: revision }],
      src_endpoint: { ip: '192.0.2.10' },
      actor: { user: { uid: 'hf|ada' }, authorizations: [{ policy: { uid: 'roles.engineer.deny#1' } }] },
    })
  })

  test('inference, for which OCSF has no activity, is Other with a name', () => {
    expect(toOcsf(eventMaker()({ type: 'io.hfauth.inference.completed' }))).toMatchObject({
      type_uid: 600399,
      activity_name: 'Infer',
    })
  })

  test('what has no attribute in OCSF is under `unmapped`', () => {
    const revocation = { door: 'admin', by: 'subject', target: 'hf|ben', latencyMs: 140 }
    const exported = toOcsf(eventMaker()({ type: 'io.hfauth.revocation.received', revocation }))
    expect(exported.unmapped).toMatchObject({ issuer: 'hf', roles: ['engineer'], revocation })
  })
})

describe('CloudEvents', () => {
  test.each(oneOfEach().map((event) => [event.type, event] as const))('%s is valid', (_, event) => {
    const cloudEvent = new CloudEvent(toCloudEvent(event) as never)
    expect(cloudEvent.validate()).toBe(true)
  })

  test('every attribute has a name that the specification allows', () => {
    const names = oneOfEach().flatMap((event) => Object.keys(toCloudEvent(event)))
    expect(names.filter((name) => !/^[a-z0-9]{1,20}$/.test(name))).toEqual([])
  })

  test('an event survives the way through the HTTP binding unchanged', () => {
    const event = eventMaker()({ resource: ranker, decision: decided('allow', 'allowed', ['s#1']) })
    const message = HTTP.structured(new CloudEvent(toCloudEvent(event) as never))
    const arrived = HTTP.toEvent(message) as CloudEvent<RecordedEvent>
    expect(arrived.data).toEqual(event)
    expect(arrived.source).toBe('/hfauth/production/writer-1')
    expect(arrived.subject).toBe('model/acme/ranker')
  })

  test('sequences sort as text in the order of their numbers', () => {
    const make = eventMaker()
    const sequences = Array.from({ length: 12 }, () => toCloudEvent(make({})).sequence)
    expect([...sequences].sort()).toEqual(sequences)
    expect(sequences.at(-1)).toBe('00000000000000000012')
  })

  test('a source stays a URI reference whatever the environment is called', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.oneof(fc.string({ unit: 'grapheme', minLength: 1 }), fc.constant('\ud800')),
          minLength: 1,
        }),
        (environment) => {
          const { source } = toCloudEvent({ ...eventMaker()({}), environment })
          return /^\/hfauth\/[^/?#\s\ud800]+\/writer-1$/.test(source)
        },
      ),
    )
  })
})

describe('OpenTelemetry log records', () => {
  test.each(oneOfEach().map((event) => [event.type, event] as const))(
    '%s is an event with attributes of types that the data model has',
    (type, event) => {
      const { eventName, attributes, resource } = toLogRecord(event)
      expect(eventName).toBe(type)
      for (const value of Object.values({ ...attributes, ...resource })) {
        const isText = (one: unknown) => typeof one === 'string'
        expect(
          isText(value) || typeof value === 'number' || (Array.isArray(value) && value.every(isText)),
        ).toBe(true)
      }
    },
  )

  test('standard names are used where the conventions have them', () => {
    const [event] = oneOfEach()
    expect(toLogRecord(event as RecordedEvent)).toMatchObject({
      severityText: 'INFO2',
      attributes: {
        'user.id': 'hf|ada',
        'client.address': '192.0.2.10',
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'hfauth.decision.reason': 'no_matching_rule',
      },
      resource: {
        'service.name': 'hfauth-proxy',
        'service.version': '1.2.0',
        'deployment.environment.name': 'production',
      },
      trace: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' },
    })
  })

  test('what was cut is named in every format', () => {
    const event = eventMaker()({ cut: ['client.userAgent'] })
    expect(toLogRecord(event).attributes['hfauth.cut']).toEqual(['client.userAgent'])
    expect(toOcsf(event).unmapped).toMatchObject({ cut: ['client.userAgent'] })
    expect(toCloudEvent(event).data).toMatchObject({ cut: ['client.userAgent'] })
  })

  test('a gap is an error, an allowed request is not worth a look', () => {
    const make = eventMaker()
    expect(toLogRecord(make({ type: 'io.hfauth.audit.gap' })).severityNumber).toBe(17)
    expect(toLogRecord(make({ decision: decided('allow', 'allowed') })).severityNumber).toBe(9)
  })
})
