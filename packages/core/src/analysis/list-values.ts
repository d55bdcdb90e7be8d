/**
 * List values: lists of which literals ask what they have, how many, and what some or all elements are like.
 *
 * @module
 */
import type { Json } from '../types.ts'
import type { Budget } from './budget.ts'
import { type Asked, comesOut, type Formula } from './formula.ts'
import type { Assigned, Literal } from './literals.ts'

export interface ListValues {
  readonly values: readonly Json[]
  readonly isProof: boolean
}

/** An element that makes all formulas hold; without one, whether that proves that there is none. */
export type SolveElement = (
  formulas: readonly Formula[],
  assigned: Assigned,
) => { readonly element: Json } | { readonly isProof: boolean }

/** Beyond so many members that could be in or out, only a few of their sets are tried. */
const maxMembers = 6
const maxSize = 64
const comparesMembers: ReadonlySet<string> = new Set(['$eq', '$ne', '$in', '$nin', '$all', '$contains'])

export function listValues(
  literals: readonly Literal[],
  solveElement: SolveElement,
  assigned: Assigned,
  budget: Budget,
): ListValues {
  const scalars: Json[] = []
  const wholes: Json[] = []
  const sizes: number[] = []
  const asked: { readonly of: Asked; readonly want: NonNullable<Literal['test']>['want'] }[] = []
  let isProof = literals.every(({ needs }) => needs.every((variable) => assigned(variable) !== undefined))
  for (const literal of literals) {
    const { test, view } = literal
    if (view.name === 'factors') scalars.push('mfa', 'pwd')
    if (test?.of.kind === 'element') asked.push({ of: test.of.of, want: test.want })
    if (test?.of.kind !== 'test' || test.isReversed) continue
    const { operator, operand } = test.of
    const operands = literal.operands(assigned)
    if (operator === '$size') sizes.push(...operands.map(Number))
    else if (comparesMembers.has(operator)) scalars.push(...operands)
    const isWhole = (operator === '$eq' || operator === '$ne') && 'literal' in operand
    if (!isWhole || !Array.isArray(operand.literal)) continue
    const isThis = (test.want === 'true' || test.want === 'not false') === (operator === '$eq')
    if (isThis && view.name === 'whole') return { values: [operand.literal], isProof: true }
    wholes.push(operand.literal)
  }

  const ofEach = asked.flatMap(({ of, want }) =>
    want === 'false' || want === 'not true' ? [comesOut(of, want)] : [],
  )
  const ofSome = asked.flatMap(({ of, want }) =>
    want === 'true' || want === 'not false' ? [comesOut(of, want)] : [],
  )
  const elements: Json[] = []
  for (const formulas of [...ofSome.map((of) => [of, ...ofEach]), ...(ofEach.length > 0 ? [ofEach] : [])]) {
    const found = solveElement(formulas, assigned)
    if ('element' in found) elements.push(found.element)
    else isProof &&= found.isProof
  }
  // One element could be what several ask for; that is looked for only where sizes do not count.
  if (ofSome.length > 1 && sizes.length > 0) isProof = false
  // A list that may not be one of these could be so in an order that is not tried.
  if (wholes.length > 0) isProof = false

  const members = distinct([...scalars, ...elements])
  const others = Array.from({ length: maxSize + members.length }, (_, i) => `x${i}`).filter(
    (text) => !members.includes(text),
  )
  if (members.length > maxMembers) isProof = false
  const values: Json[] = [...wholes]
  for (const set of setsOf(members)) {
    values.push(set)
    for (const size of [set.length + 1, ...sizes, Math.max(0, ...sizes) + 1]) {
      if (size > maxSize) isProof = false
      else if (size > set.length && budget.spend()) {
        const missing = size - set.length
        // More of the same, or something that nobody asks for.
        const last = set.at(-1)
        if (last !== undefined) values.push([...set, ...Array<Json>(missing).fill(last)])
        values.push([...set, ...others.slice(0, missing)])
      }
    }
  }
  // Not a list of texts, which most claims must be.
  values.push([0])
  return { values, isProof }
}

function setsOf(members: readonly Json[]): Json[][] {
  if (members.length > maxMembers) return [[], [...members], ...members.map((member) => [member])]
  let sets: Json[][] = [[]]
  for (const member of members) sets = [...sets, ...sets.map((set) => [...set, member])]
  return sets.sort((a, b) => a.length - b.length)
}

function distinct(values: readonly Json[]): Json[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()]
}
