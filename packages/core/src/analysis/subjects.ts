/**
 * Subjects: whom the `to` of a binding and the `for` of an invariant mean, as formulas.
 *
 * @module
 */
import type { Condition, FactPath } from '../policy/condition.ts'
import type { Binding } from '../policy/policy.ts'
import type { SubjectDocument } from '../policy/schema.ts'
import type { Json } from '../types.ts'
import { type Asked, all, any, comesOut, type Formula, never } from './formula.ts'
import type { Asker } from './sources.ts'

export interface Subject {
  readonly to: SubjectDocument
  readonly claims?: Condition
}

/** Somebody of this issuer is meant, or is not; `undefined` when none of them can be. */
export function isMeant({ to, claims }: Subject, asker: Asker): Asked | undefined {
  const forAnonymous = to.anonymous === true || to.kind === 'anonymous'
  if (forAnonymous !== (asker === undefined)) return undefined
  if (to.kind !== undefined && to.kind !== (asker?.preset.kind ?? 'anonymous')) return undefined
  if (to.issuer !== undefined && !(asker !== undefined && [to.issuer].flat().includes(asker.alias)))
    return undefined
  const parts: Asked[] = []
  const add = <Value extends string>(
    values: Value | readonly Value[] | undefined,
    ask: (value: Value) => Asked,
  ) => {
    if (values !== undefined) parts.push(oneOf([values].flat() as Value[], ask))
  }
  add(to.username, (name) => ({ kind: 'name', path: principal('username'), name }))
  add(to.email, (name) => ({ kind: 'name', path: principal('email'), name }))
  add(to.group, (group) => test(principal('groups'), '$contains', group))
  if (to.org !== undefined || to.orgRole !== undefined || to.resourceGroup !== undefined)
    parts.push({ kind: 'element', path: principal('orgs'), of: membership(to) })
  if (claims !== undefined) parts.push(claims)
  return { kind: 'all', of: parts }
}

function membership(to: SubjectDocument): Asked {
  const parts: Asked[] = [
    // A membership that is closed for now counts as none.
    oneOf([false, 0] as const, (none) =>
      none === 0
        ? test(element('restrictions'), '$size', 0)
        : test(element('restrictions'), '$exists', false),
    ),
  ]
  if (to.org !== undefined) {
    parts.push(
      oneOf([to.org].flat(), (org) =>
        oneOf([true, false], (byId) =>
          byId ? test(element('id'), '$eq', org) : { kind: 'name', path: element('handle'), name: org },
        ),
      ),
    )
  }
  if (to.orgRole !== undefined) parts.push(test(element('role'), '$in', [to.orgRole].flat()))
  if (to.resourceGroup !== undefined) {
    const groups = [to.resourceGroup].flat()
    const of = oneOf(['id', 'name'], (name) => test(element(name), '$in', groups))
    parts.push({ kind: 'element', path: element('resourceGroups'), of })
  }
  return { kind: 'all', of: parts }
}

/** The binding gives its roles to somebody of this issuer now. */
export function isBound(binding: Binding, asker: Asker): Formula {
  const asked = isMeant(binding, asker)
  return asked === undefined ? never : all(comesOut(asked, 'true'), inTime(binding, true))
}

export function isNotBound(binding: Binding, asker: Asker): Formula {
  const asked = isMeant(binding, asker)
  return asked === undefined ? all() : any(comesOut(asked, 'not true'), inTime(binding, false))
}

function inTime({ from, until }: Binding, wanted: boolean): Formula {
  if (from === undefined && until === undefined) return wanted ? all() : never
  return { kind: 'clock', from, until, wanted }
}

function oneOf<Value>(values: readonly Value[], ask: (value: Value) => Asked): Asked {
  return { kind: 'any', of: values.map(ask) }
}

function principal(name: string): FactPath {
  return { root: 'principal', name }
}

function element(name: string): FactPath {
  return { root: 'element', name }
}

function test(
  path: FactPath,
  operator: '$eq' | '$in' | '$contains' | '$size' | '$exists',
  literal: Json,
): Asked {
  return { kind: 'test', path, operator, operand: { literal } }
}
