import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTokenExchange, type TokenExchangeOptions } from '../src/index.ts'
import {
  type Answer,
  createClock,
  json,
  type LoopbackIssuer,
  paths,
  refusalOf,
  signed,
  startIssuer,
} from './loopback-issuer.ts'

const client = { id: 'app-1', secret: 'oauth_app_secret_s3:cr+et' }
const minted = 'hf_oauth_minted-header.minted-payload.minted-signature'
const idToken = signed({ iss: 'https://ci.example', aud: 'https://huggingface.co', sub: 'repo:acme/x' })
const member = { email: 'ana@acme.example', scopes: ['read-repos'] }
const job = { idToken, resource: 'acme/vision' }

const granted = {
  access_token: minted,
  token_type: 'bearer',
  expires_in: 28_800,
  scope: 'read-repos',
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
}

let hub: LoopbackIssuer
let clock: ReturnType<typeof createClock>
let seen: { authorization: string | undefined; type: string | undefined; body: string }[]

beforeAll(async () => {
  hub = await startIssuer()
})
afterAll(() => hub.close())
beforeEach(() => {
  clock = createClock()
  seen = []
  answer(json(granted))
})

function exchangeWith(options: Partial<TokenExchangeOptions> = {}) {
  return createTokenExchange({ hubUrl: hub.url, client, now: () => clock.ms, ...options })
}

function answer(next: Answer): void {
  hub.answers.set(paths.token, (request, response, body) => {
    seen.push({ authorization: request.headers.authorization, type: request.headers['content-type'], body })
    next(request, response, body)
  })
}

describe('an exchange for a member', () => {
  test('asks as the app, for the person’s e-mail and the scopes, and gives what came', async () => {
    const token = await exchangeWith().forMember({
      ...member,
      scopes: ['read-repos', 'inference-api', 'read-repos'],
    })
    expect(token).toEqual({ token: minted, expiresAt: clock.ms + 28_800_000, scopes: ['read-repos'] })
    const [request] = seen
    const credentials = Buffer.from(request?.authorization?.replace('Basic ', '') ?? '', 'base64').toString()
    expect(credentials).toBe('app-1:oauth_app_secret_s3%3Acr%2Bet')
    expect(Object.fromEntries(new URLSearchParams(request?.body))).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'ana@acme.example',
      subject_token_type: 'urn:huggingface:token-type:user-email',
      scope: 'inference-api read-repos',
    })
  })

  test('is remembered for half of the token’s life', async () => {
    const exchange = exchangeWith()
    const first = await exchange.forMember(member)
    clock.forward(14_399)
    expect(await exchange.forMember(member)).toBe(first)
    clock.forward(1)
    expect(await exchange.forMember(member)).not.toBe(first)
    expect(seen).toHaveLength(2)
  })

  test('is shared by all who ask at the same time', async () => {
    const exchange = exchangeWith()
    await Promise.all(Array.from({ length: 100 }, () => exchange.forMember(member)))
    expect(seen).toHaveLength(1)
  })

  test('is remembered by person and set of scopes, in whatever order', async () => {
    const exchange = exchangeWith()
    answer(json({ ...granted, scope: undefined }))
    await exchange.forMember({ ...member, scopes: ['a', 'b'] })
    await exchange.forMember({ ...member, scopes: ['b', 'a'] })
    expect(seen).toHaveLength(1)
    await exchange.forMember({ ...member, scopes: ['a'] })
    await exchange.forMember({ email: 'ben@acme.example', scopes: ['a', 'b'] })
    expect(seen).toHaveLength(3)
  })

  test('keeps no more tokens than it may', async () => {
    const exchange = exchangeWith({ cacheEntries: 1 })
    const other = { ...member, email: 'ben@acme.example' }
    for (const request of [member, other, member]) await exchange.forMember(request)
    expect(seen).toHaveLength(3)
  })

  test('without a word about scopes has what it asked for', async () => {
    answer(json({ ...granted, scope: undefined }))
    expect((await exchangeWith().forMember(member)).scopes).toEqual(['read-repos'])
  })

  test('may give scopes that the asked ones imply, and no other', async () => {
    answer(json({ ...granted, scope: 'write-repos read-repos' }))
    const exchange = exchangeWith()
    await expect(exchange.forMember({ ...member, scopes: ['write-repos'] })).resolves.toBeDefined()
    expect(await refusalOf(exchange.forMember(member), minted, client.secret)).toMatchObject({
      code: 'HFAUTH_EXCHANGE_REFUSED',
      retryable: false,
    })
  })

  test.each([
    ['no scope, which would mean all', { ...member, scopes: [] }, 'HFAUTH_EXCHANGE_REFUSED'],
    ['a scope that is two', { ...member, scopes: ['read-repos write-repos'] }, 'HFAUTH_CONFIG_INVALID'],
    ['an empty scope', { ...member, scopes: [''] }, 'HFAUTH_CONFIG_INVALID'],
    ['no e-mail', { ...member, email: '' }, 'HFAUTH_EXCHANGE_REFUSED'],
    ['an e-mail with a line break', { ...member, email: 'a@b\n' }, 'HFAUTH_EXCHANGE_REFUSED'],
    ['an e-mail with two signs', { ...member, email: 'a@acme.test@evil.test' }, 'HFAUTH_EXCHANGE_REFUSED'],
  ])('is not asked for with %s', async (_, request, code) => {
    expect((await refusalOf(exchangeWith().forMember(request))).code).toBe(code)
    expect(seen).toEqual([])
  })

  test('needs a client', async () => {
    const exchange = createTokenExchange({ hubUrl: hub.url })
    expect((await refusalOf(exchange.forMember(member))).code).toBe('HFAUTH_CONFIG_INVALID')
  })
})

