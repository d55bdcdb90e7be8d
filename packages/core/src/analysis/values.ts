/**
 * Values: what a variable may be so that all literals on it hold, a few of each kind there is.
 *
 * Between the points at which the literals turn, one number is like another, and so is one text outside of all
 * that they mention. So few values stand for all, and when none of them will do, none will.
 *
 * @module
 */
import { canonicalId } from '../hub/ids.ts'
import { parseCidr } from '../internal/ip.ts'
import { parseTime } from '../policy/time.ts'
import type { Json } from '../types.ts'
import type { Budget } from './budget.ts'
import { listValues, type SolveElement } from './list-values.ts'
import { type Assigned, type Literal, momentOf, type Setting } from './literals.ts'
import { findTexts, globMachine, patternMachine, type Rule, segments } from './machines.ts'
import { clockVariable, idVariable, timeVariable } from './sources.ts'
import { type Pinned, textRule } from './text-rules.ts'

export interface Values {
  readonly values: readonly (Json | undefined)[]
  /** Whether there is none when `values` is empty. */
  readonly isProof: boolean
}

export interface ValueSearch {
  readonly setting: Setting
  readonly assigned: Assigned
  readonly pinned: Pinned
  readonly budget: Budget
  /** The time that conditions see, when nothing else is asked of it. */
  readonly now: number
  /** The type that an attribute is declared to have. */
  declared(variable: string): string | undefined
  readonly solveElement: SolveElement
}

/** At least `wanted` values of a variable for which no literal fails, if there are; those of its usual kind first. */
export function valuesFor(
  variable: string,
  literals: readonly Literal[],
  search: ValueSearch,
  wanted = 1,
): Values {
  const found: (Json | undefined)[] = []
  let isProof = true
  for (const values of kindsOfValues(variable, literals, search, wanted)) {
    const made = values()
    found.push(
      ...made.values.filter((value) =>
        literals.every((literal) => literal.holds(value, search.assigned) !== false),
      ),
    )
    isProof &&= made.isProof
    if (found.length >= wanted) break
  }
  return { values: found, isProof: isProof && !search.budget.isSpent }
}

function kindsOfValues(
  variable: string,
  literals: readonly Literal[],
  search: ValueSearch,
  wanted: number,
): readonly (() => Values)[] {
  if (variable === clockVariable || variable === timeVariable)
    return [() => numbers(literals, search, search.now)]
  if (variable === idVariable) return [() => ids(literals, search, wanted)]
  const kinds: Readonly<Record<Kind, () => Values>> = {
    truth: () => ({ values: [false, true], isProof: true }),
    number: () =>
      numbers(
        literals,
        search,
        literals.some(({ view }) => view.name === 'time') ? search.now / 1000 : undefined,
      ),
    text: () => texts(literals, search),
    list: () => listValues(literals, search.solveElement, search.assigned, search.budget),
    object: () => ({ values: [{}], isProof: true }),
  }
  const absent = (): Values => ({ values: [undefined], isProof: true })
  const isSingle = search.setting.asker?.preset.singleValues === true && variable.startsWith('claims.')
  return [
    absent,
    ...kindsInOrder(variable, literals, search)
      .filter((kind) => kind !== 'list' || !isSingle)
      .map((kind) => kinds[kind]),
  ]
}

type Kind = 'truth' | 'number' | 'text' | 'list' | 'object'

/** The kind that an attribute is declared to have, or that it is compared with, before the others. */
function kindsInOrder(variable: string, literals: readonly Literal[], search: ValueSearch): readonly Kind[] {
  const declared = search.declared(variable)
  const usual: Kind[] = [
    ...(declared === 'boolean' ? (['truth'] as const) : []),
    ...(declared === 'number' ? (['number'] as const) : []),
    ...(declared === 'string[]' ? (['list'] as const) : []),
    ...(declared === undefined ? [] : (['text'] as const)),
    ...literals.flatMap(kindOf),
  ]
  return [...new Set<Kind>([...usual, 'text', 'truth', 'number', 'list', 'object'])]
}

