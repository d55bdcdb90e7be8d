/**
 * Each test of a condition in CASL's vocabulary: an ability agrees with `can` where the facts are told, and never
 * says yes where `can` says no, in an allow and in a denial, negated and not.
 */
import { createMongoAbility, subject } from '@casl/ability'
import { describe, expect, test } from 'vitest'
import type { Json, PolicyDocument, Resource } from '../src/index.ts'
import { accessOf, principalOf } from './support.ts'

type Condition = NonNullable<NonNullable<PolicyDocument['deny']>[number]['when']>

const resources = { app: { actions: ['read'] } } as const
const context = { ip: '10.1.2.3', level: 5, tier: 'gold', list: ['mit', 'x'] }
const ana = principalOf('oidc', { preferred_username: 'ana', groups: ['ml', 'mit'] })

/** Every fact told, and of the kind that the conditions compare. */
const whole: readonly { [name: string]: Json }[] = [
  {
    license: 'mit',
    size: 5,
    tags: ['a', 'b'],
    open: true,
    team: { name: 'ml', lead: 'ana' },
    members: [{ role: 'owner', left: false }],
  },
  {
    license: 'x',
    size: 7,
    tags: [],
    open: false,
    team: { name: 'x', lead: 'ben' },
    members: [{ role: 'owner', left: true }],
  },
  { license: 'gold', size: 3, tags: ['b'], open: true, team: { name: 'ml', lead: 'ml' }, members: [] },
  {
    license: 'ana',
    size: 5.5,
    tags: ['c', 'a'],
    open: false,
    team: { name: 'ana', lead: 'x' },
    members: [{ role: 'x', left: false }, { role: 'owner' }],
  },
]
/** Facts left out, or of another kind. */
const odd: readonly { [name: string]: Json }[] = [
  {},
  ...Object.keys(whole[0] ?? {}).map((name) =>
    Object.fromEntries(Object.entries(whole[0] ?? {}).filter(([key]) => key !== name)),
  ),
  ...[null, 'mit', 5, true, ['mit', 5], { name: 'ml' }].map((value) =>
    Object.fromEntries(Object.keys(whole[0] ?? {}).map((name) => [name, value])),
  ),
  { members: ['owner'], team: [{ name: 'ml' }] },
  { members: [{}, { role: 5, left: 'no' }] },
]

