/**
 * Literals: one test of a formula, tied to the variable whose value it limits.
 *
 * Where a test compares two variables, it limits the one as soon as the other has its value; until then it is
 * open, and everything that it might let through is let through.
 *
 * @module
 */
import { literalText } from '../compile/statement-rules.ts'
import { isHubType } from '../hub/actions.ts'
import type { FactPath } from '../policy/condition.ts'
import type { Pattern } from '../policy/pattern.ts'
import { type Moment, parseMoment, parseTime } from '../policy/time.ts'
import type { Json } from '../types.ts'
import {
  type Asked,
  all,
  always,
  any,
  type FactTest,
  type Formula,
  isAsWanted,
  judge,
  never,
  refsOf,
  type SingleFormula,
  type Want,
} from './formula.ts'
import {
  type Asker,
  clockVariable,
  idVariable,
  type Place,
  placeOf,
  type Source,
  timeVariable,
  whole,
} from './sources.ts'

/** The value that a variable has been given; `undefined` when it has none yet. */
export type Assigned = (variable: string) => { readonly value: Json | undefined } | undefined

/** Whose request it is, and on a resource of which type. */
export interface Setting {
  readonly asker: Asker
  readonly type: string
}

export interface Literal extends Source {
  /** Equal for equal literals. */
  readonly key: string
  /** Keys of literals that cannot hold together with it, whatever is compared. */
  readonly opposites: readonly string[]
  /** Variables that it compares with. */
  readonly needs: readonly string[]
  readonly test?: { readonly of: FactTest; readonly want: Want; readonly isReversed: boolean }
  readonly id?: { readonly pattern: Pattern; readonly wanted: boolean }
  readonly clock?: Extract<Formula, { kind: 'clock' }>
  /** What a test compares with, once that is known; of a list, its elements. */
  operands(assigned: Assigned): readonly Json[]
  /** `undefined` while it is open. */
  holds(value: Json | undefined, assigned: Assigned): boolean | undefined
}

/** A test as a literal, or as a formula where its fact comes from several claims or is settled already. */
export function literalOf(formula: SingleFormula, setting: Setting): Literal | Formula {
  switch (formula.kind) {
    case 'id':
      return idLiteral(formula.pattern, formula.wanted, setting)
    case 'clock':
      return clockLiteral(formula)
    case 'fact':
      return ofFact(formula, setting)
  }
}

function ofFact(
  { test, want, source }: Extract<Formula, { kind: 'fact' }>,
  setting: Setting,
): Literal | Formula {
  if (source !== undefined) return factLiteral(test, want, source, setting)
  const seen = seenFact(test, want, setting)
  const reference = test.kind === 'test' && 'ref' in test.operand ? test.operand.ref : undefined
  if (reference === undefined || (want !== 'true' && want !== 'false')) return seen
  if ('key' in seen && seen.test?.isReversed === true) return seen
  // Only what is there can be compared.
  const isTold: FactTest = { kind: 'test', path: reference, operator: '$exists', operand: { literal: true } }
  const compared: Formula = 'key' in seen ? { kind: 'fact', test, want, source: seen } : seen
  return all({ kind: 'fact', test: isTold, want: 'true' }, compared)
}

function seenFact(test: FactTest, want: Want, setting: Setting): Literal | Formula {
  const place = placeOf(test.path, setting.asker, setting.type)
  if ('constant' in place) return ofConstant(test, want, place.constant, setting)
  const { sources, verified } = place
  const [first, ...others] = sources
  if (first === undefined) return never
  const seenFrom = (from: Source): Formula => ({ kind: 'fact', test, want, source: from })
  if (verified !== undefined) {
    // Of an address that is not verified nothing is known.
    const isVerified: FactTest = {
      kind: 'test',
      path: test.path,
      operator: '$eq',
      operand: { literal: true },
    }
    const proof = (wanted: Want): Formula => ({
      kind: 'fact',
      test: isVerified,
      want: wanted,
      source: verified,
    })
    return isAsWanted(
      judge(test, () => undefined),
      want,
    )
      ? any(seenFrom(first), proof('not true'))
      : all(seenFrom(first), proof('true'))
  }
  if (others.length === 0) return factLiteral(test, want, first, setting)
  const isTold: FactTest = { kind: 'test', path: test.path, operator: '$exists', operand: { literal: true } }
  const told = (source: Source, wanted: Want): Formula => ({
    kind: 'fact',
    test: isTold,
    want: wanted,
    source,
  })
  // The first that says something counts; when none does, it is as if the last one had been asked.
  return any(
    ...sources.map((source, i) =>
      all(
        ...sources.slice(0, i).map((earlier) => told(earlier, 'false')),
        ...(i < sources.length - 1 ? [told(source, 'true')] : []),
        seenFrom(source),
      ),
    ),
  )
}

