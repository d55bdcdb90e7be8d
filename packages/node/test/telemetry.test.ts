/** Spans and metrics, as OpenTelemetry's own SDK collects them. */

import { createEngine, definePolicy, parsePolicy } from '@hfauth/core'
import { type CiIssuer, type Hub, startCiIssuer, startHub } from '@hfauth/testkit'
import { context, metrics, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { resolveImport, sourceFiles } from '../../../test/source-files.ts'
import { rememberSecrets } from '../../../test/support/output.ts'
import {
  type AuditSink,
  createAuditLog,
  createGuard,
  createProxy,
  createTokenExchange,
  createVerifier,
  exchangeForPublisher,
  memorySink,
} from '../src/index.ts'
import {
  instrumentAudit,
  instrumentEngine,
  instrumentExchange,
  instrumentFetch,
  instrumentGuard,
  instrumentVerifier,
} from '../src/otel.ts'

const spans = new InMemorySpanExporter()
const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
const reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 3_600_000 })

let ci: CiIssuer
let hub: Hub
beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(
    new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
  )
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  ci = await startCiIssuer()
  hub = await startHub({
    world: {
      trustedPublishers: [
        { resource: 'acme/vision-large', issuer: ci.url, claims: { repository: 'acme/vision' } },
      ],
    },
  })
})
afterEach(() => spans.reset())
afterAll(async () => {
  rememberSecrets([...hub.issued, ...ci.issued])
  await Promise.all([hub.close(), ci.close(), reader.shutdown()])
})

/** Everything one puts together, each part instrumented, with its own issuer as far as metrics can tell. */
function setUp({ sink = memorySink() as AuditSink } = {}) {
  const policy = parsePolicy(
    definePolicy({
      version: 1,
      name: 'acme-models',
      issuers: { ci: { preset: 'github-actions', issuer: ci.url, audience: hub.url } },
      environments: { production: {} },
      roles: { job: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } },
      bindings: [{ roles: ['job'], to: { issuer: 'ci' } }],
    }),
  )
  const engine = instrumentEngine(createEngine(policy, { environment: 'production' }))
  const fetch = instrumentFetch(globalThis.fetch, { purpose: 'issuer' })
  const verifier = instrumentVerifier(createVerifier({ policy, fetch }))
  const audit = instrumentAudit(
    createAuditLog({
      sink,
      environment: 'production',
      service: 'api',
      timeoutMs: 5000,
      durability: 'strict',
    }),
  )
  const guard = instrumentGuard(createGuard({ engine, verifier, audit }))
  const exchange = instrumentExchange(createTokenExchange({ hubUrl: hub.url, fetch }))
  return { engine, verifier, audit, guard, exchange }
}

const tokenOf = (repository = 'acme/vision') => ci.token({ audience: hub.url, repository })
const request = (token: string, headers: Record<string, string> = {}) =>
  new Request('https://api.acme.dev/x', { headers: { authorization: `Bearer ${token}`, ...headers } })
const read = { action: 'read', resource: 'model:acme/vision-large' }

const named = (name: string): ReadableSpan[] => spans.getFinishedSpans().filter((span) => span.name === name)
function only(name: string): ReadableSpan {
  const [span, ...more] = named(name)
  if (span === undefined || more.length > 0)
    throw new Error(`${more.length + Number(span !== undefined)} spans \`${name}\``)
  return span
}
const idOf = (span: ReadableSpan) => span.spanContext().spanId
const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId

interface Point {
  readonly attributes: Record<string, unknown>
  readonly value: number | Histogram
}
async function pointsOf(name: string): Promise<Point[]> {
  await reader.forceFlush()
  const last = measured.getMetrics().at(-1)
  const all = last?.scopeMetrics.flatMap((scope) => scope.metrics) ?? []
  return all
    .filter(({ descriptor }) => descriptor.name === name)
    .flatMap(({ dataPoints }) => dataPoints as Point[])
}
const amount = ({ value }: Point) => (typeof value === 'number' ? value : value.count)
/** How much a metric has grown over `run`, over all points whose attributes fit. */
async function growth(name: string, attributes: Record<string, unknown>, run: () => Promise<unknown>) {
  const sum = async () =>
    (await pointsOf(name))
      .filter((point) => Object.entries(attributes).every(([key, value]) => point.attributes[key] === value))
      .reduce((total, point) => total + amount(point), 0)
  const before = await sum()
  await run()
  return (await sum()) - before
}

