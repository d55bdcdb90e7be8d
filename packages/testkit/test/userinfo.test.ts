import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Hub, publicAppId, startHub } from '../src/index.ts'
import { readUserinfo } from './app-client.ts'

let hub: Hub
beforeEach(async () => {
  hub = await startHub({
    world: {
      userTokens: [{ token: 'hf_0123456789abcdefghijABCDEFGHIJ0123', username: 'ana', role: 'write' }],
    },
  })
})
afterEach(() => hub.close())

async function userinfo(scopes: readonly string[], orgs: readonly string[] = []) {
  const token = await hub.tokenFor({ username: 'ana', clientId: publicAppId, scopes, orgs })
  return (await readUserinfo(hub, token)).body
}

const acme = {
  sub: '64a1f0000000000000000100',
  name: 'Acme Research',
  preferred_username: 'acme',
  plan: 'enterprise',
}

describe('userinfo', () => {
  test('lists organisations without roles when none was granted', async () => {
    const picture = `${hub.url}/avatars/${acme.sub}.svg`
    expect(await userinfo(['openid', 'profile'])).toEqual({
      sub: hub.person('ana').id,
      name: 'Ana Ruiz',
      preferred_username: 'ana',
      profile: `${hub.url}/ana`,
      picture: `${hub.url}/avatars/${hub.person('ana').id}.svg`,
      isPro: false,
      orgs: [{ ...acme, picture }],
    })
  })

  test.each([
    ['the organisation was granted', ['openid'], ['acme']],
    ['read-memberships was granted', ['openid', 'read-memberships'], []],
  ])('tells roles and resource groups when %s', async (_, scopes, orgs) => {
    const group = { id: '64a1f0000000000000000201', name: 'vision', role: 'contributor' }
    hub.person('ana').orgs.acme = { role: 'write', resourceGroups: [group] }
    expect((await userinfo(scopes, orgs)).orgs).toEqual([
      expect.objectContaining({
        ...acme,
        roleInOrg: 'write',
        resourceGroups: [{ sub: group.id, name: 'vision', role: 'contributor' }],
      }),
    ])
  })

  test('leaves orgs out when the world says so and nothing was granted', async () => {
    hub.world.omitOrgs = true
    expect(await userinfo(['openid'])).not.toHaveProperty('orgs')
    expect(await userinfo(['openid'], ['acme'])).toHaveProperty('orgs')
  })

  test('follows a change of role at once', async () => {
    hub.person('ana').orgs.acme = { role: 'read' }
    expect(await userinfo(['openid'], ['acme'])).toMatchObject({ orgs: [{ roleInOrg: 'read' }] })
  })

  test('has the e-mail with scope email only', async () => {
    expect(await userinfo(['openid', 'profile'])).not.toHaveProperty('email')
    expect(await userinfo(['openid', 'email'])).toMatchObject({
      email: 'ana@acme.example',
      email_verified: true,
    })
  })

  test.each([
    ['a user access token', 'hf_0123456789abcdefghijABCDEFGHIJ0123'],
    ['an unknown token', 'hf_oauth_a.b.c'],
  ])('refuses %s', async (_, token) => {
    const answer = await readUserinfo(hub, token)
    expect(answer.status).toBe(401)
    expect(answer.headers.get('www-authenticate')).toContain('invalid_token')
  })

  test('refuses an expired token, and one that was changed', async () => {
    const options = { username: 'ana', clientId: publicAppId, scopes: ['openid'] }
    const expired = await hub.tokenFor({ ...options, expiresInSeconds: -1 })
    const good = await hub.tokenFor(options)
    expect((await readUserinfo(hub, good)).status).toBe(200)
    expect((await readUserinfo(hub, expired)).status).toBe(401)
    expect((await readUserinfo(hub, `${good}A`)).status).toBe(401)
  })
})
