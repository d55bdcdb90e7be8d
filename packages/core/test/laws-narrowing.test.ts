/**
 * Laws of narrowing: whatever takes away never opens, and whatever gives never closes but through a denial.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createEngine,
  type Decision,
  type PolicyDocument,
  type Principal,
  type Question,
} from '../src/index.ts'
import {
  anyBinding,
  Dice,
  rollPrincipal,
  rollQuestion,
  type WorldDocument,
  world,
  worldDocument,
} from './generators.ts'
import { inFull, lawRuns } from './runs.ts'
import { now, policyOf } from './support.ts'

type Environment = PolicyDocument['environments'][string]

interface Pair {
  readonly question: Question
  readonly before: Decision
  readonly after: Decision
}

/** The same questions of the same people, under two policies. */
function* both(
  before: Partial<PolicyDocument>,
  after: Partial<PolicyDocument>,
  seed: number,
): Iterable<Pair> {
  const [first, second] = [before, after].map((parts) =>
    createEngine(policyOf(parts), { environment: 'production', now: () => now }),
  )
  const dice = new Dice(seed)
  for (let i = 0; i < 3; i++) {
    const principal: Principal = rollPrincipal(dice)
    const accesses = [first, second].map((engine) => engine?.for(principal))
    for (let j = 0; j < 10; j++) {
      const { environment: _, ...question } = rollQuestion(dice)
      const [asked, askedAgain] = accesses.map((access) => access?.decide(question))
      if (asked !== undefined && askedAgain !== undefined)
        yield { question, before: asked, after: askedAgain }
    }
  }
}

function inEnvironment(document: WorldDocument, environment: Environment): Partial<PolicyDocument> {
  return { environments: { production: environment, development: {} }, ...withoutEnvironments(document) }
}

/** Statements that the narrower ceiling leaves, so that both policies are free of faults. */
function withoutEnvironments(document: WorldDocument): Partial<PolicyDocument> {
  const { environments: _, ...rest } = worldDocument(document)
  return rest
}

const allActions = ['read', 'infer', 'write', 'discuss', 'delete', 'edit']

describe('what takes away never opens', () => {
  test('a narrower ceiling', () => {
    let closed = 0
    fc.assert(
      fc.property(
        world,
        fc.subarray(allActions, { minLength: 1 }),
        fc.subarray(allActions),
        fc.nat(),
        (document, narrow, more, seed) => {
          const { actions: _, ...rest } = document.environment
          const narrowed = { ...document, environment: { ...rest, actions: narrow } }
          const wider = [rest, { ...rest, actions: [...new Set([...narrow, ...more])] }]
          for (const environment of wider) {
            const pairs = both(
              inEnvironment(narrowed, environment),
              inEnvironment(narrowed, narrowed.environment),
              seed,
            )
            for (const { question, before, after } of pairs) {
              expect(!before.allowed && after.allowed, JSON.stringify(question)).toBe(false)
              if (before.allowed && !after.allowed) {
                closed += 1
                expect(after.reason).toBe('environment_ceiling')
              }
            }
          }
        },
      ),
      { numRuns: lawRuns(250) },
    )
    if (inFull) expect(closed).toBeGreaterThan(0)
  })

  test.each<[string, Environment, readonly string[]]>([
    ['a requirement', { require: { 'principal.mfa': true } }, ['step_up_required']],
    ['an age limit', { maxTokenAge: '1m' }, ['token_too_old']],
    [
      'both',
      { require: { 'principal.claims.level': { $gte: 2 } }, maxTokenAge: '15m' },
      ['step_up_required', 'token_too_old'],
    ],
  ])('%s', (_, added, reasons) => {
    let closed = 0
    fc.assert(
      fc.property(world, fc.nat(), (document, seed) => {
        const { actions } = document.environment
        const environment = actions === undefined ? {} : { actions }
        const pairs = both(
          inEnvironment(document, environment),
          inEnvironment(document, { ...environment, ...added }),
          seed,
        )
        for (const { question, before, after } of pairs) {
          expect(!before.allowed && after.allowed, JSON.stringify(question)).toBe(false)
          if (before.allowed && !after.allowed) {
            closed += 1
            expect(reasons).toContain(after.reason)
          }
        }
      }),
      { numRuns: lawRuns(150) },
    )
    if (inFull) expect(closed).toBeGreaterThan(0)
  })
})

test('one more binding never closes, except through a denial of a role it gives', () => {
  let opened = 0
  fc.assert(
    fc.property(world, anyBinding, fc.nat(), (document, extra, seed) => {
      const before = worldDocument(document)
      const bindings = [...document.bindings, { ...extra, from: '2026-01-01T00:00:00Z' }]
      for (const pair of both(before, { ...before, bindings }, seed)) {
        if (pair.before.allowed && !pair.after.allowed) expect(pair.after.reason).toBe('explicit_deny')
        if (!pair.before.allowed && pair.after.allowed) opened += 1
        for (const role of pair.before.roles) expect(pair.after.roles).toContain(role)
      }
    }),
    { numRuns: lawRuns(250) },
  )
  if (inFull) expect(opened).toBeGreaterThan(0)
})