describe('spans', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const caller = '00f067aa0ba902b7'

  test('of a check stand in the caller’s trace, each under the step it belongs to, as the record does', async () => {
    const memory = memorySink()
    const { guard } = setUp({ sink: memory })
    const token = await tokenOf()
    await guard.check(request(token, { traceparent: `00-${traceId}-${caller}-01` }), read)
    const check = only('hfauth.check')
    expect(check.spanContext().traceId).toBe(traceId)
    expect(parentOf(check)).toBe(caller)
    const verify = only('hfauth.verify')
    expect([parentOf(verify), parentOf(only('hfauth.decide'))]).toEqual([idOf(check), idOf(check)])
    expect(named('GET /.well-known/openid-configuration').map(parentOf)).toEqual([idOf(verify)])
    expect(memory.events[0]?.trace).toEqual({ traceId, spanId: caller })
    expect(check.attributes).toEqual({
      'http.request.method': 'GET',
      'hfauth.effect': 'allow',
      'hfauth.reason': 'allowed',
    })
    expect(verify.attributes).toEqual({
      'hfauth.issuer': 'ci',
      'hfauth.credential': 'id_token',
      'hfauth.cache.hit': false,
    })
    expect(only('hfauth.decide').attributes).toEqual({
      'hfauth.effect': 'allow',
      'hfauth.reason': 'allowed',
      'hfauth.action': 'read',
      'hfauth.resource.type': 'model',
    })
  })

  test('stand under the span that is active, when there is one', async () => {
    const { guard } = setUp()
    const token = await tokenOf()
    await trace.getTracer('app').startActiveSpan('GET /x', async (server: Span) => {
      await guard.check(request(token, { traceparent: `00-${traceId}-${caller}-01` }), read)
      server.end()
    })
    expect(parentOf(only('hfauth.check'))).toBe(idOf(only('GET /x')))
  })

  test('of a refused credential carry the code and nothing that was said', async () => {
    const { guard } = setUp()
    await guard.check(request('not.a.token'), read)
    const verify = only('hfauth.verify')
    expect(verify.status).toEqual({ code: SpanStatusCode.ERROR })
    expect(verify.attributes).toEqual({ 'error.type': 'HFAUTH_TOKEN_INVALID' })
    expect(verify.events).toEqual([])
  })

  test('of what the policy does not know do not repeat it', async () => {
    const { guard } = setUp()
    await guard.check(request(await tokenOf()), { action: 'invented-by-ana', resource: 'thing-of-ana:x' })
    expect(only('hfauth.decide').attributes).toEqual({
      'hfauth.effect': 'deny',
      'hfauth.reason': 'unknown_action',
    })
  })

  test('show the exchange and the call to the Hub behind the proxy', async () => {
    const { engine, verifier, audit, exchange } = setUp()
    const fetch = instrumentFetch(globalThis.fetch, { purpose: 'hub' })
    const proxy = createProxy({
      engine,
      verifier,
      audit,
      upstream: { hub: hub.url, router: hub.url },
      credentials: exchangeForPublisher(exchange),
      fetch,
    })
    const seen = hub.requests.length
    const token = await tokenOf()
    const response = await proxy.fetch(
      new Request('http://proxy.test/api/models/acme/vision-large', {
        headers: { authorization: `Bearer hf_oidc_${token}` },
      }),
    )
    expect(response.status).toBe(200)
    await response.text()
    const exchanged = only('hfauth.exchange')
    expect(exchanged.attributes).toEqual({ 'hfauth.exchange.kind': 'publisher' })
    expect(parentOf(only('POST /oauth/token'))).toBe(idOf(exchanged))
    const call = named('GET').at(-1)
    expect(call?.kind).toBe(SpanKind.CLIENT)
    expect(call?.attributes).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(hub.url).port),
      'hfauth.purpose': 'hub',
    })
    expect(hub.requests.slice(seen).map(({ path }) => path)).toContain('/api/models/acme/vision-large')
  })
})

test('a request goes out as it is: no trace of ours reaches an issuer or the Hub', async () => {
  const sent: unknown[] = []
  const stub: typeof globalThis.fetch = async (...args) => {
    sent.push(...args)
    return new Response()
  }
  const init = { headers: { accept: 'application/json' } }
  await instrumentFetch(stub, { purpose: 'hub' })('https://hub.invalid/x', init)
  expect(sent).toEqual(['https://hub.invalid/x', { headers: { accept: 'application/json' } }])
  expect(only('GET').spanContext().traceId).toMatch(/^[0-9a-f]{32}$/)
})

