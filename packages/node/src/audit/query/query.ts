/**
 * Query: one question, one answer, from whichever source holds the events.
 *
 * source → **query** → people, reports. Every answer tells the gaps of its period: without them it would seem
 * complete where events are missing.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { activity } from './activity.ts'
import { denials } from './denials.ts'
import { firstAccess } from './first-access.ts'
import { loads } from './loads.ts'
import type { AuditSource } from './source.ts'
import type { AuditAnswers, AuditQuestion } from './types.ts'
import { unusedGrants } from './unused-grants.ts'

/**
 * Answers a question. Two sources with the same events give the same answer.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` for a question that there is not, or a period or limit that cannot
 * be; `HFAUTH_AUDIT_UNREADABLE` when the source cannot be read.
 */
export function queryAudit<Q extends AuditQuestion>(
  source: AuditSource,
  question: Q,
): Promise<AuditAnswers[Q['ask']]>
export async function queryAudit(
  source: AuditSource,
  question: AuditQuestion,
): Promise<AuditAnswers[AuditQuestion['ask']]> {
  assertPeriod(question)
  switch (question.ask) {
    case 'loads':
      return loads(source, question)
    case 'activity':
      return activity(source, question)
    case 'denials':
      return denials(source, question)
    case 'unused-grants':
      return unusedGrants(source, question)
    case 'first-access':
      return firstAccess(source, question)
    default:
      throw invalid('`ask` must be `loads`, `activity`, `denials`, `unused-grants` or `first-access`')
  }
}

function assertPeriod({ from, to }: AuditQuestion): void {
  for (const time of [from, to]) {
    if (time !== undefined && !Number.isSafeInteger(time))
      throw invalid('`from` and `to` must be milliseconds')
  }
  if (from !== undefined && to !== undefined && from >= to) throw invalid('`from` must be before `to`')
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', message)
}
