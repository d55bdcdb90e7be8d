import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSecretRing, createVerifier, Secret, type SecretRing } from '../src/index.ts'
import { type Answer, createClock, json, refusalOf, signed } from './loopback-issuer.ts'
import { type PresetWorld, policyOf, startPresetWorld, verifierIn } from './preset-world.ts'

let world: PresetWorld
beforeAll(async () => {
  world = await startPresetWorld()
})
afterAll(() => world.server.close())
beforeEach(() => {
  world.server.requests.length = 0
  world.server.answers.clear()
})

/** Where the clock of every world stands. */
const nowSeconds = createClock().seconds
const client = { id: 'client-1', secret: 'secret-of-client-1' }
const basicOf = (secret: string) => `Basic ${Buffer.from(`client-1:${secret}`).toString('base64')}`

const basic = basicOf(client.secret)

interface Seen {
  readonly authorization: string | undefined
  readonly body: string
}

/** Answers with `value`, and keeps what was sent. */
function keeping(seen: Seen[], value: unknown, status = 200): Answer {
  return (request, response, body) => {
    seen.push({ authorization: request.headers.authorization, body })
    json(value, status)(request, response, body)
  }
}

describe('a GitHub token', () => {
  const token = 'gho_16C7e42F292c6912E7710c838347Ae178B4a'
  const api = 'https://api.github.com'
  const check = `${api}/applications/client-1/token`
  const policy = (more: object = {}) => policyOf({ gh: { preset: 'github', audience: 'client-1', ...more } })
  const found = (more: object = {}) => ({
    id: 1,
    url: 'https://api.github.com/authorizations/1',
    app: { name: 'hfauth', url: 'https://acme.example', client_id: 'client-1' },
    token,
    hashed_token: 'x',
    scopes: ['read:user'],
    created_at: '2026-09-01T11:00:00Z',
    expires_at: null,
    user: { login: 'dana', id: 77, type: 'User', site_admin: false },
    ...more,
  })
  const verifier = (more: object = {}) => verifierIn(world, policy(more), { clients: { gh: client } })

  test('is shown to GitHub as our app, and is its numeric user’s', async () => {
    const seen: Seen[] = []
    world.answer(check, keeping(seen, found()))
    const credential = await verifier().verify(token)
    expect(credential).toMatchObject({
      kind: 'access_token',
      principal: {
        id: 'gh|77',
        username: 'dana',
        scopes: ['read:user'],
        issuedAt: Date.parse('2026-09-01T11:00:00Z') / 1000,
      },
    })
    for (const unknown of ['groups', 'email', 'orgs'])
      expect(credential.principal).not.toHaveProperty(unknown)
    expect(JSON.stringify(credential)).not.toContain(token)
    expect(seen).toEqual([{ authorization: basic, body: JSON.stringify({ access_token: token }) }])
    expect(world.asked).toEqual(['api.github.com/applications/client-1/token'])
  })

  test('of eight hours ends when GitHub says so', async () => {
    world.answer(check, json(found({ expires_at: '2026-09-01T14:00:00Z' })))
    const expiresAt = Date.parse('2026-09-01T14:00:00Z') / 1000
    await expect(verifier().verify(token.replace('gho', 'ghu'))).resolves.toMatchObject({ expiresAt })
  })

  const cases: [string, Answer, string, boolean][] = [
    ['it is dead, or another app’s', json({ message: 'Not Found' }, 404), 'HFAUTH_TOKEN_INVALID', false],
    ['GitHub finds it malformed', json({}, 422), 'HFAUTH_TOKEN_INVALID', false],
    [
      'its eight hours are over',
      json(found({ expires_at: '2026-09-01T11:30:00Z' })),
      'HFAUTH_TOKEN_EXPIRED',
      false,
    ],
    [
      'it was given to another app',
      json(found({ app: { client_id: 'other' } })),
      'HFAUTH_TOKEN_AUDIENCE',
      false,
    ],
    ['it does not say to which app', json(found({ app: {} })), 'HFAUTH_TOKEN_AUDIENCE', false],
    [
      'it is a bot’s',
      json(found({ user: { login: 'x[bot]', id: 5, type: 'Bot' } })),
      'HFAUTH_TOKEN_INVALID',
      false,
    ],
    [
      'it has no numeric id',
      json(found({ user: { login: 'dana', type: 'User' } })),
      'HFAUTH_TOKEN_INVALID',
      false,
    ],
    ['our own client is refused', json({}, 401), 'HFAUTH_ISSUER_UNAVAILABLE', true],
    ['GitHub is down', json({}, 503), 'HFAUTH_ISSUER_UNAVAILABLE', true],
    [
      'GitHub redirects',
      json({}, 302, { location: 'https://evil.example' }),
      'HFAUTH_ISSUER_UNAVAILABLE',
      true,
    ],
    ['GitHub says nothing of it', json({ ok: true }), 'HFAUTH_ISSUER_UNAVAILABLE', true],
    ['GitHub never ends', json('x'.repeat(600 * 1024)), 'HFAUTH_ISSUER_UNAVAILABLE', true],
  ]
  test.each(cases)('is refused when %s', async (_, answer, code, retryable) => {
    world.answer(check, answer)
    expect(await refusalOf(verifier().verify(token), token, client.secret)).toMatchObject({ code, retryable })
  })

  describe('of a policy that lists organisations', () => {
    const orgs = `${api}/user/memberships/orgs?state=active&per_page=100`
    const teams = `${api}/user/teams?per_page=100`
    const membership = (id: number, state = 'active') => ({
      state,
      role: 'member',
      organization: { login: 'x', id },
    })
    const team = (id: number, org: number) => ({ id, slug: 's', organization: { id: org } })
    beforeEach(() => world.answer(check, json(found({ scopes: ['read:org'] }))))

    test('is taken from an active member, whose groups are ids of organisation and teams', async () => {
      world.answer(orgs, json([membership(9), membership(1001)]))
      world.answer(teams, json([team(55, 1001), team(66, 9)]))
      await expect(verifier({ tenants: ['1001'] }).verify(token)).resolves.toMatchObject({
        principal: { groups: ['org:1001', 'team:1001/55'] },
      })
    })

    test.each([
      ['a member of another', json([membership(9)])],
      ['who was only invited', json([membership(1001, 'pending')])],
      ['whose organisations may not be seen', json({ message: 'Forbidden' }, 403)],
      ['whose organisations come in another shape', json({ id: 1001 })],
    ] as [string, Answer][])('is refused from one %s', async (_, answer) => {
      world.answer(orgs, answer)
      world.answer(teams, json([team(55, 1001)]))
      const refusal = await refusalOf(verifier({ tenants: ['1001'] }).verify(token), token)
      expect(refusal).toMatchObject({ code: 'HFAUTH_TOKEN_INVALID' })
      expect(refusal.message).toContain('tenant')
    })

    test.each([
      ['may not be seen', json({}, 403)],
      [
        'go on on a further page',
        json([team(55, 1001)], 200, { link: '<https://api.github.com/user/teams?page=2>; rel="next"' }),
      ],
    ] as [string, Answer][])('leaves groups unknown when teams %s', async (_, answer) => {
      world.answer(orgs, json([membership(1001)]))
      world.answer(teams, answer)
      const { principal } = await verifier({ tenants: ['1001'] }).verify(token)
      expect(principal).not.toHaveProperty('groups')
    })
  })

  describe('that may see addresses', () => {
    const emails = `${api}/user/emails`
    beforeEach(() => world.answer(check, json(found({ scopes: ['user:email'] }))))

    test('tells the primary one when it is verified', async () => {
      world.answer(
        emails,
        json([
          { email: 'old@x.dev', primary: false, verified: true },
          { email: 'dana@acme.dev', primary: true, verified: true },
        ]),
      )
      await expect(verifier().verify(token)).resolves.toMatchObject({
        principal: { email: 'dana@acme.dev', emailVerified: true },
      })
    })

    test.each([
      ['is not verified', json([{ email: 'ceo@acme.dev', primary: true, verified: false }])],
      ['is another than the verified one', json([{ email: 'ceo@acme.dev', primary: false, verified: true }])],
      ['may not be seen', json({}, 404)],
    ] as [string, Answer][])('tells none when the primary one %s', async (_, answer) => {
      world.answer(emails, answer)
      expect((await verifier().verify(token)).principal).not.toHaveProperty('email')
    })
  })

  test.each([
    ['a server of one’s own', 'https://github.acme.example', 'https://github.acme.example/api/v3'],
    ['a data-residency tenant', 'https://acme.ghe.com', 'https://api.acme.ghe.com'],
  ])('is shown to %s where the policy says so', async (_, issuer, base) => {
    world.answer(`${base}/applications/client-1/token`, json(found()))
    await expect(verifier({ issuer }).verify(token)).resolves.toBeDefined()
    expect(world.asked).toHaveLength(1)
  })

  test.each([
    ['a personal token', 'ghp_16C7e42F292c6912E7710c838347Ae178B4a', 'personal'],
    ['a fine-grained personal token', 'github_pat_11ABCDEFG0abcdefghijkl_mnop', 'personal'],
    ['an installation token', 'ghs_16C7e42F292c6912E7710c838347Ae178B4a', 'installation'],
    ['an installation token with dots', 'ghs_eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln', 'installation'],
    ['a refresh token', 'ghr_16C7e42F292c6912E7710c838347Ae178B4a', 'refresh'],
  ])('%s is named, and nobody is asked', async (_, other, words) => {
    const refusal = await refusalOf(verifier().verify(other), other)
    expect(refusal.code).toBe('HFAUTH_TOKEN_UNSUPPORTED')
    expect(refusal.message).toContain(words)
    expect(world.asked).toEqual([])
  })

  test('is not taken where the policy has no such issuer', async () => {
    const other = verifierIn(
      world,
      policyOf({ id: { preset: 'oidc', issuer: 'https://id.dev', audience: 'a' } }),
    )
    expect((await refusalOf(other.verify(token), token)).code).toBe('HFAUTH_TOKEN_UNSUPPORTED')
  })
})

