/**
 * `@hfauth/node/otel`: spans and metrics through `@opentelemetry/api`, for whoever wants them.
 *
 * @module
 */

export { instrumentAudit } from './telemetry/audit.ts'
export {
  type LogExporter,
  type OtelDestinationOptions,
  otelDestination,
} from './telemetry/audit-logs.ts'
export { instrumentEngine } from './telemetry/engine.ts'
export { instrumentExchange } from './telemetry/exchange.ts'
export { type InstrumentFetchOptions, instrumentFetch } from './telemetry/fetch.ts'
export { instrumentGuard } from './telemetry/guard.ts'
export { instrumentVerifier } from './telemetry/verifier.ts'
