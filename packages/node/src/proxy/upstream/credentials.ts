/**
 * Credentials: with what the proxy goes to Hugging Face for somebody it has let through.
 *
 * decision → **credentials** → forward. Which of these a deployment uses is its own choice, in its own order;
 * the credential a caller came with goes on only where that is what was chosen.
 *
 * @module
 */
import type { Principal } from '@hfauth/core'
import { assertMayAct, type ExchangeActor } from '../../exchange/may-act.ts'
import { publisherResource } from '../../exchange/publisher-resource.ts'
import type { ExchangeOwner, TokenExchange } from '../../exchange/types.ts'
import { bareToken } from '../../token/kind.ts'

export interface CredentialRequest {
  readonly principal: Principal
  /** The raw credential the caller came with; verified. Absent for anonymous. */
  readonly callerToken?: string
  readonly action: string
  /** Absent for lists. The id is as the caller wrote it. */
  readonly resource?: { readonly type: string; readonly id: string }
  /** The smallest scopes for this one action; empty when it needs none. */
  readonly scopes: readonly string[]
  /** Whose a token will be that is exchanged and kept; absent for anonymous. */
  readonly owner?: ExchangeOwner
  /** Settles when the decision is on record; absent where it is, or where there is none to wait for. */
  readonly recorded?: Promise<void>
}

export interface UpstreamCredential {
  /** Never logged, never stored, never shown to the caller. */
  readonly token: string
  /** True when a token exchange made it, which goes on record. */
  readonly exchanged?: boolean
  readonly scopes?: readonly string[]
}

/**
 * Finds a credential; `undefined` when this way is not for this caller.
 *
 * @throws HfAuthError `HFAUTH_EXCHANGE_REFUSED` or `HFAUTH_ISSUER_UNAVAILABLE`, as the exchange does.
 */
export interface UpstreamCredentials {
  (request: CredentialRequest): Promise<UpstreamCredential | undefined>
  /**
   * Set by a way that has nothing made for anybody before `recorded` has resolved. Any other is asked after that,
   * which is later for a reader.
   */
  readonly waits?: true
}

function waiting(way: UpstreamCredentials): UpstreamCredentials {
  return Object.assign(way, { waits: true as const })
}

/** The caller's own Hugging Face access token, for callers who came with one. */
export function forwardCaller(): UpstreamCredentials {
  return waiting(async ({ principal, callerToken }) =>
    principal.huggingface && principal.credential === 'access_token' && callerToken !== undefined
      ? { token: callerToken }
      : undefined,
  )
}

/**
 * A short-lived token for a member of the organisation, by an e-mail address that their provider has verified.
 *
 * @param options.actor - Who we are to issuers whose tokens say who may act for their subject (RFC 8693 §4.4).
 */
export function exchangeForMember(
  exchange: TokenExchange,
  { actor }: { readonly actor?: ExchangeActor } = {},
): UpstreamCredentials {
  return waiting(async ({ principal, scopes, owner, recorded }) => {
    const { kind, email, emailVerified } = principal
    // Without scopes the exchange would give all that the app has; what needs none goes without a token.
    if (kind !== 'user' || email === undefined || emailVerified !== true || scopes.length === 0)
      return undefined
    assertMayAct(principal, actor)
    await recorded
    const exchanged = await exchange.forMember({ email, scopes, owner })
    return { token: exchanged.token, exchanged: true, scopes: exchanged.scopes }
  })
}

/** A short-lived token on one repository for a CI job, by the ID token it came with: no secret anywhere. */
export function exchangeForPublisher(exchange: TokenExchange): UpstreamCredentials {
  return waiting(async ({ principal, callerToken, action, resource, owner, recorded }) => {
    const wanted = resource === undefined ? undefined : publisherResource(resource)
    const fits = principal.kind === 'workload' && principal.credential === 'id_token' && action !== 'infer'
    if (!fits || callerToken === undefined || wanted === undefined) return undefined
    // Clients that insist on `hf_` carry a token of another issuer behind our prefix.
    const idToken = bareToken(callerToken)
    await recorded
    const exchanged = await exchange.forPublisher({ idToken, resource: wanted, owner })
    return { token: exchanged.token, exchanged: true, scopes: exchanged.scopes }
  })
}

/** One token for everybody whom the policy lets through: all of them are the same to Hugging Face. */
export function serviceToken(token: () => string | Promise<string>): UpstreamCredentials {
  return waiting(async ({ principal }) =>
    principal.kind === 'anonymous' ? undefined : { token: await token() },
  )
}

/** The first way that is for this caller. A refused exchange is an answer: it ends the search. */
export function firstOf(...ways: readonly UpstreamCredentials[]): UpstreamCredentials {
  return waiting(async (request) => {
    for (const way of ways) {
      if (way.waits !== true) await request.recorded
      const credential = await way(request)
      if (credential !== undefined) return credential
    }
    return undefined
  })
}
