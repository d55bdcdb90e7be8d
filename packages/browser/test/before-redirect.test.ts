/** Checklist section 1: before the first redirect. */
import { HfAuthError } from '@hfauth/core'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { type AuthOptions, createAuth } from '../src/index.ts'
import { clientId, issuer, paths } from './support/fake-provider.ts'
import { createHarness, redirectUri, refusalOf } from './support/harness.ts'

const queryOf = (url: string) => new URL(url).searchParams

describe('metadata', () => {
  test.each([
    ['names another issuer', { issuer: 'https://other.example' }],
    ['adds a slash to the issuer', { issuer: `${issuer}/` }],
    ['has no issuer', { issuer: undefined }],
    ['has an http token endpoint', { token_endpoint: 'http://hub.example/oauth/token' }],
    ['has an http authorization endpoint', { authorization_endpoint: 'http://hub.example/a' }],
    ['has an http key set', { jwks_uri: 'http://hub.example/jwks' }],
    ['lacks the token endpoint', { token_endpoint: undefined }],
    ['supports no S256', { code_challenge_methods_supported: ['plain'] }],
  ])('is refused when it %s (A1, A3, A6)', async (_, metadata) => {
    const { auth, provider, storage } = createHarness()
    provider.metadata = metadata
    const error = await refusalOf(auth.buildSignInUrl(), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(error.retryable).toBe(false)
    expect(storage.entries.size).toBe(0)
  })

  test('is asked for once by ten parallel sign-ins (A2)', async () => {
    const { auth, provider } = createHarness()
    await Promise.all(Array.from({ length: 10 }, () => auth.buildSignInUrl()))
    expect(provider.to(paths.metadata)).toHaveLength(1)
  })

  test('is asked for again after a failure, which says that trying again can help (A2)', async () => {
    const { auth, provider } = createHarness()
    provider.answers.set(paths.metadata, () => new Response(null, { status: 500 }))
    const error = await refusalOf(auth.buildSignInUrl(), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(error.retryable).toBe(true)
    provider.answers.clear()
    await auth.buildSignInUrl()
    expect(provider.to(paths.metadata)).toHaveLength(2)
  })

  test('is asked for again after an hour (A2)', async () => {
    const { auth, provider, clock } = createHarness()
    await auth.buildSignInUrl()
    clock.now += 3_599_000
    await auth.buildSignInUrl()
    expect(provider.to(paths.metadata)).toHaveLength(1)
    clock.now += 1_000
    await auth.buildSignInUrl()
    expect(provider.to(paths.metadata)).toHaveLength(2)
  })

  test('is not waited for longer than the limit (A2)', async () => {
    const { auth, provider } = createHarness({ requestTimeoutMs: 20 })
    provider.answers.set(paths.metadata, () => new Promise(() => {}))
    const error = await refusalOf(auth.buildSignInUrl(), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(error.retryable).toBe(true)
  })

  test('is refused when it is not JSON, or redirects (A2)', async () => {
    const { auth, provider } = createHarness()
    provider.answers.set(
      paths.metadata,
      () => new Response('<html>', { headers: { 'content-type': 'text/html' } }),
    )
    await refusalOf(auth.buildSignInUrl(), 'HFAUTH_ISSUER_UNAVAILABLE')
    provider.answers.set(
      paths.metadata,
      () => new Response(null, { status: 302, headers: { location: '/x' } }),
    )
    await refusalOf(auth.buildSignInUrl(), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(provider.requests.every(({ init }) => init.redirect === 'manual')).toBe(true)
  })
})

describe('the authorization request', () => {
  test('asks for the code flow with S256, the configured address and the scopes (A4, A5, A11)', async () => {
    const { auth } = createHarness({ scopes: ['inference-api'], orgIds: ['org-1', 'org-2'] })
    const url = await auth.buildSignInUrl()
    expect(url.startsWith(`${issuer}/oauth/authorize?`)).toBe(true)
    expect(Object.fromEntries(queryOf(url))).toEqual({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid profile inference-api',
      state: expect.stringMatching(/^[\w-]{43}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      orgIds: 'org-1,org-2',
    })
  })

  test('uses fresh state, nonce and verifier in each of 1,000 attempts (A5, A7)', async () => {
    const { auth, storage } = createHarness()
    const seen = new Set<string>()
    for (let count = 0; count < 1000; count++) {
      storage.entries.clear()
      const query = queryOf(await auth.buildSignInUrl())
      const { verifier } = JSON.parse([...storage.entries.values()][0] ?? '')
      expect(verifier).toMatch(/^[A-Za-z0-9._~-]{43,128}$/)
      expect(query.get('code_challenge_method')).toBe('S256')
      for (const value of [query.get('state'), query.get('nonce'), query.get('code_challenge'), verifier]) {
        seen.add(value)
      }
    }
    expect(seen.size).toBe(4000)
  })

  test('takes state, nonce and verifier from the random source of the platform, 32 bytes each (A7)', async () => {
    const { auth, storage } = createHarness()
    const asked: number[] = []
    const source = vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      const bytes = array as Uint8Array
      asked.push(bytes.length)
      return bytes.fill(asked.length) as never
    })
    const weak = vi.spyOn(Math, 'random')
    const query = queryOf(await auth.buildSignInUrl())
    const { verifier } = JSON.parse([...storage.entries.values()][0] ?? '')
    source.mockRestore()
    expect(asked).toEqual([32, 32, 32])
    const filled = [1, 2, 3].map((byte) => Buffer.alloc(32, byte).toString('base64url'))
    expect([query.get('state'), query.get('nonce'), verifier].sort()).toEqual(filled)
    expect(weak).not.toHaveBeenCalled()
    weak.mockRestore()
  })

  test('keeps each scope once, in order, with openid and profile among them (A12)', async () => {
    const name = fc.constantFrom('openid', 'profile', 'email', 'read-repos', 'inference-api', 'jobs')
    await fc.assert(
      fc.asyncProperty(fc.array(name), async (scopes) => {
        const { auth } = createHarness({ scopes })
        const sent =
          queryOf(await auth.buildSignInUrl())
            .get('scope')
            ?.split(' ') ?? []
        expect(sent).toEqual([...new Set(['openid', 'profile', ...scopes])])
      }),
      { numRuns: 30 },
    )
  })

  test('can ask for other scopes in one call, openid and profile included (A12)', async () => {
    const { auth } = createHarness({ scopes: ['jobs'] })
    const url = await auth.buildSignInUrl({ scopes: ['read-repos'] })
    expect(queryOf(url).get('scope')).toBe('openid profile read-repos')
  })

  test.each([
    'state',
    'nonce',
    'code_challenge',
    'code_challenge_method',
    'redirect_uri',
    'client_id',
    'client_secret',
    'response_type',
    'response_mode',
    'scope',
    'request',
    'request_uri',
    'max_age',
    'prompt',
  ])('refuses `%s` as a further parameter (A13)', async (name) => {
    const { auth } = createHarness()
    await refusalOf(auth.buildSignInUrl({ parameters: { [name]: 'x' } }), 'HFAUTH_CONFIG_INVALID')
  })

  test.each([
    ['prompt', { prompt: 'login' }, 'login'],
    ['max_age', { maxAgeSeconds: 60 }, '60'],
    ['acr_values', { acrValues: ['a', 'b'] }, 'a b'],
    ['login_hint', { loginHint: 'ana' }, 'ana'],
    ['ui_locales', { parameters: { ui_locales: 'de' } }, 'de'],
    ['resource', { parameters: { resource: 'https://api.example' } }, 'https://api.example'],
  ])('carries `%s` when it is asked for (A16)', async (name, options, value) => {
    const { auth } = createHarness()
    expect(queryOf(await auth.buildSignInUrl(options)).get(name)).toBe(value)
  })

  test('leaves for the provider by the same address (A11)', async () => {
    const { auth, page } = createHarness()
    await auth.signIn()
    expect(page.visited).toHaveLength(1)
    expect(queryOf(page.visited[0] ?? '').get('redirect_uri')).toBe(redirectUri)
  })

  test('sends a client id that is an address unchanged (A18)', async () => {
    const address = 'https://app.example/.well-known/oauth-cimd'
    const { auth } = createHarness({ clientId: address })
    expect(queryOf(await auth.buildSignInUrl()).get('client_id')).toBe(address)
  })
})

describe('the record of an attempt', () => {
  test('lies under its own key and holds no token (A8)', async () => {
    const { auth, storage } = createHarness()
    const states = [queryOf(await auth.buildSignInUrl()), queryOf(await auth.buildSignInUrl())]
    const keys = [...storage.entries.keys()]
    expect(keys).toEqual(states.map((query) => `hfauth.attempt.1.${query.get('state')}`))
    expect(JSON.parse(storage.entries.get(keys[0] ?? '') ?? '')).toMatchObject({
      issuer,
      clientId,
      redirectUri,
    })
  })

  test('lets the older attempt of two finish first, and then the newer (A8)', async () => {
    const { auth, page, provider, reload } = createHarness()
    const older = provider.authorize(await auth.buildSignInUrl())
    const newer = provider.authorize(await auth.buildSignInUrl())
    page.location.href = older
    expect(await auth.handleCallback()).toBeDefined()
    page.location.href = newer
    expect(await reload().handleCallback()).toBeDefined()
  })

  test('is one of ten at most (A9)', async () => {
    const { auth, storage, clock } = createHarness()
    let last = ''
    for (let count = 0; count < 50; count++) {
      clock.now += 1
      last = queryOf(await auth.buildSignInUrl()).get('state') ?? ''
    }
    expect(storage.entries.size).toBe(10)
    expect(storage.entries.has(`hfauth.attempt.1.${last}`)).toBe(true)
  })

  test('is too old after ten minutes, and swept by the next attempt (A9)', async () => {
    const { auth, storage, clock, provider, page } = createHarness()
    const answer = provider.authorize(await auth.buildSignInUrl())
    clock.now += 600_000
    await auth.buildSignInUrl()
    expect(storage.entries.size).toBe(1)
    page.location.href = answer
    await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_STATE')
    expect(provider.to(paths.token)).toHaveLength(0)
  })

  test.each(['undefined', 'null', '[]', '{"issuer":"https://h', '{}', '7'])(
    'counts as absent when it reads %s (H9)',
    async (text) => {
      const { auth, storage, page, provider } = createHarness()
      page.location.href = provider.authorize(await auth.buildSignInUrl())
      for (const key of storage.entries.keys()) storage.entries.set(key, text)
      await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_STATE')
    },
  )

  test('of another client or version, or of somebody else, is left alone (A9, F10)', async () => {
    const { auth, storage } = createHarness()
    storage.entries.set('other', 'x')
    storage.entries.set('hfauth.attempt.2.abc', 'x')
    await auth.buildSignInUrl()
    await auth.signOut()
    expect([...storage.entries.keys()]).toEqual(['other', 'hfauth.attempt.2.abc'])
  })

  test('that the browser refuses to keep stops the sign-in before it leaves (H8)', async () => {
    const { page, reload } = createHarness()
    const blocked = () => {
      throw new DOMException('blocked', 'SecurityError')
    }
    const storage = { length: 0, key: blocked, getItem: blocked, setItem: blocked, removeItem: blocked }
    await refusalOf(reload({ storage }).signIn(), 'HFAUTH_SIGNIN_STATE')
    expect(page.visited).toEqual([])
  })
})

describe('options', () => {
  const valid: AuthOptions = { issuer, clientId, redirectUri }

  test.each([
    ['a client secret', { clientSecret: 's' }],
    ['a client secret in its wire form', { client_secret: 's' }],
    ['an http issuer', { issuer: 'http://hub.example' }],
    ['a loopback issuer that is not allowed', { issuer: 'http://127.0.0.1:3000' }],
    [
      'http elsewhere although loopback is allowed',
      { issuer: 'http://hub.example', allowLoopbackHttp: true },
    ],
    ['a relative redirect address', { redirectUri: '/callback' }],
    ['a redirect address with a fragment', { redirectUri: `${redirectUri}#x` }],
    ['no client id', { clientId: '' }],
    ['a scope with a space', { scopes: ['a b'] }],
    ['an API address with a path', { apiOrigins: ['https://api.example/v1'] }],
    ['an API origin over http', { apiOrigins: ['http://api.example'] }],
    ['an API origin that is a pattern', { apiOrigins: ['*'] }],
    ['a negative tolerance', { clockToleranceSeconds: -1 }],
    ['a limit that is no number', { requestTimeoutMs: Number.NaN }],
  ])('with %s are refused (A3, A14)', (_, wrong) => {
    expect(() => createAuth({ ...valid, ...wrong })).toThrow(HfAuthError)
  })

  test('allow plain http on loopback when told so (A3)', async () => {
    const loopback = {
      issuer: 'http://127.0.0.1:1',
      redirectUri: 'http://localhost:2/',
      allowLoopbackHttp: true,
    }
    expect(() => createAuth({ ...valid, ...loopback })).not.toThrow()
  })

  test('have no place for a secret or another flow in the types (A4, A14)', () => {
    // @ts-expect-error -- a page keeps no secret
    expect(() => createAuth({ ...valid, clientSecret: 's' })).toThrow('public app')
    // @ts-expect-error -- there is no other flow
    expect(createAuth({ ...valid, responseType: 'token' })).toBeDefined()
  })

  test('default to Hugging Face', async () => {
    const asked: string[] = []
    const fetch = async (input: RequestInfo | URL) => {
      asked.push(String(input))
      return new Response(null, { status: 503 })
    }
    const auth = createAuth({ clientId, redirectUri, fetch })
    await refusalOf(auth.buildSignInUrl(), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(asked).toEqual(['https://huggingface.co/.well-known/openid-configuration'])
  })
})