/** Whether CASL's own words are enough, for an allow and for its opposite. */
const expressible: readonly Condition[] = [
  { 'resource.license': 'mit' },
  { 'resource.license': { $ne: 'mit' } },
  { 'resource.license': { $in: ['mit', 'x'] } },
  { 'resource.license': { $nin: ['mit', 'x'] } },
  { 'resource.open': true },
  { 'resource.license': { $exists: true } },
  { 'resource.license': { $exists: false } },
  { 'resource.size': { $lt: 5 } },
  { 'resource.size': { $lte: 5 } },
  { 'resource.size': { $gt: 5 } },
  { 'resource.size': { $gte: 5 } },
  { 'resource.license': { $gt: 'm', $lt: 'n' } },
  { 'resource.tags': { $contains: 'a' } },
  { 'resource.team.name': 'ml', 'resource.team.lead': { $ne: 'ben' } },
  { 'resource.team.name': 'ml' },
  { 'resource.team.lead': { $ne: 'ml' } },
  { 'resource.team.lead': { $in: ['ana', 'x'] } },
  { 'resource.team.lead': { $exists: false } },
  { $or: [{ 'resource.license': 'mit' }, { 'resource.size': { $gt: 6 } }] },
  { $and: [{ 'resource.license': 'mit' }, { $or: [{ 'resource.open': true }, { 'resource.size': 5 }] }] },
  { 'resource.id': 'acme/x' },
  { 'resource.owner': 'acme' },
  { 'resource.owner': { $ne: 'acme' } },
  { 'resource.owner': { $in: ['acme', 'x'] } },
  { 'resource.owner': { $gte: 'b' } },
  { 'resource.name': { $exists: true } },
  { 'resource.name': { $exists: false } },
  { 'resource.type': 'app' },
  { 'resource.type': { $ne: 'app' } },
  { 'context.level': { $gte: 5 } },
  { 'context.level': { $gt: 5 } },
  { 'context.nothing': 1 },
  { 'context.level': { $ref: 'context.tier' } },
  { 'context.tier': { $ref: 'resource.type' } },
  { 'resource.license': { $ref: 'context.tier' } },
  { 'resource.license': { $ref: 'context.nothing' } },
  { 'resource.license': { $ref: 'principal.username' } },
  { 'principal.groups': { $contains: 'ml' } },
  { 'principal.email': 'x' },
  { 'context.ip': { $cidr: '10.0.0.0/8' }, 'resource.open': true },
]
/** What CASL has no words for, or none for its opposite. */
const others: readonly Condition[] = [
  { 'resource.tags': ['a', 'b'] },
  { 'resource.tags': { $all: ['a', 'b'] } },
  { 'resource.tags': { $all: [] } },
  { 'resource.tags': { $size: 2 } },
  { 'resource.license': { $glob: 'm*' } },
  { 'resource.license': { $in: { $ref: 'context.list' } } },
  { 'resource.license': { $ref: 'resource.team.name' } },
  { 'context.tier': { $ref: 'resource.license' } },
  { 'principal.groups': { $contains: { $ref: 'resource.license' } } },
  { 'resource.members': { $elemMatch: { role: 'owner', left: false } } },
  { 'resource.members': { $elemMatch: { role: { $ne: 'x' } } } },
  { 'resource.members': { $elemMatch: { role: { $exists: false } } } },
  { 'resource.members': { $elemMatch: { role: { $glob: 'o*' } } } },
  { 'resource.members': { $elemMatch: { role: { $ref: 'context.tier' } } } },
  { 'resource.members': { $elemMatch: { $or: [{ role: 'x' }, { left: true }] } } },
  { 'resource.members': { $elemMatch: { $not: { role: 'owner' } } } },
]
const negated = (conditions: readonly Condition[]): Condition[] => conditions.map((of) => ({ $not: of }))
const all = [...expressible, ...others, ...negated(expressible), ...negated(others)].map(
  (when) => [JSON.stringify(when), when] as const,
)

const about = (id: string, attributes: { [name: string]: Json }): Resource =>
  ({ type: 'app', id, attributes }) as Resource
const flat = ({ type, id, attributes }: Resource) => ({ type, id, ...attributes })
const ids = ['acme/x', 'other/y', 'acme']

function accessTo(effect: 'allow' | 'deny', when: Condition) {
  const everything = { actions: ['read'], on: ['app:**'] }
  const conditional = { ...everything, when }
  const roles =
    effect === 'allow' ? { r: { allow: [conditional] } } : { r: { allow: [everything], deny: [conditional] } }
  return accessOf({ resources, roles } as never, ana)
}

describe.each(['allow', 'deny'] as const)('in %s', (effect) => {
  test.each(all)('%s agrees where everything is told, and is never wider', (_, when) => {
    const access = accessTo(effect, when)
    const ability = access.ability({ context })
    for (const id of ids) {
      for (const attributes of whole) {
        const app = about(id, attributes)
        expect(ability.can('read', flat(app)), JSON.stringify(app)).toBe(access.can('read', app, context))
      }
      for (const attributes of odd) {
        const app = about(id, attributes)
        if (!access.can('read', app, context))
          expect(ability.can('read', flat(app)), JSON.stringify(app)).toBe(false)
      }
    }
  })

  test.each(all)('%s in CASL’s own words is never wider, and agrees where they are enough', (_, when) => {
    const access = accessTo(effect, when)
    const rules = JSON.parse(JSON.stringify(access.ability({ context, vocabulary: 'mongo' }).rules))
    const plain = createMongoAbility(rules, { anyAction: '*', anySubjectType: '**' })
    const enough = expressible.includes(when) || expressible.includes(when.$not as Condition)
    for (const id of ids) {
      const slash = id.indexOf('/')
      const columns = { id, owner: id.slice(0, Math.max(0, slash)), name: id.slice(slash + 1) }
      for (const attributes of whole) {
        const app = about(id, attributes)
        const found = plain.can(
          'read',
          subject('app', { ...columns, ...structuredClone(attributes) }) as never,
        )
        const allowed = access.can('read', app, context)
        if (enough) expect(found, JSON.stringify(app)).toBe(allowed)
        else if (!allowed) expect(found, JSON.stringify(app)).toBe(false)
      }
    }
  })
})
