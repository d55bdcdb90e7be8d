/** What is held: which change counts, and who hears of it when. The other tabs are in `tabs.test.ts`. */
import { describe, expect, test } from 'vitest'
import { readOptions } from '../src/options.ts'
import type { TokenStore } from '../src/token-store.ts'
import type { Grant } from '../src/vault/grant.ts'
import { createHolder, type VaultChange } from '../src/vault/holder.ts'
import type { Marks } from '../src/vault/marks.ts'

const now = 1_800_000_000_000

function grantOf(version: number, more: Partial<Grant> = {}): Grant {
  return {
    id: 'sign-in',
    version,
    claims: { sub: 'ada', aud: 'app', iat: now / 1000 },
    scopes: ['openid'],
    expiresAt: now + 3_600_000,
    lifetimeMs: 3_600_000,
    renewableUntil: undefined,
    accessToken: `access-${version}`,
    refreshToken: `refresh-${version}`,
    idToken: undefined,
    ...more,
  }
}

/** A page whose browser keeps marks and has neither locks nor channels. */
function holding(tokenStore?: TokenStore) {
  const record = { signedOut: 0 }
  const marks: Marks = {
    usable: async () => true,
    spend: async () => true,
    unspend: async () => {},
    signedOut: async () => record.signedOut,
    setSignedOut: async (version) => {
      record.signedOut = version
    },
  }
  const changes: VaultChange[] = []
  const settings = readOptions({
    clientId: 'app',
    redirectUri: 'https://app.example/callback',
    now: () => now,
    ...(tokenStore && { tokenStore }),
  })
  const surroundings = () => ({})
  const onChange = (change: VaultChange) => void changes.push(change)
  const holder = createHolder({ settings, marks, surroundings, name: 'test', onChange })
  return { holder, record, said: () => changes.map(({ type, by }) => `${type} by ${by}`) }
}

function storeWith(text: string | null) {
  const written: (string | undefined)[] = []
  const store: TokenStore = {
    read: () => text,
    write: (value) => void written.push(JSON.parse(value).accessToken),
    remove: () => void written.push(undefined),
  }
  return { store, written }
}

describe('a sign-out on record', () => {
  test.each([
    ['before', 7, false],
    ['at', 8, false],
    ['after', 9, true],
  ])('ends or leaves what was made %s it', async (_, version, stays) => {
    const { holder, record, said } = holding()
    await holder.keep(grantOf(version), 'signed-in', 'this-tab')
    record.signedOut = 8
    await holder.heed()
    expect(holder.grant?.version).toBe(stays ? version : undefined)
    expect(said().slice(1)).toEqual(stays ? [] : ['signed-out by other-tab'])
  })

  test('is told but once', async () => {
    const { holder, record, said } = holding()
    await holder.keep(grantOf(7), 'signed-in', 'this-tab')
    record.signedOut = 8
    await Promise.all([holder.heed(), holder.heed(), holder.check(true)])
    expect(said()).toEqual(['signed-in by this-tab', 'signed-out by other-tab'])
  })

  test('keeps out what the store still has', async () => {
    const { store } = storeWith(JSON.stringify(grantOf(7)))
    const { holder, record, said } = holding(store)
    record.signedOut = 8
    await holder.restore()
    expect([holder.grant, said()]).toEqual([undefined, []])
  })

  test('is later than what it ends, and what is made after it is later still', async () => {
    const { holder, record } = holding()
    await holder.keep(grantOf(now + 60_000), 'signed-in', 'this-tab')
    await holder.leave('this-tab')
    expect(record.signedOut).toBeGreaterThan(now + 60_000)
    expect(holder.nextVersion()).toBeGreaterThan(record.signedOut)
  })
})

describe('what is kept', () => {
  test('is in the store before anybody hears of it', async () => {
    let stored = () => {}
    const slow: TokenStore = {
      read: () => null,
      write: () => new Promise<void>((resolve) => (stored = resolve)),
      remove: () => {},
    }
    const { holder, said } = holding(slow)
    const kept = holder.keep(grantOf(1), 'signed-in', 'this-tab')
    await Promise.resolve()
    expect(said()).toEqual([])
    stored()
    await kept
    expect(said()).toEqual(['signed-in by this-tab'])
  })

  test('is not told any more when it was given up while it was stored', async () => {
    const { store, written } = storeWith(null)
    const { holder, said } = holding(store)
    const kept = holder.keep(grantOf(1), 'signed-in', 'this-tab')
    await Promise.all([kept, holder.drop('this-tab')])
    expect(said()).toEqual(['signed-out by this-tab'])
    expect(written.at(-1)).toBeUndefined()
  })

  test('is kept although the store fails', async () => {
    const broken: TokenStore = {
      read: () => Promise.reject(new Error('no store')),
      write: () => Promise.reject(new Error('no store')),
      remove: () => Promise.reject(new Error('no store')),
    }
    const { holder, said } = holding(broken)
    await holder.restore()
    await holder.keep(grantOf(1), 'signed-in', 'this-tab')
    expect([holder.grant?.version, said()]).toEqual([1, ['signed-in by this-tab']])
  })
})

describe('what the store has', () => {
  test.each<[string, string | null, boolean]>([
    ['alive', JSON.stringify(grantOf(1)), true],
    ['ended, with a refresh token', JSON.stringify(grantOf(1, { expiresAt: now })), true],
    ['ended, without one', JSON.stringify(grantOf(1, { expiresAt: now, refreshToken: undefined })), false],
    [
      'ended, and its refresh token too',
      JSON.stringify(grantOf(1, { expiresAt: now, renewableUntil: now })),
      false,
    ],
    ['no grant', '{"version":1}', false],
    ['no JSON', '{', false],
    ['nothing', null, false],
  ])('is taken up or not when it is %s', async (_, text, taken) => {
    const { holder, said } = holding(storeWith(text).store)
    await holder.restore()
    expect(holder.grant !== undefined).toBe(taken)
    expect(said()).toEqual(taken ? ['signed-in by this-tab'] : [])
  })

  test('does not replace what is held', async () => {
    const { holder } = holding(storeWith(JSON.stringify(grantOf(1))).store)
    await holder.keep(grantOf(2), 'signed-in', 'this-tab')
    await holder.restore()
    expect(holder.grant?.version).toBe(2)
  })
})
