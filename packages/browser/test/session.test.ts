/** Checklist sections 8, 10, 14 and 16, as far as one page goes without a browser. */
import { execFileSync } from 'node:child_process'
import { build } from 'esbuild'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createAuth, createPermissions } from '../src/index.ts'
import { safeReturnTo } from '../src/login/return-address.ts'
import { accessToken, clientId, issuer, paths, refreshToken } from './support/fake-provider.ts'
import { createHarness, origin, redirectUri, refusalOf } from './support/harness.ts'

afterEach(() => void vi.useRealTimers())

const AsyncFunction = (async () => {}).constructor as FunctionConstructor

describe('a session', () => {
  test('says who is signed in and for how long', async () => {
    const { signIn, auth, clock } = createHarness({ scopes: ['jobs'] })
    const result = await signIn()
    expect(auth.session).toBe(result?.session)
    expect(auth.session).toMatchObject({
      sub: 'user-1',
      username: 'ana',
      name: 'Ana Ruiz',
      picture: 'https://hub.example/ana.png',
      claims: { iss: issuer, aud: clientId },
      scopes: ['openid', 'profile', 'jobs'],
      expiresAt: clock.now + 28_800_000,
    })
  })

  test('cannot be written to, and is the same object until something changes', async () => {
    const { signIn, auth } = createHarness()
    await signIn()
    expect(auth.getSnapshot()).toBe(auth.getSnapshot())
    for (const value of [
      auth,
      auth.getSnapshot(),
      auth.session,
      auth.session?.claims,
      auth.session?.scopes,
    ]) {
      expect(Object.isFrozen(value)).toBe(true)
    }
  })

  test('leaves out a name or picture that is no text', async () => {
    const { signIn, provider } = createHarness()
    provider.claims = { name: 7, picture: { url: 'x' }, preferred_username: undefined }
    expect((await signIn())?.session).toMatchObject({
      name: undefined,
      picture: undefined,
      username: undefined,
    })
  })

  test('ends by the clock even when no timer ran, and says so once (G2)', async () => {
    const { signIn, auth, clock, provider } = createHarness()
    provider.tokens = { refresh_token: undefined }
    await signIn()
    let calls = 0
    auth.subscribe(() => {
      calls += 1
    })
    clock.now += 28_799_999
    expect(auth.getSnapshot().status).toBe('signed-in')
    clock.now += 1
    expect(auth.session).toBeUndefined()
    expect(auth.getSnapshot()).toEqual({ status: 'signed-out', session: undefined })
    expect(calls).toBe(0)
    await Promise.resolve()
    expect(calls).toBe(1)
  })

  test('is noticed to end by a page that does not ask, after thirty days as well (G2, G3)', async () => {
    vi.useFakeTimers()
    const { signIn, auth, provider } = createHarness({ now: () => Date.now() })
    const time = Math.floor(Date.now() / 1000)
    provider.claims = { iat: time, exp: time + 3600 }
    provider.tokens = { expires_in: 30 * 86_400, refresh_token: undefined }
    await signIn()
    const seen: string[] = []
    auth.subscribe(() => void seen.push(auth.getSnapshot().status))
    await vi.advanceTimersByTimeAsync(30 * 86_400_000 - 1)
    expect(seen).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(seen).toEqual(['signed-out'])
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the token', () => {
  test('is nowhere on the object, in its text or in storage (H1, H10)', async () => {
    const { signIn, auth, storage, page } = createHarness()
    await signIn()
    const reachable: unknown[] = []
    const builtIn: unknown[] = [Object, Function, Array, AsyncFunction].map((type) => type.prototype)
    const visit = (value: unknown): void => {
      if (builtIn.includes(value)) return
      if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
        reachable.push(value)
      } else if (!reachable.includes(value)) {
        reachable.push(value)
        for (const key of Reflect.ownKeys(value)) {
          reachable.push(key)
          const member = Object.getOwnPropertyDescriptor(value, key)
          if (typeof value === 'function' && member?.get) continue
          visit(member?.get ? member.get.call(value) : member?.value)
        }
        visit(Object.getPrototypeOf(value))
      }
    }
    visit(auth)
    const text = reachable.filter((value) => typeof value === 'string').join('\n')
    for (const secret of [accessToken, refreshToken]) {
      expect(text).not.toContain(secret)
      expect(JSON.stringify(auth) + String(auth)).not.toContain(secret)
      expect([...storage.entries.values()].join() + page.replaced.join()).not.toContain(secret)
    }
    expect(storage.entries.size).toBe(0)
  })
})

describe('signing out', () => {
  test('works without the network, and forgets session, token and attempts (J1)', async () => {
    const { signIn, auth, storage, provider } = createHarness()
    await signIn()
    await auth.buildSignInUrl()
    const before = provider.requests.length
    const done = auth.signOut()
    expect(auth.session).toBeUndefined()
    await done
    expect(storage.entries.size).toBe(0)
    await refusalOf(auth.fetch(origin), 'HFAUTH_SIGNED_OUT')
    expect(provider.requests).toHaveLength(before)
  })

  test('while a sign-in is being completed cannot be undone by its answer (J5)', async () => {
    const { leaveAndReturn, auth, provider } = createHarness()
    await leaveAndReturn()
    const pending = auth.handleCallback()
    await auth.signOut()
    await refusalOf(pending, 'HFAUTH_SIGNED_OUT')
    expect(provider.to(paths.token)).toHaveLength(1)
    expect(auth.session).toBeUndefined()
  })

  test('tells the listeners, and only those that still listen', async () => {
    const { signIn, auth } = createHarness()
    const seen: string[] = []
    const listener = () => void seen.push(auth.getSnapshot().status)
    const unsubscribe = auth.subscribe(listener)
    auth.subscribe(listener)
    await signIn()
    unsubscribe()
    await auth.signOut()
    expect(seen).toEqual(['signed-in', 'signed-in', 'signed-out'])
  })
})

describe('outside a browser', () => {
  test('the package loads and stays unknown, with no global touched (O4, O5)', async () => {
    const auth = createAuth({ clientId, redirectUri })
    expect(auth.getSnapshot()).toEqual({ status: 'unknown', session: undefined })
    expect(await auth.handleCallback()).toBeUndefined()
    expect(auth.getSnapshot().status).toBe('unknown')
    expect(createPermissions(auth).can('read', 'model:a/b')).toBe(false)
    await refusalOf(auth.fetch('https://app.example/'), 'HFAUTH_ORIGIN_REFUSED')
    await refusalOf(auth.signIn(), 'HFAUTH_CONFIG_INVALID')
  })

  test('importing and creating read none of the globals of a page (O4, O7)', async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: `
          for (const name of ['window', 'document', 'location', 'history', 'sessionStorage', 'localStorage']) {
            Object.defineProperty(globalThis, name, { get() { throw new Error(name) } })
          }
          const { createAuth } = await import('../src/index.ts')
          const auth = createAuth({ clientId: 'c', redirectUri: 'https://app.example/' })
          process.stdout.write(auth.getSnapshot().status)`,
        resolveDir: import.meta.dirname,
      },
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      write: false,
    })
    const input = outputFiles[0]?.text ?? ''
    const output = execFileSync(process.execPath, ['--input-type=module', '-'], { input, encoding: 'utf8' })
    expect(output).toBe('unknown')
  })
})

