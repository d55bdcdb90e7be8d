/** Laws of the ability that CASL's users get, over the whole language: it never opens what `can` keeps shut. */
import { createMongoAbility, subject } from '@casl/ability'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalId, createEngine, type Resource } from '../src/index.ts'
import { Dice, rollPrincipal, rollQuestion, world, worldPolicy } from './generators.ts'
import { inFull, lawRuns } from './runs.ts'
import { now } from './support.ts'

/** A row of a table: the canonical id, its two halves, and whatever was told. */
function rowOf({ type, id, attributes }: Resource) {
  const canonical = canonicalId(type, id)
  if (canonical === undefined) return undefined
  const slash = canonical.indexOf('/')
  return subject(type, {
    id: canonical,
    owner: canonical.slice(0, Math.max(0, slash)),
    name: canonical.slice(slash + 1),
    ...attributes,
  } as object)
}

/** A text where a list was declared is unknown to us and just another value to CASL, which has no word for kinds. */
function isOfDeclaredTypes({ attributes }: Resource): boolean {
  return attributes?.tags === undefined || Array.isArray(attributes.tags)
}

test('neither our own rules nor those in CASL’s own vocabulary say yes where `can` says no', () => {
  let allowed = 0
  let found = 0
  fc.assert(
    fc.property(world, fc.nat(), (document, seed) => {
      const dice = new Dice(seed)
      const engine = createEngine(worldPolicy(document), { environment: 'production', now: () => now })
      for (let i = 0; i < 3; i++) {
        const access = engine.for(rollPrincipal(dice))
        for (let j = 0; j < 8; j++) {
          const { action, resource, context = {} } = rollQuestion(dice)
          if (typeof resource === 'string') continue
          const row = rowOf(resource)
          if (row === undefined) continue
          const expected = access.can(action, resource, context)
          const ours = access.ability({ context }).can(action, row as never)
          const { rules } = access.ability({ context, vocabulary: 'mongo' })
          const theirs = createMongoAbility(JSON.parse(JSON.stringify(rules)), {
            anyAction: '*',
            anySubjectType: '**',
          }).can(action, row as never)
          const shown = () => JSON.stringify({ action, resource, context })
          if (ours) expect(expected, shown()).toBe(true)
          if (theirs && isOfDeclaredTypes(resource)) expect(expected, shown()).toBe(true)
          if (expected) allowed += 1
          if (ours) found += 1
        }
      }
    }),
    { numRuns: lawRuns(400) },
  )
  if (inFull) expect(Math.min(allowed, found)).toBeGreaterThan(100)
})
