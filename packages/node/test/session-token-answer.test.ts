/** What a provider may answer to a code, told by one that says exactly what a test wants. */
import { hash } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { memorySessionStore } from '../src/index.ts'
import {
  type Answer,
  createClock,
  json,
  type LoopbackIssuer,
  paths,
  rsaKey,
  signed,
  startIssuer,
} from './loopback-issuer.ts'
import { Browser, createService, type Service } from './session-fixture.ts'

const clock = createClock(Date.now())
const now = () => clock.ms
const accessToken = 'access-token-of-the-test'
const goodHash = hash('sha256', accessToken, 'buffer').subarray(0, 16).toString('base64url')

let issuer: LoopbackIssuer
let service: Service
let browser: Browser

beforeAll(async () => {
  issuer = await startIssuer()
})
afterAll(() => issuer.close())
beforeEach(() => {
  issuer.answers.set(
    paths.discovery,
    json({
      issuer: issuer.url,
      jwks_uri: `${issuer.url}/jwks`,
      authorization_endpoint: `${issuer.url}/authorize`,
      token_endpoint: `${issuer.url}/oauth/token`,
      userinfo_endpoint: `${issuer.url}/oauth/userinfo`,
    }),
  )
  issuer.answers.set(paths.userinfo, json({ sub: 'u-1', preferred_username: 'uma', orgs: [] }))
})

interface SignIn {
  readonly preset?: 'oidc' | 'huggingface'
  readonly claims?: Record<string, unknown>
  readonly answer?: object
  readonly idToken?: string
  readonly query?: string
}

/** Signs in with what the provider says spoiled as told; gives the status of the last answer. */
async function signIn({
  preset = 'oidc',
  claims = {},
  answer = {},
  idToken,
  query = '',
}: SignIn = {}): Promise<number> {
  service = createService({
    now,
    issuers: {
      corp: { preset, issuer: issuer.url, audience: ['app-1', 'app-2'] },
      other: { preset, issuer: issuer.url, audience: 'app-3' },
    },
    providers: { corp: { clientId: 'app-1' } },
    store: memorySessionStore({ now }),
  })
  browser = new Browser(service.sessions)
  const asked = new URL(await browser.leave(query)).searchParams
  const all = {
    iss: issuer.url,
    aud: 'app-1',
    sub: 'u-1',
    iat: clock.seconds,
    exp: clock.seconds + 600,
    nonce: asked.get('nonce'),
    at_hash: goodHash,
    ...claims,
  }
  const token = idToken ?? signed(all)
  const tokens = {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: 600,
    id_token: token,
    ...answer,
  }
  issuer.answers.set(paths.token, json(tokens))
  return (await browser.send(`/auth/callback?code=c&state=${asked.get('state')}`)).status
}

const principal = async () => (await service.sessions.load(browser.request('/')))?.principal

describe('the answer to a code', () => {
  test('makes a session when everything in it is right', async () => {
    expect(await signIn()).toBe(303)
    expect((await principal())?.id).toBe('corp|u-1')
  })

  const spoiled: [string, SignIn][] = [
    ['another issuer', { claims: { iss: 'https://evil.example' } }],
    ['another client', { claims: { aud: 'app-9' } }],
    ['another client of ours', { claims: { aud: 'app-2' } }],
    ['a further audience that nobody knows', { claims: { aud: ['app-1', 'app-9'] } }],
    ['another party', { claims: { azp: 'app-2' } }],
    ['another client, for which the policy has another alias', { claims: { aud: 'app-3' } }],
    ['no subject', { claims: { sub: undefined } }],
    ['an empty subject', { claims: { sub: '' } }],
    ['another nonce', { claims: { nonce: 'x' } }],
    ['no nonce', { claims: { nonce: undefined } }],
    ['no expiry', { claims: { exp: undefined } }],
    ['an expiry that is past', { claims: { exp: Math.floor(Date.now() / 1000) - 3600 } }],
    ['a time of issue to come', { claims: { iat: Math.floor(Date.now() / 1000) + 3600 } }],
    ['the hash of another access token', { claims: { at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' } }],
    ['an ID token signed by another key', { idToken: signed({ iss: 'x' }, rsaKey('rsa-1')) }],
    ['an ID token that nobody signed', { idToken: 'eyJhbGciOiJub25lIn0.e30.' }],
    ['an ID token that is none', { idToken: 'x' }],
    ['no ID token', { answer: { id_token: undefined } }],
    ['no access token', { answer: { access_token: undefined } }],
    ['a token type of another kind', { answer: { token_type: 'mac' } }],
    ['an expiry that is no number', { answer: { expires_in: 'soon' } }],
    [
      'an older sign-in than was asked for',
      { query: '?max_age=60', claims: { auth_time: clock.seconds - 120 } },
    ],
    ['no time of the sign-in though one was asked for', { query: '?max_age=60' }],
    ['a security event in the place of an ID token', { claims: { events: {} } }],
  ]
  test.each(spoiled)('with %s makes none', async (_, spoil) => {
    expect(await signIn(spoil)).toBe(400)
    expect(await principal()).toBeUndefined()
    expect(service.events).toHaveLength(1)
    expect(service.events[0]).toMatchObject({
      type: 'io.hfauth.signin.refused',
      error: 'HFAUTH_SIGNIN_INVALID',
    })
  })

  test.each([
    [
      'HTML',
      ((_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')) as Answer,
      400,
    ],
    ['a list', json([]), 400],
    ['nothing', ((_, response) => response.end()) as Answer, 400],
    ['an error of the client', json({ error: 'invalid_client' }, 401), 403],
    ['a redirect', ((_, response) => response.writeHead(307, { location: '/x' }).end()) as Answer, 503],
    ['a failure', json({}, 500), 503],
    ['more than anybody reads', json({ x: 'x'.repeat(600_000) }), 503],
  ])('that is %s makes none', async (_, answer, status) => {
    await signIn()
    const fresh = new Browser(service.sessions)
    const asked = new URL(await fresh.leave()).searchParams
    issuer.answers.set(paths.token, answer)
    const back = await fresh.send(`/auth/callback?code=c&state=${asked.get('state')}`)
    expect(back.status).toBe(status)
    expect((await fresh.me()).signedIn).toBe(false)
  })

  test('of Hugging Face is completed by userinfo, which must speak of the same person', async () => {
    const preset = 'huggingface'
    expect(await signIn({ preset, answer: { scope: 'openid profile' } })).toBe(303)
    expect(await principal()).toMatchObject({
      username: 'uma',
      credential: 'access_token',
      scopes: ['openid', 'profile'],
    })
    issuer.answers.set(paths.userinfo, json({ sub: 'u-2' }))
    expect(await signIn({ preset })).toBe(400)
  })

  test('binds what the person may do to what they granted, not to what was asked for', async () => {
    await signIn({ preset: 'huggingface', answer: { scope: 'openid' } })
    expect((await service.sessions.load(browser.request('/')))?.scopes).toEqual(['openid'])
  })
})