describe('introspection', () => {
  const issuer = 'https://acme.okta.com'
  const endpoint = `${issuer}/oauth2/v1/introspect`
  const opaque = 'opaque-token-of-the-org-server'
  const answerOf = (more: object = {}) => ({
    active: true,
    token_type: 'Bearer',
    scope: 'openid profile groups',
    client_id: 'client-1',
    username: 'dana@acme.example',
    exp: nowSeconds + 300,
    iat: nowSeconds - 5,
    sub: 'dana@acme.example',
    aud: issuer,
    iss: issuer,
    jti: 'AT.1',
    uid: '00uUSER',
    ...more,
  })
  const policy = policyOf({ okta: { preset: 'okta-org', issuer, audience: 'client-1' } })
  const verifier = () => verifierIn(world, policy, { clients: { okta: client } })
  beforeEach(() => world.publish(issuer, undefined, { introspection_endpoint: endpoint }))

  test('checks an opaque token, as one of the issuer’s clients', async () => {
    const seen: Seen[] = []
    world.answer(endpoint, keeping(seen, answerOf()))
    await expect(verifier().verify(opaque)).resolves.toMatchObject({
      kind: 'access_token',
      principal: { id: 'okta|00uUSER', credential: 'access_token', scopes: ['openid', 'profile', 'groups'] },
      expiresAt: nowSeconds + 300,
    })
    expect(seen).toEqual([{ authorization: basic, body: `token=${opaque}&token_type_hint=access_token` }])
  })

  test('checks the org server’s access tokens, though they look like JWTs, and reads nothing out of them', async () => {
    world.answer(endpoint, json(answerOf()))
    const jwt = signed({ iss: issuer, aud: issuer, sub: 'eve', scp: ['x'], groups: ['admins'] }, undefined, {
      typ: 'application/okta-internal-at+jwt',
    })
    const { principal } = await verifier().verify(jwt)
    expect(principal.subject).toBe('00uUSER')
    expect(principal).not.toHaveProperty('groups')
  })

  test('leaves ID tokens to the published keys', async () => {
    const times = { iat: nowSeconds, exp: nowSeconds + 60 }
    const jwt = signed({ ...times, iss: issuer, aud: 'client-1', sub: '00uUSER' })
    await expect(verifier().verify(jwt)).resolves.toMatchObject({ kind: 'id_token' })
    expect(world.asked).not.toContain('acme.okta.com/oauth2/v1/introspect')
  })

  test('asks with the secret of the moment', async () => {
    const seen: Seen[] = []
    world.answer(endpoint, keeping(seen, answerOf()))
    let secret = 'first'
    const asking = verifierIn(world, policy, {
      cacheSeconds: 0,
      clients: { okta: { id: 'client-1', secret: async () => secret } },
    })
    await asking.verify(opaque)
    secret = 'second'
    await asking.verify(opaque)
    expect(new Set(seen.map(({ authorization }) => authorization)).size).toBe(2)
  })

  const cases: [string, Answer, string, boolean][] = [
    ['it is not active', json({ active: false }), 'HFAUTH_TOKEN_INVALID', false],
    ['`active` is a text', json({ ...answerOf(), active: 'true' }), 'HFAUTH_ISSUER_UNAVAILABLE', true],
    ['the answer is a list', json([{ active: true }]), 'HFAUTH_ISSUER_UNAVAILABLE', true],
    ['our client is refused', json({ error: 'invalid_client' }, 401), 'HFAUTH_ISSUER_UNAVAILABLE', true],
    ['the issuer is down', json({}, 500), 'HFAUTH_ISSUER_UNAVAILABLE', true],
    [
      'the issuer redirects',
      json({}, 307, { location: 'https://evil.example' }),
      'HFAUTH_ISSUER_UNAVAILABLE',
      true,
    ],
    ['it was given to another app', json(answerOf({ client_id: 'other' })), 'HFAUTH_TOKEN_AUDIENCE', false],
    [
      'it does not say to which app',
      json(answerOf({ client_id: undefined })),
      'HFAUTH_TOKEN_AUDIENCE',
      false,
    ],
    ['it has run out', json(answerOf({ exp: nowSeconds - 3600 })), 'HFAUTH_TOKEN_EXPIRED', false],
    ['it is bound to a key', json(answerOf({ token_type: 'DPoP' })), 'HFAUTH_TOKEN_INVALID', false],
    ['it is bound to a key, quietly', json(answerOf({ cnf: { jkt: 'x' } })), 'HFAUTH_TOKEN_INVALID', false],
    [
      'another issuer made it',
      json(answerOf({ iss: 'https://evil.okta.com' })),
      'HFAUTH_TOKEN_INVALID',
      false,
    ],
    ['it is a machine’s', json(answerOf({ uid: undefined, sub: 'client-1' })), 'HFAUTH_TOKEN_INVALID', false],
  ]
  test.each(cases)('refuses when %s', async (_, answer, code, retryable) => {
    world.answer(endpoint, answer)
    expect(await refusalOf(verifier().verify(opaque), opaque, client.secret)).toMatchObject({
      code,
      retryable,
    })
  })

  test('sends no token and no secret to an address off the issuer’s origin', async () => {
    world.publish(issuer, undefined, { introspection_endpoint: 'https://evil.example/introspect' })
    world.answer('https://evil.example/introspect', json(answerOf()))
    expect((await refusalOf(verifier().verify(opaque), opaque)).code).toBe('HFAUTH_ISSUER_UNAVAILABLE')
    expect(world.asked.filter((path) => path.startsWith('evil'))).toEqual([])
  })

  test('shows a token to nobody when two issuers could have made it', async () => {
    const two = policyOf({
      okta: { preset: 'okta-org', issuer, audience: 'client-1' },
      other: { preset: 'oidc', issuer: 'https://id.acme.example', audience: 'client-2' },
    })
    const both = verifierIn(world, two, { clients: { okta: client, other: client } })
    const refusal = await refusalOf(both.verify(opaque), opaque)
    expect(refusal.code).toBe('HFAUTH_TOKEN_UNSUPPORTED')
    expect(refusal.message).toContain('several issuers')
    expect(world.asked).toEqual([])
  })

  describe('at any other provider', () => {
    const other = 'https://id.acme.example'
    const anyone = policyOf({ id: { preset: 'oidc', issuer: other, audience: ['models', 'app'] } })
    const asking = () => verifierIn(world, anyone, { clients: { id: client } })
    const say = (more: object) =>
      world.answer(`${other}/introspect`, json({ active: true, sub: 'dana', exp: nowSeconds + 60, ...more }))
    beforeEach(() => world.publish(other, undefined, { introspection_endpoint: `${other}/introspect` }))

    test.each([
      ['is for our service, whoever got it', { aud: 'models', client_id: 'some-app' }],
      ['says only that it was given to our app', { client_id: 'app' }],
    ])('a token is taken when it %s', async (_, more) => {
      say(more)
      await expect(asking().verify(opaque)).resolves.toMatchObject({ principal: { subject: 'dana' } })
    })

    test.each([
      ['is for another service, though our app got it', { aud: 'billing', client_id: 'app' }],
      ['is for another service as well', { aud: ['models', 'billing'], client_id: 'some-app' }],
      ['says neither', {}],
      ['says it in another shape', { aud: [7], client_id: 'app' }],
    ])('a token is refused when it %s', async (_, more) => {
      say(more)
      expect((await refusalOf(asking().verify(opaque), opaque)).code).toBe('HFAUTH_TOKEN_AUDIENCE')
    })
  })
})

