/**
 * Judging conditions, in three values: true, false, and unknown (`undefined`) when a fact is missing
 * or cannot be compared.
 *
 * Kleene's strong logic: an unknown part leaves the whole unknown unless the other parts decide it.
 *
 * @module
 */
import { matchGlob, parseGlob } from '../internal/glob.ts'
import { inRange, parseCidr, parseIp } from '../internal/ip.ts'
import { type Condition, type FactPath, factName, type TestCondition } from '../policy/condition.ts'
import { parseMoment, parseTime } from '../policy/time.ts'
import type { Json } from '../types.ts'
import { type FactSource, walk } from './facts.ts'

/** True, false, or unknown. */
export type Truth = boolean | undefined

/**
 * Judges a condition. Unknown facts are added to `missing` as `resource.gated`.
 *
 * The time that relative moments count from is the fact `context.time`, in epoch milliseconds.
 */
export function judge(condition: Condition, facts: FactSource, missing?: Set<string>): Truth {
  switch (condition.kind) {
    case 'test':
      return judgeTest(condition, facts, missing)
    case 'not': {
      const truth = judge(condition.of, facts, missing)
      return truth === undefined ? undefined : !truth
    }
    case 'element':
      return judgeElement(condition, facts, missing)
    case 'unknown':
      for (const name of condition.facts) missing?.add(name)
      return undefined
    default: {
      // `all` is decided by a false part, `any` by a true one.
      const deciding = condition.kind === 'any'
      const found = missing && new Set<string>()
      let result: Truth = !deciding
      for (const part of condition.of) {
        const truth = judge(part, facts, found)
        if (truth === deciding) return deciding
        if (truth === undefined) result = undefined
      }
      if (found !== undefined) for (const name of found) missing?.add(name)
      return result
    }
  }
}

function judgeElement(
  condition: Extract<Condition, { kind: 'element' }>,
  facts: FactSource,
  missing?: Set<string>,
): Truth {
  const list = lookUp(condition.path, facts, missing)
  if (!Array.isArray(list)) return undefined
  let result: Truth = false
  for (const element of list as readonly Json[]) {
    const truth = judge(condition.of, (path) =>
      path.root === 'element' ? elementFact(element, path.name) : facts(path),
    )
    if (truth === true) return true
    if (truth === undefined) result = undefined
  }
  return result
}

/** A member of a list's element; the element itself is not asked for by name. */
export function elementFact(element: Json, name: string): Json | undefined {
  return typeof element === 'object' && element !== null && !Array.isArray(element)
    ? walk(element as { [name: string]: Json }, name)
    : undefined
}

function judgeTest(test: TestCondition, facts: FactSource, missing?: Set<string>): Truth {
  const literal = 'literal' in test.operand
  if (test.operator === '$exists')
    return (facts(test.path) !== undefined) === (literal && test.operand.literal)
  const value = test.known ?? lookUp(test.path, facts, missing)
  const operand = 'literal' in test.operand ? test.operand.literal : lookUp(test.operand.ref, facts, missing)
  if (value === undefined || operand === undefined) return undefined
  return compare(test.operator, value, operand, facts)
}

function lookUp(path: FactPath, facts: FactSource, missing?: Set<string>): Json | undefined {
  const value = facts(path)
  if (value === undefined || value === null) {
    missing?.add(factName(path))
    return undefined
  }
  return value
}

function compare(operator: TestCondition['operator'], value: Json, operand: Json, facts: FactSource): Truth {
  switch (operator) {
    case '$eq':
      return equals(value, operand)
    case '$ne':
      return !equals(value, operand)
    case '$in':
      return Array.isArray(operand) ? operand.some((item) => equals(value, item)) : undefined
    case '$nin':
      return Array.isArray(operand) ? !operand.some((item) => equals(value, item)) : undefined
    case '$contains':
      return Array.isArray(value) ? value.some((item) => equals(item, operand)) : undefined
    case '$all':
      return Array.isArray(value) && Array.isArray(operand)
        ? operand.every((wanted) => value.some((item) => equals(item, wanted)))
        : undefined
    case '$size':
      return Array.isArray(value) ? value.length === operand : undefined
    case '$lt':
    case '$lte':
    case '$gt':
    case '$gte':
      return inOrder(operator, value, operand)
    case '$glob':
      return typeof value === 'string' && typeof operand === 'string'
        ? matchGlob(globOf(operand), value)
        : undefined
    case '$cidr':
      return judgeRange(value, operand)
    case '$before':
    case '$after':
      return judgeTime(operator, value, operand, facts)
    case '$exists':
      return undefined
  }
}

/** As CASL compares: a plain operand equals a list that has it. */
function equals(value: Json, operand: Json): boolean {
  if (Array.isArray(value) && !Array.isArray(operand)) return value.some((item) => same(item, operand))
  return same(value, operand)
}

function same(a: Json, b: Json): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, i) => same(item, b[i] as Json))
  return false
}

function inOrder(operator: '$lt' | '$lte' | '$gt' | '$gte', value: Json, operand: Json): Truth {
  const comparable =
    (typeof value === 'number' && typeof operand === 'number') ||
    (typeof value === 'string' && typeof operand === 'string')
  if (!comparable) return undefined
  switch (operator) {
    case '$lt':
      return value < operand
    case '$lte':
      return value <= operand
    case '$gt':
      return value > operand
    case '$gte':
      return value >= operand
  }
}

function judgeRange(value: Json, operand: Json): Truth {
  const address = typeof value === 'string' ? parseIp(value) : undefined
  if (address === undefined) return undefined
  return [operand].flat().some((text) => {
    const range = typeof text === 'string' ? parseCidr(text) : undefined
    return range !== undefined && inRange(address, range)
  })
}

function judgeTime(operator: '$before' | '$after', value: Json, operand: Json, facts: FactSource): Truth {
  const time = readTime(value)
  const limit = readLimit(operand, facts)
  if (time === undefined || limit === undefined) return undefined
  return operator === '$before' ? time < limit : time > limit
}

/** Epoch milliseconds of an RFC 3339 text, or of a number that is already that. */
function readTime(value: Json): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? parseTime(value) : undefined
}

function readLimit(operand: Json, facts: FactSource): number | undefined {
  const moment = typeof operand === 'string' ? parseMoment(operand) : undefined
  if (moment === undefined) return readTime(operand)
  if ('at' in moment) return moment.at
  const now = facts({ root: 'context', name: 'time' })
  return typeof now === 'number' ? now + moment.fromNow : undefined
}

const globs = new Map<string, ReturnType<typeof parseGlob>>()

/** Patterns come from the policy, never from a request, so that there are only so many of them. */
function globOf(pattern: string): ReturnType<typeof parseGlob> {
  let parts = globs.get(pattern)
  if (parts === undefined) {
    if (globs.size >= 10_000) globs.clear()
    parts = parseGlob(pattern)
    globs.set(pattern, parts)
  }
  return parts
}
