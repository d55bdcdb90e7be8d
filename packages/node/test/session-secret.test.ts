/** A client secret that is rotated while people sign in, stay signed in and sign out. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { confidentialAppId, type Hub, startHub } from '@hfauth/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import {
  createAuditLog,
  createSecretRing,
  memorySessionStore,
  memorySink,
  type SecretRing,
  secretFile,
} from '../src/index.ts'
import { createClock } from './loopback-issuer.ts'
import { Browser, createService, hubIssuers, leaveRecord, type Service } from './session-fixture.ts'

const clock = createClock(Date.now())
const now = () => clock.ms
const quarter = 15 * 60 + 1
const [first, second, third] = ['first', 'second', 'third'].map((word) => `${word}-secret-of-the-app`) as [
  string,
  string,
  string,
]

let hub: Hub
let folder: string
let path: string
let ring: SecretRing
let service: Service
let browser: Browser

beforeAll(async () => {
  hub = await startHub({ now })
  folder = await mkdtemp(join(tmpdir(), 'hfauth-session-secret-'))
  path = join(folder, 'client-secret.json')
  rememberSecrets([first, second, third])
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
  await rm(folder, { recursive: true })
})
beforeEach(async () => {
  hold(first)
  await keep(first)
  const sink = memorySink()
  const audit = createAuditLog({ sink, environment: 'production', service: 'test', now })
  ring = await createSecretRing({ name: 'app', source: secretFile(path), audit, now })
  const store = memorySessionStore({ now })
  const providers = { hf: { clientId: confidentialAppId, clientSecret: ring } }
  service = {
    ...createService({ now, issuers: hubIssuers(hub), store, providers, sink }),
    events: sink.events,
  }
  browser = new Browser(service.sessions)
  hub.requests.clear()
})
afterEach(() => {
  ring.close()
  leaveRecord('session-secret', service)
})

/** Makes `secret` the one that Hugging Face knows. */
function hold(secret: string): void {
  hub.app(confidentialAppId).clientSecret = secret
}

/** Puts the versions into the file that the ring reads, oldest first, each a minute after the one before. */
async function keep(...values: readonly string[]): Promise<void> {
  const secrets = values.map((value, place) => {
    const notBefore = new Date(now() - (values.length - place) * 60_000).toISOString()
    return { id: value.split('-', 1)[0], value, notBefore }
  })
  await writeFile(`${path}.new`, JSON.stringify({ secrets }))
  await rename(`${path}.new`, path)
}

async function rotate(...values: readonly string[]): Promise<void> {
  await keep(...values)
  // What was written a moment ago is left alone for one: the ring waits for it.
  await ring.reload()
  hub.requests.clear()
}

/** With which secrets the token endpoint was called. */
const sent = () =>
  hub.requests
    .filter(({ path: asked }) => asked === '/oauth/token')
    .map(({ headers: { authorization = '' } }) =>
      Buffer.from(authorization.replace(/^Basic /, ''), 'base64').toString(),
    )
    .map((pair) => decodeURIComponent(pair.split(':')[1] ?? ''))
const fallbacks = () => service.events.filter(({ type }) => type === 'io.hfauth.secret.fallback')

describe('a sign-in while the client secret is rotated', () => {
  test('goes with the new secret as soon as it is there', async () => {
    expect((await browser.signIn(hub)).status).toBe(303)
    expect(sent()).toEqual([first])
    await rotate(first, second)
    hold(second)
    expect((await new Browser(service.sessions).signIn(hub)).status).toBe(303)
    expect(sent()).toEqual([second])
    expect(ring.status().fallbacks).toBe(0)
  })

  test('falls back to the one before, once, where the provider does not know the new one', async () => {
    await rotate(first, second)
    expect((await browser.signIn(hub)).status).toBe(303)
    expect(sent()).toEqual([second, first])
    expect((await browser.me()).signedIn).toBe(true)
    expect(fallbacks()).toMatchObject([{ resource: { kind: 'secret', id: 'app', revision: 'first' } }])
  })

  test('is refused after two tries where the provider knows neither, and shows none of them', async () => {
    await rotate(first, second)
    hold(third)
    const answer = await browser.signIn(hub)
    expect(answer.status).toBe(403)
    expect(sent()).toEqual([second, first])
    expect(fallbacks()).toEqual([])
    const shown = JSON.stringify([await answer.text(), [...answer.headers], service.events])
    for (const secret of [first, second, third]) expect(shown).not.toContain(secret)
  })

  test('does not try the one before once it is over', async () => {
    await rotate(first, second)
    ring.dropPrevious()
    expect((await browser.signIn(hub)).status).toBe(403)
    expect(sent()).toEqual([second])
  })

  test('does not try it either when what is refused is the code and not the client', async () => {
    await rotate(first, second)
    hold(second)
    const back = new URL(await hub.signIn({ authorizationUrl: await browser.leave(), username: 'ana' }))
    back.searchParams.set('code', 'no-such-code')
    expect((await browser.send(back.href)).status).toBe(403)
    expect(sent()).toEqual([second])
  })
})

describe('a session while the client secret is rotated', () => {
  test('is renewed with the one before, and its refresh token counts once', async () => {
    await browser.signIn(hub)
    await rotate(first, second)
    clock.forward(quarter)
    expect((await browser.me()).signedIn).toBe(true)
    expect(sent()).toEqual([second, first])
    clock.forward(quarter)
    hold(second)
    expect((await browser.me()).signedIn).toBe(true)
    expect(sent()).toEqual([second, first, second])
    expect(service.events.filter(({ type }) => type === 'io.hfauth.session.ended')).toEqual([])
  })
})

describe('a sign-in with a secret past its limit of age', () => {
  test('is refused without a request', async () => {
    clock.forward(91 * 86_400)
    const back = await hub.signIn({ authorizationUrl: await browser.leave(), username: 'ana' })
    hub.requests.clear()
    const answer = await browser.send(back)
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(sent()).toEqual([])
    expect(service.events.at(-1)).toMatchObject({
      type: 'io.hfauth.signin.refused',
      error: 'HFAUTH_SECRET_EXPIRED',
    })
  })
})
