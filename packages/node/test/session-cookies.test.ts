/** Whatever stands in the cookie: an anonymous request, never an error, never somebody. */
import { type Hub, startHub } from '@hfauth/testkit'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rememberSecrets } from '../../../test/support/output.ts'
import { memorySessionStore } from '../src/index.ts'
import { createSealedBox } from '../src/session/sealed-box.ts'
import { createClock } from './loopback-issuer.ts'
import { Browser, cookieName, createService, hubIssuers, type Service, secret } from './session-fixture.ts'

const clock = createClock(Date.now())
const now = () => clock.ms

let hub: Hub
let good: Readonly<Record<'stateless' | 'stored' | 'foreign', string>>
let services: Readonly<Record<'stateless' | 'stored', Service>>

beforeAll(async () => {
  hub = await startHub({ now })
  services = {
    stateless: createService({ now, issuers: hubIssuers(hub) }),
    stored: createService({ now, issuers: hubIssuers(hub), store: memorySessionStore({ now }) }),
  }
  const foreign = createService({ now, issuers: hubIssuers(hub), secrets: ['other '.repeat(8)] })
  const signedIn = async ({ sessions }: Service) => {
    const browser = new Browser(sessions)
    await browser.signIn(hub)
    return browser.cookies.get(cookieName) ?? ''
  }
  good = {
    stateless: await signedIn(services.stateless),
    stored: await signedIn(services.stored),
    foreign: await signedIn(foreign),
  }
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
})

const raw = async (kind: 'stateless' | 'stored', cookie: string) => {
  const headers = { get: (name: string) => (name === 'cookie' ? cookie : null) }
  return services[kind].sessions.identify({ method: 'GET', headers })
}

describe.each(['stateless', 'stored'] as const)('a %s session', (kind) => {
  const whole = () => good[kind]

  test('is there with its cookie as it was given', async () => {
    expect((await raw(kind, `a=b; ${cookieName}=${whole()}; c=d`))?.principal.username).toBe('ana')
  })

  test('is not there with spare bits in the last character of its cookie', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = whole().at(-1) ?? ''
    for (const character of alphabet) {
      const answer = await raw(kind, `${cookieName}=${whole().slice(0, -1)}${character}`)
      expect(answer !== undefined, character).toBe(character === last)
    }
  })

  test('is not there with any character of its cookie changed', async () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(...alphabet), async (place, character) => {
        const at = place % whole().length
        const changed = whole().slice(0, at) + character + whole().slice(at + 1)
        fc.pre(changed !== whole())
        expect(await raw(kind, `${cookieName}=${changed}`)).toBeUndefined()
      }),
      { numRuns: 300 },
    )
  })

  test('is not there with its cookie cut, doubled or followed by anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.string({ minLength: 1 }), async (length, more) => {
        const cut = whole().slice(0, length % whole().length)
        expect(await raw(kind, `${cookieName}=${cut}`)).toBeUndefined()
        const tail =
          more
            .replace(/^[\s;]+/, '')
            .split(';')[0]
            ?.trim() ?? ''
        fc.pre(tail !== '')
        expect(await raw(kind, `${cookieName}=${whole()}${tail}`)).toBeUndefined()
      }),
      { numRuns: 200 },
    )
  })

  test('is nobody’s for any text in the header, and that is no error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
        expect(await raw(kind, text)).toBeUndefined()
        expect(await raw(kind, `${cookieName}=${text}`)).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })

  test('is nobody’s when the header is enormous', async () => {
    expect(await raw(kind, `${cookieName}=${'A'.repeat(5_000_000)}`)).toBeUndefined()
    expect(await raw(kind, `${cookieName}=${whole()}; x=${'A'.repeat(40_000)}`)).toBeUndefined()
  })

  test('of another service with other secrets is nobody’s', async () => {
    expect(await raw(kind, `${cookieName}=${good.foreign}`)).toBeUndefined()
  })
})

