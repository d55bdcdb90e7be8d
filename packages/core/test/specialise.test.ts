/** What is left of a condition once the principal is known: nothing of the principal, and no other answer. */
import { describe, expect, test } from 'vitest'
import { compileCondition } from '../src/compile/conditions.ts'
import { requestReader } from '../src/compile/facts.ts'
import { specialise } from '../src/compile/specialise.ts'
import { emptyFacts, readFacts } from '../src/decide/resource.ts'
import type { Json } from '../src/index.ts'
import type { Condition, TestCondition } from '../src/policy/condition.ts'
import { now, principalOf } from './support.ts'

const ana = principalOf('oidc', { preferred_username: 'ana', amr: ['mfa'], groups: ['ml'] })

const asks = (
  root: TestCondition['path']['root'],
  name: string,
  operator: TestCondition['operator'],
  operand: TestCondition['operand'],
): TestCondition => ({ kind: 'test', path: { root, name }, operator, operand })
const mfa = asks('principal', 'mfa', '$eq', { literal: true })
const noMfa = asks('principal', 'mfa', '$eq', { literal: false })
const email = asks('principal', 'email', '$eq', { literal: 'x' })
const isPrivate = asks('resource', 'private', '$eq', { literal: true })
const holds = { kind: 'constant', truth: true }
const fails = { kind: 'constant', truth: false }
const unknown = { kind: 'unknown', facts: ['principal.email'] }