/** A fact that is settled for this asker and type, perhaps compared with one that is not. */
function ofConstant(
  test: FactTest,
  want: Want,
  constant: Json | undefined,
  setting: Setting,
): Literal | Formula {
  const reference = test.kind === 'test' && 'ref' in test.operand ? test.operand.ref : undefined
  const other = reference && placeOf(reference, setting.asker, setting.type)
  if (constant !== undefined && other !== undefined && 'sources' in other) {
    const [source, second] = other.sources
    // What comes from several claims stays open: asking the engine settles it.
    if (source === undefined || second !== undefined || other.verified !== undefined) return always
    return factLiteral(test, want, source, setting, true)
  }
  const read = (path: FactPath) => {
    const found = placeOf(path, setting.asker, setting.type)
    return 'constant' in found ? found.constant : undefined
  }
  return isAsWanted(judge(test, read), want) ? always : never
}

function factLiteral(
  test: FactTest,
  want: Want,
  source: Source,
  setting: Setting,
  isReversed = false,
): Literal {
  const own = isReversed && test.kind === 'test' && 'ref' in test.operand ? test.operand.ref : test.path
  const others = [...refsOf(test), ...(isReversed ? [test.path] : [])].filter((path) => path !== own)
  const places = others.map((path) => placeOf(path, setting.asker, setting.type))
  const needs = new Set(places.flatMap(variablesOf))
  if (asksForNow(test)) needs.add(timeVariable)
  needs.delete(source.variable)
  const keyOf = (asked: Want) => `${source.variable} ${source.view.name} ${asked} ${JSON.stringify(test)}`
  return {
    ...source,
    key: keyOf(want),
    opposites: opposites[want].map(keyOf),
    needs: [...needs],
    test: { of: test, want, isReversed },
    operands(assigned) {
      if (test.kind !== 'test') return []
      if ('literal' in test.operand) return [test.operand.literal].flat()
      const path = isReversed ? test.path : test.operand.ref
      const value = valueAt(placeOf(path, setting.asker, setting.type), assigned)?.value
      return value === undefined ? [] : [value].flat()
    },
    holds(value, assigned) {
      const told = source.view.read(value)
      const isOpen = [...needs].some((variable) => assigned(variable) === undefined)
      if (isOpen) {
        const nothing = told === undefined || (asksForNow(test) && test.kind === 'test' && !isTime(told))
        return nothing ? isAsWanted(undefined, want) : undefined
      }
      const read = (path: FactPath): Json | undefined => {
        if (path === own || sameFact(path, own)) return told
        const place = placeOf(path, setting.asker, setting.type)
        const all: Assigned = (variable) => (variable === source.variable ? { value } : assigned(variable))
        return valueAt(place, all)?.value
      }
      return isAsWanted(judge(test, read), want)
    },
  }
}

const opposites: Readonly<Record<Want, readonly Want[]>> = {
  true: ['false', 'not true'],
  false: ['true', 'not false'],
  'not true': ['true'],
  'not false': ['false'],
}

function sameFact(a: FactPath, b: FactPath): boolean {
  return a.root === b.root && a.name === b.name
}

function isTime(value: Json): boolean {
  return typeof value === 'number' || (typeof value === 'string' && parseTime(value) !== undefined)
}

