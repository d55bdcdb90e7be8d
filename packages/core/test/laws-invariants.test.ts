/**
 * Laws of proofs: whoever asks, what is proved is never allowed, and what is broken is.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Proof, proveInvariants } from '../src/analysis/index.ts'
import { createEngine, type Engine, type Policy, type PolicyDocument, type Principal } from '../src/index.ts'
import {
  anyBinding,
  Dice,
  rollPrincipal,
  rollQuestion,
  type WorldDocument,
  world,
  worldPolicy,
} from './generators.ts'
import { inFull, lawRuns } from './runs.ts'
import { world as smallWorld } from './small-worlds.ts'
import { now, policyOf } from './support.ts'

type Invariant = NonNullable<PolicyDocument['invariants']>[number]

const everyone = [{ issuer: ['huggingface', 'okta', 'github-actions', 'oidc'] }, { anonymous: true as const }]
const subject = anyBinding.map(({ to }) => to)
const invariant: fc.Arbitrary<Invariant> = fc.record(
  {
    name: fc.constant('never'),
    never: fc.record({
      actions: fc.constantFrom(['read'], ['write', 'delete'], ['*'], ['infer'], ['discuss'], ['edit']),
      on: fc.constantFrom(
        ['**'],
        ['model:acme/**'],
        ['model:acme/x'],
        ['dataset:**'],
        ['prompt:Team/*'],
        ['**:${principal.username}/**'],
        ['model:other/*', 'space:**'],
      ),
    }),
    for: subject,
  },
  { requiredKeys: ['name', 'never'] },
)

/** An engine that allows what the invariant forbids and nothing else. */
function forbidden({ never, for: to }: Invariant): Engine {
  const policy = policyOf({
    resources: { prompt: { actions: ['read', 'edit'] } },
    roles: { forbidden: { allow: [never] } },
    bindings: (to === undefined ? everyone : [to]).map((each) => ({ roles: ['forbidden'], to: each })),
  })
  return createEngine(policy, { environment: 'production', now: () => now })
}

function production(policy: Policy): Proof {
  const [proof] = proveInvariants(policy, { now })
  if (proof === undefined) throw new Error('nothing was proved')
  return proof
}

const counts = () => ({ proved: 0, broken: 0, unknown: 0 })

function count(seen: ReturnType<typeof counts>, { holds }: Proof): void {
  seen[holds === true ? 'proved' : holds === false ? 'broken' : 'unknown'] += 1
}

function expectSettled(seen: ReturnType<typeof counts>): void {
  console.log('proofs', seen)
  if (!inFull) return
  expect(seen.proved).toBeGreaterThan(20)
  expect(seen.broken).toBeGreaterThan(20)
  expect(seen.unknown / (seen.proved + seen.broken + seen.unknown)).toBeLessThan(0.02)
}

test('what is proved is allowed to nobody who asks, what is broken is allowed by the engine, and little is unknown', () => {
  const seen = counts()
  const law = (document: WorldDocument, never: Invariant, seed: number) => {
    const policy = worldPolicy(document, { invariants: [never] })
    const engine = createEngine(policy, { environment: 'production', now: () => now })
    const about = forbidden(never)
    const proof = production(policy)
    count(seen, proof)
    if (proof.holds === false) expect(proof.counterexample.decision.reason).toBe('allowed')
    if (proof.holds !== true) return
    const dice = new Dice(seed)
    for (let i = 0; i < 12; i++) {
      const principal = rollPrincipal(dice)
      for (let j = 0; j < 24; j++) {
        const { action, resource, context } = rollQuestion(dice)
        const isAllowed = [about, engine].every((each) => each.for(principal).can(action, resource, context))
        expect(isAllowed, JSON.stringify({ principal, action, resource, context })).toBe(false)
      }
    }
  }
  fc.assert(fc.property(world, invariant, fc.nat(), law), { numRuns: lawRuns(250) })
  expectSettled(seen)
})

test('what somebody is seen to be allowed is never proved to be impossible', () => {
  const seen = counts()
  const law = (document: WorldDocument, subjects: NonNullable<Invariant['for']>[], seed: number) => {
    const dice = new Dice(seed)
    const engine = createEngine(worldPolicy(document), { environment: 'production', now: () => now })
    for (let i = 0; i < 30; i++) {
      const principal = rollPrincipal(dice)
      const { action, resource, context } = rollQuestion(dice)
      const decision = engine.for(principal).decide({ action, resource, ...(context && { context }) })
      if (!decision.allowed) continue
      const on = [
        dice.of([decision.resource, decision.resource, `${decision.resource.split(':')[0]}:**`, '**']),
      ]
      const to = dice.of([undefined, ...subjects.filter((each) => isMeant(each, principal))])
      const never = { name: 'never', never: { actions: [action], on }, ...(to && { for: to }) }
      const proof = production(worldPolicy(document, { invariants: [never] }))
      count(seen, proof)
      expect(proof.holds, JSON.stringify({ principal, action, resource, context, to })).not.toBe(true)
    }
  }
  const subjects = fc.array(subject, { minLength: 8, maxLength: 8 })
  fc.assert(fc.property(world, subjects, fc.nat(), law), { numRuns: lawRuns(200) })
  console.log('proofs', seen)
  if (inFull) expect(seen.unknown).toBeLessThanOrEqual(seen.broken * 0.02)
})

function isMeant(to: NonNullable<Invariant['for']>, principal: Principal): boolean {
  const about = forbidden({ name: 'never', never: { actions: ['*'], on: ['**'] }, for: to })
  return about.for(principal).roles().length > 0
}

test('in small worlds little is unknown either', () => {
  const seen = counts()
  const law = (policy: Policy, { never, for: to }: Invariant) => {
    const { issuers: _, ...parts } = policy.document
    const invariants = [{ name: 'never', never, ...(to && { for: to }) }]
    const known = invariants.filter(({ never: { actions } }) => !actions.includes('edit'))
    if (known.length > 0) count(seen, production(policyOf({ ...parts, invariants: known })))
  }
  fc.assert(fc.property(smallWorld, invariant, law), { numRuns: lawRuns(300) })
  expectSettled(seen)
})
