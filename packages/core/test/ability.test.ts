import { createMongoAbility, subject } from '@casl/ability'
import { packRules, rulesToAST, rulesToCondition, unpackRules } from '@casl/ability/extra'
import * as caslReact from '@casl/react'
import fc from 'fast-check'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import {
  abilityOf,
  createEngine,
  loadSnapshot,
  type Policy,
  type Principal,
  type Resource,
} from '../src/index.ts'
import { inFull, lawRuns } from './runs.ts'
import { anyAction, resource, somebody, toldResource, world } from './small-worlds.ts'
import { accessOf, now, nowSeconds, policyOf, principalOf, reader } from './support.ts'

const accessTo = (policy: Policy, principal: Principal) =>
  createEngine(policy, { environment: 'production', now: () => now }).for(principal)

/** A resource as CASL's users have it: one flat object. */
const flat = ({ type, id, attributes }: Resource) => ({ type, id, ...attributes })

/** As a table would have it: canonical, with the columns `owner` and `name`. */
function row({ type, id, attributes }: Resource) {
  const canonical = type === 'prompt' ? id : id.toLowerCase()
  const slash = canonical.indexOf('/')
  return {
    id: canonical,
    owner: canonical.slice(0, Math.max(0, slash)),
    name: canonical.slice(slash + 1),
    ...attributes,
  }
}
const hasCanonicalId = ({ id }: Resource) => !id.includes('..')
/** `manage` is one of our actions, so it may not be CASL's name for all of them. */
const wildcards = { anyAction: '*', anySubjectType: '**' }
const questions = fc.array(fc.tuple(anyAction, toldResource), { minLength: 4, maxLength: 12 })

