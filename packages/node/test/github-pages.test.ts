/** GitHub tells lists in parts: they are followed to their end, or what they would have told is unknown. */
import { createEngine } from '@hfauth/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { VerifierOptions } from '../src/index.ts'
import { type Answer, createClock, json, refusalOf } from './loopback-issuer.ts'
import { type PresetWorld, policyOf, startPresetWorld, verifierIn } from './preset-world.ts'

let world: PresetWorld
beforeAll(async () => {
  world = await startPresetWorld()
})
afterAll(() => world.server.close())

const token = 'gho_16C7e42F292c6912E7710c838347Ae178B4a'
const api = 'https://api.github.com'
const orgs = `${api}/user/memberships/orgs?state=active&per_page=100`
const teams = `${api}/user/teams?per_page=100`
const pageOf = (list: string, page: number) => (page === 1 ? list : `${list}&page=${page}`)
const team = (id: number, org = 1001) => ({ id, slug: 's', organization: { id: org } })
const membership = (id: number) => ({ state: 'active', role: 'member', organization: { login: 'x', id } })
const linkTo = (next: string, last = next) => ({ link: `<${next}>; rel="next", <${last}>; rel="last"` })

beforeEach(() => {
  Object.assign(world.clock, { ms: createClock().ms })
  world.server.requests.length = 0
  world.answer(
    `${api}/applications/client-1/token`,
    json({
      app: { client_id: 'client-1' },
      scopes: ['read:org'],
      created_at: '2026-09-01T11:00:00Z',
      user: { login: 'dana', id: 77, type: 'User' },
    }),
  )
  world.answer(orgs, json([membership(1001)]))
  world.answer(teams, json([]))
})

const policy = () =>
  policyOf(
    { gh: { preset: 'github', audience: 'client-1', tenants: ['1001'] } },
    {
      roles: {
        reader: {
          allow: [{ actions: ['read'], on: ['model:acme/*'] }],
          deny: [
            {
              actions: ['read'],
              on: ['model:acme/*'],
              when: { 'principal.groups': { $contains: 'team:1001/666' } },
            },
          ],
        },
      },
      bindings: [{ roles: ['reader'], to: { issuer: 'gh' } }],
    },
  )

async function verify(options: Partial<VerifierOptions> = {}) {
  const clients = { gh: { id: 'client-1', secret: 'client-secret' } }
  return (await verifierIn(world, policy(), { clients, ...options }).verify(token)).principal
}

/** Pages of a list, each with a link to the next; the last one without. */
function publish(list: string, pages: readonly unknown[][]): void {
  for (const [i, entries] of pages.entries()) {
    const isLast = i === pages.length - 1
    world.answer(
      pageOf(list, i + 1),
      json(entries, 200, isLast ? {} : linkTo(pageOf(list, i + 2), pageOf(list, pages.length))),
    )
  }
}

const askedFor = (path: string) => world.asked.filter((address) => address.includes(path)).length

