/** Files that somebody made to break the reader: bombs, depth, size, keys that touch prototypes. */
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { HfAuthError, loadSnapshot, type PolicyDocument, PolicyError, parsePolicy } from '../src/index.ts'
import { parseJson } from '../src/json.ts'
import { parsePolicy as parseYaml } from '../src/yaml.ts'
import { policyOf } from './support.ts'

function codesOf(parse: () => unknown): string[] {
  try {
    parse()
  } catch (error) {
    if (error instanceof PolicyError) return error.faults.map(({ code }) => code)
    throw error
  }
  return []
}

const valid = JSON.stringify(policyOf({}).document)

describe('a bomb is refused before it goes off', () => {
  test.each<[string, string]>([
    [
      'of lists',
      [
        'a: &a [x, x, x, x, x, x, x, x, x, x]',
        ...levels((name, before) => `${name}: &${name} [${`*${before},`.repeat(10)}]`),
      ].join('\n'),
    ],
    [
      'of mappings',
      [
        'a: &a {x: 1}',
        ...levels(
          (name, before) =>
            `${name}: &${name} {${[...'0123456789'].map((i) => `k${i}: *${before}`).join(', ')}}`,
        ),
      ].join('\n'),
    ],
    [
      'of merge keys',
      ['a: &a {x: 1}', ...levels((name, before) => `${name}: &${name}\n  <<: [*${before}, *${before}]`)].join(
        '\n',
      ),
    ],
    ['of many uses of one anchor', `a: &a [x]\nb: [${'*a, '.repeat(10_000)}]`],
    ['that holds itself', 'a: &a [*a]'],
    ['of an anchor without a value', 'a: *nothing'],
  ])('%s', (_, text) => {
    expect(codesOf(() => parseYaml(text)).length).toBeGreaterThan(0)
  })
})

function levels(line: (name: string, before: string) => string): string[] {
  return [...'bcdefghij'].map((name, i) => line(name, 'abcdefghij'[i] ?? 'a'))
}

describe('size and depth are bounded', () => {
  test('10 MB are refused unread, in YAML and in JSON', () => {
    const text = `{"version": 1, "name": "${'x'.repeat(10_000_000)}"}`
    expect(codesOf(() => parseYaml(text))).toEqual(['too_large'])
    expect(codesOf(() => parsePolicy(text))).toEqual(['too_large'])
    expect(codesOf(() => parsePolicy(' '.repeat(5 * 1024 * 1024 + 1)))).toEqual(['too_large'])
    expect(() => loadSnapshot(`"${'x'.repeat(20_000_000)}"`)).toThrow(HfAuthError)
  })

  test.each([
    ['lists', '[', ']'],
    ['mappings', '{"a":', '}'],
    ['lists without an end', '[', ''],
    ['mappings without an end', '{"a":', ''],
  ])('%s in 100,000 levels are a fault, not a stack overflow', (_, open, close) => {
    const text = open.repeat(100_000) + (close === '}' ? '1' : '') + close.repeat(100_000)
    expect(codesOf(() => parsePolicy(text))).toEqual(['syntax'])
    expect(() => parseJson(text)).toThrow(HfAuthError)
    expect(() => loadSnapshot(text)).toThrow(HfAuthError)
    expect(codesOf(() => parseYaml(text)).length).toBeGreaterThan(0)
  })

  test('YAML in 10,000 levels by indentation is a fault, not a stack overflow', () => {
    const text = `${'- '.repeat(10_000)}x`
    expect(codesOf(() => parseYaml(text)).length).toBeGreaterThan(0)
  })

  test.each([100, 10_000])('a condition in %i levels is read, or is a fault', (depth) => {
    let when: object = { 'resource.private': true }
    for (let i = 0; i < depth; i++) when = { $not: when }
    const deny = [{ actions: ['read'], on: ['**'], when }] as PolicyDocument['deny']
    const codes = codesOf(() => policyOf(deny === undefined ? {} : { deny }))
    if (depth === 10_000) expect(codes.length).toBeGreaterThan(0)
  })

  test('values that hold themselves are a fault', () => {
    const when: Record<string, unknown> = {}
    when.$not = when
    const deny = [{ actions: ['read'], on: ['**'], when }] as unknown as NonNullable<PolicyDocument['deny']>
    expect(codesOf(() => policyOf({ deny })).length).toBeGreaterThan(0)
  })
})

