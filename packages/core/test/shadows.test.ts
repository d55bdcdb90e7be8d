/** The parser's warning on allows that a denial always takes back: what it tells is certain. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePolicy } from '../src/index.ts'
import { matchGlob, parseGlob } from '../src/internal/glob.ts'
import { type Pattern, parsePattern } from '../src/policy/pattern.ts'
import { covers } from '../src/policy/shadows.ts'
import { inFull, lawRuns } from './runs.ts'
import { policyOf } from './support.ts'

interface Written {
  readonly allow?: object
  readonly deny?: object
  readonly roleDeny?: object
  readonly parentDeny?: object
}

/** Paths of the allows that the parser calls shadowed. */
function shadowed({ allow, deny, roleDeny, parentDeny }: Written): string[] {
  const list = (statement: object | undefined) =>
    statement === undefined ? [] : [{ actions: ['read'], on: ['model:acme/**'], ...statement }]
  const { warnings } = parsePolicy({
    version: 1,
    name: 'shadows',
    issuers: { id: { preset: 'oidc', issuer: 'https://id.dev', audience: 'x' } },
    environments: { development: {}, production: {} },
    roles: {
      parent: { deny: list(parentDeny) },
      child: {
        extends: ['parent'],
        allow: [{ actions: ['read'], on: ['model:acme/x'], ...allow }],
        deny: list(roleDeny),
      },
    },
    bindings: [{ roles: ['child'], to: { issuer: 'id' } }],
    deny: list(deny),
  } as never)
  return warnings.filter(({ code }) => code === 'shadowed_by_deny').map(({ path }) => path)
}

const told = ['roles.child.allow[0]']

describe('an allow is shadowed', () => {
  test.each<[string, Written]>([
    ['by a denial for everybody', { deny: {} }],
    ['by a denial of its own role', { roleDeny: {} }],
    ['by a denial of a role that its role extends', { parentDeny: {} }],
    ['by a denial of all actions', { deny: { actions: ['*'] } }],
    ['by a denial on every type', { deny: { on: ['**'] } }],
    [
      'when the denial’s environments hold its own',
      {
        allow: { environments: ['production'] },
        deny: { environments: ['production', 'development'] },
      },
    ],
    ['whatever its condition', { allow: { when: { 'resource.gated': false } }, deny: {} }],
    ['in another spelling of the owner', { deny: { on: ['model:ACME/*'] } }],
    ['with a placeholder that `**` takes', { allow: { on: ['model:acme/${principal.username}'] }, deny: {} }],
  ])('%s', (_, written) => {
    expect(shadowed(written)).toEqual(told)
  })

  test('and the warning says where the denial stands', () => {
    const { warnings } = parsePolicy(`{
      "version": 1, "name": "x",
      "issuers": { "id": { "preset": "oidc", "issuer": "https://id.dev", "audience": "x" } },
      "environments": { "production": {} },
      "roles": { "r": { "allow": [{ "actions": ["read"], "on": ["model:acme/x"] }] } },
      "bindings": [{ "roles": ["r"], "to": { "issuer": "id" } }],
      "deny": [{ "actions": ["*"], "on": ["model:acme/*"] }]
    }`)
    expect(warnings.map(({ line, message }) => `${line} ${message}`)).toEqual([
      '5 has no effect: the denial at policy:7:16 holds wherever it does',
    ])
  })
})

describe('an allow is not called shadowed', () => {
  test.each<[string, Written]>([
    ['by a denial with a condition', { deny: { when: { 'resource.gated': false } } }],
    ['by a denial with an exception', { deny: { unless: { 'principal.mfa': true } } }],
    ['by a denial of another action', { deny: { actions: ['write'] } }],
    ['by a denial of some of its actions', { allow: { actions: ['read', 'infer'] }, deny: {} }],
    ['by a denial of some of its patterns', { allow: { on: ['model:acme/x', 'model:other/x'] }, deny: {} }],
    ['by a denial on another type', { deny: { on: ['dataset:acme/**'] } }],
    ['by a denial in one of its environments', { deny: { environments: ['production'] } }],
    ['by a narrower denial', { allow: { on: ['model:acme/**'] }, deny: { on: ['model:acme/*'] } }],
    ['by a denial on a placeholder', { deny: { on: ['model:acme/${principal.username}'] } }],
    ['by no denial at all', {}],
  ])('%s', (_, written) => {
    expect(shadowed(written)).toEqual([])
  })
})

const glob = fc
  .array(fc.constantFrom('a', 'b', '/', '*', '**'), { minLength: 1, maxLength: 6 })
  .map((parts) => parts.join(''))
  .filter((text) => 'type' in parsePattern(`prompt:${text}`))
const id = fc.array(fc.constantFrom('a', 'b', '/'), { maxLength: 8 }).map((parts) => parts.join(''))

test('a pattern that covers another matches every id that the other matches', () => {
  let covered = 0
  fc.assert(
    fc.property(glob, glob, fc.array(id, { minLength: 20, maxLength: 20 }), (wider, narrower, ids) => {
      const [outer, inner] = [wider, narrower].map((text) => parsePattern(`prompt:${text}`) as Pattern)
      if (outer === undefined || inner === undefined || !covers(outer, inner)) return
      covered++
      for (const text of ids)
        if (matchGlob(parseGlob(narrower), text)) expect(matchGlob(parseGlob(wider), text)).toBe(true)
    }),
    { numRuns: lawRuns(5000) },
  )
  if (inFull) expect(covered).toBeGreaterThan(200)
})

test('patterns of 100,000 characters are not compared', () => {
  const long = parsePattern(`model:${'a*'.repeat(50_000)}`) as Pattern
  expect(covers(long, long)).toBe(false)
})

describe('comparing takes an effort that is bounded', () => {
  test('for all pairs together: when it is spent, nothing is told any more', () => {
    const pattern = parsePattern('model:*/x')
    if ('fault' in pattern) throw new Error(pattern.fault)
    const effort = { left: 150 }
    expect([1, 2, 3].map(() => covers(pattern, pattern, effort))).toEqual([true, true, false])
  })

  test('so thousands of allows and denials that begin with a wildcard are no matter of minutes', () => {
    const statements = (letter: string, count: number) =>
      Array.from({ length: count }, (_, i) => ({ actions: ['read'], on: [`model:*/${letter}${i}`] }))
    const told = (deny: ReturnType<typeof statements>) =>
      policyOf({
        deny,
        roles: { r: { allow: statements('a', 4000) } },
        bindings: [{ roles: ['r'], to: { issuer: 'oidc' } }],
      }).warnings.filter(({ code }) => code === 'shadowed_by_deny')
    expect(told(statements('d', 4000))).toEqual([])
    expect(told(statements('a', 10))).toHaveLength(10)
  })
})
