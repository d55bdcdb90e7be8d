/**
 * Conditions, compiled: a tree becomes one function that answers in three values, true, false, or
 * unknown (`undefined`) when a fact is missing or cannot be compared.
 *
 * Kleene's strong logic: an unknown part leaves the whole unknown unless the other parts decide it.
 * What is fixed in a condition (globs, ranges, times) is read once, here, and not at each question.
 *
 * @module
 */
import { matchGlob, parseGlob } from '../internal/glob.ts'
import { type IpRange, inRange, parseCidr, parseIp } from '../internal/ip.ts'
import { type Condition, type FactPath, factName, type TestCondition } from '../policy/condition.ts'
import { parseMoment, parseTime } from '../policy/time.ts'
import type { Json } from '../types.ts'
import { walk } from './facts.ts'

/** True, false, or unknown. */
export type Truth = boolean | undefined

/** Judges facts; those that were needed and not known are added to `missing` as `resource.gated`. */
export type Judge<Facts> = (facts: Facts, missing?: Set<string>) => Truth

/** Finds out once how a fact is looked up; what it gives is called for each question. */
export type FactReader<Facts> = (path: FactPath) => (facts: Facts) => Json | undefined

/** The time that relative moments count from is the fact `context.time`, in epoch milliseconds. */
export function compileCondition<Facts>(condition: Condition, reader: FactReader<Facts>): Judge<Facts> {
  switch (condition.kind) {
    case 'test':
      return compileTest(condition, reader)
    case 'not': {
      const of = compileCondition(condition.of, reader)
      return (facts, missing) => {
        const truth = of(facts, missing)
        return truth === undefined ? undefined : !truth
      }
    }
    case 'element':
      return compileElement(condition, reader)
    case 'unknown':
      return (_, missing) => {
        for (const name of condition.facts) missing?.add(name)
        return undefined
      }
    default:
      return combine(
        condition.kind === 'any',
        condition.of.map((part) => compileCondition(part, reader)),
      )
  }
}

/** `all` is decided by a false part, `any` by a true one; what was missing counts only when nothing decided. */
function combine<Facts>(deciding: boolean, parts: readonly Judge<Facts>[]): Judge<Facts> {
  return (facts, missing) => {
    const found = missing === undefined ? undefined : new Set<string>()
    let result: Truth = !deciding
    for (const part of parts) {
      const truth = part(facts, found)
      if (truth === deciding) return deciding
      if (truth === undefined) result = undefined
    }
    if (found !== undefined) for (const name of found) missing?.add(name)
    return result
  }
}

interface WithElement<Facts> {
  readonly outer: Facts
  readonly element: Json
}

function compileElement<Facts>(
  condition: Extract<Condition, { kind: 'element' }>,
  reader: FactReader<Facts>,
): Judge<Facts> {
  const readList = reader(condition.path)
  const name = factName(condition.path)
  const judgeElement = compileCondition<WithElement<Facts>>(condition.of, (path) => {
    if (path.root === 'element') return ({ element }) => elementFact(element, path.name)
    const outer = reader(path)
    return (facts) => outer(facts.outer)
  })
  return (facts, missing) => {
    const list = readList(facts)
    if (list === undefined) missing?.add(name)
    if (!Array.isArray(list)) return undefined
    let result: Truth = false
    for (const element of list as readonly Json[]) {
      const truth = judgeElement({ outer: facts, element })
      if (truth === true) return true
      if (truth === undefined) result = undefined
    }
    return result
  }
}

/** A member of a list's element; the element itself is not asked for by name. */
export function elementFact(element: Json, name: string): Json | undefined {
  return typeof element === 'object' && element !== null && !Array.isArray(element)
    ? walk(element as { [name: string]: Json }, name)
    : undefined
}

function compileTest<Facts>(test: TestCondition, reader: FactReader<Facts>): Judge<Facts> {
  const { known, operator, operand } = test
  const name = factName(test.path)
  const readValue = known === undefined ? reader(test.path) : () => known
  if (operator === '$exists') {
    const wanted = 'literal' in operand && operand.literal === true
    return (facts) => (readValue(facts) !== undefined) === wanted
  }
  const readNow = reader({ root: 'context', name: 'time' })
  if ('literal' in operand) {
    const compare = comparison(operator, operand.literal, readNow)
    return (facts, missing) => {
      const value = readValue(facts)
      if (value !== undefined && value !== null) return compare(value, facts)
      missing?.add(name)
      return undefined
    }
  }
  const readOperand = reader(operand.ref)
  return (facts, missing) => {
    const value = readValue(facts) ?? undefined
    const other = readOperand(facts) ?? undefined
    if (value === undefined) missing?.add(name)
    if (other === undefined) missing?.add(factName(operand.ref))
    if (value === undefined || other === undefined) return undefined
    return comparison(operator, other, readNow)(value, facts)
  }
}