describe('keys that touch prototypes', () => {
  const places: readonly [string, (key: string) => string][] = [
    ['the file', (key) => valid.replace('{', `{"${key}":{"polluted":true},`)],
    [
      'roles',
      (key) => valid.replace('"roles":{', `"roles":{"${key}":{"allow":[{"actions":["*"],"on":["**"]}]}`),
    ],
    [
      'a condition',
      (key) =>
        valid.replace(
          '"bindings":[]',
          `"bindings":[],"deny":[{"actions":["read"],"on":["**"],"when":{"${key}":{"polluted":true}}}]`,
        ),
    ],
    ['environments', (key) => valid.replace('"environments":{', `"environments":{"${key}":{"polluted":{}},`)],
  ]
  test.each(places)('in %s are a fault, in JSON and in YAML', (_, textWith) => {
    for (const key of ['__proto__', '\\u005f_proto__']) {
      const text = textWith(key)
      expect(text).not.toBe(valid)
      expect(codesOf(() => parsePolicy(text)).length).toBeGreaterThan(0)
      expect(codesOf(() => parseYaml(text)).length).toBeGreaterThan(0)
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test.each([
    '__proto__:\n  polluted: true',
    '"__proto__":\n  polluted: true',
    '? __proto__\n: polluted: true',
    'a: &a {__proto__: {polluted: true}}\n<<: *a',
    'roles: !!map {__proto__: {polluted: true}}',
    '? [__proto__]\n: polluted: true',
    '? !!str __proto__\n: polluted: true',
  ])('%j is a fault and changes nothing', (text) => {
    expect(codesOf(() => parseYaml(text)).length).toBeGreaterThan(0)
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf', 'prototype'])(
    '`%s` as a role that is bound and not defined is unknown, not inherited',
    (name) => {
      expect(codesOf(() => policyOf({ bindings: [{ roles: [name], to: { issuer: 'oidc' } }] }))).toEqual([
        'unknown_role',
      ])
      expect(codesOf(() => policyOf({ roles: { a: { extends: [name] } } }))).toEqual(['unknown_role'])
      expect(codesOf(() => policyOf({ bindings: [{ roles: [], to: { issuer: name } }] }))).toEqual([
        'unknown_issuer',
      ])
      expect(
        codesOf(() =>
          policyOf({ deny: [{ actions: [name], on: [`${name.toLowerCase()}:x`, `project:${name}`] }] }),
        ),
      ).toEqual(expect.arrayContaining(['unknown_action', 'unknown_type', 'unknown_project']))
      expect(
        codesOf(() =>
          policyOf({ deny: [{ actions: ['read'], on: ['model:x'], when: { [`resource.${name}`]: true } }] }),
        ),
      ).toEqual(['unknown_attribute'])
      expect(
        codesOf(() => policyOf({ deny: [{ actions: ['read'], on: ['model:x'], environments: [name] }] })),
      ).toEqual(['unknown_environment'])
    },
  )
})

describe('a key that later steps would drop without a word', () => {
  const parts: readonly [string, (key: string) => object][] = [
    [
      'a claim of a binding',
      (key) => ({ bindings: [{ roles: [], to: { issuer: 'oidc', claims: { [key]: 'x' } } }] }),
    ],
    ['a condition', (key) => ({ deny: [{ actions: ['read'], on: ['model:**'], when: { [key]: 'x' } }] })],
    ['a role', (key) => ({ roles: { [key]: {} } })],
    ['an issuer', (key) => ({ issuers: { [key]: { preset: 'oidc' } } })],
  ]
  test.each(parts)('%s is a fault, as an object, in JSON and in YAML', (_, part) => {
    for (const key of ['constructor', 'prototype']) {
      const document = { ...policyOf({}).document, ...part(key) } as PolicyDocument
      const text = JSON.stringify(document)
      expect(codesOf(() => parsePolicy(document))).toEqual(['unknown_key'])
      expect(codesOf(() => parseYaml(text))).toEqual(['unknown_key'])
      expect(codesOf(() => parsePolicy(text))).toEqual(['syntax'])
    }
  })
})

describe('YAML’s own tricks', () => {
  test.each<[string, string]>([
    ['a tag that makes an object', 'a: !!js/function "x"'],
    ['two documents', `${valid}\n---\n${valid}`],
    ['a duplicate key', 'version: 1\nversion: 1'],
    ['a duplicate key, once quoted', 'version: 1\n"version": 1'],
    ['a key that is a list', '? [version]\n: 1'],
    ['a key that is an alias', 'a: &a version\n*a : 1'],
    ['a byte order mark in the middle', 'version: 1\n\ufeffname: x'],
    ['nothing', ''],
    ['only a comment', '# nothing'],
    ['only null', '~'],
  ])('%s is a fault', (_, text) => {
    expect(codesOf(() => parseYaml(text)).length).toBeGreaterThan(0)
  })
})

describe('what only YAML can write, or only a program can hand in, is a fault', () => {
  const textWith = (when: string) =>
    valid.replace('"bindings":[]', `"bindings":[],"deny":[{"actions":[read],"on":["**"],"when":${when}}]`)

  test.each<[string, string]>([
    ['a condition in an ordered map, which has no members', '!!omap [ resource.private: false ]'],
    ['a condition in a set', '!!set { ? resource.private }'],
    ['a condition of bytes', '!!binary aGVsbG8='],
    ['a number without a bound', '{ context.risk: { $lt: .inf } }'],
    ['a number that is none', '{ context.risk: { $gt: .nan } }'],
    ['a point in time that is no text', '{ context.since: { $eq: !!timestamp 2026-01-01 } }'],
  ])('%s', (_, when) => {
    expect(codesOf(() => parseYaml(textWith('{ resource.private: false }')))).toEqual([])
    expect(codesOf(() => parseYaml(textWith(when)))).toEqual(['wrong_type'])
  })

  test.each(['to', 'claims', 'require'])('%s in an ordered map', (place) => {
    const to =
      place === 'to' ? '!!omap [ issuer: oidc ]' : '{ "issuer": oidc, "claims": !!omap [ sub: ana ] }'
    const text =
      place === 'require'
        ? valid.replace('"production":{}', '"production":{"require":!!omap [ principal.mfa: true ]}')
        : valid.replace('"bindings":[]', `"bindings":[{"roles":[],"to":${to}}]`)
    expect(text).not.toBe(valid)
    expect(codesOf(() => parseYaml(text))).toEqual(['wrong_type'])
  })

  test.each<[string, unknown]>([
    ['a map', new Map([['resource.private', false]])],
    ['a date', { 'context.since': { $eq: new Date(0) } }],
    ['a function', { 'context.since': { $eq: () => true } }],
    ['a symbol', { 'context.since': { $eq: Symbol('x') } }],
    ['a number beyond JSON', { 'context.since': { $lt: Number.POSITIVE_INFINITY } }],
    ['a bigint', { 'context.since': { $lt: 3n } }],
    ['a list with nothing in a place', { 'context.since': { $in: new Array(1) } }],
  ])('%s, in an object', (_, when) => {
    const deny = [{ actions: ['read'], on: ['**'], when }] as unknown as NonNullable<PolicyDocument['deny']>
    expect(codesOf(() => policyOf({ deny }))).toEqual(['wrong_type'])
  })

  test('but an object without a prototype, or of another realm, is a mapping, and a member that is undefined left out', () => {
    const when = Object.assign(Object.create(null), { 'resource.private': false })
    const other = runInNewContext('({ "resource.private": true })')
    const deny = [when, other, undefined].map((condition, i) => ({
      actions: ['read'],
      on: [`model:acme/${i}`],
      when: condition,
    })) as unknown as NonNullable<PolicyDocument['deny']>
    expect(codesOf(() => policyOf({ deny }))).toEqual([])
  })
})

test.each([
  ['1', '"1"'],
  ['0x1', '"1"'],
  ['true', '"true"'],
  ['~', '""'],
  ['1.0', '1'],
])('the keys %s and %s are one, so that none is dropped without a word', (one, other) => {
  const role = '{"deny":[{"actions":["read"],"on":["model:**"]}]}'
  const roles = (...keys: string[]) =>
    valid.replace('"roles":{}', `"roles":{${keys.map((key) => `${key} : ${role}`)}}`)
  expect(codesOf(() => parseYaml(roles(one, other)))).toContain('duplicate_key')
  expect(codesOf(() => parseYaml(roles(one)))).not.toContain('duplicate_key')
})

describe('work grows with the policy, not with its square', () => {
  const rolesOf = (count: number, role: (i: number) => object) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`r${String(i).padStart(6, '0')}`, role(i)]))

  test('a chain of 30,000 roles is a fault, not a stack overflow or all there is of memory', () => {
    const chain = rolesOf(30_000, (i) => ({ extends: [`r${String(i + 1).padStart(6, '0')}`] }))
    expect(codesOf(() => policyOf({ roles: { ...chain, r030000: {} } }))).toContain('too_large')
    const short = rolesOf(1000, (i) => ({ extends: [`r${String(i + 1).padStart(6, '0')}`] }))
    expect(policyOf({ roles: { ...short, r001000: {} } }).roles.get('r000000')?.closure).toHaveLength(1001)
  })

  test('of 5000 names that nothing has, the first hundred are compared with those that there are', () => {
    const bindings = Array.from({ length: 5000 }, (_, i) => ({
      roles: [`r${String(i).padStart(6, '0')}x`],
      to: { issuer: 'oidc', group: `g${i}` },
    }))
    try {
      policyOf({ roles: rolesOf(5000, () => ({})), bindings })
    } catch (error) {
      const messages = (error as PolicyError).faults.map(({ message }) => message)
      expect(messages).toHaveLength(5000)
      expect(messages.filter((message) => message.includes('did you mean'))).toHaveLength(100)
    }
    expect.assertions(2)
  })
})