describe('metrics', () => {
  test('count decisions by effect and reason, as they are on record', async () => {
    const { guard } = setUp()
    const token = await tokenOf()
    const allowed = {
      'hfauth.effect': 'allow',
      'hfauth.reason': 'allowed',
      'hfauth.environment': 'production',
    }
    expect(await growth('hfauth.decisions', allowed, () => guard.check(request(token), read))).toBe(1)
    const denied = { 'hfauth.effect': 'deny', 'hfauth.reason': 'no_matching_rule' }
    const other = { action: 'read', resource: 'model:other/x' }
    expect(await growth('hfauth.decisions', denied, () => guard.check(request(token), other))).toBe(1)
    const rejected = { 'error.type': 'HFAUTH_TOKEN_UNSUPPORTED' }
    expect(await growth('hfauth.tokens.rejected', rejected, () => guard.check(request('a.b'), read))).toBe(1)
  })

  test('tell what a cache saved: many tokens need one fetch of the keys, and one token one check', async () => {
    const { guard } = setUp()
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => tokenOf(`acme/vision-${i}`)))
    const jwks = new URL(
      ((await (await fetch(`${ci.url}/.well-known/openid-configuration`)).json()) as { jwks_uri: string })
        .jwks_uri,
    )
    const keys = { 'url.template': jwks.pathname, 'http.response.status_code': 200 }
    const checkAll = () => Promise.all(tokens.map((token) => guard.check(request(token), read)))
    expect(await growth('hfauth.fetch.duration', keys, checkAll)).toBe(1)
    expect(await growth('hfauth.verify.cache.hits', { 'hfauth.issuer': 'ci' }, checkAll)).toBe(20)
    const hits = { 'hfauth.cache.hit': true }
    expect(await growth('hfauth.verify.duration', hits, checkAll)).toBe(20)
    const failed = { 'error.type': 'HFAUTH_TOKEN_UNSUPPORTED' }
    expect(await growth('hfauth.verify.duration', failed, () => guard.check(request('a.b'), read))).toBe(1)
  })

  test('show an issuer that fails by the status or the kind of failure', async () => {
    const refused = instrumentFetch(globalThis.fetch, { purpose: 'issuer' })
    const missing = { 'error.type': '404', 'url.template': '/nowhere' }
    expect(await growth('hfauth.fetch.duration', missing, () => refused(`${hub.url}/nowhere`))).toBe(1)
    const down = instrumentFetch(async () => Promise.reject(new TypeError('fetch failed')), {
      purpose: 'hub',
    })
    const call = () => down('https://hub.invalid/x').catch(() => undefined)
    expect(await growth('hfauth.fetch.duration', { 'error.type': 'TypeError' }, call)).toBe(1)
  })

  test('show how many events wait for their record', async () => {
    let take = () => {}
    const sink: AuditSink = { write: () => new Promise((resolve) => (take = resolve)) }
    const { guard } = setUp({ sink })
    const token = await tokenOf()
    const waiting = async () =>
      (await pointsOf('hfauth.audit.queue')).reduce((sum, point) => sum + amount(point), 0)
    const checked = guard.check(request(token), read)
    await expect.poll(waiting).toBe(1)
    take()
    await checked
    expect(await waiting()).toBe(0)
  })

  test('of an audit that fails say so', async () => {
    const { guard } = setUp({ sink: { write: () => Promise.reject(new Error('disk full')) } })
    const failed = { 'error.type': 'HFAUTH_AUDIT_UNAVAILABLE' }
    const token = await tokenOf()
    expect(
      await growth('hfauth.audit.record.duration', failed, () => guard.check(request(token), read)),
    ).toBe(1)
  })
})

test('nothing that is exported holds a token, a subject, an address of a person or the name of a repository', async () => {
  const { guard, exchange } = setUp()
  const token = await tokenOf('acme/telltale')
  await guard.check(request(token, { 'user-agent': 'telltale' }), {
    action: 'read',
    resource: { type: 'model', id: 'acme/telltale', attributes: { owner: 'telltale@acme.dev' } },
  })
  await exchange.forPublisher({ idToken: token, resource: 'acme/telltale' }).catch(() => undefined)
  await exchange.forMember({ email: 'telltale@acme.dev', scopes: ['telltale'] }).catch(() => undefined)
  await reader.forceFlush()
  const told = JSON.stringify([
    spans
      .getFinishedSpans()
      .map(({ name, attributes, status, events }) => ({ name, attributes, status, events })),
    measured.getMetrics().at(-1)?.scopeMetrics,
  ])
  expect(spans.getFinishedSpans().length).toBeGreaterThan(5)
  for (const secret of ['telltale', ...token.split('.')]) expect(told).not.toContain(secret)
})

test('only its own entry reaches OpenTelemetry, so that nothing of it loads where it is not used', () => {
  const files = new Map(sourceFiles('packages/node/src').map((file) => [file.path, file]))
  const reach = (path: string, seen = new Set<string>()): Set<string> => {
    const file = files.get(path)
    if (file === undefined || seen.has(path)) return seen
    seen.add(path)
    for (const name of file.imports) {
      const target = resolveImport(file, name)
      if (target === undefined) seen.add(name)
      else reach(target, seen)
    }
    return seen
  }
  const entries = [...files.keys()].filter((path) => /^packages\/node\/src\/[^/]+\.ts$/.test(path))
  const reaching = entries.filter((path) => reach(path).has('@opentelemetry/api'))
  expect(reaching).toEqual(['packages/node/src/otel.ts'])
})