describe('of a condition is left', () => {
  test.each<[string, Condition, object]>([
    ['the truth of a test on the principal', mfa, holds],
    ['the truth of one that fails', noMfa, fails],
    ['the unknown, where the principal does not tell', email, unknown],
    ['a test on the resource, as it is', isPrivate, isPrivate],
    ['the opposite of a truth', { kind: 'not', of: mfa }, fails],
    ['the unknown under a not', { kind: 'not', of: email }, unknown],
    ['a not on the resource', { kind: 'not', of: isPrivate }, { kind: 'not', of: isPrivate }],
    [
      'what is unknown already',
      { kind: 'unknown', facts: ['context.x'] },
      { kind: 'unknown', facts: ['context.x'] },
    ],
    ['what all ask beyond what holds', { kind: 'all', of: [mfa, isPrivate] }, isPrivate],
    ['nothing that all ask when one fails', { kind: 'all', of: [isPrivate, noMfa] }, fails],
    ['what any asks beyond what fails', { kind: 'any', of: [noMfa, isPrivate] }, isPrivate],
    ['nothing that any asks when one holds', { kind: 'any', of: [isPrivate, mfa] }, holds],
    ['a truth when all hold', { kind: 'all', of: [mfa, mfa] }, holds],
    ['a truth when all of none hold', { kind: 'all', of: [] }, holds],
    ['a truth when any of none holds', { kind: 'any', of: [] }, fails],
    [
      'several parts',
      { kind: 'all', of: [isPrivate, mfa, email] },
      { kind: 'all', of: [isPrivate, unknown] },
    ],
    [
      'a reference, as the value it has',
      asks('resource', 'owner', '$eq', { ref: { root: 'principal', name: 'username' } }),
      asks('resource', 'owner', '$eq', { literal: 'ana' }),
    ],
    [
      'the unknown of a reference',
      asks('resource', 'owner', '$eq', { ref: { root: 'principal', name: 'email' } }),
      unknown,
    ],
    [
      'a reference to the request',
      asks('resource', 'owner', '$eq', { ref: { root: 'context', name: 'user' } }),
      asks('resource', 'owner', '$eq', { ref: { root: 'context', name: 'user' } }),
    ],
    [
      'a value of the principal, against the request',
      asks('principal', 'username', '$eq', { ref: { root: 'context', name: 'user' } }),
      { ...asks('principal', 'username', '$eq', { ref: { root: 'context', name: 'user' } }), known: 'ana' },
    ],
    [
      'the unknown, against the request',
      asks('principal', 'email', '$eq', { ref: { root: 'context', name: 'user' } }),
      unknown,
    ],
    [
      'a time of the principal’s, from now, as the time of the request',
      asks('principal', 'issuedAt', '$after', { literal: '-1h' }),
      asks('context', 'time', '$before', { literal: now + 3_600_000 }),
    ],
    [
      'a time of the principal’s, until now, as the time of the request',
      asks('principal', 'issuedAt', '$before', { literal: '+1h' }),
      asks('context', 'time', '$after', { literal: now - 3_600_000 }),
    ],
    [
      'the unknown time',
      asks('principal', 'claims.left', '$after', { literal: '-1h' }),
      { kind: 'unknown', facts: ['principal.claims.left'] },
    ],
    [
      'the truth of a fixed time',
      asks('principal', 'issuedAt', '$after', { literal: '2020-01-01T00:00:00Z' }),
      holds,
    ],
    [
      'the unknown, where kinds differ',
      asks('principal', 'mfa', '$lt', { literal: 1 }),
      { kind: 'unknown', facts: ['principal.mfa'] },
    ],
  ])('%s', (_, condition, left) => {
    expect(specialise(condition, ana)).toEqual(left)
  })

  const members = (of: Condition): Condition => ({
    kind: 'element',
    path: { root: 'resource', name: 'members' },
    of,
  })
  const groups = (of: Condition): Condition => ({
    kind: 'element',
    path: { root: 'principal', name: 'orgs' },
    of,
  })
  const isRole = asks('element', 'role', '$eq', { literal: 'admin' })

  test('a condition on elements in which the principal is settled, with the same answers', () => {
    const answers = (residual: Condition) =>
      [[{ role: 'admin' }], [{ role: 'read' }], [{}], []].map((list: Json) => {
        const facts = readFacts(
          emptyFacts(),
          { type: 'app', id: 'x', attributes: { members: list } },
          undefined,
          now,
        )
        if (facts === undefined) throw new Error('a resource that can be read')
        return compileCondition(residual, requestReader)(facts)
      })
    const left = (of: Condition) => answers(specialise(members(of), ana) as Condition)
    expect(left(isRole)).toEqual([true, false, undefined, false])
    expect(left({ kind: 'all', of: [isRole, mfa] })).toEqual([true, false, undefined, false])
    expect(left({ kind: 'all', of: [isRole, noMfa] })).toEqual([false, false, false, false])
    expect(left({ kind: 'any', of: [isRole, mfa] })).toEqual([true, true, true, false])
    expect(left({ kind: 'all', of: [isRole, email] })).toEqual([undefined, false, undefined, false])
  })

  test('one part for each element of a list of the principal’s', () => {
    const member = principalOf('huggingface', {
      preferred_username: 'ana',
      orgs: [
        { sub: '1', preferred_username: 'acme', roleInOrg: 'admin' },
        { sub: '2', preferred_username: 'ana', roleInOrg: 'read' },
      ],
    })
    expect(specialise(groups(isRole), member)).toEqual(holds)
    const owns = asks('element', 'handle', '$eq', { ref: { root: 'resource', name: 'owner' } })
    expect(specialise(groups({ kind: 'all', of: [isRole, owns] }), member)).toEqual({
      ...owns,
      path: owns.path,
      known: 'acme',
    })
    const own = asks('element', 'handle', '$eq', { ref: { root: 'principal', name: 'username' } })
    expect(specialise(groups(own), member)).toEqual(holds)
    expect(specialise(groups({ kind: 'all', of: [own, isRole] }), member)).toEqual(fails)
    expect(specialise(groups(asks('principal', 'username', '$eq', { literal: 'ana' })), member)).toEqual(
      holds,
    )
    expect(specialise(groups(isRole), ana)).toEqual({ kind: 'unknown', facts: ['principal.orgs'] })
  })
})
