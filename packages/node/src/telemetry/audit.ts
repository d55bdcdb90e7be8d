/**
 * Audit, measured: what was decided, how many events wait for their record, and how long.
 *
 * Counts what is on record, so that the numbers of a dashboard and of the trail are the same.
 *
 * @module
 */
import type { AuditLog } from '../audit/types.ts'
import { counter, errorAttribute, errorName, gauge, secondsHistogram } from './api.ts'
import { extended } from './extended.ts'

/** Effects, reasons and codes are told, never who or what it was about. */
export function instrumentAudit(audit: AuditLog): AuditLog {
  const decisions = counter('hfauth.decisions', '{decision}', 'Decisions on record')
  const rejected = counter('hfauth.tokens.rejected', '{credential}', 'Credentials that were not accepted')
  const queue = gauge('hfauth.audit.queue', '{event}', 'Events that wait to be on record')
  const duration = secondsHistogram('hfauth.audit.record.duration', 'Wait of a caller for its event')

  audit.subscribe(({ type, environment, decision, error }) => {
    const place = { 'hfauth.environment': environment }
    if (type === 'io.hfauth.decision' && decision !== undefined) {
      decisions({ ...place, 'hfauth.effect': decision.effect, 'hfauth.reason': decision.reason })
    }
    if (type === 'io.hfauth.token.rejected') rejected({ ...place, ...errorAttribute(error) })
  })

  return extended(audit, {
    async record(entry, effect) {
      const startedMs = performance.now()
      const end = (error?: string) => {
        queue(-1)
        duration((performance.now() - startedMs) / 1000, errorAttribute(error))
      }
      queue(1)
      try {
        const event = await audit.record(entry, effect)
        end()
        return event
      } catch (error) {
        end(errorName(error))
        throw error
      }
    },
  })
}