describe('the handlers', () => {
  test('answer any request under their path, and none with a fault of ours', async () => {
    const path = fc.constantFrom('login', 'callback', 'callback/hf', 'me', 'logout', 'session', 'x', '')
    const pair = fc.tuple(
      fc.constantFrom('state', 'code', 'error', 'iss', 'return_to', 'provider', 'prompt', 'max_age', 'x'),
      fc.string({ unit: 'binary', maxLength: 40 }),
    )
    const header = fc.constantFrom(
      'origin',
      'cookie',
      'authorization',
      'x-csrf-token',
      'content-type',
      'accept',
    )
    const value = fc.string({ maxLength: 60 })
    const method = fc.constantFrom('GET', 'POST', 'HEAD', 'PUT', 'DELETE')
    await fc.assert(
      fc.asyncProperty(
        path,
        fc.array(pair, { maxLength: 4 }),
        fc.dictionary(header, value, { maxKeys: 4 }),
        method,
        async (name, pairs, headers, verb) => {
          const url = `http://127.0.0.1:4321/auth/${name}?${new URLSearchParams(pairs)}`
          const body = verb === 'POST' ? { body: 'everywhere=true&csrf_token=x' } : {}
          const request = new Request(url, { method: verb, headers, ...body })
          const response = await services.stateless.sessions.handle(request)
          expect(response?.status).not.toBe(500)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a sealed cookie', () => {
  const box = createSealedBox([secret], 'session')
  const record = () => ({
    id: 'x',
    alias: 'hf',
    issuer: hub.url,
    preset: 'huggingface',
    credential: 'id_token',
    claims: { sub: '1' },
    scopes: [],
    signedInAt: now(),
    seenAt: now(),
    vouchedAt: now(),
    checkedAt: now(),
  })
  const shown = async (content: object, place = cookieName) =>
    raw('stateless', `${cookieName}=${await box.seal(content, place)}`)

  test('of the right shape is somebody', async () => {
    expect((await shown(record()))?.principal.id).toBe('hf|1')
  })

  test.each(Object.keys(record0()))('without `%s` is nobody’s', async (name) => {
    const { [name]: _, ...rest } = record() as Record<string, unknown>
    expect(await shown(rest)).toBeUndefined()
  })

  test.each(Object.keys(record0()))('with `%s` of another kind is nobody’s', async (name) => {
    for (const value of [null, true, -1, 1.5, 'x', [], {}, [1], { sub: 1 }]) {
      const changed = { ...record(), [name]: value }
      const same =
        JSON.stringify(changed[name as keyof typeof changed]) === JSON.stringify(record()[name as never])
      const found = await shown(changed)
      if (name === 'id' && typeof value === 'string') expect(found).toBeDefined()
      else if (!same) expect(found, `${name}: ${JSON.stringify(value)}`).toBeUndefined()
    }
  })

  test('that is over, or from the future, is nobody’s', async () => {
    const hour = 3_600_000
    for (const times of [
      { signedInAt: now() - 9 * hour },
      { seenAt: now() - hour },
      { signedInAt: now() + hour, seenAt: now() + hour },
      { seenAt: now() + hour },
    ]) {
      expect(await shown({ ...record(), ...times })).toBeUndefined()
    }
  })

  test('for another place is nobody’s', async () => {
    expect(await shown(record(), 'elsewhere')).toBeUndefined()
  })

  test('opens where it was sealed and gives back what went in, whatever that is', async () => {
    // The names that no JSON read here may have.
    const content = fc
      .dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
      .map((value) => JSON.stringify(value))
      .filter((text) => !/"(?:__proto__|constructor|prototype)":/.test(text))
    await fc.assert(
      fc.asyncProperty(content, fc.string(), async (text, place) => {
        const sealed = await box.seal(JSON.parse(text), place)
        expect(JSON.stringify(await box.open(sealed, place))).toBe(text)
        expect(await box.open(sealed, `${place}x`)).toBeUndefined()
      }),
      { numRuns: 100 },
    )
  })

  test('is not made of more than could be opened again', async () => {
    const most = { sub: '\u20ac'.repeat(1_000_000) }
    expect(await box.open(await box.seal(most, 'here'), 'here')).toEqual(most)
    await expect(box.seal({ sub: 'x'.repeat(1_048_576) }, 'here')).rejects.toMatchObject({
      code: 'HFAUTH_SESSION_TOO_LARGE',
    })
  })

  test('of another algorithm or encryption is not opened, though the key is right', async () => {
    const { CompactEncrypt } = await import('jose')
    const { deriveKey } = await import('../src/session/sealed-box.ts')
    const key = deriveKey(secret, 'session')
    const text = Buffer.from(JSON.stringify({ place: cookieName, content: record() }))
    const kid = JSON.parse(
      Buffer.from((await box.seal({}, '')).split('.')[0] ?? '', 'base64url').toString(),
    ).kid
    for (const [alg, enc] of [
      ['A256KW', 'A256GCM'],
      ['dir', 'A128CBC-HS256'],
      ['A256GCMKW', 'A256GCM'],
    ] as const) {
      const value = await new CompactEncrypt(text).setProtectedHeader({ alg, enc, kid }).encrypt(key)
      expect(await raw('stateless', `${cookieName}=${value}`), `${alg} ${enc}`).toBeUndefined()
    }
  })
})

/** The members of a record, for the titles of the tests. */
function record0(): Record<string, unknown> {
  const names = ['id', 'alias', 'issuer', 'preset', 'credential', 'claims', 'scopes']
  const times = ['signedInAt', 'seenAt', 'vouchedAt', 'checkedAt']
  return Object.fromEntries([...names, ...times].map((name) => [name, undefined]))
}
