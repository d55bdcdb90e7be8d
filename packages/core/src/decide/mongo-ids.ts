/**
 * Mongo ids: what a glob asks of an id, as tests of the fields `id`, `owner` and `name`.
 *
 * glob → **mongo ids** → ability. In the extended vocabulary every glob has an exact form. In the plain one
 * a glob with a single wildcard becomes a `$regex` for the database; no regular expression is run here on our
 * own account, and none with several wildcards is made.
 *
 * @module
 */
import type { Condition } from '../policy/condition.ts'
import type { Mode } from './mongo-conditions.ts'
import type { Alternatives, FieldTest } from './mongo-tests.ts'

export function idAlternatives(glob: string, mode: Mode, plain: boolean): Alternatives {
  if (!glob.includes('*')) return [[{ field: 'id', operator: '$eq', operand: glob }]]
  const slash = glob.indexOf('/')
  const owner = slash > 0 && !glob.slice(0, slash).includes('*') ? glob.slice(0, slash) : undefined
  const inOwner: FieldTest[] =
    owner === undefined ? [] : [{ field: 'owner', operator: '$eq', operand: owner }]
  const rest = owner === undefined ? glob : glob.slice(slash + 1)
  if (/^\*{2,}$/.test(rest)) return [inOwner]
  const field = owner === undefined ? 'id' : 'name'
  if (!plain) return [[...inOwner, { field, operator: '$glob', operand: rest }]]
  const [before = '', wildcard = '', after = '', ...more] = rest.split(/(\*+)/)
  if (more.length === 0) {
    const any = wildcard === '*' ? '[^/]*' : '.*'
    return [
      [...inOwner, { field, operator: '$regex', operand: `^${literal(before)}${any}${literal(after)}$` }],
    ]
  }
  // Several wildcards: a denial takes the whole owner, an allow is left out.
  return mode === 'not false' ? [inOwner] : []
}

export function idCondition(glob: string): Condition {
  const operator = glob.includes('*') ? '$glob' : '$eq'
  return { kind: 'test', path: { root: 'resource', name: 'id' }, operator, operand: { literal: glob } }
}

function literal(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\/-]/g, '\\$&')
}
