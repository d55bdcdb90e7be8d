/**
 * Mongo ids: what a glob asks of an id, as tests of the fields `id`, `owner` and `name`.
 *
 * glob → **mongo ids** → ability. In the extended vocabulary every glob has an exact form. In CASL's own
 * a glob with a single wildcard becomes a `$regex` for the database, in Prisma's what it begins and ends with;
 * no regular expression is run here on our own account, and none with several wildcards is made.
 *
 * @module
 */
import type { Condition } from '../policy/condition.ts'
import type { Mode, Words } from './mongo-conditions.ts'
import type { Alternatives, FieldTest } from './mongo-tests.ts'

export function idAlternatives(glob: string, mode: Mode, words: Words): Alternatives {
  if (!glob.includes('*')) return [[{ field: 'id', operator: '$eq', operand: glob }]]
  const slash = glob.indexOf('/')
  const owner = slash > 0 && !glob.slice(0, slash).includes('*') ? glob.slice(0, slash) : undefined
  const inOwner: FieldTest[] =
    owner === undefined ? [] : [{ field: 'owner', operator: '$eq', operand: owner }]
  const rest = owner === undefined ? glob : glob.slice(slash + 1)
  if (/^\*{2,}$/.test(rest)) return [inOwner]
  const field = owner === undefined ? 'id' : 'name'
  if (words === 'extended') return [[...inOwner, { field, operator: '$glob', operand: rest }]]
  const [before = '', wildcard = '', after = '', ...more] = rest.split(/(\*+)/)
  const tests = more.length > 0 ? undefined : oneWildcard({ field, before, wildcard, after }, words)
  if (tests !== undefined) return [[...inOwner, ...tests]]
  // No words for it: a denial takes the whole owner, an allow is left out.
  return mode === 'not false' ? [inOwner] : []
}

interface OneWildcard {
  readonly field: string
  readonly before: string
  readonly wildcard: string
  readonly after: string
}

/** `undefined` when Prisma has no words for it. */
function oneWildcard({ field, before, wildcard, after }: OneWildcard, words: Words): FieldTest[] | undefined {
  if (words === 'mongo') {
    const any = wildcard === '*' ? '[^/]*' : '.*'
    return [{ field, operator: '$regex', operand: `^${literal(before)}${any}${literal(after)}$` }]
  }
  // A text may begin and end with the same characters: `ab*ba` is not what begins with `ab` and ends with `ba`.
  if (mayOverlap(before, after)) return undefined
  const tests: FieldTest[] = []
  if (before !== '') tests.push({ field, operator: '$startsWith', operand: before })
  if (after !== '') tests.push({ field, operator: '$endsWith', operand: after })
  if (wildcard !== '*') return tests
  if (before.includes('/') || after.includes('/')) return undefined
  return [...tests, { field, operator: '$without', operand: '/' }]
}

function mayOverlap(before: string, after: string): boolean {
  for (let length = 1; length <= Math.min(before.length, after.length); length++)
    if (before.endsWith(after.slice(0, length))) return true
  return false
}

export function idCondition(glob: string): Condition {
  const operator = glob.includes('*') ? '$glob' : '$eq'
  return { kind: 'test', path: { root: 'resource', name: 'id' }, operator, operand: { literal: glob } }
}

function literal(text: string): string {
  return text.replaceAll(/[.+?^${}()|[\]\\/-]/g, '\\$&')
}