describe('an exchange for a job', () => {
  test('asks with its ID token as JSON and with no secret, and gives what came', async () => {
    answer(json({ ...granted, expires_in: 3600, scope: undefined }))
    expect(await exchangeWith().forPublisher(job)).toEqual({
      token: minted,
      expiresAt: clock.ms + 3_600_000,
      scopes: [],
    })
    const [request] = seen
    expect(request?.authorization).toBeUndefined()
    expect(request?.type).toBe('application/json')
    expect(JSON.parse(request?.body ?? '')).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      subject_token: idToken,
      resource: 'acme/vision',
    })
  })

  test('takes our own prefix off', async () => {
    await exchangeWith().forPublisher({ ...job, idToken: `hf_oidc_${idToken}` })
    expect(JSON.parse(seen[0]?.body ?? '').subject_token).toBe(idToken)
  })

  test('is remembered by token and resource', async () => {
    const exchange = exchangeWith()
    await exchange.forPublisher(job)
    await exchange.forPublisher(job)
    expect(seen).toHaveLength(1)
    await exchange.forPublisher({ ...job, resource: 'datasets/acme/labels' })
    await exchange.forPublisher({ ...job, idToken: signed({ sub: 'repo:acme/y' }) })
    expect(seen).toHaveLength(3)
  })

  test.each(['acme/vision', 'datasets/acme/x', 'spaces/acme/x.y', 'ana'])(
    'may be about `%s`',
    async (resource) => {
      await expect(exchangeWith().forPublisher({ ...job, resource })).resolves.toBeDefined()
    },
  )

  test.each(['', '/', 'a/b/c/d', 'acme/vision?x', 'acme/\n', 'Datasets/acme/x', 'a'.repeat(300)])(
    'is not asked for about `%s`',
    async (resource) => {
      expect((await refusalOf(exchangeWith().forPublisher({ ...job, resource }))).code).toBe(
        'HFAUTH_CONFIG_INVALID',
      )
      expect(seen).toEqual([])
    },
  )

  test.each([minted, 'hf_personal', '', 'a.b', 'a.b.c.d', 'a.b.c\n'])(
    'is not asked for with `%s`',
    async (token) => {
      const refusal = await refusalOf(exchangeWith().forPublisher({ ...job, idToken: token }), token)
      expect(refusal.code).toBe('HFAUTH_EXCHANGE_REFUSED')
      expect(seen).toEqual([])
    },
  )
})

