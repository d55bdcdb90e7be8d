/**
 * Severity: how much an event should worry whoever watches.
 *
 * @module
 */
import type { AuditEvent } from '@hfauth/core'

/** 1 informational, 2 low, 3 medium, 4 high: the first values of OCSF's `severity_id`. */
export type AuditSeverity = 1 | 2 | 3 | 4

export function severityOf({ type, decision }: Pick<AuditEvent, 'type' | 'decision'>): AuditSeverity {
  switch (type) {
    case 'io.hfauth.audit.gap':
    case 'io.hfauth.stream.silent':
      return 4
    case 'io.hfauth.secret.rejected':
    case 'io.hfauth.secret.aging':
    case 'io.hfauth.secret.fallback':
      return 3
    case 'io.hfauth.token.rejected':
    case 'io.hfauth.signin.refused':
      return 2
    default:
      return decision?.effect === 'deny' ? 2 : 1
  }
}
