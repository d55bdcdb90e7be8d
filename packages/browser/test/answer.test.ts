/** Checklist section 2: the answer at the redirect address. */
import { describe, expect, test } from 'vitest'
import { SignInRefusedError } from '../src/index.ts'
import { readAnswer } from '../src/login/answer.ts'
import { accessToken, type FakeProvider, issuer, paths, refreshToken } from './support/fake-provider.ts'
import { createHarness, origin, redirectUri, refusalOf } from './support/harness.ts'

describe('an address that is no answer', () => {
  test.each([
    '/callback',
    '/callback?code=1',
    '/callback?state=1',
    '/callback?error=x',
    '/callback?state=&code=1',
    '/callback#code=1&state=2',
    '/elsewhere?code=1&state=2',
    '/?q=state',
  ])('%s is left alone (B1, B2)', async (address) => {
    const { auth, page, provider } = createHarness()
    page.location.href = origin + address
    expect(await auth.handleCallback()).toBeUndefined()
    expect(page.replaced).toEqual([])
    expect(provider.requests).toEqual([])
    expect(auth.getSnapshot().status).toBe('signed-out')
  })
})

describe('an answer', () => {
  test('with a state nobody sent is refused with its own code and no request (B3)', async () => {
    const { auth, page, provider } = createHarness()
    page.location.href = `${redirectUri}?code=1&state=forged`
    const error = await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_STATE')
    expect(error.message).not.toContain('forged')
    expect(provider.requests).toEqual([])
    expect(page.location.href).toBe(redirectUri)
  })

  test('is used once: a replay is refused without a second token request (B3, B8)', async () => {
    const { leaveAndReturn, page, provider, reload, auth } = createHarness()
    await leaveAndReturn()
    const address = page.location.href
    await auth.handleCallback()
    page.location.href = address
    await refusalOf(reload().handleCallback(), 'HFAUTH_SIGNIN_STATE')
    expect(provider.to(paths.token)).toHaveLength(1)
  })

  test('leaves storage and address before the token request is sent (B8, B9)', async () => {
    const { leaveAndReturn, auth, page, storage, provider } = createHarness()
    await leaveAndReturn()
    const seen: unknown[] = []
    provider.answers.set(paths.token, () => {
      seen.push(storage.entries.size, page.location.href)
      return new Response(null, { status: 503 })
    })
    const error = await refusalOf(auth.handleCallback(), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(seen).toEqual([0, redirectUri])
    expect(error.retryable).toBe(true)
  })

  test('is not sent again by a reload while the token answer hangs (B8)', async () => {
    const { leaveAndReturn, auth, page, provider, reload } = createHarness({ requestTimeoutMs: 30 })
    await leaveAndReturn()
    const address = page.location.href
    provider.answers.set(paths.token, () => new Promise(() => {}))
    const hanging = auth.handleCallback()
    page.location.href = address
    await refusalOf(reload().handleCallback(), 'HFAUTH_SIGNIN_STATE')
    await refusalOf(hanging, 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(provider.to(paths.token)).toHaveLength(1)
  })

  test.each([
    ['a good code', (url: string) => url],
    ['an error', (url: string) => url.replace(/code=[^&]*/, 'error=access_denied')],
  ])('with the wrong `iss` and %s is refused (B4)', async (_, change) => {
    const { leaveAndReturn, auth, page, provider } = createHarness()
    await leaveAndReturn({}, { iss: 'https://evil.example' })
    page.location.href = change(page.location.href)
    await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_INVALID')
    expect(provider.to(paths.token)).toHaveLength(0)
  })

  test('with an empty `iss` is refused (B4)', async () => {
    const { leaveAndReturn, auth, provider } = createHarness()
    await leaveAndReturn({}, { iss: '' })
    await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_INVALID')
    expect(provider.to(paths.token)).toHaveLength(0)
  })

  test('with the right `iss` is taken (B4)', async () => {
    const { leaveAndReturn, auth, page } = createHarness()
    await leaveAndReturn({}, { iss: issuer })
    expect(await auth.handleCallback()).toBeDefined()
    expect(page.replaced.join()).not.toContain('iss')
  })

  test('without the `iss` that the metadata promises is refused (B5)', async () => {
    const { leaveAndReturn, auth, provider } = createHarness()
    provider.metadata = { authorization_response_iss_parameter_supported: true }
    await leaveAndReturn()
    await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_INVALID')
    expect(provider.to(paths.token)).toHaveLength(0)
  })

  test.each(['code', 'state', 'iss'])('with `%s` twice is refused (B6)', async (name) => {
    const { leaveAndReturn, auth, page, provider } = createHarness()
    await leaveAndReturn({}, { iss: issuer })
    page.location.href += `&${name}=again`
    await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_INVALID')
    expect(provider.to(paths.token)).toHaveLength(0)
  })

  test('with `error` twice is refused (B6)', async () => {
    const { auth, page, provider } = createHarness()
    page.location.href = `${provider.refuse(await auth.buildSignInUrl(), 'access_denied')}&error=login_required`
    await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_INVALID')
  })

  test.each([
    ['a token in the fragment', '', '#access_token=leaked'],
    ['a token in the query', '&id_token=leaked', ''],
  ])('with %s is refused, and the token leaves the address (B7)', async (_, query, fragment) => {
    const { leaveAndReturn, auth, page, provider } = createHarness()
    await leaveAndReturn()
    page.location.href += query + fragment
    await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_INVALID')
    expect(page.location.href).toBe(redirectUri)
    expect(provider.to(paths.token)).toHaveLength(0)
  })

  test('that is all in the fragment is refused and removed (B7)', async () => {
    const { leaveAndReturn, auth, page } = createHarness()
    await leaveAndReturn()
    page.location.href = `${page.location.href.replace('?', '#')}&access_token=leaked`
    await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_INVALID')
    expect(page.location.href).toBe(redirectUri)
  })

  test('of one issuer is never taken by the client of another (A10)', async () => {
    const { leaveAndReturn, page, provider, reload, storage } = createHarness()
    await leaveAndReturn()
    const address = page.location.href
    const other = reload({ issuer: 'https://other.example' })
    expect(await other.handleCallback()).toBeUndefined()
    expect(provider.to(paths.token)).toHaveLength(0)
    // Nothing is lost for the client it belongs to.
    expect(page.location.href).toBe(address)
    expect(storage.entries.size).toBe(1)
    expect(await reload().handleCallback()).toBeDefined()
  })

  test('is handled once for two calls in the same tick, and for later ones (B10)', async () => {
    const { leaveAndReturn, auth, provider } = createHarness()
    await leaveAndReturn()
    const [first, second] = await Promise.all([auth.handleCallback(), auth.handleCallback()])
    expect(first).toBe(second)
    expect(await auth.handleCallback()).toBe(first)
    expect(provider.to(paths.token)).toHaveLength(1)
  })
})

describe('the address afterwards', () => {
  test('is where the person was, with query and fragment (B9, Q1)', async () => {
    const { signIn, page } = createHarness()
    const result = await signIn()
    expect(result?.returnTo).toBe('/start?tab=models#top')
    expect(page.location.href).toBe(`${origin}/start?tab=models#top`)
  })

  test('keeps what belongs to the application after an error, letter for letter (B9)', async () => {
    const { auth, page, provider } = createHarness({ redirectUri: `${redirectUri}?a=x%20y+z&b` })
    page.location.href = `${provider.refuse(await auth.buildSignInUrl(), 'access_denied', { error_description: 'no' })}#own`
    await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_REFUSED')
    expect(page.location.href).toBe(`${redirectUri}?a=x%20y+z&b#own`)
  })

  test('is not changed under an application that has moved on (B9)', async () => {
    const { leaveAndReturn, auth, page } = createHarness()
    await leaveAndReturn()
    const pending = auth.handleCallback()
    page.location.href = `${origin}/moved`
    await pending
    expect(page.location.href).toBe(`${origin}/moved`)
  })

  test.each([
    ['https://app.example/a?x=1&code=2&state=3&y=%41#z', 'https://app.example/a?x=1&y=%41#z'],
    ['https://app.example/a?code=2&state=3', 'https://app.example/a'],
    ['https://app.example/a?st%61te=3&error=e&error_uri=u&keep', 'https://app.example/a?keep'],
  ])('%s becomes %s (B9)', (before, after) => {
    expect(readAnswer(before)?.cleaned).toBe(after)
  })
})

describe('a refusal of the provider', () => {
  test.each([
    ['access_denied', 'access_denied', false],
    ['login_required', 'login_required', false],
    ['interaction_required', 'interaction_required', false],
    ['consent_required', 'consent_required', false],
    ['invalid_scope', 'invalid_scope', false],
    ['temporarily_unavailable', 'temporarily_unavailable', true],
    ['server_error', 'server_error', true],
    ['something_new', 'other', false],
  ])('%s becomes the reason %s (B14)', async (error, reason, retryable) => {
    const { auth, page, provider } = createHarness()
    page.location.href = provider.refuse(await auth.buildSignInUrl(), error)
    const refusal = await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_REFUSED')
    expect(refusal).toBeInstanceOf(SignInRefusedError)
    expect(refusal).toMatchObject({ reason, retryable })
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', session: undefined })
  })

  test('has its text cut, and freed of control characters (B13)', async () => {
    const { auth, page, provider } = createHarness()
    const text = `<img src=x onerror=alert(1)>\u0000\u202E\n${'x'.repeat(100_000)}`
    page.location.href = provider.refuse(await auth.buildSignInUrl(), 'access_denied', {
      error_description: text,
    })
    const { message } = await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_REFUSED')
    expect(message.length).toBeLessThan(300)
    expect(message).not.toMatch(/[\u0000-\u001F\u202E]/)
  })

  test('at the token endpoint is told apart from a provider that is down (B14, C1)', async () => {
    const { leaveAndReturn, auth, provider } = createHarness()
    provider.answers.set(paths.token, () =>
      Response.json({ error: 'invalid_grant', error_description: 'code is used up' }, { status: 400 }),
    )
    await leaveAndReturn()
    const refusal = await refusalOf(auth.handleCallback(), 'HFAUTH_SIGNIN_REFUSED')
    expect(refusal).toMatchObject({ reason: 'invalid_grant', retryable: false })
    expect(refusal.message).toContain('invalid_grant')
  })
})

describe('errors', () => {
  test('of every failing step hold no secret, however they are printed (H10, S1)', async () => {
    const spoiled: Partial<FakeProvider>[] = [
      { claims: { iss: 'https://evil.example' } },
      { claims: { sub: 7 } },
      { claims: { nonce: 'other' } },
      { tokens: { token_type: 'mac' } },
      { tokens: { id_token: 'a.b.c' } },
      { tokens: { expires_in: 'abc' } },
      { foreignKey: true },
      { answers: new Map([[paths.jwks, () => new Response(null, { status: 500 })]]) },
      { answers: new Map([[paths.token, () => Promise.reject(new Error(accessToken))]]) },
    ]
    for (const { answers = [], ...rest } of spoiled) {
      const harness = createHarness()
      Object.assign(harness.provider, rest)
      for (const [path, answer] of answers) harness.provider.answers.set(path, answer)
      await harness.leaveAndReturn()
      const [record = ''] = harness.storage.entries.values()
      const secrets = [accessToken, refreshToken, JSON.parse(record).verifier, 'code-1']
      const error = await harness.auth.handleCallback().then(
        () => expect.unreachable(),
        (reason: Error) => reason,
      )
      expect(error.cause).toBeUndefined()
      const printed = `${error.stack} ${JSON.stringify(error, Object.getOwnPropertyNames(error))}`
      for (const secret of secrets) expect(printed).not.toContain(secret)
      expect(harness.auth.session).toBeUndefined()
    }
  })
})
