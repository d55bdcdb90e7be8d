import { readdirSync, readFileSync } from 'node:fs'
import { Ajv, type SchemaObject } from 'ajv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { buildPolicySchema, type JsonSchema, policySchemaText } from '../scripts/policy-schema.ts'
import { hubActions, type Json, PolicyError, parsePolicy, presets } from '../src/index.ts'
import { operators } from '../src/policy/condition.ts'
import { checkShape, type PolicyDocument } from '../src/policy/schema.ts'

const read = (path: string): Json => parseYaml(readFileSync(new URL(path, import.meta.url), 'utf8'))
const example = read('./example.policy.yaml')
const demo = read('../../../apps/demo/hfauth.policy.yaml')
const variables = { HF_CLIENT_ID: 'app', HF_ISSUER: 'https://huggingface.co', CI_ISSUER: 'https://ci.dev' }

const schema = buildPolicySchema()
const ajv = new Ajv({ strict: true, allowUnionTypes: true, allowMatchingProperties: true, allErrors: true })
const judge = ajv.compile(schema as SchemaObject)

function editorRefuses(document: Json): boolean {
  return !judge(document)
}

function shapeRefuses(document: Json): boolean {
  return checkShape(document).faults.length > 0
}

function parserRefuses(document: Json): boolean {
  try {
    parsePolicy(document as unknown as PolicyDocument, { variables })
    return false
  } catch (error) {
    if (error instanceof PolicyError) return true
    throw error
  }
}

type Tree = { [key: string]: Tree } & Tree[]
type Change = (document: Tree) => unknown

function changed(change: Change, document: Json = example): Json {
  const copy = structuredClone(document)
  change(copy as unknown as Tree)
  return copy
}

/** Sets any value where the tree's type knows none. */
function set(target: object | undefined, key: string | number, value: unknown): void {
  if (target === undefined) throw new Error(`the example has no place for \`${key}\``)
  Object.assign(target, { [key]: value })
}

