/**
 * Laws of reading: whatever comes in, there is a value or a typed error.
 */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HfAuthError, loadSnapshot, PolicyError, parsePolicy } from '../src/index.ts'
import { parseJson } from '../src/json.ts'
import { parsePolicy as parseYaml } from '../src/yaml.ts'
import { Dice, world, worldDocument, worldPolicy } from './generators.ts'
import { mutate } from './mutations.ts'
import { inFull, lawRuns } from './runs.ts'
import { policyOf } from './support.ts'

const example = readFileSync(new URL('./example.policy.yaml', import.meta.url), 'utf8')
const exampleAsJson = JSON.stringify(parseYaml(example, { variables: { HF_CLIENT_ID: 'app' } }).document)

/** Counts what could be read; anything but the expected kind of error fails. */
function reads(read: () => unknown, kind: new (...args: never[]) => HfAuthError): boolean {
  try {
    read()
    return true
  } catch (error) {
    if (!(error instanceof kind)) throw error
    if (error instanceof PolicyError) {
      expect(error.faults.length).toBeGreaterThan(0)
      for (const { line, column } of error.faults) {
        expect(line).toBeGreaterThan(0)
        expect(column).toBeGreaterThan(0)
      }
    }
    return false
  }
}

describe('parsing throws nothing but a PolicyError with a place', () => {
  test('for any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        reads(() => parsePolicy(value as never), PolicyError)
        reads(() => parsePolicy(JSON.stringify(value)), PolicyError)
        reads(() => parseYaml(JSON.stringify(value)), PolicyError)
      }),
      { numRuns: lawRuns(1000) },
    )
  })

  test('for any value where a policy expects one of its own', () => {
    const sections = [
      'version',
      'name',
      'issuers',
      'environments',
      'resources',
      'projects',
      'scopes',
      'roles',
      'bindings',
      'deny',
      'routes',
      'invariants',
      'tests',
    ]
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 4 }),
      fc.dictionary(
        fc.constantFrom('a', 'hf', 'x', 'actions', 'on', 'to', 'roles', '__proto__', 'constructor'),
        fc.jsonValue({ maxDepth: 3 }),
      ),
      fc.array(
        fc.record(
          {
            actions: fc.jsonValue({ maxDepth: 1 }),
            on: fc.array(fc.string()),
            when: fc.jsonValue({ maxDepth: 3 }),
            roles: fc.array(fc.string()),
            to: fc.jsonValue({ maxDepth: 2 }),
          },
          { requiredKeys: [] },
        ),
      ),
    )
    fc.assert(
      fc.property(fc.constantFrom(...sections), odd, (section, value) => {
        reads(() => policyOf({ [section]: value } as never), PolicyError)
      }),
      { numRuns: lawRuns(2000) },
    )
  })

  test('for any condition', () => {
    const key = fc.constantFrom(
      'resource.private',
      'principal.groups',
      'context.ip',
      'resource.',
      '$and',
      '$or',
      '$not',
      '$eq',
      '$in',
      '$lt',
      '$all',
      '$size',
      '$elemMatch',
      '$glob',
      '$cidr',
      '$before',
      '$exists',
      '$ref',
      '$unknown',
      '$known',
      '__proto__',
      'is',
    )
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 3 }),
        fc.array(tie('tree'), { maxLength: 3 }),
      ),
    }))
    let read = 0
    fc.assert(
      fc.property(fc.dictionary(key, tree, { maxKeys: 3 }), (when) => {
        const statement = { actions: ['read'], on: ['model:**'], when: when as never }
        if (reads(() => policyOf({ deny: [statement] }), PolicyError)) read += 1
      }),
      { numRuns: lawRuns(2000) },
    )
    if (inFull) expect(read).toBeGreaterThan(0)
  })

  test('for any text, and for texts that are almost policies', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.nat(), (text, seed) => {
        reads(() => parsePolicy(text), PolicyError)
        reads(() => parseYaml(text), PolicyError)
        const dice = new Dice(seed)
        reads(() => parseYaml(mutate(example, dice), { variables: { HF_CLIENT_ID: 'app' } }), PolicyError)
        reads(() => parsePolicy(mutate(exampleAsJson, dice)), PolicyError)
      }),
      { numRuns: lawRuns(300) },
    )
  })

  test('for policies with any one of their parts exchanged', () => {
    fc.assert(
      fc.property(world, fc.nat(), (document, seed) => {
        const text = JSON.stringify(worldDocument(document))
        reads(() => parsePolicy(JSON.stringify(worldPolicy(document).document)), PolicyError)
        reads(() => parsePolicy(mutate(text, new Dice(seed))), PolicyError)
      }),
      { numRuns: lawRuns(200) },
    )
  })
})

describe('other readers throw nothing but their typed error', () => {
  test('the JSON reader takes what JSON.parse takes, or refuses it, and never more', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.json(),
          fc.tuple(fc.json(), fc.nat()).map(([text, seed]) => mutate(text, new Dice(seed))),
        ),
        (text) => {
          if (reads(() => parseJson(text), HfAuthError)) {
            expect(JSON.stringify(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)))
          }
        },
      ),
      { numRuns: lawRuns(2000) },
    )
  })

  test('a snapshot is loaded or refused', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.anything(), fc.string(), (value, thing, text) => {
        reads(() => loadSnapshot(value), HfAuthError)
        reads(() => loadSnapshot(thing), HfAuthError)
        reads(() => loadSnapshot(text), HfAuthError)
      }),
      { numRuns: lawRuns(1000) },
    )
  })
})
