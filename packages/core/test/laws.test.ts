/**
 * Laws: what holds of every policy and question, not of chosen ones.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createEngine, type Decision, type DecisionReason, type Question } from '../src/index.ts'
import { askAround } from './agreement.ts'
import {
  claims,
  distinct,
  parts,
  question,
  type StatementDocument,
  statement,
  toPolicy,
  world,
  worldPolicy,
} from './generators.ts'
import { inFull, lawRuns } from './runs.ts'
import { now, principalOf } from './support.ts'

function ask(document: Parameters<typeof toPolicy>[0], principalClaims: object, asked: Question) {
  const policy = toPolicy(document)
  const principal = principalOf('oidc', principalClaims as never)
  const access = createEngine(policy, { environment: 'production', now: () => now }).for(principal)
  return { policy, principal, access, decision: access.decide(asked) }
}

const runs = { numRuns: lawRuns(2000) }

const reasons: readonly DecisionReason[] = [
  'unknown_environment',
  'unknown_action',
  'unknown_resource_type',
  'invalid_resource',
  'authentication_required',
  'token_too_old',
  'step_up_required',
  'explicit_deny',
  'environment_ceiling',
  'no_matching_rule',
  'condition_unknown',
  'insufficient_scope',
  'allowed',
]

describe('for every policy, principal and question', () => {
  test('the engine answers as the obvious evaluator does, to the byte, and every way of asking agrees, over 100,000 questions', () => {
    const seen = new Map<string, number>()
    let policies = 0
    fc.assert(
      fc.property(world, fc.nat(), (document, seed) => {
        policies += 1
        askAround(worldPolicy(document), seed, { principals: 4, questions: 28 }, seen)
      }),
      { numRuns: lawRuns(900) },
    )
    const questions = [...seen.values()].reduce((sum, count) => sum + count, 0)
    console.log(`${questions} questions on ${policies} policies`, Object.fromEntries(seen))
    if (!inFull) return
    expect(questions).toBeGreaterThanOrEqual(100_000)
    // The law says something of each of these, not only of the common ones.
    for (const reason of reasons) expect(seen.get(reason) ?? 0, reason).toBeGreaterThan(100)
  })

  test('adding a denial never opens', () => {
    fc.assert(
      fc.property(parts, claims, question, statement, (document, principalClaims, asked, extra) => {
        const before = ask(document, principalClaims, asked).decision
        const deny = [...document.deny.filter((s) => JSON.stringify(s) !== JSON.stringify(extra)), extra]
        const after = ask({ ...document, deny: distinct(deny) }, principalClaims, asked).decision
        expect(!before.allowed && after.allowed).toBe(false)
      }),
      runs,
    )
  })

  test('removing an allow never opens', () => {
    fc.assert(
      fc.property(parts, claims, question, (document, principalClaims, asked) => {
        const before = ask(document, principalClaims, asked).decision
        const roles = {
          ...document.roles,
          b: { ...document.roles.b, allow: document.roles.b.allow.slice(1) },
        }
        const after = ask({ ...document, roles }, principalClaims, asked).decision
        expect(!before.allowed && after.allowed).toBe(false)
      }),
      runs,
    )
  })

  test('telling less of the resource never opens', () => {
    fc.assert(
      fc.property(parts, claims, question, (document, principalClaims, asked) => {
        const { access, decision } = ask(document, principalClaims, asked)
        const { type, id } = asked.resource as { type: string; id: string }
        if (!decision.allowed) {
          const known = access.likelihood(asked.action, asked.resource, asked.context)
          if (known === 'deny') expect(access.can(asked.action, { type, id }, asked.context)).toBe(false)
        }
        if (access.likelihood(asked.action, { type, id }) === 'deny') expect(decision.allowed).toBe(false)
        if (access.likelihood(asked.action, { type, id }, asked.context) === 'allow')
          expect(decision.allowed).toBe(true)
      }),
      runs,
    )
  })

  test('the order of anything in the file changes nothing, to the byte', () => {
    fc.assert(
      fc.property(parts, claims, question, (document, principalClaims, asked) => {
        const reversed = {
          ...document,
          deny: [...document.deny].reverse().map(reverseSets),
          roles: Object.fromEntries(
            Object.entries(document.roles)
              .reverse()
              .map(([name, role]) => [name, { ...role, allow: [...role.allow].reverse().map(reverseSets) }]),
          ) as typeof document.roles,
        }
        const bytes = (decision: Decision) => JSON.stringify(decision)
        expect(bytes(ask(reversed, principalClaims, asked).decision)).toBe(
          bytes(ask(document, principalClaims, asked).decision),
        )
      }),
      runs,
    )
  })
})

function reverseSets(document: StatementDocument): StatementDocument {
  return { ...document, actions: [...document.actions].reverse(), on: [...document.on].reverse() }
}
