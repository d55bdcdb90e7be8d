/** Checklist section 3: the token answer and the ID token. G1: expiry. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { accessToken, clientId, issuer, paths } from './support/fake-provider.ts'
import { createHarness, redirectUri, refusalOf } from './support/harness.ts'

describe('the token request', () => {
  test('is a form post without cookies, with client, address and verifier (C1)', async () => {
    const { auth, leaveAndReturn, provider, storage } = createHarness()
    await leaveAndReturn()
    const { verifier } = JSON.parse([...storage.entries.values()][0] ?? '')
    await auth.handleCallback()
    const [request] = provider.to(paths.token)
    expect(Object.fromEntries(request?.body ?? [])).toEqual({
      grant_type: 'authorization_code',
      code: 'code-1',
      client_id: clientId,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    })
    expect(request?.headers.get('content-type')).toMatch(/^application\/x-www-form-urlencoded/)
    expect(request?.headers.has('authorization')).toBe(false)
    expect(request?.init).toMatchObject({
      method: 'POST',
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'manual',
      referrerPolicy: 'no-referrer',
      signal: expect.any(AbortSignal),
    })
  })

  test('ends with a time-out when no answer comes (C1)', async () => {
    const { leaveAndReturn, auth, provider } = createHarness({ requestTimeoutMs: 20 })
    await leaveAndReturn()
    provider.answers.set(paths.token, () => new Promise(() => {}))
    const error = await refusalOf(auth.handleCallback(), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(error.retryable).toBe(true)
  })

  test.each([
    [503, true],
    [500, true],
    [429, true],
    [302, false],
  ])('that is answered with %d is no refusal of the person (C1)', async (status, retryable) => {
    const { leaveAndReturn, auth, provider } = createHarness()
    await leaveAndReturn()
    provider.answers.set(paths.token, () => new Response(null, { status }))
    const error = await refusalOf(auth.handleCallback(), 'HFAUTH_ISSUER_UNAVAILABLE')
    expect(error.retryable).toBe(retryable)
  })
})

describe('the token answer', () => {
  test.each(['Bearer', 'bearer', 'BEARER'])('may call its type %s (C2)', async (type) => {
    const { signIn, provider } = createHarness()
    provider.tokens = { token_type: type }
    expect(await signIn()).toBeDefined()
  })

  test.each(['mac', 'DPoP', '', undefined])('is refused with the type %s (C2)', async (type) => {
    const { signIn, provider } = createHarness()
    provider.tokens = { token_type: type }
    await refusalOf(signIn(), 'HFAUTH_SIGNIN_INVALID')
  })

  test.each([
    ['without an access token', { access_token: undefined }],
    ['with an empty access token', { access_token: '' }],
    ['with a lifetime that is no number', { expires_in: 'abc' }],
    ['with a negative lifetime', { expires_in: -1 }],
    ['with a scope that is no text', { scope: ['a'] }],
    ['without an ID token (C12)', { id_token: undefined }],
    ['with an ID token that is none', { id_token: 'x' }],
    ['with an encrypted ID token', { id_token: 'a.b.c.d.e' }],
  ])('is refused %s (C3)', async (_, tokens) => {
    const { signIn, provider } = createHarness()
    provider.tokens = tokens
    await refusalOf(signIn(), 'HFAUTH_SIGNIN_INVALID')
  })

  test.each([
    [
      'HTML',
      new Response('<html>', { headers: { 'content-type': 'text/html' } }),
      'HFAUTH_ISSUER_UNAVAILABLE',
    ],
    [
      'JSON called HTML',
      new Response('{}', { headers: { 'content-type': 'text/html' } }),
      'HFAUTH_ISSUER_UNAVAILABLE',
    ],
    ['an array', Response.json([]), 'HFAUTH_SIGNIN_INVALID'],
    [
      'an empty body',
      new Response('', { headers: { 'content-type': 'application/json' } }),
      'HFAUTH_SIGNIN_INVALID',
    ],
  ])('is refused when it is %s (C3)', async (_, answer, code) => {
    const { leaveAndReturn, auth, provider } = createHarness()
    await leaveAndReturn()
    provider.answers.set(paths.token, () => answer)
    await refusalOf(auth.handleCallback(), code)
  })

  test('tells the scope that was granted, and what is missing (C13)', async () => {
    const { signIn, provider } = createHarness({ scopes: ['inference-api', 'jobs'] })
    provider.tokens = { scope: 'openid profile jobs' }
    const result = await signIn()
    expect(result?.session.scopes).toEqual(['openid', 'profile', 'jobs'])
    expect(result?.missingScopes).toEqual(['inference-api'])
  })

  test('without a scope grants what was asked for (C13)', async () => {
    const { signIn, provider } = createHarness({ scopes: ['jobs'] })
    provider.tokens = { scope: undefined }
    const result = await signIn()
    expect(result?.session.scopes).toEqual(['openid', 'profile', 'jobs'])
    expect(result?.missingScopes).toEqual([])
  })

  test('may hold an access token of any form (C14)', async () => {
    const { signIn, provider } = createHarness()
    provider.tokens = { access_token: 'opaque' }
    expect(await signIn()).toBeDefined()
  })
})

describe('the expiry of the access token', () => {
  test('counts from the moment the request was sent (G1)', async () => {
    const { leaveAndReturn, auth, provider, clock } = createHarness()
    await leaveAndReturn()
    const sentAt = clock.now
    const answer = provider.fetch
    provider.answers.set(paths.jwks, async () => {
      provider.answers.clear()
      clock.now += 20_000
      return answer(`${issuer}${paths.jwks}`)
    })
    const result = await auth.handleCallback()
    expect(result?.session.expiresAt).toBe(sentAt + 28_800_000)
  })

  test.each([-200, 200])('does not follow a server whose clock is %d s off (G1, G8)', async (seconds) => {
    const { signIn, provider, clock } = createHarness()
    const time = Math.floor(clock.now / 1000) + seconds
    provider.claims = { iat: time, exp: time + 3600, auth_time: time }
    expect((await signIn())?.session.expiresAt).toBe(clock.now + 28_800_000)
  })

  test('is an hour away when the provider does not say (G1)', async () => {
    const { signIn, provider, clock } = createHarness()
    provider.tokens = { expires_in: undefined }
    expect((await signIn())?.session.expiresAt).toBe(clock.now + 3_600_000)
  })
})

describe('a device whose clock is wrong', () => {
  /** The provider's clock is `seconds` ahead of the device's, and it says so where the page can read it. */
  function ahead(seconds: number, claims: Record<string, unknown> = {}) {
    const harness = createHarness()
    const { provider, clock } = harness
    const time = Math.floor(clock.now / 1000) + seconds
    provider.claims = { iat: time, exp: time + 3600, auth_time: time, ...claims }
    provider.headers = { date: new Date(time * 1000).toUTCString() }
    return { ...harness, time }
  }

  test.each([7200, -7200, 86_000, -86_000])(
    'by %d s signs in by the `Date` of the answer, and the token ends by its own clock (G1, C6)',
    async (seconds) => {
      const { signIn, clock } = ahead(seconds)
      expect((await signIn({ maxAgeSeconds: 60 }))?.session.expiresAt).toBe(clock.now + 28_800_000)
    },
  )

  test.each([90_000, -90_000])('by more than a day, %d s, is told so (C6)', async (seconds) => {
    const { signIn } = ahead(seconds)
    const error = await refusalOf(signIn(), 'HFAUTH_CLOCK_WRONG')
    expect(error.message).toContain('25 hours')
  })

  test.each<[string, (time: number) => Record<string, unknown>]>([
    ['that has expired', (time) => ({ exp: time - 301 })],
    ['of another sign-in', () => ({ nonce: 'other' })],
    ['without a nonce', () => ({ nonce: undefined })],
    ['issued before the sign-in began', (time) => ({ iat: time - 901 })],
    ['issued later than that', (time) => ({ iat: time + 301 })],
    ['for an authentication that is too old', (time) => ({ auth_time: time - 361 })],
  ])('takes no ID token %s for that (C6, C7, C10)', async (_, claims) => {
    const seconds = 7200
    const { time } = ahead(seconds)
    const { signIn } = ahead(seconds, claims(time))
    await refusalOf(signIn({ maxAgeSeconds: 60 }), 'HFAUTH_SIGNIN_INVALID')
  })

  test('says what else is wrong first (C7, C9)', async () => {
    for (const spoil of ['nonce', 'key'] as const) {
      const { signIn, provider } = ahead(7200, spoil === 'nonce' ? { nonce: 'other' } : {})
      provider.headers = {}
      provider.foreignKey = spoil === 'key'
      await refusalOf(signIn(), 'HFAUTH_SIGNIN_INVALID')
    }
  })

  test('is believed as long as the ID token agrees with it, whatever the `Date` says (C6)', async () => {
    const { signIn, provider, clock } = createHarness()
    provider.headers = { date: new Date(clock.now + 7_200_000).toUTCString() }
    expect(await signIn()).toBeDefined()
  })
})