/** Compares a value that is there; the facts are for what is relative to now. */
type Comparison<Facts> = (value: Json, facts: Facts) => Truth

const incomparable = () => undefined

function comparison<Facts>(
  operator: TestCondition['operator'],
  operand: Json,
  readNow: (facts: Facts) => Json | undefined,
): Comparison<Facts> {
  switch (operator) {
    case '$eq':
      return (value) => equals(value, operand)
    case '$ne':
      return (value) => !equals(value, operand)
    case '$in':
      return Array.isArray(operand) ? (value) => operand.some((item) => equals(value, item)) : incomparable
    case '$nin':
      return Array.isArray(operand) ? (value) => !operand.some((item) => equals(value, item)) : incomparable
    case '$contains':
      return (value) => (Array.isArray(value) ? value.some((item) => equals(item, operand)) : undefined)
    case '$all':
      if (!Array.isArray(operand)) return incomparable
      return (value) =>
        Array.isArray(value)
          ? operand.every((wanted) => value.some((item) => equals(item, wanted)))
          : undefined
    case '$size':
      return (value) => (Array.isArray(value) ? value.length === operand : undefined)
    case '$lt':
      return ordering(operand, (value, limit) => value < limit)
    case '$lte':
      return ordering(operand, (value, limit) => value <= limit)
    case '$gt':
      return ordering(operand, (value, limit) => value > limit)
    case '$gte':
      return ordering(operand, (value, limit) => value >= limit)
    case '$glob': {
      if (typeof operand !== 'string') return incomparable
      const parts = parseGlob(operand)
      return (value) => (typeof value === 'string' ? matchGlob(parts, value) : undefined)
    }
    case '$cidr':
      return inRanges([operand].flat())
    case '$before':
      return moment(operand, readNow, (time, limit) => time < limit)
    case '$after':
      return moment(operand, readNow, (time, limit) => time > limit)
    case '$exists':
      return incomparable
  }
}

/** As CASL compares: a plain operand equals a list that has it. */
function equals(value: Json, operand: Json): boolean {
  if (value === operand) return true
  if (Array.isArray(value) && !Array.isArray(operand)) return value.some((item) => same(item, operand))
  return same(value, operand)
}

function same(a: Json, b: Json): boolean {
  if (a === b) return true
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  // Counted, since `every` passes over what a list has no element for.
  for (let i = 0; i < a.length; i++) if (!same(a[i] as Json, b[i] as Json)) return false
  return true
}

type Ordered = number | string

function ordering(operand: Json, holds: (value: Ordered, limit: Ordered) => boolean): (value: Json) => Truth {
  if (typeof operand !== 'number' && typeof operand !== 'string') return incomparable
  return (value) => (typeof value === typeof operand ? holds(value as Ordered, operand) : undefined)
}

function inRanges(texts: readonly Json[]): (value: Json) => Truth {
  const ranges = texts
    .map((text) => (typeof text === 'string' ? parseCidr(text) : undefined))
    .filter((range): range is IpRange => range !== undefined)
  return (value) => {
    const address = typeof value === 'string' ? parseIp(value) : undefined
    return address === undefined ? undefined : ranges.some((range) => inRange(address, range))
  }
}

function moment<Facts>(
  operand: Json,
  readNow: (facts: Facts) => Json | undefined,
  holds: (time: number, limit: number) => boolean,
): Comparison<Facts> {
  const read = typeof operand === 'string' ? parseMoment(operand) : undefined
  if (read !== undefined && 'fromNow' in read) {
    const { fromNow } = read
    return (value, facts) => {
      const time = readTime(value)
      const now = readNow(facts)
      return time === undefined || typeof now !== 'number' ? undefined : holds(time, now + fromNow)
    }
  }
  const limit = read === undefined ? readTime(operand) : read.at
  if (limit === undefined) return incomparable
  return (value) => {
    const time = readTime(value)
    return time === undefined ? undefined : holds(time, limit)
  }
}

/** Epoch milliseconds of an RFC 3339 text, or of a number that is already that. */
function readTime(value: Json): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'string' ? parseTime(value) : undefined
}
