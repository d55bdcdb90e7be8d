/**
 * OpenTelemetry: spans and instruments in the few words that are needed here.
 *
 * The one door to `@opentelemetry/api`, and only `@hfauth/node/otel` leads to it. Without an SDK that the
 * application has registered, everything here does nothing.
 *
 * @see OpenTelemetry semantic conventions: general attributes, HTTP spans
 * @module
 */

import { HfAuthError } from '@hfauth/core'
import {
  type Attributes,
  context,
  metrics,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'

export type { Attributes }

const scope = '@hfauth/node'

export interface Outcome {
  readonly attributes?: Attributes
  /** Low-cardinality name of what went wrong, when something did. */
  readonly error?: string
}

export interface TracedOptions<T> {
  readonly client?: boolean
  readonly attributes?: Attributes
  /** Headers of the request that this serves: they name the parent, unless a span is active already. */
  readonly headers?: Pick<Headers, 'get'>
  /** What a result adds to the span. */
  readonly read?: (result: T) => Outcome
  /** Hears how it ended, in seconds. */
  readonly ended?: (seconds: number, outcome: Outcome, result?: T) => void
}

/** Runs `run` in a span. Of what is thrown only its name goes on the span: messages are for logs. */
export async function traced<T>(name: string, options: TracedOptions<T>, run: () => Promise<T>): Promise<T> {
  const startedMs = performance.now()
  const { client = false, attributes = {}, headers, read = () => ({}), ended } = options
  const span = trace
    .getTracer(scope)
    .startSpan(name, { kind: client ? SpanKind.CLIENT : SpanKind.INTERNAL, attributes }, parentFrom(headers))
  const close = (outcome: Outcome, result?: T) => {
    closeSpan(span, outcome)
    ended?.((performance.now() - startedMs) / 1000, outcome, result)
  }
  try {
    const result = await context.with(trace.setSpan(context.active(), span), run)
    close(read(result), result)
    return result
  } catch (error) {
    close({ error: errorName(error) })
    throw error
  }
}

/** The same for what does not wait. */
export function tracedSync<T>(name: string, run: () => T, read: (result: T) => Outcome): T {
  const span = trace.getTracer(scope).startSpan(name)
  let outcome: Outcome = { error: '_OTHER' }
  try {
    const result = run()
    outcome = read(result)
    return result
  } finally {
    closeSpan(span, outcome)
  }
}

function closeSpan(span: Span, { attributes, error }: Outcome): void {
  if (attributes !== undefined) span.setAttributes(attributes)
  if (error !== undefined) {
    span.setAttribute('error.type', error)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
  span.end()
}

function parentFrom(headers: Pick<Headers, 'get'> | undefined) {
  const active = context.active()
  if (headers === undefined || trace.getSpan(active) !== undefined) return active
  return propagation.extract(active, headers, {
    get: (carrier, name) => carrier.get(name) ?? undefined,
    keys: () => [],
  })
}

/** `error.type`: a stable code, or the class; never a message. */
export function errorName(error: unknown): string {
  if (error instanceof HfAuthError) return error.code
  return error instanceof Error && /^[A-Z]\w{0,60}$/.test(error.name) ? error.name : '_OTHER'
}

/** From a microsecond, for what a cache answers, to ten seconds, for an issuer that hangs. */
const secondsBuckets = [0.00001, 0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function secondsHistogram(name: string, description: string) {
  const histogram = metrics
    .getMeter(scope)
    .createHistogram(name, { unit: 's', description, advice: { explicitBucketBoundaries: secondsBuckets } })
  return (seconds: number, attributes: Attributes) => histogram.record(seconds, attributes)
}

export function counter(name: string, unit: string, description: string) {
  const made = metrics.getMeter(scope).createCounter(name, { unit, description })
  return (attributes: Attributes) => made.add(1, attributes)
}

export function gauge(name: string, unit: string, description: string) {
  const made = metrics.getMeter(scope).createUpDownCounter(name, { unit, description })
  return (change: number) => made.add(change)
}

/** `error.type`, when there is one. */
export function errorAttribute(error: string | undefined): Attributes {
  return error === undefined ? {} : { 'error.type': error }
}
