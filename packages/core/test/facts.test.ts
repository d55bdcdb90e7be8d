/** Where a fact is looked up, and where it never is. */
import { describe, expect, test } from 'vitest'
import { principalReader, requestReader, walk } from '../src/compile/facts.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import { createEngine, loadSnapshot } from '../src/index.ts'
import { accessOf, now, policyOf, principalOf, reader } from './support.ts'

describe('a fact', () => {
  test('of a principal is never taken from the request, whose context anyone may fill', () => {
    const snapshot = accessOf({ roles: reader }).snapshot()
    const rules = snapshot.rules.map((rule) => ({ ...rule, when: { 'principal.mfa': true } }))
    const access = loadSnapshot({ ...snapshot, rules }, { now: () => now })
    expect(access.can('read', 'model:acme/x', { mfa: true })).toBe(false)
    expect(access.decide({ action: 'read', resource: 'model:acme/x', context: { mfa: true } })).toMatchObject(
      {
        reason: 'condition_unknown',
        missingAttributes: ['principal.mfa'],
      },
    )
    const facts = readFacts(emptyFacts(), 'model:acme/x', { mfa: true }, now)
    if (facts === undefined) throw new Error('a resource that can be read')
    expect(requestReader({ root: 'principal', name: 'mfa' })(facts)).toBeUndefined()
    expect(requestReader({ root: 'context', name: 'mfa' })(facts)).toBe(true)
  })

  test('of a resource is never taken from a principal', () => {
    const ana = principalOf('oidc', {})
    expect(principalReader({ root: 'resource', name: 'issuer' })(ana)).toBeUndefined()
    expect(principalReader({ root: 'principal', name: 'issuer' })(ana)).toBe('oidc')
  })

  test('whose name has no dot is a member and nothing deeper', () => {
    expect(walk({ a: { ab: 1 } }, 'ab')).toBeUndefined()
    expect(walk({ '': { x: 1 } }, '.x')).toBe(1)
    expect(walk({ a: { b: { c: 1 } } }, 'a.b.c')).toBe(1)
  })
})

describe('a resource told as text', () => {
  const access = createEngine(policyOf({ roles: reader }), { environment: 'production' }).for(
    principalOf('oidc', {}),
  )
  test.each([
    [':acme/x', 'unknown_resource_type'],
    ['acme/x', 'invalid_resource'],
    ['', 'invalid_resource'],
    ['model:', 'invalid_resource'],
  ])('%j is denied as %s', (resource, reason) => {
    expect(access.decide({ action: 'read', resource }).reason).toBe(reason)
  })
})
