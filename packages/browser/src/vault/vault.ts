/**
 * Vault: the one thing that knows tokens.
 *
 * holder, rotation, provider → **vault** → session. It turns codes into tokens, puts the access token on requests
 * to listed origins, renews and forgets. Runs in a page or in a worker; what leaves it is a `Holding`.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Settings } from '../options.ts'
import type { Surroundings } from '../page.ts'
import type { ExpectedAnswer, Provider, Tokens } from '../provider/oauth.ts'
import { withQuery } from '../secure-url.ts'
import { assertAllowed } from './allow-list.ts'
import { type Holding, publicPart, signedOut, toGrant } from './grant.ts'
import { createHolder, type VaultChange } from './holder.ts'
import { createMarks } from './marks.ts'
import { createRotation } from './rotation.ts'

export interface Expected extends ExpectedAnswer {
  /** As asked for. */
  readonly scope: string
  /** Id of the sign-in that this renews: then it has to be the same person's. */
  readonly renews?: string
}

export interface Vault {
  /** Looks for a sign-in in the store and, when they share, in the other tabs. */
  restore(): Promise<void>
  /** Judges an answer and keeps its tokens. @throws HfAuthError every sign-in code, `HFAUTH_SIGNED_OUT`. */
  redeem(answer: URLSearchParams, expected: Expected): Promise<Holding>
  /** Keeps what the application's own server gave. @throws HfAuthError `HFAUTH_SIGNIN_INVALID`, `HFAUTH_SIGNED_OUT`. */
  accept(tokens: Tokens): Promise<Holding>
  /**
   * Renews what is not newer than version `than`; callers at the same time share one grant.
   *
   * @throws HfAuthError `HFAUTH_SIGNED_OUT`, `HFAUTH_ISSUER_UNAVAILABLE`, `HFAUTH_SIGNIN_REFUSED`, or
   *   `HFAUTH_RENEWAL_LOST` when the refresh token may be used up and its answer did not come.
   */
  renew(than: number): Promise<Holding>
  /** @throws HfAuthError `HFAUTH_ORIGIN_REFUSED`, `HFAUTH_SIGNED_OUT`; and what `fetch` throws. */
  send(request: Request): Promise<Response>
  /** Forgets at once; tells the other tabs unless only time has passed; then revokes where that is offered. */
  end(by: 'this-tab' | 'time'): Promise<void>
  /**
   * Looks whether others signed out while this page was asleep, and ends the session then.
   *
   * @param missed - It may have missed messages: where the browser keeps no marks, nobody is signed in any more.
   */
  check(missed: boolean): Promise<void>
  /** Address that ends the session at the provider; `undefined` where there is none. */
  logoutUrl(returnTo: string | undefined): Promise<string | undefined>
  sharing(): Promise<boolean>
  /** Before the page may be put aside. `check` takes it up again. */
  rest(): void
}

export interface VaultParts {
  readonly settings: Settings
  readonly provider: Provider
  readonly surroundings: () => Surroundings
  readonly home: () => string | undefined
  readonly onChange: (change: VaultChange) => void
}

export function createVault({ settings, provider, surroundings, home, onChange }: VaultParts): Vault {
  const { issuer, clientId, now } = settings
  const name = `hfauth.1 ${issuer} ${clientId}`
  const marks = createMarks(surroundings, name, now)
  const holder = createHolder({ settings, marks, surroundings, name, onChange })

  async function receive(tokens: Tokens, scope: string, since: number, renews?: string): Promise<Holding> {
    const { grant, turn } = holder
    if (turn !== since) {
      void provider.forget(tokens)
      throw signedOut('the person signed out before the sign-in was done')
    }
    if (renews !== undefined && (grant?.id !== renews || grant.claims.sub !== tokens.claims.sub)) {
      throw new HfAuthError('HFAUTH_SIGNIN_INVALID', 'the answer belongs to another sign-in')
    }
    const next = toGrant(tokens, scope, holder.nextVersion(), renews ?? crypto.randomUUID())
    await holder.keep(next, renews === undefined ? 'signed-in' : 'renewed', 'this-tab')
    return publicPart(next)
  }

  return {
    restore: holder.restore,
    async redeem(answer, expected) {
      const { turn } = holder
      const [tokens] = await Promise.all([provider.redeem(answer, expected), holder.prepare()])
      return receive(tokens, expected.scope, turn, expected.renews)
    },
    async accept(tokens) {
      const { turn } = holder
      await holder.prepare()
      return receive(tokens, '', turn, holder.grant?.id)
    },
    renew: createRotation({ settings, provider, marks, holder }),
    async send(request) {
      assertAllowed(settings, request.url, home())
      const { grant } = holder
      if (grant === undefined || now() >= grant.expiresAt) {
        throw signedOut('nobody is signed in, or no longer')
      }
      request.headers.set('authorization', `Bearer ${grant.accessToken}`)
      return settings.fetch(request)
    },
    async end(by) {
      const { grant } = holder
      if (by === 'time') return void (await holder.drop(by))
      await holder.leave(by)
      if (grant) await provider.forget(grant)
    },
    check: holder.check,
    async logoutUrl(returnTo) {
      const hint = holder.grant?.idToken
      const { end_session_endpoint: endpoint } = await provider.metadata()
      if (endpoint === undefined) return undefined
      return withQuery(endpoint, {
        client_id: clientId,
        id_token_hint: hint,
        post_logout_redirect_uri: returnTo,
      })
    },
    sharing: holder.prepare,
    rest: holder.rest,
  }
}