describe('the JSON Schema', () => {
  test('is valid draft-07', () => {
    expect(schema.$schema).toBe('http://json-schema.org/draft-07/schema#')
    expect(ajv.validateSchema(schema as SchemaObject)).toBe(true)
  })

  test('is the file that the build wrote, so the source and what editors read are one', () => {
    expect(readFileSync(new URL('../dist/policy.schema.json', import.meta.url), 'utf8')).toBe(
      policySchemaText(),
    )
  })

  test('costs nothing at run time: no description is in the bundle', () => {
    const folder = new URL('../dist/', import.meta.url)
    const bundle = readdirSync(folder)
      .filter((name) => name.endsWith('.js'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
      .join('')
    expect(bundle).toContain('checkShape')
    const descriptions = [...policySchemaText().matchAll(/"description": "([^"\\]*)"/g)].map(
      ([, text]) => text ?? '',
    )
    expect(descriptions.length).toBeGreaterThan(60)
    expect(descriptions.filter((text) => bundle.includes(text))).toEqual([])
  })

  test.each([
    ['the example of the specification', example],
    ['the policy of the demo', demo],
  ])('takes %s', (_, document) => {
    judge(document)
    expect(judge.errors).toBeNull()
  })

  test('says something about every key, and closes every object that has keys', () => {
    const silent: string[] = []
    const open: string[] = []
    const visit = (node: unknown, path: string): void => {
      if (typeof node !== 'object' || node === null) return
      const { properties, additionalProperties } = node as JsonSchema
      if (typeof properties === 'object' && !path.endsWith('properties')) {
        for (const [key, member] of Object.entries(properties)) {
          if (typeof member !== 'object' || (member.description ?? '') === '') silent.push(`${path}.${key}`)
        }
        if (additionalProperties !== false) open.push(path)
      }
      for (const [key, member] of Object.entries(node)) visit(member, `${path}.${key}`)
    }
    visit(schema, '')
    expect({ silent, open }).toEqual({ silent: [], open: [] })
  })

  test('suggests every preset, every action of Hugging Face and every operator', () => {
    const text = JSON.stringify(schema)
    expect(text).toContain(JSON.stringify([...presets.keys()]))
    expect(text).toContain(JSON.stringify([...hubActions, '*']))
    const expectation = JSON.stringify(schema.definitions?.expectation)
    expect(operators.filter((name) => !expectation.includes(`"${name}":{`))).toEqual([])
  })
})

describe('a fault of shape', () => {
  test.each<[string, Change]>([
    ['an unknown key at the top', (d) => set(d, 'denny', [])],
    ['an unknown key of an issuer', (d) => set(d.issuers?.hf, 'audiance', 'x')],
    ['an unknown key of an environment', (d) => set(d.environments?.production, 'action', [])],
    [
      'an unknown key of a resource type',
      (d) => set(d, 'resources', { prompt: { actions: [], attribute: {} } }),
    ],
    ['an unknown key of a scope', (d) => set(d.scopes?.['vision:read'], 'resources', [])],
    ['an unknown key of a role', (d) => set(d.roles?.viewer, 'extend', [])],
    ['an unknown key of a statement', (d) => set(d.roles?.viewer?.allow?.[0], 'if', {})],
    ['an unknown key of a denial', (d) => set(d.deny?.[0], 'because', 'x')],
    ['an unknown key of a binding', (d) => set(d.bindings?.[0], 'role', [])],
    ['an unknown key of a subject', (d) => set(d.bindings?.[0]?.to, 'organisation', 'x')],
    ['an unknown key of a route', (d) => set(d.routes?.[0], 'method', 'x')],
    ['an unknown key of an invariant', (d) => set(d.invariants?.[0], 'always', {})],
    ['an unknown key of what never happens', (d) => set(d.invariants?.[0]?.never, 'when', {})],
    ['an unknown key of whom it is about', (d) => set(d.invariants?.[0]?.for, 'isuer', 'ci')],
    ['an unknown key of a test', (d) => set(d.tests?.[0], 'expects', {})],
    ['an unknown key of a principal', (d) => set(d.tests?.[0]?.principal, 'claim', {})],
    ['another version', (d) => set(d, 'version', 2)],
    ['a version as text', (d) => set(d, 'version', '1')],
    ['a number for a name', (d) => set(d, 'name', 7)],
    ['nothing for a name', (d) => set(d, 'name', null)],
    ['a list for the roles', (d) => set(d, 'roles', [])],
    ['a mapping for the bindings', (d) => set(d, 'bindings', {})],
    ['a list for a role', (d) => set(d.roles, 'viewer', [])],
    ['a list for a condition', (d) => set(d.deny?.[0], 'when', [])],
    ['a list for a subject', (d) => set(d.bindings?.[0], 'to', [])],
    ['a text for a list of actions', (d) => set(d.deny?.[0], 'actions', 'read')],
    ['a number in a list of patterns', (d) => set(d.deny?.[0]?.on, 0, 7)],
    ['a list in a list of roles', (d) => set(d.bindings?.[0]?.roles, 0, [])],
    ['a number for an audience', (d) => set(d.issuers?.hf, 'audience', 7)],
    ['a number among audiences', (d) => set(d.issuers?.hf, 'audience', ['x', 7])],
    ['a number for a duration', (d) => set(d.environments?.production, 'maxTokenAge', 15)],
    ['another kind of principal', (d) => set(d.bindings?.[0]?.to, 'kind', 'robot')],
    ['`anonymous: false`', (d) => set(d.bindings?.[0]?.to, 'anonymous', false)],
    [
      'another type of attribute',
      (d) => set(d, 'resources', { p: { actions: [], attributes: { a: 'text' } } }),
    ],
    ['another answer', (d) => set(d.tests?.[0]?.expect, 'read model:a/b', 'maybe')],
    ['another word for nobody', (d) => set(d.tests?.[0], 'principal', 'nobody')],
    ['another kind of token', (d) => set(d.tests?.[0]?.principal, 'credential', 'cookie')],
    ['a list for the attributes of a resource', (d) => set(d.tests?.[0], 'resources', { 'model:a/b': [] })],
    ...['version', 'name', 'issuers', 'environments', 'roles', 'bindings'].map((key): [string, Change] => [
      `no \`${key}\``,
      (d) => delete d[key],
    ]),
    ['no preset', (d) => delete d.issuers?.hf?.preset],
    ['no actions', (d) => delete d.deny?.[0]?.actions],
    ['no patterns', (d) => delete d.deny?.[0]?.on],
    ['nobody to bind to', (d) => delete d.bindings?.[0]?.to],
    ['no claims in a test', (d) => delete d.tests?.[0]?.principal?.claims],
  ])('is one to the parser and to the editor: %s', (_, change) => {
    const document = changed(change)
    expect({ shape: shapeRefuses(document), editor: editorRefuses(document) }).toEqual({
      shape: true,
      editor: true,
    })
  })

  test.each<[string, unknown]>([
    ['text', 'policy'],
    ['a list', []],
    ['nothing', null],
  ])('is a document that is %s', (_, document) => {
    expect([shapeRefuses(document as Json), editorRefuses(document as Json)]).toEqual([true, true])
  })
})

describe('what the parser finds after the shape', () => {
  const when =
    (condition: unknown): Change =>
    (d) =>
      set(d.deny?.[0], 'when', condition)
  const claims =
    (condition: unknown): Change =>
    (d) =>
      set(d.bindings?.[0]?.to, 'claims', condition)

  test.each<[string, Change]>([
    ['a preset', (d) => set(d.issuers?.hf, 'preset', 'hugging-face')],
    ['a duration', (d) => set(d.environments?.production, 'maxTokenAge', '15 minutes')],
    ['a time', (d) => set(d.bindings?.[0], 'until', '2027-01-31')],
    ['a pattern without a type', (d) => set(d.deny?.[0]?.on, 0, 'acme/*')],
    ['a pattern in a project', (d) => set(d.projects?.vision, 0, 'Model:acme/*')],
    ['a fact', when({ 'request.ip': 'x' })],
    [
      'a fact of a requirement',
      (d) => set(d.environments?.production, 'require', { 'resource.gated': false }),
    ],
    ['an operator', when({ 'resource.tags': { $contain: 'x' } })],
    ['an operator at the top', when({ $any: [] })],
    ['an operator on claims', claims({ ref: { $regex: 'x' } })],
    ['an operator in place of a claim', claims({ $eq: 'x' })],
    ['an empty test', when({ 'resource.tags': {} })],
    ['an empty choice', when({ $or: [] })],
    ['`$not` of a list', when({ $not: [] })],
    ['`$eq` of a mapping', when({ 'resource.tags': { $eq: { a: 1 } } })],
    ['`$in` of a text', when({ 'resource.tags': { $in: 'x' } })],
    ['`$all` of lists', when({ 'resource.tags': { $all: [[]] } })],
    ['`$contains` of a list', when({ 'resource.tags': { $contains: ['x'] } })],
    ['`$lt` of a boolean', when({ 'resource.size': { $lt: true } })],
    ['`$exists` of a text', when({ 'resource.tags': { $exists: 'yes' } })],
    ['`$size` below nothing', when({ 'resource.tags': { $size: -1 } })],
    ['`$glob` of nothing', when({ 'resource.path': { $glob: '' } })],
    ['`$glob` from the caller', when({ 'resource.path': { $glob: { $ref: 'principal.username' } } })],
    ['`$cidr` of a number', when({ 'context.ip': { $cidr: 10 } })],
    ['`$before` of a word', when({ 'context.time': { $before: 'tomorrow' } })],
    ['`$elemMatch` of a text', when({ 'resource.tags': { $elemMatch: 'x' } })],
    ['a reference to nothing known', when({ 'resource.owner': { $ref: 'username' } })],
    ['a reference and more', when({ 'resource.owner': { $ref: 'principal.username', $eq: 'x' } })],
    ['an operator inside `$not`', when({ 'resource.tags': { $not: { $contain: 'x' } } })],
  ])('is found by the editor too: %s', (_, change) => {
    const document = changed(change)
    expect([shapeRefuses(document), editorRefuses(document), parserRefuses(document)]).toEqual([
      false,
      true,
      true,
    ])
  })

  test.each<[string, Change]>([
    ['a preset from a variable', (d) => set(d.issuers?.hf, 'preset', '${env.PRESET}')],
    ['your own action', (d) => set(d, 'resources', { prompt: { actions: ['edit'] } })],
    ['your own attribute', when({ 'resource.own': 1 })],
    [
      'a plain value of each kind',
      when({ 'context.a': 'x', 'context.b': 1, 'context.c': null, 'context.d': [1] }),
    ],
    [
      'operators together',
      when({ 'context.n': { $gt: 1, $lt: { $ref: 'resource.limit' }, $not: { $in: [3, 4] } } }),
    ],
    [
      'a time in seconds or in parts of one',
      when({ 'context.time': { $after: '2027-01-31T00:00:00.5+01:00' } }),
    ],
    ['a duration from now', when({ 'context.time': { $before: '+7d' } })],
    [
      'claims of any name',
      claims({ 'https://acme.dev/groups': { $contains: 'x' }, '': 'x', $or: [{ a: 1 }] }),
    ],
  ])('is left alone where it may be so: %s', (_, change) => {
    judge(changed(change))
    expect(judge.errors).toBeNull()
  })
})

describe('whatever is dropped, renamed or given another type', () => {
  const places = (node: Json, path: (string | number)[] = []): (string | number)[][] => [
    ...(path.length === 0 ? [] : [path]),
    ...(typeof node === 'object' && node !== null
      ? Object.entries(node).flatMap(([key, member]) =>
          places(member as Json, [...path, Array.isArray(node) ? Number(key) : key]),
        )
      : []),
  ]
  const mutation = fc.oneof(
    fc.record({ kind: fc.constant('drop' as const) }),
    fc.record({ kind: fc.constant('rename' as const), to: fc.string({ minLength: 1, maxLength: 6 }) }),
    fc.record({
      kind: fc.constant('retype' as const),
      to: fc.oneof(
        fc.constantFrom<Json>(null, true, 7, 'text', [], {}, ['text'], [7], { text: 'text' }, [[]], [{}]),
        fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<Json>,
      ),
    }),
  )
  const verdicts = new Set<string>()

  test.each([
    ['example', example],
    ['demo', demo],
  ])('the editor refuses what has not the shape, and nothing that the parser takes: %s', (_, original) => {
    const everywhere = places(original)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(...everywhere), mutation), { minLength: 1, maxLength: 2 }),
        (changes) => {
          const document = structuredClone(original)
          for (const [path, change] of changes) {
            const key = path.at(-1) as string
            const parent = path
              .slice(0, -1)
              .reduce<Tree | undefined>((node, step) => node?.[step as string], document as unknown as Tree)
            if (typeof parent !== 'object' || parent === null || !(key in parent)) continue
            const value = parent[key]
            if (change.kind === 'retype') set(parent, key, change.to)
            else if (Array.isArray(parent)) parent.splice(Number(key), 1)
            else {
              delete parent[key]
              if (change.kind === 'rename' && change.to !== '__proto__') set(parent, change.to, value)
            }
          }
          const editor = editorRefuses(document)
          if (shapeRefuses(document)) expect(editor).toBe(true)
          if (editor) expect(parserRefuses(document)).toBe(true)
          verdicts.add(String(editor))
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('and it gave both answers', () => {
    expect([...verdicts].sort()).toEqual(['false', 'true'])
  })
})