describe('clients', () => {
  const policy = policyOf({
    gh: { preset: 'github', audience: 'client-1' },
    okta: { preset: 'okta', issuer: 'https://acme.okta.com/oauth2/x', audience: 'api' },
  })
  test.each([
    ['GitHub is in the policy and has none', {}, 'cannot be asked'],
    ['one is not the app in the policy', { gh: { ...client, id: 'other' } }, 'must be an `audience`'],
    ['one is for an issuer that is not asked', { gh: client, okta: client }, '`okta`'],
    ['one is for no issuer', { gh: client, github: client }, '`github`'],
    ['one has no secret', { gh: { id: 'client-1' } }, '`secret`'],
    ['one has nothing for a secret', { gh: { id: 'client-1', secret: null } }, '`secret`'],
    ['one has the value of a ring', { gh: { id: 'client-1', secret: new Secret('x') } }, '`secret`'],
    ['one has no id', { gh: { ...client, id: '' } }, '`id`'],
  ])('are refused when %s', (_, clients, words) => {
    expect(() => createVerifier({ policy, clients: clients as never })).toThrow(
      expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID', message: expect.stringContaining(words) }),
    )
  })
})

describe('a client whose secret was just rotated', () => {
  const okta = 'https://acme.okta.com'
  const introspection = {
    policy: policyOf({ okta: { preset: 'okta-org', issuer: okta, audience: 'client-1' } }),
    endpoint: `${okta}/oauth2/v1/introspect`,
    token: 'an-opaque-token-0123456789',
    good: { active: true, client_id: 'client-1', exp: nowSeconds + 300, uid: '00uUSER' },
  }
  const github = {
    policy: policyOf({ okta: { preset: 'github', audience: 'client-1' } }),
    endpoint: 'https://api.github.com/applications/client-1/token',
    token: 'gho_16C7e42F292c6912E7710c838347Ae178B4a',
    good: { app: { client_id: 'client-1' }, user: { login: 'dana', id: 77, type: 'User' }, scopes: [] },
  }
  const ways = { introspection, github }
  type Way = keyof typeof ways

  let ring: SecretRing
  let sent: (string | undefined)[]
  beforeEach(async () => {
    const version = (id: string, value: string) => ({ id, secret: new Secret(value), notBefore: Date.now() })
    const source = { load: async () => [version('2', 'new-secret'), version('1', 'old-secret')] }
    ring = await createSecretRing({ name: 'client', source })
    sent = []
    world.publish(okta, undefined, { introspection_endpoint: introspection.endpoint })
  })
  afterEach(() => ring.close())

  /** An issuer that knows the client by one secret, and says `refusal` to any other. */
  const verifyAt = (way: Way, known: string, status: number, refusal: object) => {
    const { policy, endpoint, token, good } = ways[way]
    world.answer(endpoint, (request, response, body) => {
      const { authorization } = request.headers
      sent.push(authorization)
      const isKnown = authorization === basicOf(known)
      json(isKnown ? good : refusal, isKnown ? 200 : status)(request, response, body)
    })
    return verifierIn(world, policy, { clients: { okta: { id: 'client-1', secret: ring } } }).verify(token)
  }

  test.each<[Way, number, object]>([
    ['introspection', 401, { error: 'invalid_client' }],
    ['introspection', 401, {}],
    ['introspection', 400, { error: 'invalid_client' }],
    ['github', 401, { message: 'Bad credentials' }],
  ])(
    'asks by %s with the previous one, once, when %i %o is what the new one gets',
    async (way, ...refusal) => {
      await expect(verifyAt(way, 'old-secret', ...refusal)).resolves.toMatchObject({ kind: 'access_token' })
      expect(sent).toEqual([basicOf('new-secret'), basicOf('old-secret')])
      expect(ring.status().fallbacks).toBe(1)
    },
  )

  test.each<Way>(['introspection', 'github'])(
    'asks by %s with the new one only, where it is known',
    async (way) => {
      await verifyAt(way, 'new-secret', 401, {})
      expect(sent).toEqual([basicOf('new-secret')])
      expect(ring.status().fallbacks).toBe(0)
    },
  )

  test.each<[Way, string, number, object, number]>([
    ['introspection', 'both are refused', 401, { error: 'invalid_client' }, 2],
    ['github', 'both are refused', 401, {}, 2],
    ['introspection', 'it is not about the secret', 403, {}, 1],
    ['introspection', 'it is not about the client', 400, { error: 'invalid_request' }, 1],
    ['introspection', 'the issuer is down', 503, {}, 1],
  ])('is not believed by %s when %s', async (way, _, status, refusal, times) => {
    const asked = verifyAt(way, 'another', status, refusal)
    expect(await refusalOf(asked, ways[way].token, 'new-secret', 'old-secret')).toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable: true,
    })
    expect(sent).toHaveLength(times)
    expect(ring.status().fallbacks).toBe(0)
  })

  test.each<Way>(['introspection', 'github'])('is no second chance for a token by %s', async (way) => {
    const { policy, endpoint, token } = ways[way]
    const seen: Seen[] = []
    world.answer(endpoint, keeping(seen, { active: false }, way === 'github' ? 404 : 200))
    const verifier = verifierIn(world, policy, { clients: { okta: { id: 'client-1', secret: ring } } })
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_INVALID')
    expect(seen).toHaveLength(1)
  })
})

test.each([
  ['a Google access token', 'ya29.a0AfH6SMBx-abc', 'Google'],
  ['a Slack bot token', 'xoxb-123-456-abc', 'Slack'],
  ['a Slack user token', 'xoxp-123-456-abc', 'Slack'],
])('%s is named, and shown to nobody', async (_, token, words) => {
  const policy = policyOf({ id: { preset: 'oidc', issuer: 'https://id.acme.example', audience: 'app' } })
  const refusal = await refusalOf(verifierIn(world, policy, { clients: { id: client } }).verify(token), token)
  expect(refusal.code).toBe('HFAUTH_TOKEN_UNSUPPORTED')
  expect(refusal.message).toContain(words)
  expect(world.asked).toEqual([])
})