export function variablesOf(place: Place): readonly string[] {
  if ('constant' in place) return []
  return [...place.sources, ...(place.verified === undefined ? [] : [place.verified])].map(
    ({ variable }) => variable,
  )
}

/** The fact's value; `undefined` while one of its variables has none. */
export function valueAt(place: Place, assigned: Assigned): { readonly value: Json | undefined } | undefined {
  if ('constant' in place) return { value: place.constant }
  if (place.verified !== undefined) {
    const proof = assigned(place.verified.variable)
    if (proof === undefined) return undefined
    if (place.verified.view.read(proof.value) !== true) return { value: undefined }
  }
  for (const { variable, view } of place.sources) {
    const found = assigned(variable)
    if (found === undefined) return undefined
    const value = view.read(found.value)
    if (value !== undefined) return { value }
  }
  return { value: undefined }
}

/** The moment that a test of `$before` or `$after` names. */
export function momentOf(test: Asked): Moment | undefined {
  if (test.kind !== 'test' || (test.operator !== '$before' && test.operator !== '$after')) return undefined
  const literalOperand = 'literal' in test.operand ? test.operand.literal : undefined
  return typeof literalOperand === 'string' ? parseMoment(literalOperand) : undefined
}

/** Whether the time of the request counts. A reference may turn out to be a duration. */
function asksForNow(asked: Asked): boolean {
  switch (asked.kind) {
    case 'test': {
      if (asked.operator !== '$before' && asked.operator !== '$after') return false
      const moment = momentOf(asked)
      return 'ref' in asked.operand || (moment !== undefined && 'fromNow' in moment)
    }
    case 'not':
    case 'element':
      return asksForNow(asked.of)
    case 'all':
    case 'any':
      return asked.of.some(asksForNow)
    default:
      return false
  }
}

function clockLiteral(clock: Extract<Formula, { kind: 'clock' }>): Literal {
  const { from, until, wanted } = clock
  return {
    key: `clock ${from} ${until} ${wanted}`,
    opposites: [],
    variable: clockVariable,
    view: whole,
    needs: [],
    clock,
    operands: () => [],
    holds(value) {
      const time = Number(value)
      return ((from === undefined || from <= time) && (until === undefined || time < until)) === wanted
    },
  }
}

function idLiteral(pattern: Pattern, wanted: boolean, setting: Setting): Literal {
  const places = placeholdersOf(pattern).map((path) => placeOf(path, setting.asker, setting.type))
  return {
    key: `id ${wanted} ${JSON.stringify(pattern)}`,
    opposites: [`id ${!wanted} ${JSON.stringify(pattern)}`],
    variable: idVariable,
    view: whole,
    needs: places.flatMap(variablesOf),
    id: { pattern, wanted },
    operands: () => [],
    // Ids are only ever made by the machine of the pattern, so they are as wanted once it is filled in.
    holds: (_, assigned) => (fillIn(pattern, setting, assigned) === undefined ? undefined : true),
  }
}

function placeholdersOf({ pieces }: Pattern): FactPath[] {
  return pieces.flatMap((piece) => ('placeholder' in piece ? [placeholderPath(piece.placeholder)] : []))
}

export function placeholderPath(placeholder: string): FactPath {
  return { root: 'principal', name: placeholder.slice('principal.'.length) }
}

/** A pattern as a glob, `null` when it matches nothing, `undefined` while a placeholder is open. */
export function fillIn(
  { pieces }: Pattern,
  { asker, type }: Setting,
  assigned: Assigned,
): string | null | undefined {
  let glob = ''
  let isOpen = false
  for (const piece of pieces) {
    if ('text' in piece) {
      glob += piece.text
      continue
    }
    const found = valueAt(placeOf(placeholderPath(piece.placeholder), asker, type), assigned)
    if (found === undefined) {
      isOpen = true
      continue
    }
    const text = literalText(found.value)
    if (text === undefined) return null
    glob += text
  }
  if (isOpen) return undefined
  return isHubType(type) ? glob.toLowerCase().normalize('NFC') : glob
}
