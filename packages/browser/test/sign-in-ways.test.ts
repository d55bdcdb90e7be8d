/** Ways to sign in that need no browser to be shown: several providers, Spaces, pushed requests, more scopes, frames. */
import { describe, expect, test } from 'vitest'
import {
  beginElsewhere,
  capabilitiesOf,
  continueSignIn,
  directSignInUrl,
  PopupBlockedError,
  pushRequest,
  readUserinfo,
  SignInRefusedError,
  signInWays,
  signInWithPopup,
  spaceOptions,
} from '../src/index.ts'
import { createFakePage, createFakeStorage } from './support/fake-page.ts'
import { clientId, type createFakeProvider, issuer, paths } from './support/fake-provider.ts'
import { createHarness, origin, redirectUri, refusalOf } from './support/harness.ts'

const queryOf = (url: string) => new URL(url).searchParams

describe('a Space', () => {
  const variables = {
    OAUTH_CLIENT_ID: 'space-app',
    OAUTH_SCOPES: 'openid profile  read-repos',
    OPENID_PROVIDER_URL: 'https://huggingface.co/',
    SPACE_HOST: 'acme-demo.static.hf.space, demo.acme.dev',
  }
  const at = (host: string, huggingface: object = { variables }) => ({
    window: { location: { host, origin: `https://${host}` }, huggingface },
  })

  test('starts without configuration, at the host that serves it (A17, N6)', () => {
    expect(spaceOptions(at('acme-demo.static.hf.space'))).toEqual({
      clientId: 'space-app',
      issuer: 'https://huggingface.co',
      redirectUri: 'https://acme-demo.static.hf.space/',
      scopes: ['openid', 'profile', 'read-repos'],
    })
    const own = spaceOptions({ ...at('demo.acme.dev'), path: '/done' })
    expect(own.redirectUri).toBe('https://demo.acme.dev/done')
  })

  test('sends what it was told (A17)', async () => {
    const { auth } = createHarness({ clientId: spaceOptions(at('demo.acme.dev')).clientId })
    expect(queryOf(await auth.buildSignInUrl()).get('client_id')).toBe('space-app')
  })

  test.each([
    ['without variables', at('demo.acme.dev', {})],
    ['without a client id', at('demo.acme.dev', { variables: { SPACE_HOST: 'demo.acme.dev' } })],
    ['at a host of somebody else', at('huggingface.co')],
    ['with a path that leads away', { ...at('demo.acme.dev'), path: '//evil.example' }],
    ['without a window', {}],
  ])('%s is told what is wrong (A17, N6)', (_, options) => {
    expect(() => spaceOptions(options)).toThrow(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
  })
})

describe('a pushed request', () => {
  const endpoint = '/oauth/par'
  const required = {
    require_pushed_authorization_requests: true,
    pushed_authorization_request_endpoint: `${issuer}${endpoint}`,
  }
  const accepted = () => Response.json({ request_uri: 'urn:request:1', expires_in: 60 }, { status: 201 })

  test('leaves only client id and its name in the address (A15)', async () => {
    const { auth, provider } = createHarness({ pushRequest, scopes: ['jobs'] })
    provider.metadata = required
    provider.answers.set(endpoint, accepted)
    const url = await auth.buildSignInUrl({ prompt: 'login' })
    expect(Object.fromEntries(queryOf(url))).toEqual({ client_id: clientId, request_uri: 'urn:request:1' })
    const [sent] = provider.to(endpoint)
    expect(sent).toMatchObject({ method: 'POST', init: { credentials: 'omit' } })
    expect(Object.fromEntries(sent?.body ?? [])).toMatchObject({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope: 'openid profile jobs',
      prompt: 'login',
      code_challenge_method: 'S256',
    })
  })

  test('is asked for by name when the provider takes no other (A15)', async () => {
    const { auth, provider, storage } = createHarness()
    provider.metadata = required
    const error = await refusalOf(auth.buildSignInUrl(), 'HFAUTH_CONFIG_INVALID')
    expect(error.message).toContain('pushRequest')
    expect(storage.entries.size).toBe(0)
  })

  test.each([
    ['refuses it', () => Response.json({ error: 'invalid_scope' }, { status: 400 }), 'HFAUTH_SIGNIN_REFUSED'],
    ['answers with nothing', () => Response.json({}, { status: 201 }), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['answers with a page', () => new Response('<html>', { status: 400 }), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['is in trouble', () => new Response(null, { status: 503 }), 'HFAUTH_ISSUER_UNAVAILABLE'],
  ] as const)('that the provider %s ends the sign-in before it leaves (A15)', async (_, answer, code) => {
    const { auth, provider, storage } = createHarness({ pushRequest })
    provider.metadata = required
    provider.answers.set(endpoint, answer)
    await refusalOf(auth.buildSignInUrl(), code)
    expect(storage.entries.size).toBe(0)
  })

  test('goes nowhere without an https endpoint (A3, A15)', async () => {
    for (const address of [undefined, 'http://hub.example/oauth/par']) {
      const { auth, provider } = createHarness({ pushRequest })
      provider.metadata = { ...required, pushed_authorization_request_endpoint: address }
      await refusalOf(auth.buildSignInUrl(), 'HFAUTH_ISSUER_UNAVAILABLE')
      expect(provider.to(endpoint)).toEqual([])
    }
  })
})

describe('more scopes', () => {
  test('are asked for beside those held, and the union is checked against the grant (C13, P5)', async () => {
    const { auth, signIn, leaveAndReturn, provider } = createHarness({ scopes: ['read-repos', 'jobs'] })
    provider.tokens = { scope: 'openid profile read-repos' }
    expect((await signIn())?.missingScopes).toEqual(['jobs'])
    provider.tokens = {}
    await leaveAndReturn({ addScopes: ['inference-api'] })
    const all = await auth.handleCallback()
    // Not `jobs`: the person was asked for it and did not give it.
    expect(all?.session.scopes).toEqual(['openid', 'profile', 'read-repos', 'inference-api'])
    provider.tokens = { scope: 'openid profile read-repos' }
    await leaveAndReturn({ addScopes: ['write-repos'] })
    expect((await auth.handleCallback())?.missingScopes).toEqual(['inference-api', 'write-repos'])
  })

  test('join the configured ones while nobody is signed in (A12, P5)', async () => {
    const { auth } = createHarness({ scopes: ['read-repos'] })
    const url = await auth.buildSignInUrl({ addScopes: ['jobs', 'read-repos'] })
    expect(queryOf(url).get('scope')).toBe('openid profile read-repos jobs')
  })
})

describe('a level of sign-in', () => {
  test('that is required and not reached ends the sign-in (C10)', async () => {
    const { auth, leaveAndReturn, provider } = createHarness()
    const options = { acrValues: ['high', 'higher'], acrRequired: true }
    for (const acr of ['low', undefined]) {
      provider.claims = { acr }
      await leaveAndReturn(options)
      await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_INVALID')
    }
    provider.claims = { acr: 'higher' }
    await leaveAndReturn(options)
    expect((await auth.handleCallback())?.session.claims.acr).toBe('higher')
  })
})

describe('userinfo', () => {
  const endpoint = '/oauth/userinfo'
  const offered = { userinfo_endpoint: `${issuer}${endpoint}` }

  async function signedIn(answer: () => Response, apiOrigins = [`${issuer}/oauth/`]) {
    const { provider, page, reload } = createHarness()
    provider.metadata = offered
    const asked: Request[] = []
    const auth = reload({
      apiOrigins,
      async fetch(input, init) {
        if (!(input instanceof Request)) return provider.fetch(input, init)
        asked.push(input)
        return answer()
      },
    })
    page.location.href = provider.authorize(await auth.buildSignInUrl())
    await auth.handleCallback()
    return { auth, asked }
  }

  test('is read with the token in the header, about the person who is signed in (C8)', async () => {
    const { auth, asked } = await signedIn(() => Response.json({ sub: 'user-1', orgs: [{ sub: 'org-1' }] }))
    expect(asked).toEqual([])
    expect(await readUserinfo(auth)).toEqual({ sub: 'user-1', orgs: [{ sub: 'org-1' }] })
    expect(asked.map(({ url }) => url)).toEqual([`${issuer}${endpoint}`])
    expect(asked[0]?.headers.get('authorization')).toMatch(/^Bearer /)
  })

  test('is not asked for where the token may not go, and nobody asks signed out (C8, D2)', async () => {
    const { auth, asked } = await signedIn(() => Response.json({ sub: 'user-1' }), [origin])
    await refusalOf(readUserinfo(auth), 'HFAUTH_ORIGIN_REFUSED')
    await auth.signOut()
    await refusalOf(readUserinfo(auth), 'HFAUTH_SIGNED_OUT')
    expect(asked).toEqual([])
  })

  test.each([
    ['is about somebody else', () => Response.json({ sub: 'user-2' }), 'HFAUTH_SIGNIN_INVALID'],
    ['has no subject', () => Response.json({}), 'HFAUTH_SIGNIN_INVALID'],
    ['is refused', () => Response.json({ error: 'x' }, { status: 403 }), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['is no JSON', () => new Response('<html>'), 'HFAUTH_ISSUER_UNAVAILABLE'],
  ] as const)('that %s is thrown away (C8)', async (_, answer, code) => {
    const { auth } = await signedIn(answer)
    await refusalOf(readUserinfo(auth), code)
  })
})

describe('tokens bound to a key', () => {
  test('are never promised, whatever the provider offers (I8)', async () => {
    for (const metadata of [{}, { dpop_signing_alg_values_supported: ['ES256'] }]) {
      const { auth, provider, signIn } = createHarness()
      provider.metadata = metadata
      await signIn()
      expect((await capabilitiesOf(auth)).senderConstrained).toBe(false)
      expect(provider.to(paths.token)[0]?.headers.has('dpop')).toBe(false)
    }
  })
})

describe('the ID token', () => {
  test('is out of reach, and goes to no API (C15)', async () => {
    const { provider, page, reload } = createHarness()
    let idToken = ''
    const sent: string[] = []
    const auth = reload({
      async fetch(input, init) {
        if (input instanceof Request) {
          sent.push(JSON.stringify([input.url, ...input.headers]))
          return new Response('ok')
        }
        const answer = await provider.fetch(input, init)
        if (String(input).endsWith(paths.token)) idToken = (await answer.clone().json()).id_token
        return answer
      },
    })
    page.location.href = provider.authorize(await auth.buildSignInUrl())
    await auth.handleCallback()
    await auth.fetch(`${origin}/api`)
    expect(idToken).toMatch(/^eyJ/)
    expect(sent.join()).toContain('Bearer ')
    expect(sent.join()).not.toContain(idToken)
    expect(JSON.stringify([auth, auth.session, auth.getSnapshot()])).not.toContain(idToken)
  })
})

describe('two clients on one page', () => {
  const otherIssuer = 'https://login.example'

  test('take their own answers only, whichever is asked first (A10, P1)', async () => {
    const { auth, page, provider, reload } = createHarness()
    const other = reload({ issuer: otherIssuer, clientId: 'client-2', fetch: otherFetch(provider) })
    const first = await auth.buildSignInUrl()
    const second = await other.buildSignInUrl()
    page.location.href = provider.authorize(first)
    expect(await other.handleCallback()).toBeUndefined()
    expect(page.location.href).toContain('code=')
    expect((await auth.handleCallback())?.session.sub).toBe('user-1')
    expect(other.session).toBeUndefined()
    expect(queryOf(second).get('client_id')).toBe('client-2')
  })

  test("do not end each other's sign-ins under way (P1)", async () => {
    const { auth, page, provider, reload } = createHarness()
    const other = reload({ issuer: otherIssuer, clientId: 'client-2', fetch: otherFetch(provider) })
    await other.buildSignInUrl()
    const mine = provider.authorize(await auth.buildSignInUrl())
    await other.signOut()
    page.location.href = mine
    expect(await auth.handleCallback()).toBeDefined()
  })

  /** The metadata of another provider, enough to leave for it. */
  function otherFetch(provider: ReturnType<typeof createFakeProvider>): typeof globalThis.fetch {
    return async (input, init) => {
      const answer = await provider.fetch(String(input).replace(otherIssuer, issuer), init)
      return new Response((await answer.text()).replaceAll(issuer, otherIssuer), answer)
    }
  }
})

describe('a sign-in in another window', () => {
  test('completes with the address that came back, once (B3, L5)', async () => {
    const { auth, page, provider, storage } = createHarness()
    const popupUri = `${origin}/popup`
    const begun = await beginElsewhere(auth, { redirectUri: popupUri })
    expect(queryOf(begun.url).get('redirect_uri')).toBe(popupUri)
    expect(queryOf(begun.url).get('state')).toBe(begun.state)
    // Nothing of it lies where another page could read it, and nothing happens to this one.
    expect(storage.entries.size).toBe(0)
    const answer = provider.authorize(begun.url)
    expect((await begun.complete(answer)).session.sub).toBe('user-1')
    expect(auth.session?.sub).toBe('user-1')
    expect(provider.to(paths.token)[0]?.body.get('redirect_uri')).toBe(popupUri)
    expect(page.visited).toEqual([])
    expect(page.replaced).toEqual([])
    await refusalOf(begun.complete(answer), 'HFAUTH_SIGNIN_STATE')
    expect(provider.to(paths.token)).toHaveLength(1)
  })

  test('refuses the answer of another sign-in, and goes on waiting for its own (A8, L3)', async () => {
    const { auth, provider } = createHarness()
    const [one, two] = await Promise.all([beginElsewhere(auth), beginElsewhere(auth)])
    await refusalOf(one.complete(provider.authorize(two.url)), 'HFAUTH_SIGNIN_STATE')
    await refusalOf(one.complete('https://app.example/popup'), 'HFAUTH_SIGNIN_STATE')
    expect(provider.to(paths.token)).toHaveLength(0)
    await one.complete(provider.authorize(one.url))
    await two.complete(provider.authorize(two.url))
    expect(provider.to(paths.token)).toHaveLength(2)
  })

  test('is over after ten minutes, and with a sign-out (A9, J1)', async () => {
    const { auth, provider, clock } = createHarness()
    const late = await beginElsewhere(auth)
    clock.now += 600_000
    await refusalOf(late.complete(provider.authorize(late.url)), 'HFAUTH_SIGNIN_STATE')
    const ended = await beginElsewhere(auth)
    await auth.signOut()
    await refusalOf(ended.complete(provider.authorize(ended.url)), 'HFAUTH_SIGNIN_STATE')
    expect(provider.to(paths.token)).toHaveLength(0)
  })

  test('takes no redirect address that could not be registered (A3, A11)', async () => {
    const { auth } = createHarness()
    for (const wrong of ['/popup', 'http://app.example/popup', `${origin}/popup#x`]) {
      await refusalOf(beginElsewhere(auth, { redirectUri: wrong }), 'HFAUTH_CONFIG_INVALID')
    }
  })
})

describe('a pop-up', () => {
  test('is for what `createAuth` made (L1)', async () => {
    const lookalike = { ...createHarness().auth }
    const window = fakeWindow
    await refusalOf(
      signInWithPopup(lookalike, { redirectUri: `${origin}/popup`, window }),
      'HFAUTH_CONFIG_INVALID',
    )
  })

  const closed = { location: { origin }, addEventListener() {}, removeEventListener() {}, open: () => null }
  const fakeWindow = closed as unknown as NonNullable<Parameters<typeof signInWithPopup>[1]['window']>

  test('that is blocked leaves a link, and ends with the signal (L1)', async () => {
    const { auth } = createHarness()
    const controller = new AbortController()
    const blocked = signInWithPopup(auth, {
      redirectUri: `${origin}/popup`,
      window: fakeWindow,
      signal: controller.signal,
    })
    const error = (await refusalOf(blocked, 'HFAUTH_POPUP_BLOCKED')) as PopupBlockedError
    expect(error).toBeInstanceOf(PopupBlockedError)
    expect(error.url.startsWith(`${issuer}/oauth/authorize?`)).toBe(true)
    controller.abort()
    const ended = await refusalOf(error.result, 'HFAUTH_SIGNIN_ABANDONED')
    expect(ended.retryable).toBe(true)
  })

  test('cannot come back to another origin, and both addresses are named (L3)', async () => {
    const { auth } = createHarness()
    const elsewhere = signInWithPopup(auth, {
      redirectUri: 'https://other.example/popup',
      window: fakeWindow,
    })
    const error = await refusalOf(elsewhere, 'HFAUTH_CONFIG_INVALID')
    expect(error.message).toContain('https://other.example/popup')
    expect(error.message).toContain(origin)
  })
})

describe('a page in a frame of another site', () => {
  const framed = (href = `${origin}/app?a=b%20c#d`) => {
    const page = createFakePage(href)
    const top = {
      get location(): never {
        throw new DOMException('cross-origin', 'SecurityError')
      },
    }
    return Object.assign(page, { top })
  }

  test('is not led to the provider, and knows the other ways (N1, N2)', async () => {
    const page = framed()
    const { reload } = createHarness()
    await refusalOf(reload({ page }).signIn(), 'HFAUTH_SIGNIN_FRAMED')
    expect(page.visited).toEqual([])
    expect(signInWays(page)).toEqual(['popup', 'new-tab', 'full-page'])
  })

  test('of its own site is like any other (N1)', async () => {
    const page = Object.assign(createFakePage(`${origin}/inner`), { top: createFakePage(`${origin}/outer`) })
    const { reload } = createHarness()
    await reload({ page }).signIn()
    expect(page.visited).toHaveLength(1)
    expect(signInWays(page)).toEqual(['redirect', 'popup'])
  })

  test('has its own address as the way out, and goes on from there once (N2, N5, N6)', async () => {
    const direct = directSignInUrl(framed())
    expect(direct).toBe(`${origin}/app?a=b%20c&hfauth_sign_in=1#d`)
    const page = createFakePage(direct)
    const { reload } = createHarness()
    const auth = reload({ page })
    expect(await auth.handleCallback()).toBeUndefined()
    expect(await continueSignIn(auth, {}, page)).toBe(true)
    expect(page.location.href).toBe(`${origin}/app?a=b%20c#d`)
    expect(page.visited).toHaveLength(1)
    // A reload, or coming back, starts no other round.
    expect(await continueSignIn(reload({ page }), {}, page)).toBe(false)
    expect(page.visited).toHaveLength(1)
  })

  test('does not go on by itself where it is still framed, or somebody is signed in (N1, N2)', async () => {
    const page = framed(`${origin}/app?hfauth_sign_in=1`)
    const { reload, auth, signIn } = createHarness()
    expect(await continueSignIn(reload({ page }), {}, page)).toBe(false)
    expect(page.location.href).toBe(`${origin}/app`)
    await signIn()
    const own = createFakePage(`${origin}/app?hfauth_sign_in=1`)
    expect(await continueSignIn(auth, {}, own)).toBe(false)
    expect(own.location.href).toBe(`${origin}/app`)
  })
})

describe('a browser that forgets', () => {
  test('is led round once and no further without a click (N5)', async () => {
    const { page, provider, reload } = createHarness()
    const before = reload({ storage: createFakeStorage() })
    await before.signIn()
    page.location.href = provider.authorize(page.visited[0] ?? '')
    // Another load of the page, which signs in by itself as soon as it sees that nobody is.
    const after = reload({ storage: createFakeStorage() })
    await refusalOf(after.handleCallback(), 'HFAUTH_SIGNIN_STATE')
    await refusalOf(after.signIn(), 'HFAUTH_SIGNIN_STATE')
    expect(page.visited).toHaveLength(1)
    page.fire('click')
    await after.signIn()
    expect(page.visited).toHaveLength(2)
  })
})

describe('an error says what to change', () => {
  test('when the page is not where its redirect address is, with both (S1)', async () => {
    const { reload } = createHarness()
    const page = createFakePage('https://127.0.0.1:5173/start?x=1')
    const error = await refusalOf(reload({ page }).signIn(), 'HFAUTH_CONFIG_INVALID')
    expect(error.message).toContain(redirectUri)
    expect(error.message).toContain('https://127.0.0.1:5173/start')
  })

  test.each([
    ['a scope is not enabled', { error: 'invalid_scope' }, 'openid profile jobs'],
    ['the app is confidential', { error: 'invalid_client' }, 'public app'],
    ['the redirect address differs', { error: 'invalid_grant' }, redirectUri],
    [
      'the request has a wrong redirect_uri',
      { error: 'invalid_request', error_description: 'redirect_uri' },
      redirectUri,
    ],
  ])('when %s (S1)', async (_, body, told) => {
    const { auth, leaveAndReturn, provider } = createHarness({ scopes: ['jobs'] })
    provider.answers.set(paths.token, () => Response.json(body, { status: 400 }))
    await leaveAndReturn()
    const error = await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_REFUSED')
    expect(error).toBeInstanceOf(SignInRefusedError)
    expect(error.message).toContain(told)
    expect(error.message).not.toContain('code-1')
  })

  test('when the token endpoint lets no page ask (S1)', async () => {
    const { auth, leaveAndReturn, provider } = createHarness()
    await leaveAndReturn()
    provider.answers.set(paths.token, () => Promise.reject(new TypeError('Failed to fetch')))
    const error = await refusalOf(auth.handleCallback(), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(error.message).toContain('CORS')
    expect(error.retryable).toBe(true)
  })
})
