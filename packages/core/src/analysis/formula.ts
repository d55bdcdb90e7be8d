/**
 * Formulas: what must hold for a request to be allowed, with `not` driven down to the single tests.
 *
 * Conditions know three values, so a test is asked for in one of four ways: that it is true, that it is false,
 * or that it is not the one or not the other, which the unknown satisfies as well.
 *
 * @module
 */
import { compileCondition, elementFact, type Truth } from '../compile/conditions.ts'
import { foldCase } from '../internal/fold.ts'
import type { FactPath, TestCondition } from '../policy/condition.ts'
import type { Pattern } from '../policy/pattern.ts'
import type { Json } from '../types.ts'
import type { Source } from './sources.ts'

/** A condition as policies write it, or one of the comparisons that only bindings make. */
export type Asked =
  | TestCondition
  | { readonly kind: 'all' | 'any'; readonly of: readonly Asked[] }
  | { readonly kind: 'not'; readonly of: Asked }
  | ElementAsked
  | { readonly kind: 'unknown'; readonly facts: readonly string[] }
  /** A name is equal whatever its case. */
  | NameAsked

export interface ElementAsked {
  readonly kind: 'element'
  readonly path: FactPath
  readonly of: Asked
}

export interface NameAsked {
  readonly kind: 'name'
  readonly path: FactPath
  readonly name: string
}

export type FactTest = TestCondition | ElementAsked | NameAsked

export type Want = 'true' | 'false' | 'not true' | 'not false'

export type Formula =
  | { readonly kind: 'all'; readonly of: readonly Formula[] }
  | { readonly kind: 'any'; readonly of: readonly Formula[] }
  | SingleFormula

export type SingleFormula =
  /** A test comes out as wanted; with a source, as seen from there alone. */
  | { readonly kind: 'fact'; readonly test: FactTest; readonly want: Want; readonly source?: Source }
  /** The resource's id is among those of the pattern, or is not. */
  | { readonly kind: 'id'; readonly pattern: Pattern; readonly wanted: boolean }
  /** The clock is within the time of a binding, or is not. */
  | {
      readonly kind: 'clock'
      readonly from: number | undefined
      readonly until: number | undefined
      readonly wanted: boolean
    }

export const always: Formula = { kind: 'all', of: [] }
export const never: Formula = { kind: 'any', of: [] }

export function all(...of: readonly Formula[]): Formula {
  return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'all', of }
}

export function any(...of: readonly Formula[]): Formula {
  return of.length === 1 && of[0] !== undefined ? of[0] : { kind: 'any', of }
}

const negated: Readonly<Record<Want, Want>> = {
  true: 'false',
  false: 'true',
  'not true': 'not false',
  'not false': 'not true',
}

/** The condition comes out as wanted. */
export function comesOut(asked: Asked, want: Want): Formula {
  switch (asked.kind) {
    case 'not':
      return comesOut(asked.of, negated[want])
    case 'unknown':
      return want === 'true' || want === 'false' ? never : always
    case 'all':
    case 'any': {
      // All are true, or not false, together; one alone makes the whole false, or not true.
      const together = (want === 'true' || want === 'not false') === (asked.kind === 'all')
      const parts = asked.of.map((part) => comesOut(part, want))
      return together ? all(...parts) : any(...parts)
    }
    default:
      return { kind: 'fact', test: asked, want }
  }
}

export function isAsWanted(truth: Truth, want: Want): boolean {
  switch (want) {
    case 'true':
      return truth === true
    case 'false':
      return truth === false
    case 'not true':
      return truth !== true
    case 'not false':
      return truth !== false
  }
}

/** How facts are looked up; those of a list's element included. */
export type ReadFact = (path: FactPath) => Json | undefined

/** Judges as the engine does: single tests are the engine's own. */
export function judge(asked: Asked, read: ReadFact): Truth {
  switch (asked.kind) {
    case 'test':
      return compileCondition<undefined>(asked, (path) => () => read(path))(undefined)
    case 'name': {
      const value = read(asked.path)
      return typeof value === 'string' ? foldCase(value) === foldCase(asked.name) : undefined
    }
    case 'unknown':
      return undefined
    case 'not': {
      const truth = judge(asked.of, read)
      return truth === undefined ? undefined : !truth
    }
    case 'element': {
      const list = read(asked.path)
      if (!Array.isArray(list)) return undefined
      return either(
        (list as readonly Json[]).map((element) =>
          judge(asked.of, (path) => (path.root === 'element' ? elementFact(element, path.name) : read(path))),
        ),
      )
    }
    default: {
      const truths = asked.of.map((part) => judge(part, read))
      if (asked.kind === 'any') return either(truths)
      return truths.includes(false) ? false : truths.includes(undefined) ? undefined : true
    }
  }
}

function either(truths: readonly Truth[]): Truth {
  return truths.includes(true) ? true : truths.includes(undefined) ? undefined : false
}

/** References inside an element's condition, and a nested list, read from outside of it. */
export function refsOf(asked: Asked): readonly FactPath[] {
  switch (asked.kind) {
    case 'test':
      return 'ref' in asked.operand ? [asked.operand.ref] : []
    case 'not':
    case 'element':
      return refsOf(asked.of)
    case 'all':
    case 'any':
      return asked.of.flatMap(refsOf)
    default:
      return []
  }
}
