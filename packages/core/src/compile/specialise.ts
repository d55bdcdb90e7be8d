/**
 * Partial evaluation: what is left of a condition once the principal is known.
 *
 * Tests on the principal become true, false or unknown; references to it become values. What remains
 * asks about the resource and the request only, so a snapshot of it tells nothing of anybody's claims
 * beyond the principal's own.
 *
 * @module
 */
import {
  type Condition,
  type FactPath,
  factName,
  type Root,
  type TestCondition,
} from '../policy/condition.ts'
import { parseMoment, parseTime } from '../policy/time.ts'
import type { Json, PrincipalShape } from '../types.ts'
import { compileCondition, elementFact } from './conditions.ts'
import { principalFact } from './facts.ts'

/** A condition, or a truth that nothing in the request can change. */
export type Residual = Condition | { readonly kind: 'constant'; readonly truth: boolean }

export function specialise(condition: Condition, principal: PrincipalShape): Residual {
  return reduce(condition, { roots: ['principal'], facts: (path) => principalFact(principal, path.name) })
}

/** The facts that are settled already: everything under `roots`. */
interface Known {
  readonly roots: readonly Root[]
  facts(path: FactPath): Json | undefined
}

function reduce(condition: Condition, known: Known): Residual {
  switch (condition.kind) {
    case 'test':
      return reduceTest(condition, known)
    case 'not': {
      const of = reduce(condition.of, known)
      if (of.kind === 'constant') return constant(!of.truth)
      return of.kind === 'unknown' ? of : { kind: 'not', of }
    }
    case 'element':
      return reduceElement(condition, known)
    case 'unknown':
      return condition
    default:
      return combine(
        condition.kind,
        condition.of.map((part) => reduce(part, known)),
      )
  }
}

function combine(kind: 'all' | 'any', parts: readonly Residual[]): Residual {
  const deciding = kind === 'any'
  const of: Condition[] = []
  for (const part of parts) {
    if (part.kind !== 'constant') of.push(part)
    else if (part.truth === deciding) return part
  }
  if (of.length === 0) return constant(!deciding)
  return of.length === 1 && of[0] !== undefined ? of[0] : { kind, of }
}

function reduceElement(condition: Extract<Condition, { kind: 'element' }>, known: Known): Residual {
  if (known.roots.includes(condition.path.root)) {
    const list = known.facts(condition.path)
    if (!Array.isArray(list)) return unknown(condition.path)
    // One element has to match: the condition on each, with that element's members known.
    return combine(
      'any',
      (list as readonly Json[]).map((element) =>
        reduce(condition.of, {
          roots: [...known.roots, 'element'],
          facts: (path) => (path.root === 'element' ? elementFact(element, path.name) : known.facts(path)),
        }),
      ),
    )
  }
  const of = reduce(condition.of, { ...known, roots: known.roots.filter((root) => root !== 'element') })
  return { ...condition, of: of.kind === 'constant' ? { kind: of.truth ? 'all' : 'any', of: [] } : of }
}

function reduceTest(test: TestCondition, known: Known): Residual {
  const reference = 'ref' in test.operand ? test.operand.ref : undefined
  const referenceKnown = reference === undefined || known.roots.includes(reference.root)
  if (known.roots.includes(test.path.root)) {
    const fromNow = relativeMoment(test)
    if (fromNow !== undefined) return sinceThen(test, fromNow, known)
    if (referenceKnown) return settle(test, known)
    const value = known.facts(test.path)
    return value === undefined ? unknown(test.path) : { ...test, known: value }
  }
  if (reference === undefined || !referenceKnown) return test
  const value = known.facts(reference)
  return value === undefined ? unknown(reference) : { ...test, operand: { literal: value } }
}

function settle(test: TestCondition, known: Known): Residual {
  const missing = new Set<string>()
  const truth = compileCondition(test, (path) => () => known.facts(path))(undefined, missing)
  if (truth !== undefined) return constant(truth)
  // Nothing is missing when a value is there but of another kind than the test compares.
  return { kind: 'unknown', facts: missing.size > 0 ? [...missing] : [factName(test.path)] }
}

function relativeMoment(test: TestCondition): number | undefined {
  if (test.operator !== '$before' && test.operator !== '$after') return undefined
  const literal = 'literal' in test.operand ? test.operand.literal : undefined
  const moment = typeof literal === 'string' ? parseMoment(literal) : undefined
  return moment !== undefined && 'fromNow' in moment ? moment.fromNow : undefined
}

/** A known time against now + x is the request's time against that time − x. */
function sinceThen(test: TestCondition, fromNow: number, known: Known): Residual {
  const told = known.facts(test.path)
  const time = typeof told === 'string' ? parseTime(told) : told
  if (typeof time !== 'number') return unknown(test.path)
  return {
    kind: 'test',
    path: { root: 'context', name: 'time' },
    operator: test.operator === '$before' ? '$after' : '$before',
    operand: { literal: time - fromNow },
  }
}

function constant(truth: boolean): Residual {
  return { kind: 'constant', truth }
}

function unknown(path: FactPath): Condition {
  return { kind: 'unknown', facts: [factName(path)] }
}