function kindOf({ test, view }: Literal): Kind[] {
  switch (view.name) {
    case 'truth':
      return ['truth']
    case 'time':
      return ['number']
    case 'texts':
    case 'factors':
      return ['list']
    case 'scopes':
      return ['list']
    default: {
      if (test?.of.kind === 'element') return ['list']
      if (test?.of.kind !== 'test' || !('literal' in test.of.operand)) return []
      const { operator, operand } = test.of
      if (operator === '$contains' || operator === '$all' || operator === '$size') return ['list']
      const literal = Array.isArray(operand.literal) ? operand.literal[0] : operand.literal
      if (operator === '$exists') return []
      if (typeof literal === 'boolean') return ['truth']
      return typeof literal === 'number' ? ['number'] : ['text']
    }
  }
}

/** The points at which the literals turn, what lies between them, and what lies beyond. */
function numbers(literals: readonly Literal[], search: ValueSearch, usual?: number): Values {
  const points = new Set<number>()
  for (const literal of literals) {
    const scale = literal.view.name === 'time' ? 1000 : 1
    for (const point of pointsOf(literal, search.assigned)) {
      const value = point / scale
      points.add(value)
      // What is divided and multiplied again may come out beside it.
      if (value * scale !== point) points.add(value * (1 + Number.EPSILON)).add(value * (1 - Number.EPSILON))
    }
  }
  const sorted = [...points].sort((a, b) => a - b)
  const [first = usual ?? 0] = sorted
  const last = sorted.at(-1) ?? first
  const between = sorted.slice(1).map((point, i) => (sorted[i] ?? point) / 2 + point / 2)
  // Far enough beyond that even a number that large becomes another.
  const beyond = [last + Math.max(1000, Math.abs(last)), first - Math.max(1000, Math.abs(first))]
  const values = [...(usual === undefined ? [] : [usual]), ...sorted, ...beyond, ...between]
  return {
    values: values.filter(Number.isFinite),
    isProof: !literals.some((literal) => isOpen(literal, search.assigned)),
  }
}

export function isOpen(literal: Literal, assigned: Assigned): boolean {
  return literal.needs.some((variable) => assigned(variable) === undefined)
}

/** Every number, and every time, that a literal compares with. */
export function pointsOf(literal: Literal, assigned: Assigned): readonly number[] {
  const { test, clock } = literal
  if (clock !== undefined) return [clock.from, clock.until].filter((point) => point !== undefined)
  if (test?.of.kind !== 'test') return []
  const moment = momentOf(test.of)
  if (moment !== undefined) {
    if ('at' in moment) return [moment.at]
    const now = assigned(timeVariable)?.value
    return typeof now === 'number' ? [now + moment.fromNow] : []
  }
  return literal.operands(assigned).flatMap((value) => {
    if (typeof value === 'number') return [value]
    const time = typeof value === 'string' ? parseTime(value) : undefined
    return time === undefined ? [] : [time]
  })
}

const nonEmpty: Rule = { machine: globMachine([]), wanted: false }
/** Texts that are tried when not all that is asked can be built. */
const tries = 6

function texts(literals: readonly Literal[], search: ValueSearch): Values {
  const rules = literals.map((literal) => textRule(literal, search.setting, search.assigned, search.pinned))
  if (rules.includes('never')) return { values: [''], isProof: true }
  const machines = rules.filter((rule) => typeof rule === 'object')
  if (rules.includes('structured')) {
    const values = literals.flatMap((literal) => structured(literal, search.assigned))
    const alone = machines.length === 0 && !rules.includes('tried')
    return { values, isProof: alone && !literals.some((literal) => isOpen(literal, search.assigned)) }
  }
  const few = literals.flatMap((literal) => {
    const only = onlyTexts(literal)
    return only === undefined ? [] : [only]
  })
  if (few[0] !== undefined) return { values: few[0], isProof: true }
  const isTried = rules.includes('tried')
  // A text that the policy itself has is read more easily than one that was put together.
  const seeds = literals.flatMap((literal) => [
    ...textsIn(literal, search.assigned),
    ...(isTried ? structured(literal, search.assigned) : []),
  ])
  const { found, none } = findTexts([nonEmpty, ...machines], search.budget, { count: isTried ? tries : 1 })
  // The scopes of a text are those of a list, so lists alone show whether there are any.
  const onlyScopes = literals.every(({ view }) => view.name === 'scopes')
  return { values: [...seeds, ...found, ''], isProof: none || onlyScopes }
}