describe('the ability of an access', () => {
  test('agrees with `can` wherever every fact is told', () => {
    let allowed = 0
    fc.assert(
      fc.property(world, somebody, questions, (policy, principal, asked) => {
        const access = accessTo(policy, principal)
        const ability = access.ability()
        for (const [action, about] of asked) {
          const expected = access.can(action, about)
          allowed += expected ? 1 : 0
          expect(ability.can(action, flat(about))).toBe(expected)
          expect(ability.can(action, subject(about.type, { id: about.id, ...about.attributes }))).toBe(
            expected,
          )
        }
      }),
      { numRuns: lawRuns(1500) },
    )
    if (inFull) expect(allowed).toBeGreaterThan(500)
  })

  test('never says yes where `can` says no, whatever is left out', () => {
    fc.assert(
      fc.property(world, somebody, anyAction, resource, (policy, principal, action, about) => {
        const access = accessTo(policy, principal)
        if (!access.can(action, about)) expect(access.ability().can(action, flat(about))).toBe(false)
      }),
      { numRuns: lawRuns(3000) },
    )
  })

  test('never says yes where `can` says no, whatever kinds of value are told', () => {
    const odd = fc.constantFrom('nsfw', 5, true, ['v1'], { a: 1 }, null)
    const strange = fc.record({ private: odd, gated: odd, tags: odd, license: odd, revision: odd })
    fc.assert(
      fc.property(world, somebody, anyAction, strange, (policy, principal, action, attributes) => {
        const access = accessTo(policy, principal)
        const about = { type: 'model', id: 'acme/x', attributes } as Resource
        if (!access.can(action, about)) expect(access.ability().can(action, flat(about))).toBe(false)
      }),
      { numRuns: lawRuns(3000) },
    )
  })

  test('is the same from a snapshot', () => {
    fc.assert(
      fc.property(world, somebody, questions, (policy, principal, asked) => {
        const access = accessTo(policy, principal)
        const loaded = abilityOf(loadSnapshot(access.snapshot(), { now: () => now }))
        for (const [action, about] of asked)
          expect(loaded.can(action, flat(about))).toBe(access.can(action, about))
      }),
      { numRuns: lawRuns(300) },
    )
  })

  test('in CASL’s own vocabulary means the same to CASL’s own evaluator, or less', () => {
    let same = 0
    let less = 0
    fc.assert(
      fc.property(world, somebody, questions, (policy, principal, asked) => {
        const access = accessTo(policy, principal)
        const ability = access.ability({ vocabulary: 'mongo' })
        const rules = JSON.parse(JSON.stringify(packRules(ability.rules)))
        const plain = createMongoAbility(unpackRules(rules) as never, wildcards)
        for (const [action, about] of asked.filter(([, about]) => hasCanonicalId(about))) {
          const allowed = access.can(action, about)
          const found = plain.can(action, subject(about.type, row(about)) as never)
          if (found) expect(allowed).toBe(true)
          expect(ability.can(action, flat(about))).toBe(found)
          if (found === allowed) same += 1
          else less += 1
        }
      }),
      { numRuns: lawRuns(1500) },
    )
    if (inFull) expect(less / same).toBeLessThan(0.1)
  })

  test('in CASL’s own vocabulary stays sound for rows that lack columns', () => {
    fc.assert(
      fc.property(world, somebody, anyAction, resource, (policy, principal, action, about) => {
        if (!hasCanonicalId(about)) return
        const access = accessTo(policy, principal)
        const plain = createMongoAbility(access.ability({ vocabulary: 'mongo' }).rules as never, wildcards)
        if (!access.can(action, about))
          expect(plain.can(action, subject(about.type, row(about)) as never)).toBe(false)
      }),
      { numRuns: lawRuns(2000) },
    )
  })

  test('gives a database a condition that selects what `filter` keeps', () => {
    const policy = {
      roles: {
        r: {
          allow: [
            { actions: ['read'], on: ['model:acme/*'], when: { 'resource.license': { $in: ['mit', 'x'] } } },
            { actions: ['read'], on: ['model:acme/vision-*', 'model:ana/**'] },
          ],
          deny: [
            { actions: ['read'], on: ['**'], when: { 'resource.tags': { $contains: 'nsfw' } } },
            { actions: ['*'], on: ['model:acme/vision-secret'] },
          ],
        },
      },
    }
    const access = accessOf(policy)
    const ability = abilityOf(access, { vocabulary: 'mongo' })
    fc.assert(
      fc.property(fc.array(toldResource, { maxLength: 30 }), (list) => {
        const models = list.filter(({ type }) => type === 'model').filter(hasCanonicalId)
        const expected = access.filter('read', models).map(flat)
        const query = rulesToCondition(
          ability.rulesFor('read', 'model'),
          (rule): Query =>
            rule.inverted ? { not: rule.conditions as object } : { where: rule.conditions as object },
          {
            and: (all): Query => ({ all }),
            or: (any): Query => ({ any }),
            empty: (): Query => ({ all: [] }),
          },
        )
        expect(models.filter((model) => select(query, row(model))).map(flat)).toEqual(expected)
      }),
    )
    expect(JSON.stringify(rulesToAST(ability, 'read', 'model'))).toContain('"operator":"or"')
  })

  test('knows no magic action or type', () => {
    const roles = { r: { allow: [{ actions: ['manage'], on: ['model:**'] }] } }
    const ability = accessOf({ roles }).ability()
    expect(ability.can('manage', flat({ type: 'model', id: 'acme/x' }))).toBe(true)
    expect(ability.can('read', flat({ type: 'model', id: 'acme/x' }))).toBe(false)
    for (const name of ['all', '**', '*', 'modle']) expect(ability.can('manage', name)).toBe(false)
    const everything = accessOf({ roles: { r: { allow: [{ actions: ['*'], on: ['**'] }] } } }).ability()
    for (const name of ['*', 'raed']) expect(everything.can(name, 'model')).toBe(false)
  })

  test('asked about a type alone, says whether there may be any', () => {
    const ability = accessOf({ roles: reader }).ability()
    expect(ability.can('read', 'model')).toBe(true)
    expect(ability.can('read', 'dataset')).toBe(false)
    const deny = [{ actions: ['read'], on: ['model:**'] }]
    expect(accessOf({ roles: reader, deny }).ability().can('read', 'model')).toBe(false)
  })

  test('takes the context of the request when it is made', () => {
    const roles = {
      r: {
        allow: [{ actions: ['read'], on: ['model:**'], when: { 'context.ip': { $cidr: '10.0.0.0/8' } } }],
      },
    }
    const access = accessOf({ roles })
    const model = { type: 'model', id: 'acme/x' }
    expect(access.ability().can('read', model)).toBe(false)
    expect(access.ability({ context: { ip: '10.1.2.3' } }).can('read', model)).toBe(true)
    expect(access.ability({ context: { ip: '192.0.2.1' } }).can('read', model)).toBe(false)
  })

  test('keeps a denial whose fact the subject does not tell', () => {
    const deny = [{ actions: ['read'], on: ['**'], when: { 'resource.tags': { $contains: 'nsfw' } } }]
    const ability = accessOf({ roles: reader, deny }).ability()
    expect(ability.can('read', { type: 'model', id: 'acme/x' })).toBe(false)
    expect(ability.can('read', { type: 'model', id: 'acme/x', tags: [] })).toBe(true)
    // CASL's own subjects cannot be marked when they are frozen; a member `type` does without.
    expect(ability.can('read', Object.freeze({ type: 'model', id: 'ACME/x', tags: [] }))).toBe(true)
  })

  test('reads nested facts and lists of mappings', () => {
    const resources = { app: { actions: ['read'] } }
    const allow = [
      {
        actions: ['read'],
        on: ['app:**'],
        when: {
          'resource.team.name': 'ml',
          'resource.members': { $elemMatch: { role: 'owner', left: { $ne: true } } },
        },
      },
    ]
    const access = accessOf({ resources, roles: { r: { allow } } } as never)
    const absent = [
      {
        actions: ['read'],
        on: ['app:**'],
        when: { 'resource.members': { $elemMatch: { left: { $ne: true } } } },
      },
    ]
    const someoneStays = accessOf({ resources, roles: { r: { allow: absent } } } as never)
    for (const members of [
      ['owner'],
      [{}],
      [{ left: true }],
      [{ left: false }],
      [{ left: true }, { left: 1 }],
    ]) {
      const about = { type: 'app', id: 'x', attributes: { members } } as Resource
      expect(someoneStays.ability().can('read', flat(about))).toBe(someoneStays.can('read', about))
    }
    for (const [members, team] of [
      [[{ role: 'owner', left: false }], { name: 'ml' }],
      [[{ role: 'owner', left: true }], { name: 'ml' }],
      [[{ role: 'owner' }], { name: 'ml' }],
      [[{ role: 'owner', left: false }], [{ name: 'ml' }]],
      [['owner'], { name: 'ml' }],
    ]) {
      const about = { type: 'app', id: 'x', attributes: { team, members } } as Resource
      expect(access.ability().can('read', flat(about))).toBe(access.can('read', about))
    }
  })

  test('is of the moment it is made in, and says until when it is good', () => {
    const environments = { production: { maxTokenAge: '15m' } }
    const roles = {
      r: {
        allow: [
          {
            actions: ['read'],
            on: ['model:**'],
            when: { 'context.time': { $before: '2026-06-01T12:05:00Z' } },
          },
        ],
      },
    }
    expect(accessOf({ roles: reader, environments }).ability().relevantUntil).toBe(now + 15 * 60_000)
    expect(accessOf({ roles, environments }).ability().relevantUntil).toBe(now + 5 * 60_000)
    expect(accessOf({ roles }).ability({ context: { time: now } }).relevantUntil).toBe(now + 3_600_000)
    const stale = accessOf({ roles: reader, environments }, principalOf('oidc', { iat: nowSeconds - 901 }))
    expect(stale.ability().rules).toEqual([])
    const policy = policyOf({
      roles: reader,
      bindings: [{ roles: ['reader'], to: { issuer: 'oidc' }, until: '2026-06-01T12:10:00Z' }],
    })
    expect(accessTo(policy, principalOf('oidc', {})).ability().relevantUntil).toBe(now + 10 * 60_000)
  })

  test('is good until the next time that a condition turns at, whichever way it asks', () => {
    const time = (text: string) => ({ 'context.time': { $before: text } })
    const goodFor = (when: object, context?: { time: number }) => {
      const allow = [{ actions: ['read'], on: ['model:**'], when: when as never }]
      const until = accessOf({ roles: { r: { allow } } }).ability(context && { context }).relevantUntil
      return until === undefined ? undefined : (until - now) / 60_000
    }
    const [past, soon, later] = [
      '2026-06-01T11:00:00Z',
      '2026-06-01T12:05:00Z',
      '2026-06-01T12:10:00Z',
    ] as const
    expect(goodFor(time(past))).toBe(60)
    expect(goodFor(time(soon))).toBe(5)
    expect(goodFor({ $or: [time(later), time(soon)] })).toBe(5)
    expect(goodFor({ $not: time(later) })).toBe(10)
    expect(goodFor({ 'context.time': { $gt: now + 60_000 } })).toBe(1)
    expect(goodFor({ 'context.time': { $lt: now } })).toBe(1 / 60_000)
    expect(goodFor({ 'context.since': { $before: soon } })).toBe(60)
    expect(goodFor({ 'context.time': { $after: '-7d' } })).toBe(60)
    expect(goodFor({ 'context.time': { $ref: 'context.since' } })).toBe(60)
    expect(goodFor(time(soon), { time: now })).toBe(60)
    const app = [{ actions: ['read'], on: ['app:**'], when: { 'resource.time': { $before: soon } } }]
    const parts = { resources: { app: { actions: ['read'] } }, roles: { r: { allow: app } } }
    expect(accessOf(parts as never).ability().relevantUntil).toBe(now + 3_600_000)
    const forGood = principalOf('oidc', { exp: 'never' as never })
    expect(accessOf({ roles: reader }, forGood).ability().relevantUntil).toBeUndefined()
  })

  test('knows no subject without a type, and none without an id but by what its type alone says', () => {
    const ability = accessOf({ roles: { r: { allow: [{ actions: ['read'], on: ['model:**'] }] } } }).ability()
    expect(ability.can('read', { type: 'model', id: 'acme/x' })).toBe(true)
    expect(ability.can('read', { type: 'model' })).toBe(false)
    expect(ability.can('read', { type: 'model', id: 5 } as never)).toBe(false)
    expect(ability.can('read', { type: 'model', id: 'acme/../x' })).toBe(false)
    expect(ability.can('read', { id: 'acme/x' })).toBe(false)
    expect(ability.can('read', { type: 5, id: 'acme/x' } as never)).toBe(false)
  })

  test('gives a condition with very many alternatives as a whole, and one for a database none at all', () => {
    const either = (name: string) => ({
      $or: Array.from({ length: 9 }, (_, i) => ({ [`resource.${name}`]: `${name}${i}` })),
    })
    const when = { $and: [either('a'), either('b')] }
    const resources = { app: { actions: ['read'] } }
    const access = accessOf({
      resources,
      roles: { r: { allow: [{ actions: ['read'], on: ['app:**'], when }] } },
    } as never)
    const app = (a: string, b: string) => ({ type: 'app', id: 'x', a, b })
    const ability = access.ability()
    expect(ability.rules).toHaveLength(1)
    expect(ability.can('read', app('a8', 'b0'))).toBe(true)
    expect(ability.can('read', app('a8', 'b9'))).toBe(false)
    expect(access.ability({ vocabulary: 'mongo' }).rules).toEqual([])
  })

  test('takes no access of another making', () => {
    expect(() => abilityOf({} as never)).toThrow(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
  })
})

type Query =
  | { readonly where: object }
  | { readonly not: object }
  | { readonly all: readonly Query[] }
  | { readonly any: readonly Query[] }

/** A database that knows CASL's conditions and nothing of us. */
function select(query: Query | null, candidate: object): boolean {
  if (query === null) return false
  if ('all' in query) return query.all.every((part) => select(part, candidate))
  if ('any' in query) return query.any.some((part) => select(part, candidate))
  const conditions = 'not' in query ? query.not : query.where
  const holds = createMongoAbility([{ action: 'select', subject: 'row', conditions }]).can(
    'select',
    subject('row', { ...candidate }) as never,
  )
  return 'not' in query ? !holds : holds
}

describe('in React', () => {
  // Its types name files without their ending, which TypeScript does not find from a module.
  const { AbilityProvider, Can } = caslReact as never as { [name: string]: never }

  const page = (id: string, action = 'read') => {
    const ability = accessOf({ roles: reader }).ability()
    const shown = createElement('em', null, 'Open')
    return renderToString(
      createElement(
        AbilityProvider as never,
        { value: ability } as never,
        createElement(Can as never, { I: action, this: { type: 'model', id } } as never, shown),
      ),
    )
  }

  test('`Can` shows what is allowed and hides the rest', () => {
    expect(page('acme/x')).toBe('<em>Open</em>')
    expect(page('other/x')).toBe('')
    expect(page('acme/x', 'write')).toBe('')
  })
})