describe('a refusal of the Hub', () => {
  const secrets = [minted, idToken, client.secret, Buffer.from(client.secret).toString('base64').slice(8, 24)]
  const both = (exchange: ReturnType<typeof exchangeWith>) => [
    () => exchange.forMember(member),
    () => exchange.forPublisher(job),
  ]

  test.each([
    ['invalid_client', 401],
    ['invalid_grant', 400],
    ['invalid_scope', 400],
    ['invalid_request', 400],
    ['unauthorized_client', 400],
  ])('`%s` is told by its name, and not by its description', async (error, status) => {
    answer((_, response, body) => {
      json({ error, error_description: `${body} ${idToken} ${client.secret}` }, status)(_, response, body)
    })
    for (const ask of both(exchangeWith())) {
      const refusal = await refusalOf(ask(), ...secrets)
      expect(refusal).toMatchObject({ code: 'HFAUTH_EXCHANGE_REFUSED', retryable: false })
      expect(refusal.message).toContain(`\`${error}\``)
    }
  })

  test('by a name nobody knows is not repeated', async () => {
    answer(json({ error: idToken }, 400))
    const refusal = await refusalOf(exchangeWith().forPublisher(job), ...secrets)
    expect(refusal).toMatchObject({ code: 'HFAUTH_EXCHANGE_REFUSED', retryable: false })
  })

  test('is not remembered', async () => {
    answer(json({ error: 'invalid_grant' }, 400))
    const exchange = exchangeWith()
    await refusalOf(exchange.forMember(member))
    answer(json(granted))
    await expect(exchange.forMember(member)).resolves.toBeDefined()
  })

  const later: [string, Answer][] = [
    ['429', json({ error: 'invalid_request' }, 429)],
    ['500', json({}, 500)],
    ['503', json('<html>', 503)],
    ['400 `temporarily_unavailable`', json({ error: 'temporarily_unavailable' }, 400)],
    ['a redirect', (_, response) => response.writeHead(307, { location: '/elsewhere' }).end()],
    ['a closed connection', (request) => request.socket.destroy()],
    ['no JSON', (_, response) => response.end('ok')],
    ['a list', json([granted])],
    ['no token', json({ ...granted, access_token: undefined })],
    ['a token that cannot be sent', json({ ...granted, access_token: 'a\r\nb' })],
    ['an endless token', json({ ...granted, access_token: 'a'.repeat(20_000) })],
    ['another type of token', json({ ...granted, token_type: 'DPoP' })],
    [
      'a refresh token',
      json({ ...granted, issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
    ],
    ['no lifetime', json({ ...granted, expires_in: undefined })],
    ['a lifetime of nothing', json({ ...granted, expires_in: 0 })],
    ['a lifetime that is a text', json({ ...granted, expires_in: '3600' })],
    ['scopes that are a list', json({ ...granted, scope: ['read-repos'] })],
    ['two tokens', json(`{"access_token":"a","access_token":"b","token_type":"bearer","expires_in":60}`)],
    ['too much', json({ ...granted, padding: 'x'.repeat(100_000) })],
  ]
  test.each(later)('by %s may be otherwise later', async (_, next) => {
    answer(next)
    for (const ask of both(exchangeWith())) {
      expect(await refusalOf(ask(), ...secrets)).toMatchObject({
        code: 'HFAUTH_ISSUER_UNAVAILABLE',
        retryable: true,
      })
    }
    expect(hub.requests).not.toContain('/elsewhere')
  })

  test('by silence comes in time', async () => {
    answer(() => {})
    expect(await refusalOf(exchangeWith({ timeoutMs: 30 }).forMember(member), ...secrets)).toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable: true,
    })
  })
})

describe('options', () => {
  test.each([
    ['http out there', { hubUrl: 'http://huggingface.co' }],
    ['a path', { hubUrl: 'https://huggingface.co/api' }],
    ['a query', { hubUrl: 'https://huggingface.co/?x=1' }],
    ['a password', { hubUrl: 'https://a:b@huggingface.co' }],
    ['no address', { hubUrl: 'huggingface' }],
    ['an empty secret', { client: { id: 'app-1', secret: '' } }],
    ['no time', { timeoutMs: 0 }],
  ])('with %s are refused at once', (_, options) => {
    expect(() => exchangeWith(options)).toThrow(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
  })

  test('may name the Hub with its slash', () => {
    expect(() => exchangeWith({ hubUrl: 'https://huggingface.co/' })).not.toThrow()
  })
})
