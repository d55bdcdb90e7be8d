/**
 * The slow, obvious judge of conditions: walks the tree at each question, as the specification words it.
 * Compiled conditions are held against it.
 */
import { parseCidr, parseIp } from '../src/internal/ip.ts'
import type { Condition, FactPath } from '../src/policy/condition.ts'
import { parseMoment, parseTime } from '../src/policy/time.ts'
import type { Json } from '../src/types.ts'

export type Truth = boolean | undefined
type Facts = (path: FactPath) => Json | undefined

export interface RequestParts {
  readonly resource: {
    readonly type: string
    readonly id: string
    readonly attributes: { readonly [name: string]: Json | undefined }
  }
  readonly context: { readonly [name: string]: Json | undefined }
}

export function requestFact({ resource, context }: RequestParts, { root, name }: FactPath): Json | undefined {
  if (root === 'context') return context[name]
  if (root !== 'resource') return undefined
  const [owner = '', ...rest] = resource.id.split('/')
  const own: Record<string, Json> = {
    id: resource.id,
    type: resource.type,
    owner: rest.length === 0 ? '' : owner,
    name: rest.length === 0 ? owner : rest.join('/'),
  }
  return own[name] ?? resource.attributes[name]
}

export function judge(condition: Condition, facts: Facts): Truth {
  switch (condition.kind) {
    case 'all': {
      const truths = condition.of.map((part) => judge(part, facts))
      return truths.includes(false) ? false : truths.includes(undefined) ? undefined : true
    }
    case 'any': {
      const truths = condition.of.map((part) => judge(part, facts))
      return truths.includes(true) ? true : truths.includes(undefined) ? undefined : false
    }
    case 'not': {
      const truth = judge(condition.of, facts)
      return truth === undefined ? undefined : !truth
    }
    case 'unknown':
      return undefined
    case 'element': {
      const list = facts(condition.path)
      if (!Array.isArray(list)) return undefined
      const truths = (list as Json[]).map((element) =>
        judge(condition.of, (path) =>
          path.root === 'element' ? (element as { [name: string]: Json })[path.name] : facts(path),
        ),
      )
      return truths.includes(true) ? true : truths.includes(undefined) ? undefined : false
    }
    case 'test': {
      const value = condition.known ?? facts(condition.path) ?? undefined
      const operand =
        'literal' in condition.operand
          ? condition.operand.literal
          : (facts(condition.operand.ref) ?? undefined)
      if (condition.operator === '$exists') return (value !== undefined) === operand
      if (value === undefined || operand === undefined) return undefined
      return judgeTest(condition.operator, value, operand, facts({ root: 'context', name: 'time' }))
    }
  }
}

function judgeTest(operator: string, value: Json, operand: Json, now: Json | undefined): Truth {
  const list = Array.isArray(value) ? (value as Json[]) : undefined
  const operands = Array.isArray(operand) ? (operand as Json[]) : undefined
  switch (operator) {
    case '$eq':
      return equal(value, operand)
    case '$ne':
      return !equal(value, operand)
    case '$in':
      return operands?.some((item) => equal(value, item))
    case '$nin':
      return operands && !operands.some((item) => equal(value, item))
    case '$contains':
      return list?.some((item) => equal(item, operand))
    case '$all':
      return list && operands?.every((wanted) => list.some((item) => equal(item, wanted)))
    case '$size':
      return list && list.length === operand
    case '$glob':
      if (typeof value !== 'string' || typeof operand !== 'string') return undefined
      return new RegExp(
        `^${operand.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '[\\s\\S]*'))}$`,
      ).test(value)
    case '$cidr': {
      const address = typeof value === 'string' ? parseIp(value) : undefined
      if (address === undefined) return undefined
      return [operand].flat().some((text) => {
        const range = parseCidr(String(text))
        if (range === undefined || range.version !== address.version) return false
        const width = range.version === 4 ? 32 : 128
        const bits = (n: bigint) => n.toString(2).padStart(width, '0').slice(0, range.prefix)
        return bits(address.value) === bits(range.value)
      })
    }
    case '$before':
    case '$after': {
      const time = typeof value === 'number' ? value : parseTime(String(value))
      const moment = typeof operand === 'string' ? parseMoment(operand) : undefined
      let limit = typeof operand === 'number' ? operand : undefined
      if (moment !== undefined && 'at' in moment) limit = moment.at
      if (moment !== undefined && 'fromNow' in moment)
        limit = typeof now === 'number' ? now + moment.fromNow : undefined
      if (time === undefined || limit === undefined) return undefined
      return operator === '$before' ? time < limit : time > limit
    }
    default: {
      if (typeof value !== typeof operand || (typeof value !== 'number' && typeof value !== 'string'))
        return undefined
      const order = value === operand ? 0 : (value as number) < (operand as number) ? -1 : 1
      return { $lt: order < 0, $lte: order <= 0, $gt: order > 0, $gte: order >= 0 }[operator]
    }
  }
}

function equal(value: Json, operand: Json): boolean {
  if (Array.isArray(value) && !Array.isArray(operand)) return value.some((item) => equal(item, operand))
  return JSON.stringify(value) === JSON.stringify(operand)
}