/** The texts of which one is asked for. */
function onlyTexts({ test, view }: Literal): readonly string[] | undefined {
  if (test?.of.kind !== 'test' || test.isReversed || (view.name !== 'whole' && view.name !== 'text'))
    return undefined
  const { operator, operand } = test.of
  const isAsked =
    (operator === '$eq' || operator === '$in') && (test.want === 'true' || test.want === 'not false')
  if (!isAsked || !('literal' in operand)) return undefined
  return [operand.literal].flat().filter((value) => typeof value === 'string')
}

function textsIn(literal: Literal, assigned: Assigned): readonly Json[] {
  if (literal.test?.of.kind === 'name') return [literal.test.of.name]
  return literal.operands(assigned).filter((value) => typeof value === 'string')
}

/** Addresses and times as texts, one for each part into which the literals divide them. */
function structured(literal: Literal, assigned: Assigned): readonly string[] {
  const { test } = literal
  if (test?.of.kind !== 'test') return []
  const { operator, operand } = test.of
  if (operator === '$cidr' && 'literal' in operand)
    return ['192.0.2.1', '0.0.0.0', '::', '::1:0:0:0', ...[operand.literal].flat().flatMap(addressesAround)]
  if (operator !== '$before' && operator !== '$after') return []
  return pointsOf(literal, assigned).flatMap((point) => [point, point - 1, point + 1].flatMap(timeAsText))
}

function timeAsText(time: number): string[] {
  if (Number.isNaN(new Date(time).getTime())) return []
  const text = new Date(time).toISOString()
  return parseTime(text) === undefined ? [] : [text]
}

/** The first address of a range and the one behind its last. */
function addressesAround(range: Json): string[] {
  const parsed = typeof range === 'string' ? parseCidr(range) : undefined
  if (parsed === undefined) return []
  const bits = parsed.version === 4 ? 32 : 128
  const shift = BigInt(bits - parsed.prefix)
  const first = (parsed.value >> shift) << shift
  const behind = first + (1n << shift)
  return [first, behind]
    .filter((value) => value < 1n << BigInt(bits))
    .map((value) => (parsed.version === 4 ? v4Text(value) : v6Text(value)))
}

function v4Text(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
}

function v6Text(value: bigint): string {
  const groups = [112n, 96n, 80n, 64n, 48n, 32n, 16n, 0n]
  return groups.map((shift) => ((value >> shift) & 0xffffn).toString(16)).join(':')
}

/** Whether some canonical id could have the character; halves of one, and marks, depend on what stands before them. */
function isInIds(char: string, type: string): boolean {
  return /^[/.\ud800-\udfff]$|^\p{M}$/u.test(char) || canonicalId(type, `a${char}`) === `a${char}`
}

const owned: Rule = { machine: patternMachine('**/**'), wanted: true }

function ids(literals: readonly Literal[], search: ValueSearch, wanted: number): Values {
  const { setting, assigned, pinned, budget } = search
  const rules = literals.map((literal) => textRule(literal, setting, assigned, pinned))
  if (rules.includes('never')) return { values: [], isProof: true }
  const machines = rules.filter((rule) => typeof rule === 'object')
  const isTried = rules.some((rule) => rule === 'tried' || rule === 'structured')
  const permits = (char: string) => isInIds(char, setting.type)
  const asked = [{ machine: segments, wanted: true }, ...machines]
  const { found, none } = findTexts(asked, budget, { count: isTried ? tries : 1, permits })
  // The shortest ids have no owner, with whom others may be compared.
  const more = wanted > 1 ? findTexts([...asked, owned], budget, { permits }).found : []
  return { values: [...found, ...more], isProof: none }
}
