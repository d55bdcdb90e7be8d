/** Checklist section 17, as far as one page goes: permissions in the interface. */
import type { Snapshot } from '@hfauth/core'
import { describe, expect, test } from 'vitest'
import { createPermissions, type Permissions } from '../src/index.ts'
import { createHarness, type Harness, origin, refusalOf } from './support/harness.ts'
import { policyAllowing, snapshotOf } from './support/rules.ts'

const address = `${origin}/api/access`
const model = 'model:acme/vision-large'
const gated = 'model:acme/gated'
const policy = policyAllowing(
  { actions: ['read'], on: ['model:acme/*'] },
  { actions: ['infer'], on: ['model:acme/gated'], when: { 'resource.gated': false } },
)
const snapshotFor = (sub: string): Snapshot => snapshotOf(policy, sub)

type Loaded = Harness & { permissions: Permissions; asked: Request[] }

async function withAnswer(answer: () => Response | Promise<Response>): Promise<Loaded> {
  const asked: Request[] = []
  const harness: Harness = createHarness({
    fetch: async (input, init) => {
      if (!(input instanceof Request)) return harness.provider.fetch(input, init)
      asked.push(input)
      return answer()
    },
  })
  // Without a refresh token, so that expiry is the end.
  harness.provider.tokens = { refresh_token: undefined }
  await harness.signIn()
  const permissions = createPermissions(harness.auth, { now: () => harness.clock.now, timeoutMs: 500 })
  return { ...harness, permissions, asked }
}

describe('permissions', () => {
  test('allow nothing before they are loaded (R3)', async () => {
    const { permissions } = await withAnswer(() => Response.json({}))
    expect(permissions.can('read', model)).toBe(false)
    expect(permissions.access).toBeUndefined()
  })

  test('are fetched with the token and answer as the policy does (R5)', async () => {
    const { permissions, asked } = await withAnswer(() => Response.json(snapshotFor('user-1')))
    const access = await permissions.load('/api/access')
    expect(asked[0]?.url).toBe(address)
    expect(asked[0]?.headers.get('authorization')).toMatch(/^Bearer /)
    expect(asked[0]?.cache).toBe('no-store')
    expect(access.roles()).toEqual(['user'])
    expect(permissions.access).toBe(access)
    expect(permissions.can('read', model)).toBe(true)
    expect(permissions.can('write', model)).toBe(false)
    expect(permissions.can('read', 'model:other/x')).toBe(false)
  })

  test('are taken from a snapshot at hand', async () => {
    const { permissions, asked } = await withAnswer(() => expect.unreachable())
    await permissions.load(snapshotFor('user-1'))
    expect(permissions.can('read', model)).toBe(true)
    expect(asked).toEqual([])
  })

  test.each([
    ['null', null],
    ['a text', 'yes'],
    ['half a snapshot', { snapshot: 1, principal: 'hf|user-1' }],
    ['rules for another person', snapshotFor('user-2')],
  ])('are nothing after %s, even when there were some (R3)', async (_, body) => {
    const { permissions } = await withAnswer(() => Response.json(body))
    await permissions.load(snapshotFor('user-1'))
    await refusalOf(permissions.load(address), 'HFAUTH_SNAPSHOT_INVALID')
    expect(permissions.can('read', model)).toBe(false)
  })

  test.each([
    [401, false],
    [403, false],
    [404, false],
    [429, true],
    [503, true],
  ])('that cannot be fetched, %d, stay only when that will pass (R3)', async (status, kept) => {
    const { permissions } = await withAnswer(() => new Response(null, { status }))
    await permissions.load(snapshotFor('user-1'))
    const error = await refusalOf(permissions.load(address), 'HFAUTH_SNAPSHOT_INVALID')
    expect(error.retryable).toBe(kept)
    expect(permissions.can('read', model)).toBe(kept)
  })

  test('survive a failed connection, which says that trying again can help', async () => {
    const { permissions } = await withAnswer(() => Promise.reject(new TypeError('failed')))
    const error = await refusalOf(permissions.load(address), 'HFAUTH_SNAPSHOT_INVALID')
    expect(error.retryable).toBe(true)
  })

  test('end with the session, by sign-out and by expiry (R4)', async () => {
    for (const end of ['signOut', 'expiry']) {
      const { permissions, auth, clock } = await withAnswer(() => Response.json(snapshotFor('user-1')))
      await permissions.load(address)
      if (end === 'signOut') await auth.signOut()
      else clock.now += 28_800_000
      expect(permissions.can('read', model)).toBe(false)
      expect(permissions.getSnapshot().access).toBeUndefined()
      await refusalOf(permissions.load(snapshotFor('user-1')), 'HFAUTH_SIGNED_OUT')
    }
  })

  test('do not pass to the next person (R3, R4)', async () => {
    const harness = await withAnswer(() => Response.json(snapshotFor('user-1')))
    await harness.permissions.load(address)
    harness.provider.claims = { sub: 'user-2' }
    await harness.signIn()
    expect(harness.auth.session?.sub).toBe('user-2')
    expect(harness.permissions.can('read', model)).toBe(false)
  })

  test('that arrive after the sign-out are thrown away (J5, R4)', async () => {
    const answers: ((response: Response) => void)[] = []
    const { permissions, auth } = await withAnswer(() => new Promise((resolve) => void answers.push(resolve)))
    const pending = permissions.load(address)
    await auth.signOut()
    answers[0]?.(Response.json(snapshotFor('user-1')))
    await refusalOf(pending, 'HFAUTH_SIGNED_OUT')
    expect(permissions.access).toBeUndefined()
  })

  test.each([
    ['broken', { broken: true }],
    ['good', snapshotFor('user-1')],
  ])('are those of the later call when a %s answer to the first comes last', async (_, late) => {
    const answers: ((response: Response) => void)[] = []
    const { permissions } = await withAnswer(() => new Promise((resolve) => void answers.push(resolve)))
    const first = permissions.load(address)
    const second = permissions.load(address)
    answers[1]?.(Response.json(snapshotFor('user-1')))
    const access = await second
    answers[0]?.(Response.json(late))
    await Promise.allSettled([first])
    expect(permissions.access).toBe(access)
  })

  test('tell the listeners when they are loaded and when the session ends', async () => {
    const { permissions, auth } = await withAnswer(() => Response.json(snapshotFor('user-1')))
    const seen: string[] = []
    const unsubscribe = permissions.subscribe(() => void seen.push(permissions.getSnapshot().status))
    await permissions.load(address)
    await auth.signOut()
    unsubscribe()
    expect(seen).toEqual(['loading', 'ready', 'empty'])
  })

  test('say `maybe` where an attribute would settle it, and `deny` without rules', async () => {
    const { permissions } = await withAnswer(() => expect.unreachable())
    expect(permissions.likelihood('infer', gated)).toBe('deny')
    await permissions.load(snapshotFor('user-1'))
    expect(permissions.likelihood('infer', gated)).toBe('maybe')
    expect(
      permissions.likelihood('infer', { type: 'model', id: 'acme/gated', attributes: { gated: false } }),
    ).toBe('allow')
  })

  test('never send the token elsewhere (D2)', async () => {
    const { permissions, asked } = await withAnswer(() => expect.unreachable())
    await refusalOf(permissions.load('https://evil.example/'), 'HFAUTH_ORIGIN_REFUSED')
    expect(asked).toEqual([])
  })
})
