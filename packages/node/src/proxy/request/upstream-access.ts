/**
 * Upstream access: the credential and the facts that one request needs from Hugging Face.
 *
 * Stands between what a deployment configured and the pipeline that uses it; every token that was made for
 * somebody is on record before it is used.
 *
 * @module
 */
import { HfAuthError, type Policy } from '@hfauth/core'
import type { AuditLog } from '../../audit/types.ts'
import { ownerOf } from '../../exchange/owner.ts'
import type { ExchangeOwner } from '../../exchange/types.ts'
import type { Gate } from '../../guard/gate.ts'
import type { Caller } from '../../guard/types.ts'
import { cacheKey } from '../../internal/flight-cache.ts'
import type { NamedResource } from '../bodies/body-question.ts'
import type { UpstreamCredential, UpstreamCredentials } from '../upstream/credentials.ts'
import { type Attributes, isPublic } from '../upstream/repo-attributes.ts'
import type { ResourceFacts } from '../upstream/resource-facts.ts'
import { ProxyRefusal } from '../wire/proxy-refusal.ts'

export interface UpstreamAccessOptions {
  readonly credentials: UpstreamCredentials
  readonly facts: ResourceFacts
  readonly audit: AuditLog
  readonly gate: Gate
  readonly policy: Pick<Policy, 'issuers'>
}

export interface CredentialNeed {
  readonly action: string
  /** Absent for lists. */
  readonly resource?: NamedResource
  readonly scopes: readonly string[]
  /** As in `CredentialRequest`. */
  readonly recorded?: Promise<void>
}

export interface UpstreamAccess {
  /** `undefined` when there is none for this caller. @throws HfAuthError when it cannot be had right now. */
  credentialFor(caller: Caller, need: CredentialNeed): Promise<UpstreamCredential | undefined>
  /**
   * As above, for something that was allowed: without a credential only what is known to be public may be read.
   *
   * @throws ProxyRefusal `no_upstream_credential`.
   */
  requireCredential(
    caller: Caller,
    need: CredentialNeed & { readonly resource: NamedResource },
  ): Promise<UpstreamCredential | undefined>
  /** What conditions may need to know, asked only when the answer could turn on it. */
  factsFor(caller: Caller, action: string, resource: NamedResource): Promise<Attributes>
}

function ownerOfCaller({ principal, access, presented }: Caller, issuers: Policy['issuers']): ExchangeOwner {
  return ownerOf(principal, {
    environment: access.environment,
    issuer: presented?.credential.issuer.url ?? issuers.get(principal.issuer)?.url ?? '',
    fingerprint: presented?.credential.fingerprint,
  })
}

/** Most minted tokens remembered as being on record already. */
const maxRemembered = 10_000

export function createUpstreamAccess({
  credentials,
  facts,
  audit,
  gate,
  policy,
}: UpstreamAccessOptions): UpstreamAccess {
  const recorded = new Set<string>()

  const access: UpstreamAccess = {
    async credentialFor(caller, { action, resource, scopes, recorded: onRecord }) {
      const { principal, presented } = caller
      let credential: UpstreamCredential | undefined
      try {
        if (credentials.waits !== true) await onRecord
        credential = await credentials({
          principal,
          action,
          scopes,
          ...(principal.kind === 'anonymous' ? {} : { owner: ownerOfCaller(caller, policy.issuers) }),
          ...(presented === undefined ? {} : { callerToken: presented.token }),
          ...(resource === undefined ? {} : { resource: { type: resource.type, id: resource.id } }),
          ...(onRecord === undefined ? {} : { recorded: onRecord }),
        })
      } catch (error) {
        if (error instanceof HfAuthError && error.code === 'HFAUTH_EXCHANGE_REFUSED') return undefined
        throw error
      }
      if (credential?.exchanged === true) await recordExchanged(caller, credential, resource)
      return credential
    },

    async requireCredential(caller, need) {
      const credential = await access.credentialFor(caller, need)
      if (credential !== undefined) return credential
      if (need.action === 'read' && isPublic(await facts(need.resource, undefined))) return undefined
      throw new ProxyRefusal('no_upstream_credential')
    },

    async factsFor(caller, action, resource) {
      // What is to be created has no facts yet.
      if (action === 'create') return {}
      if (caller.access.likelihood(action, resource, caller.context) !== 'maybe') return {}
      let credential: UpstreamCredential | undefined
      try {
        credential = await access.credentialFor(caller, { action: 'read', resource, scopes: ['read-repos'] })
      } catch (error) {
        // Without a record nothing goes on; without a credential the facts stay what anybody may know.
        if (error instanceof HfAuthError && error.code === 'HFAUTH_AUDIT_UNAVAILABLE') throw error
      }
      return facts(resource, credential)
    },
  }

  /** Once for each token, however often a cache gives it out again. */
  async function recordExchanged(
    caller: Caller,
    { token, scopes }: UpstreamCredential,
    resource: NamedResource | undefined,
  ): Promise<void> {
    const key = cacheKey(token)
    if (recorded.has(key)) return
    await audit.record({
      ...gate.entryFor(caller),
      type: 'io.hfauth.token.exchanged',
      ...(resource === undefined ? {} : { resource: { kind: resource.type, id: resource.id.toLowerCase() } }),
      ...(scopes === undefined ? {} : { scopes }),
    })
    recorded.add(key)
    for (const oldest of recorded) {
      if (recorded.size <= maxRemembered) break
      recorded.delete(oldest)
    }
  }

  return access
}
