/**
 * Harness: one page, one clock and one fake provider around `createAuth`.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { expect } from 'vitest'
import {
  type Auth,
  type AuthExtensions,
  type AuthOptions,
  createAuth,
  type SignInOptions,
  type SignInResult,
} from '../../src/index.ts'
import { createFakePage, createFakeStorage, type FakePage, type FakeStorage } from './fake-page.ts'
import { clientId, createFakeProvider, type FakeProvider, issuer } from './fake-provider.ts'

export const origin = 'https://app.example'
export const redirectUri = `${origin}/callback`

export interface Harness {
  readonly auth: Auth
  readonly page: FakePage
  readonly storage: FakeStorage
  readonly provider: FakeProvider
  readonly clock: { now: number }
  /** Another load of the same page: memory is gone, the tab's storage and address stay. */
  reload(options?: Partial<AuthOptions & AuthExtensions>): Auth
  /** Goes to the provider and back, up to the moment when the page has to look at its address. */
  leaveAndReturn(options?: SignInOptions, extra?: Record<string, string>): Promise<void>
  signIn(options?: SignInOptions): Promise<SignInResult | undefined>
}

export function createHarness(options: Partial<AuthOptions & AuthExtensions> = {}): Harness {
  const clock = { now: Date.parse('2026-09-01T10:00:00Z') }
  const page = createFakePage(`${origin}/start?tab=models#top`)
  const storage = createFakeStorage()
  const provider = createFakeProvider(() => clock.now)
  const create = (more: Partial<AuthOptions & AuthExtensions> = {}) =>
    createAuth({
      issuer,
      clientId,
      redirectUri,
      fetch: provider.fetch,
      now: () => clock.now,
      storage,
      page,
      ...options,
      ...more,
    })
  const auth = create()

  async function leaveAndReturn(given?: SignInOptions, extra?: Record<string, string>): Promise<void> {
    page.location.href = provider.authorize(await auth.buildSignInUrl(given), extra)
  }
  return {
    auth,
    page,
    storage,
    provider,
    clock,
    reload: create,
    leaveAndReturn,
    async signIn(given) {
      await leaveAndReturn(given)
      return auth.handleCallback()
    },
  }
}

/** The error a promise ends with; fails when it does not, or with another code. */
export async function refusalOf(promise: Promise<unknown>, code: string): Promise<HfAuthError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(HfAuthError)
  expect((error as HfAuthError).code).toBe(code)
  return error as HfAuthError
}