describe('the ID token', () => {
  const time = Math.floor(createHarness().clock.now / 1000)
  const hash = (text: string) =>
    createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')

  test.each([
    ['another issuer (C4)', { iss: 'https://evil.example' }],
    ['no issuer (C4)', { iss: undefined }],
    ['another audience (C5)', { aud: 'client-2' }],
    ['an audience list without us (C5)', { aud: ['client-2'] }],
    ['no audience (C5)', { aud: undefined }],
    ['a second audience (C5)', { aud: [clientId, 'client-2'] }],
    ['a second audience, authorised for us (C5)', { aud: [clientId, 'client-2'], azp: clientId }],
    ['another authorised party (C5)', { azp: 'client-2' }],
    ['an expiry in the past (C6)', { exp: time - 303 }],
    ['no expiry (C6)', { exp: undefined }],
    ['an expiry that is text (C6)', { exp: `${time + 60}` }],
    ['an issue time after its expiry (C6)', { iat: time + 86_400 }],
    ['no issue time (C6)', { iat: undefined }],
    ['an issue time that is text (C6)', { iat: 'now' }],
    ['no nonce (C7)', { nonce: undefined }],
    ['another nonce (C7)', { nonce: 'other' }],
    ['no subject (C8)', { sub: undefined }],
    ['an empty subject (C8)', { sub: '' }],
    ['a subject that is a number (C8)', { sub: 7 }],
    ['a wrong access token hash (C11)', { at_hash: hash('another token') }],
    ['an authentication in the future (C10)', { auth_time: time + 301 }],
  ])('is refused with %s', async (_, claims) => {
    const { signIn, provider, auth } = createHarness()
    provider.claims = claims
    await refusalOf(signIn(), 'HFAUTH_SIGNIN_INVALID')
    expect(auth.session).toBeUndefined()
  })

  test.each([
    ['just beyond the tolerance', 301, '5 minutes behind'],
    ['tomorrow', 86_400, '24 hours behind'],
    ['before the sign-in began', -901, '15 minutes ahead of'],
    ['yesterday', -86_400, '24 hours ahead of'],
    ['a week ago', -7 * 86_400, '7 days ahead of'],
  ])('issued %s is not used, and the clock is named as wrong (C6)', async (_, seconds, off) => {
    const { signIn, provider, auth } = createHarness()
    const issued = time + seconds
    provider.claims = { iat: issued, exp: issued + 3600, auth_time: issued }
    const error = await refusalOf(signIn(), 'HFAUTH_CLOCK_WRONG')
    expect(error.message).toContain(`about ${off} the provider's`)
    expect(error.retryable).toBe(false)
    expect(auth.session).toBeUndefined()
  })

  test.each([
    ['our audience in a list (C5)', { aud: [clientId] }],
    ['us as authorised party (C5)', { azp: clientId }],
    ['an expiry within the tolerance (C6)', { exp: time - 297 }],
    ['an issue time within the tolerance (C6)', { iat: time + 299 }],
    ['the right access token hash (C11)', { at_hash: hash(accessToken) }],
  ])('is taken with %s', async (_, claims) => {
    const { signIn, provider } = createHarness()
    provider.claims = claims
    expect((await signIn())?.session.sub).toBe('user-1')
  })

  test('has one tolerance for every time, which can be taken away (G8)', async () => {
    for (const [claims, code] of [
      [{ exp: time - 3 }, 'HFAUTH_SIGNIN_INVALID'],
      [{ iat: time + 1 }, 'HFAUTH_CLOCK_WRONG'],
      [{ auth_time: time + 1 }, 'HFAUTH_SIGNIN_INVALID'],
    ] as const) {
      const { signIn, provider } = createHarness({ clockToleranceSeconds: 0 })
      provider.claims = claims
      await refusalOf(signIn(), code)
    }
  })

  test.each([
    ['says alg none', { alg: 'none' }],
    ['says alg None', { alg: 'None' }],
    ['says no algorithm', { alg: undefined }],
    ['says HS256', { alg: 'HS256' }],
    ['says its algorithm in small letters', { alg: 'rs256' }],
    ['says its algorithm in a list', { alg: ['RS256'] }],
    ['says another digest', { alg: 'RS512' }],
    ['says a curve', { alg: 'ES256' }],
    ['says another algorithm, rightly, that the provider lists and we do not', { alg: 'PS256' }],
    ['needs an extension', { crit: ['b64'], b64: false }],
    ['needs an extension that is none', { crit: [] }],
  ])('is refused when its header %s (C9)', async (_, header) => {
    const { signIn, provider } = createHarness()
    provider.header = header
    await refusalOf(signIn(), 'HFAUTH_SIGNIN_INVALID')
  })

  test('is refused when another key signed it (C9)', async () => {
    const { signIn, provider } = createHarness()
    provider.foreignKey = true
    await refusalOf(signIn(), 'HFAUTH_SIGNIN_INVALID')
  })

  test('is refused when the key is not published (C9)', async () => {
    const { signIn, provider } = createHarness()
    provider.header = { kid: 'unknown' }
    await refusalOf(signIn(), 'HFAUTH_SIGNIN_INVALID')
  })

  test('that is too old an authentication is refused when a limit was asked for (C10)', async () => {
    const { signIn, provider } = createHarness({ clockToleranceSeconds: 0 })
    provider.claims = { auth_time: time - 63 }
    await refusalOf(signIn({ maxAgeSeconds: 60 }), 'HFAUTH_SIGNIN_INVALID')
  })

  test('without the time of authentication is refused when a limit was asked for (C10)', async () => {
    const { signIn, provider } = createHarness()
    provider.claims = { auth_time: undefined }
    await refusalOf(signIn({ maxAgeSeconds: 60 }), 'HFAUTH_SIGNIN_INVALID')
  })

  test('with a recent authentication, or no limit asked for, is taken (C10)', async () => {
    const recent = createHarness()
    recent.provider.claims = { auth_time: time - 57 }
    expect(await recent.signIn({ maxAgeSeconds: 60 })).toBeDefined()
    const unasked = createHarness()
    unasked.provider.claims = { auth_time: undefined }
    expect(await unasked.signIn()).toBeDefined()
  })
})
