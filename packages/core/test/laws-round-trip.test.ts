/**
 * Laws of coming back: what is written and read again is what it was, to the byte.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { standingOf } from '../src/decide/access.ts'
import { snapshotOf } from '../src/decide/snapshot.ts'
import {
  canonicalJson,
  createEngine,
  type Json,
  loadSnapshot,
  type Policy,
  parsePolicy,
} from '../src/index.ts'
import { parsePolicy as parseYaml } from '../src/yaml.ts'
import { Dice, rollPrincipal, rollQuestion, world, worldPolicy } from './generators.ts'
import { lawRuns } from './runs.ts'
import { now, policyOf } from './support.ts'

const bytes = (value: unknown) => canonicalJson(value as Json)

function engineOf(policy: Policy) {
  return createEngine(policy, { environment: 'production', now: () => now })
}

test('a snapshot of a snapshot is the same snapshot', () => {
  fc.assert(
    fc.property(world, fc.nat(), (document, seed) => {
      const dice = new Dice(seed)
      const engine = engineOf(worldPolicy(document))
      for (let i = 0; i < 5; i++) {
        const snapshot = engine.for(rollPrincipal(dice)).snapshot()
        const again = loadSnapshot(JSON.stringify(snapshot), { now: () => now })
        expect(bytes(snapshotOf(standingOf(again).standing))).toBe(bytes(snapshot))
      }
    }),
    { numRuns: lawRuns(200) },
  )
})

test('a policy that is written down and read again has the same digest and the same warnings', () => {
  fc.assert(
    fc.property(world, (document) => {
      const policy = worldPolicy(document)
      const { digest } = policy.reference
      for (const written of [
        policy.document,
        JSON.stringify(policy.document),
        canonicalJson(policy.document as unknown as Json),
      ]) {
        const again = parsePolicy(written)
        expect(again.reference.digest).toBe(digest)
        expect(bytes(parsePolicy(again.document).document)).toBe(bytes(policy.document))
      }
      expect(parseYaml(JSON.stringify(policy.document, null, 2)).reference.digest).toBe(digest)
    }),
    { numRuns: lawRuns(100) },
  )
})

describe('the order of keys, statements, bindings, roles, actions and patterns', () => {
  test('changes no byte of the digest, of a decision, of its explanation, of a snapshot or of an ability', () => {
    fc.assert(
      fc.property(world, fc.nat(), (document, seed) => {
        const policy = worldPolicy(document)
        const other = policyOf(shuffled(policy.document as unknown as Json, new Dice(seed)) as never)
        expect(other.reference.digest).toBe(policy.reference.digest)
        const dice = new Dice(seed)
        const engines = [engineOf(policy), engineOf(other)] as const
        for (let i = 0; i < 2; i++) {
          const principal = rollPrincipal(dice)
          const [access, again] = [engines[0].for(principal), engines[1].for(principal)]
          expect(bytes(again.snapshot())).toBe(bytes(access.snapshot()))
          expect(again.scopes()).toEqual(access.scopes())
          for (const vocabulary of ['extended', 'mongo'] as const)
            expect(bytes(again.ability({ vocabulary }).rules)).toBe(
              bytes(access.ability({ vocabulary }).rules),
            )
          expect(bytes(again.patternsFor('read', 'model'))).toBe(bytes(access.patternsFor('read', 'model')))
          for (let j = 0; j < 6; j++) {
            const question = rollQuestion(dice)
            // Key order included, which is more than the canonical form asks for.
            expect(JSON.stringify(again.decide(question))).toBe(JSON.stringify(access.decide(question)))
            expect(JSON.stringify(again.explain(question))).toBe(JSON.stringify(access.explain(question)))
          }
        }
        expect(engines[1].scopes()).toEqual(engines[0].scopes())
      }),
      { numRuns: lawRuns(120) },
    )
  })
})

/** Lists in which order means something: operators' operands, and what examples expect. */
const ordered = new Set(['when', 'unless', 'require', 'claims', 'tests'])

/** The same document, with the keys of every mapping and the members of every set in another order. */
function shuffled(value: Json, dice: Dice, key = ''): Json {
  if (ordered.has(key)) return value
  if (Array.isArray(value)) return mixed(value as Json[], dice).map((item) => shuffled(item, dice))
  if (typeof value !== 'object' || value === null) return value
  const members = mixed(Object.entries(value), dice)
  return Object.fromEntries(members.map(([name, member]) => [name, shuffled(member, dice, name)]))
}

function mixed<T>(items: readonly T[], dice: Dice): T[] {
  const result = [...items]
  for (let i = result.length - 1; i > 0; i--) {
    const j = dice.below(i + 1)
    ;[result[i], result[j]] = [result[j] as T, result[i] as T]
  }
  return result
}
