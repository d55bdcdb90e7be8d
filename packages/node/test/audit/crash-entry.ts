/** What the process that is killed records; apart, so that it starts quickly. */
import type { AuditEntry } from '../../src/audit/types.ts'

export const entryOf = (requestId: string): AuditEntry => ({
  type: 'io.hfauth.decision',
  requestId,
  actor: { kind: 'user', id: 'hf|64a1', issuer: 'hf', name: 'ana', roles: ['viewer'] },
  action: 'read',
  resource: { kind: 'model', id: 'acme/vision' },
  decision: { effect: 'allow', reason: 'rule', statements: ['roles.viewer.allow#1'], policy: 'sha256:00' },
})

export const denialOf = (requestId: string): AuditEntry => ({
  ...entryOf(requestId),
  decision: { effect: 'deny', reason: 'no_matching_rule', statements: [], policy: 'sha256:00' },
})
