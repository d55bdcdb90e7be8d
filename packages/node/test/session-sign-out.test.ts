/** What a sign-out does at the provider, each in its own way, and what is on record when that fails. */
import type { ServerResponse } from 'node:http'
import { createEngine } from '@hfauth/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { leaveLines, rememberSecrets } from '../../../test/support/output.ts'
import {
  createAuditLog,
  createSessions,
  type MemorySink,
  memorySessionStore,
  memorySink,
  type Sessions,
} from '../src/index.ts'
import { type Answer, json, signed } from './loopback-issuer.ts'
import { type PresetWorld, policyOf, startPresetWorld, verifierIn } from './preset-world.ts'
import { Browser, origin, secret } from './session-fixture.ts'

const slack = 'https://slack.com'
const revoke = 'https://slack.com/api/auth.revoke'
const corp = 'https://id.corp.example'
const corpRevoke = `${corp}/revoke`
const accessToken = 'xoxp-access-token-of-the-test'
const refreshToken = 'xoxe-1-refresh-token-of-the-test'

let world: PresetWorld
let sink: MemorySink
let sessions: Sessions
let browser: Browser
/** What came to the place where tokens are given back. */
let came: { authorization: string | undefined; body: string }[]

beforeAll(async () => {
  world = await startPresetWorld()
  rememberSecrets([accessToken, refreshToken])
})
afterAll(() => world.server.close())
beforeEach(() => {
  came = []
  sink = memorySink()
  const now = () => world.clock.ms
  const policy = policyOf({
    slack: { preset: 'slack', audience: 'app-1', tenants: ['T0ACME'] },
    corp: { preset: 'oidc', issuer: corp, audience: 'app-1' },
  })
  const environment = 'production'
  sessions = createSessions({
    engine: createEngine(policy, { environment, now }),
    verifier: verifierIn(world, policy),
    audit: createAuditLog({ sink, environment, service: 'test', now }),
    origin,
    secrets: [secret],
    providers: {
      slack: { clientId: 'app-1', clientSecret: 'secret-of-the-app' },
      corp: { clientId: 'app-1', clientSecret: 'secret-of-the-app' },
    },
    store: memorySessionStore({ now }),
    fetch: world.fetch,
    timeoutMs: 200,
    now,
  })
  browser = new Browser(sessions)
})
afterEach(() => leaveLines('audit-session-sign-out', sink.events))

type Provider = typeof slack | typeof corp

async function signIn(issuer: Provider, metadata: object = {}): Promise<void> {
  world.publish(issuer, undefined, {
    authorization_endpoint: `${issuer}/openid/connect/authorize`,
    token_endpoint: `${issuer}/api/openid.connect.token`,
    ...metadata,
  })
  const alias = issuer === slack ? 'slack' : 'corp'
  const asked = new URL(await browser.leave(`?provider=${alias}`)).searchParams
  const { seconds } = world.clock
  const claims = { iss: issuer, aud: 'app-1', sub: 'U0ANA', nonce: asked.get('nonce') }
  const idToken = signed({
    ...claims,
    iat: seconds,
    exp: seconds + 600,
    'https://slack.com/team_id': 'T0ACME',
    'https://slack.com/user_id': 'U0ANA',
  })
  const tokens = { access_token: accessToken, refresh_token: refreshToken, id_token: idToken }
  world.answer(
    `${issuer}/api/openid.connect.token`,
    json({ ok: true, token_type: 'Bearer', expires_in: 600, ...tokens }),
  )
  const callback = alias === 'slack' ? 'callback' : 'callback/corp'
  const back = await browser.send(`/auth/${callback}?code=c&state=${asked.get('state')}`)
  expect(back.status).toBe(303)
}

function answerAt(url: string, answer: Answer): void {
  world.answer(url, (request, response, body) => {
    came.push({ authorization: request.headers.authorization, body })
    answer(request, response, body)
  })
}

/** Signs out; gives what is on record, and what the browser is told. */
async function signOut() {
  const copy = new Browser(sessions, browser.cookies)
  const answer = await browser.signOut()
  expect((await copy.me()).signedIn).toBe(false)
  const ended = sink.events.filter(({ type }) => type === 'io.hfauth.session.ended')
  expect(ended).toHaveLength(1)
  const shown = JSON.stringify([sink.events, [...answer.headers], await answer.text()])
  for (const text of [accessToken, refreshToken, 'secret-of-the-app']) expect(shown).not.toContain(text)
  return { location: answer.headers.get('location'), error: ended[0]?.error }
}

const silent: Answer = () => {}
const drop: Answer = (_, response: ServerResponse) => response.destroy()

describe('a sign-out of somebody from Slack', () => {
  test('gives the access token back by `auth.revoke`, with the token itself and nothing else', async () => {
    await signIn(slack)
    answerAt(revoke, json({ ok: true, revoked: true }))
    expect(await signOut()).toEqual({ location: '/', error: undefined })
    expect(came).toEqual([{ authorization: `Bearer ${accessToken}`, body: '' }])
  })

  test.each<[string, Answer, string | undefined]>([
    ['knows the token no more', json({ ok: false, error: 'token_revoked' }), undefined],
    ['lets the token live', json({ ok: true, revoked: false }), 'HFAUTH_REVOCATION_REFUSED'],
    ['refuses', json({ ok: false, error: 'invalid_auth' }), 'HFAUTH_REVOCATION_REFUSED'],
    [
      'refuses with the token in its words',
      json({ ok: false, error: accessToken }),
      'HFAUTH_REVOCATION_REFUSED',
    ],
    ['has trouble', json({ ok: false, error: 'internal_error' }), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['asks to slow down', json({}, 429), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['does not answer', silent, 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['breaks off', drop, 'HFAUTH_ISSUER_UNAVAILABLE'],
  ])('is done here, and on record as it went, when Slack %s', async (_, answer, error) => {
    await signIn(slack)
    answerAt(revoke, answer)
    expect(await signOut()).toEqual({ location: '/', error })
    expect(came).toHaveLength(1)
  })
})

describe('a sign-out of somebody from a provider of RFC 7009', () => {
  test('gives the refresh token back where discovery names a place for it', async () => {
    await signIn(corp, { revocation_endpoint: corpRevoke })
    answerAt(corpRevoke, json(''))
    expect((await signOut()).error).toBeUndefined()
    expect(came.map(({ body }) => new URLSearchParams(body).get('token'))).toEqual([refreshToken])
    expect(came[0]?.authorization).toMatch(/^Basic /)
  })

  test('gives nothing back where it names none', async () => {
    await signIn(corp)
    expect((await signOut()).error).toBeUndefined()
    expect(world.asked.at(-1)).not.toContain('revoke')
  })

  test.each<[string, Answer, string]>([
    ['refuses', json({ error: 'unsupported_token_type' }, 400), 'HFAUTH_REVOCATION_REFUSED'],
    ['refuses the client', json({ error: 'invalid_client' }, 401), 'HFAUTH_REVOCATION_REFUSED'],
    ['refuses with the token in its words', json({ error: refreshToken }, 400), 'HFAUTH_REVOCATION_REFUSED'],
    ['is down', json('', 503), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['does not answer', silent, 'HFAUTH_ISSUER_UNAVAILABLE'],
  ])('is done here, and on record as it went, when the provider %s', async (_, answer, error) => {
    await signIn(corp, { revocation_endpoint: corpRevoke })
    answerAt(corpRevoke, answer)
    expect(await signOut()).toEqual({ location: '/', error })
  })
})
