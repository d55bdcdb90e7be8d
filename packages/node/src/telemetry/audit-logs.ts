/**
 * Audit logs: events of the local log as OpenTelemetry log records, through an exporter of the caller's.
 *
 * shipper → **audit logs** → exporter. Straight to the exporter and not through a processor: a processor's queue
 * is lost with the process and tells nobody what became of a record, an exporter does.
 *
 * @module
 */
import { type AuditLogRecord, toLogRecord } from '../audit/export/log-record.ts'
import { type AuditDestination, undelivered } from '../audit/sinks/destination.ts'

/** `LogRecordExporter` of `@opentelemetry/sdk-logs`. */
export interface LogExporter {
  export(records: never[], done: (result: { readonly code: number; readonly error?: Error }) => void): void
}

export interface OtelDestinationOptions {
  /** Such as the `OTLPLogExporter` of `@opentelemetry/exporter-logs-otlp-http`. */
  readonly exporter: LogExporter
  /** `resourceFromAttributes` of `@opentelemetry/resources`. */
  readonly resourceFromAttributes: (attributes: Record<string, string>) => object
}

const success = 0
const instrumentationScope = { name: '@hfauth/node' }

export function otelDestination({
  exporter,
  resourceFromAttributes,
}: OtelDestinationOptions): AuditDestination {
  /** One object for each resource, by which exporters group. */
  const resources = new Map<string, object>()

  function resourceOf({ resource }: AuditLogRecord): object {
    const key = JSON.stringify(resource)
    const known = resources.get(key)
    if (known !== undefined) return known
    const made = resourceFromAttributes({ ...resource } as Record<string, string>)
    if (resources.size >= 100) resources.clear()
    resources.set(key, made)
    return made
  }

  return {
    deliver(events) {
      const records = events.map((event) => {
        const record = toLogRecord(event)
        const { eventName, timeMs, severityNumber, severityText, attributes, trace } = record
        const time = [Math.floor(timeMs / 1000), (timeMs % 1000) * 1_000_000]
        return {
          eventName,
          hrTime: time,
          hrTimeObserved: time,
          severityNumber,
          severityText,
          attributes,
          resource: resourceOf(record),
          instrumentationScope,
          droppedAttributesCount: 0,
          ...(trace === undefined ? {} : { spanContext: { ...trace, traceFlags: 0 } }),
        }
      })
      return new Promise((resolve, reject) => {
        exporter.export(records as never[], ({ code }) => {
          if (code === success) resolve()
          else reject(undelivered('the exporter failed'))
        })
      })
    },
  }
}