describe('lists of GitHub', () => {
  test('are followed to their end: teams and organisations of further pages count', async () => {
    publish(orgs, [[membership(9)], [membership(1001)]])
    publish(teams, [[team(1)], [team(2), team(3, 9)], [team(4)]])
    const { groups } = await verify()
    expect(groups).toEqual(['org:1001', 'team:1001/1', 'team:1001/2', 'team:1001/4'])
  })

  test('carry the person’s token on every page, and our client’s secret on none', async () => {
    const seen: (string | undefined)[] = []
    publish(teams, [[team(1)], [team(2)]])
    world.answer(pageOf(teams, 2), (request, response, body) => {
      seen.push(request.headers.authorization)
      json([team(2)])(request, response, body)
    })
    await verify()
    expect(seen).toEqual([`Bearer ${token}`])
  })

  test('are read for ten pages and no further: of a person with more, groups are unknown', async () => {
    const pages = (count: number) => Array.from({ length: count }, (_, i) => [team(i + 1)])
    publish(teams, pages(10))
    expect((await verify()).groups).toHaveLength(11)
    world.server.requests.length = 0
    publish(teams, pages(11))
    expect(await verify()).not.toHaveProperty('groups')
    expect(askedFor('/user/teams')).toBe(10)
  })

  test('that go in a circle end as well', async () => {
    world.answer(teams, json([team(1)], 200, linkTo(teams)))
    expect(await verify()).not.toHaveProperty('groups')
    expect(askedFor('/user/teams')).toBe(10)
  })

  test('take no longer than one answer may, all further pages together', async () => {
    const slow: Answer = (request, response, body) => {
      world.clock.ms += 3000
      json([team(1)], 200, linkTo(pageOf(teams, 2)))(request, response, body)
    }
    world.answer(teams, slow)
    world.answer(pageOf(teams, 2), slow)
    expect(await verify()).not.toHaveProperty('groups')
    // The first, and two within five seconds.
    expect(askedFor('/user/teams')).toBe(3)
  })

  test('whose next page hangs are cut off there', async () => {
    publish(teams, [[team(1)], []])
    world.answer(pageOf(teams, 2), () => {})
    expect(await verify({ timeoutMs: 100 })).not.toHaveProperty('groups')
  })

  test.each<[string, Answer]>([
    ['is refused', json({ message: 'Forbidden' }, 403)],
    ['is of another shape', json({ id: 1 })],
    ['is no JSON', json('[{')],
    ['is too long', json(`["${'x'.repeat(600 * 1024)}"]`)],
    ['is a redirect', json([], 302, { location: `${api}/user/teams?page=9` })],
  ])('whose next page %s leave groups unknown', async (_, answer) => {
    publish(teams, [[team(1)], []])
    world.answer(pageOf(teams, 2), answer)
    expect(await verify()).not.toHaveProperty('groups')
  })

  test.each<[string, string]>([
    ['another host', '<https://evil.example/user/teams?page=2>; rel="next"'],
    ['a host that begins alike', '<https://api.github.com.evil.example/user/teams?page=2>; rel="next"'],
    ['another port', '<https://api.github.com:8443/user/teams?page=2>; rel="next"'],
    ['the same host in the clear', '<http://api.github.com/user/teams?page=2>; rel="next"'],
    ['a name and a password', '<https://a:b@api.github.com/user/teams?page=2>; rel="next"'],
    ['a path alone', '</user/teams?page=2>; rel="next"'],
    ['nowhere', 'rel="next"'],
    ['a mark without quotes', '<https://evil.example/x>; rel=next'],
    ['several relations', '<https://evil.example/x>; rel="last next"'],
  ])('that go on at %s are not followed, and leave groups unknown', async (_, link) => {
    world.answer(teams, json([team(1)], 200, { link }))
    expect(await verify()).not.toHaveProperty('groups')
    expect(askedFor('/user/teams')).toBe(1)
    expect(askedFor('evil')).toBe(0)
  })

  test.each<[string, Record<string, string>]>([
    ['no link', {}],
    ['links to the first and the previous page', { link: `<${teams}>; rel="first", <${teams}>; rel="prev"` }],
  ])('with %s are at their end', async (_, headers) => {
    world.answer(teams, json([team(1)], 200, headers))
    expect((await verify()).groups).toEqual(['org:1001', 'team:1001/1'])
  })

  test('of organisations that cannot be read to their end leave groups unknown, and do not keep out a member who was found', async () => {
    publish(orgs, [[membership(1001)], []])
    world.answer(pageOf(orgs, 2), json({}, 503))
    world.answer(teams, json([team(1)]))
    expect(await verify()).not.toHaveProperty('groups')
  })

  test('of organisations that end before a member was found refuse the token', async () => {
    publish(orgs, [[membership(9)], []])
    world.answer(pageOf(orgs, 2), json({}, 503))
    expect(await refusalOf(verify(), token)).toMatchObject({ code: 'HFAUTH_TOKEN_INVALID' })
  })

  test('that are not known to their end deny what is denied to a team', async () => {
    const engine = createEngine(policy(), { environment: 'production' })
    const decide = async () =>
      engine.for(await verify()).decide({ action: 'read', resource: 'model:acme/vision' })
    publish(teams, [[team(1)], [team(2)]])
    expect((await decide()).allowed).toBe(true)
    publish(teams, [[team(1)], [team(666)]])
    expect((await decide()).allowed).toBe(false)
    world.answer(pageOf(teams, 2), json({}, 503))
    expect((await decide()).allowed).toBe(false)
  })
})
