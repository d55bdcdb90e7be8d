/**
 * Rotation: renews by refresh token, of which none is sent twice.
 *
 * holder, marks, provider → **rotation** → vault. A provider may take a second use for theft and end everything. So one
 * tab sends while the others wait, what is sent is on record first, and an answer that is lost loses the token.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Settings } from '../options.ts'
import { ProviderUnavailableError } from '../provider/network.ts'
import type { Provider, Tokens } from '../provider/oauth.ts'
import { SignInRefusedError } from '../provider/refusal.ts'
import { canRefresh, type Grant, type Holding, publicPart, signedOut, toGrant } from './grant.ts'
import { answerMs, type Holder, isLost } from './holder.ts'
import type { Marks } from './marks.ts'

export interface RotationParts {
  readonly settings: Settings
  readonly provider: Provider
  readonly marks: Marks
  readonly holder: Holder
}

/** @returns `Vault.renew`. */
export function createRotation({ settings, provider, marks, holder }: RotationParts) {
  const { now, requestTimeoutMs } = settings
  let renewing: Promise<Grant> | undefined

  async function renewOnce(): Promise<Grant> {
    await holder.prepare()
    const before = holder.grant
    if (before === undefined) throw signedOut('nobody is signed in')
    const later = () => {
      const { grant } = holder
      if (grant === undefined) throw signedOut('the person signed out meanwhile')
      if (grant.version <= before.version) return undefined
      if (isLost(before, grant)) throw lost()
      return grant
    }
    try {
      // Longer than whoever is first may take: the probe, the grant, and telling the others.
      const waitMs = 2 * requestTimeoutMs + 2 * answerMs
      const work = async () => later() ?? (await refresh(before, later))
      return await holder.exclusively(before.claims.sub, waitMs, work)
    } catch (error) {
      if ((error as DOMException).name !== 'TimeoutError') throw error
      const found = later()
      if (found) return found
      throw new ProviderUnavailableError('another tab has not finished renewing', true)
    }
  }

  /** Inside the lock: nobody else sends this refresh token now, and what was sent is on record. */
  async function refresh(before: Grant, later: () => Grant | undefined): Promise<Grant> {
    const token = before.refreshToken
    if (token === undefined || !canRefresh(publicPart(before), now()))
      throw signedOut('nothing here can renew the sign-in')
    // A network that is not up yet fails here, where nothing is used up.
    await provider.probe()
    await holder.heed()
    const early = later()
    if (early) return early
    const first = await marks.spend(token)
    if (first === false) {
      // Locks and messages keep no common order: what the other tab got may still be on its way.
      await holder.askTabs(before.version)
      return later() ?? (await lose(before))
    }
    if (first === undefined && (await holder.prepare())) {
      throw new ProviderUnavailableError('the browser does not let this page remember what it sent', true)
    }
    const tokens = await send(before, token)
    if (tokens.refreshToken === token) await marks.unspend(token)
    if (holder.grant !== before) {
      void provider.forget(tokens)
      return later() ?? before
    }
    const next = toGrant(tokens, before.scopes.join(' '), holder.nextVersion(), before.id)
    await holder.keep(next, 'renewed', 'this-tab')
    return next
  }

  async function send(before: Grant, token: string): Promise<Tokens> {
    try {
      return await provider.refresh({ ...before, scope: before.scopes.join(' ') })
    } catch (error) {
      const refused = error instanceof SignInRefusedError
      if (refused && error.reason === 'invalid_grant') {
        if (holder.grant === before) await holder.leave('provider')
      } else if (refused || (error instanceof ProviderUnavailableError && error.answered)) {
        await marks.unspend(token)
      } else {
        await lose(before, error)
      }
      throw error
    }
  }

  async function lose(before: Grant, error?: unknown): Promise<never> {
    if (holder.grant === before) {
      // The lowest that is later: should another tab's answer come after all, it counts for more.
      const version = before.version + 1
      await holder.keep({ ...before, refreshToken: undefined, version }, 'renewal-lost', 'this-tab')
    }
    if (error !== undefined && !(error instanceof ProviderUnavailableError)) throw error
    throw lost()
  }

  return async (than: number): Promise<Holding> => {
    if (holder.grant && holder.grant.version > than) return publicPart(holder.grant)
    renewing ??= renewOnce().finally(() => {
      renewing = undefined
    })
    return publicPart(await renewing)
  }
}

function lost(): HfAuthError {
  return new HfAuthError(
    'HFAUTH_RENEWAL_LOST',
    'the answer of a renewal did not arrive; whether its refresh token is used up is unknown',
  )
}