describe('the return address', () => {
  const hostile = [
    'https://evil.example/',
    'https://evil.example/account',
    'https://app.example.evil.example/',
    'https://app.example@evil.example/',
    'https://user:pw@app.example/',
    'http://app.example/',
    'https://app.example:444/',
    '//evil.example',
    '///evil.example',
    '////evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '\\/evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/a/..//evil.example',
    './/evil.example',
    '/%2F/evil.example',
    '/%2f%2fevil.example',
    '/%5Cevil.example',
    '/%5c%5cevil.example',
    '%2F%2Fevil.example',
    '%5C%5Cevil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/\u0000/evil.example',
    ' /inside',
    '/in side',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'java\nscript:alert(1)',
    '\u0001javascript:alert(1)',
    'data:text/html,x',
    'blob:https://app.example/x',
    'file:///etc/passwd',
    'ftp://app.example/',
    'about:blank',
    'vbscript:x',
    'https:evil.example',
    'https:///evil.example',
    'https://app.example\\@evil.example',
    'http:\\\\evil.example',
    'https://[::1',
    'wss://app.example/',
  ]
  const bases = [redirectUri, `${origin}/`]

  test.each(hostile)('%j leads to the start or stays here (Q2)', (address) => {
    for (const base of bases) {
      const path = safeReturnTo(address, base)
      expect(new URL(path, base).origin).toBe(origin)
      expect(path).toMatch(/^\/(?![/\\]|%2f|%5c)/i)
    }
  })

  test('is `/` for nearly all of them (Q2)', () => {
    // Without slashes behind it, the page's own scheme is a relative address.
    const inside = hostile.filter((address) => safeReturnTo(address, redirectUri) !== '/')
    expect(inside).toEqual(['https:evil.example'])
  })

  test('stays on this origin whatever the text is (Q2)', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '.',
      '..',
      '%2f',
      '%5C',
      '@',
      ':',
      'evil.example',
      'https',
      '?',
      '#',
      '\t',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const path = safeReturnTo(pieces.join(''), redirectUri)
        expect(new URL(path, redirectUri).origin).toBe(origin)
        expect(path).toMatch(/^\/(?![/\\]|%2f|%5c)/i)
      }),
      { numRuns: 2000 },
    )
  })

  test.each(['/', '/a', '/a/b?c=d&e=%2F%2Fx#f', '/a?next=//evil.example', '/%41'])(
    '%s is kept (Q1)',
    (address) => {
      expect(safeReturnTo(address, redirectUri)).toBe(address)
    },
  )

  test('is kept in the attempt and not in the state (Q3)', async () => {
    const { auth, storage } = createHarness()
    const url = await auth.buildSignInUrl({ returnTo: '/deep/link' })
    expect(url).not.toContain('deep')
    expect([...storage.entries.values()].join()).toContain('/deep/link')
  })

  test('is checked again when it is used (Q2)', async () => {
    const { leaveAndReturn, auth, storage, page } = createHarness()
    await leaveAndReturn()
    for (const [key, text] of storage.entries) {
      storage.entries.set(key, JSON.stringify({ ...JSON.parse(text), returnTo: '//evil.example' }))
    }
    expect((await auth.handleCallback())?.returnTo).toBe('/')
    expect(page.location.href).toBe(`${origin}/`)
  })

  test('never holds an earlier answer (B9)', async () => {
    const { auth, page, storage } = createHarness()
    page.location.href = `${redirectUri}?code=old&state=old&tab=1`
    await auth.buildSignInUrl()
    expect(JSON.parse([...storage.entries.values()][0] ?? '').returnTo).toBe('/callback?tab=1')
  })
})
