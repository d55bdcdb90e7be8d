import { describe, expect, test } from 'vitest'
import { auditActor, auditDecision, recordedText } from '../src/index.ts'
import { accessOf, principalOf, reader } from './support.ts'

describe('an audit event records', () => {
  test('who asked: by login name, else by name, else by id alone', () => {
    const actor = (claims: object) => auditActor(principalOf('oidc', claims as never), ['reader'])
    expect(actor({ preferred_username: 'ana', name: 'Ana A.', email: 'ana@acme.dev' })).toEqual({
      kind: 'user',
      id: 'oidc|ana',
      issuer: 'oidc',
      name: 'ana',
      roles: ['reader'],
    })
    expect(actor({ name: 'Ana A.' }).name).toBe('Ana A.')
    expect('name' in actor({})).toBe(false)
  })

  test('what was decided, and what was missing only where something was', () => {
    const when = { 'resource.private': true }
    const access = accessOf({ roles: { r: { allow: [{ actions: ['read'], on: ['model:**'], when }] } } })
    const unknown = access.decide({ action: 'read', resource: 'model:acme/x' })
    expect(auditDecision(unknown)).toEqual({
      effect: 'deny',
      reason: 'condition_unknown',
      statements: unknown.statements.map(({ id }) => id),
      policy: unknown.policy.digest,
      missingAttributes: ['resource.private'],
    })
    const allowed = auditDecision(
      accessOf({ roles: reader }).decide({ action: 'read', resource: 'model:acme/x' }),
    )
    expect(allowed.effect).toBe('allow')
    expect('missingAttributes' in allowed).toBe(false)
  })

  test('text without controls, direction marks and halves of characters, cut to a length', () => {
    expect(recordedText('a\nb\u202ec\ud800d')).toBe('a\ufffdb\ufffdc\ufffdd')
    expect(recordedText('\u200e\u200f\u061c\u2066\u001b\u009f\u2028')).toBe('\ufffd'.repeat(7))
    expect(recordedText('x'.repeat(300))).toHaveLength(256)
    expect(recordedText('x'.repeat(300), 10)).toHaveLength(10)
  })
})
