/**
 * `@hfauth/browser/policy`: permissions from the policy file itself, parsed and compiled in the page.
 *
 * An entry of its own, since it is three times the size of reading a snapshot. The file is public to whoever opens
 * the page: publish no policy whose groups and people are nobody's business.
 *
 * @module
 */
import {
  type Access,
  type Claims,
  createEngine,
  type Engine,
  HfAuthError,
  type Policy,
  parsePolicy,
  principalFromClaims,
  refusalOfClaims,
} from '@hfauth/core'
import { download, unusable } from './access/download.ts'
import type { RulesSource } from './access/rules.ts'
import type { Session } from './session/session.ts'

export interface PolicyRulesOptions {
  /** A name under `environments` in the policy. */
  readonly environment: string
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
  /** Longest wait for the file, in milliseconds. Default 10000. */
  readonly timeoutMs?: number
  /** Replaces the global `fetch`. The file is asked for without a token: it is as public as the page. */
  readonly fetch?: typeof globalThis.fetch
}

/**
 * A source for `createPermissions` that judges the claims of the session by the whole policy.
 *
 * @param policy - A parsed policy, or the address of its JSON; an address is asked again under its `ETag`.
 * @throws HfAuthError inside `load`: `HFAUTH_POLICY_INVALID`, `HFAUTH_ENVIRONMENT_UNKNOWN`, `HFAUTH_CLAIMS_INVALID`,
 *   `HFAUTH_TOKEN_UNSUPPORTED` when the policy would not take the ID token of the session.
 */
export function policyRules(policy: Policy | string | URL, options: PolicyRulesOptions): RulesSource {
  const { now = Date.now, timeoutMs = 10_000, fetch } = options
  const anonymously: typeof globalThis.fetch = (input, init) =>
    (fetch ?? globalThis.fetch)(input, { ...init, credentials: 'omit' })
  let known: { readonly engine: Engine; readonly version: string | undefined } | undefined

  let last: { readonly engine: Engine; readonly claims: object; readonly access: Access } | undefined

  async function engineNow(): Promise<Engine> {
    if (typeof policy !== 'string' && !(policy instanceof URL)) {
      known ??= { engine: createEngine(policy, { ...options, now }), version: undefined }
      return known.engine
    }
    const version = known?.version
    const answer = await download(policy, { fetch: anonymously, timeoutMs, version, what: 'policy' })
    if (answer !== undefined) {
      known = { engine: createEngine(parsePolicy(answer.text), { ...options, now }), version: answer.version }
    }
    if (known === undefined) throw unusable('policy', 'its address has nothing')
    return known.engine
  }

  return {
    async load(session, before) {
      const engine = await engineNow()
      const { claims } = session
      if (last?.engine !== engine || last.claims !== claims)
        last = { engine, claims, access: engine.for(principalOf(engine.policy, session)) }
      return before?.access === last.access ? undefined : { access: last.access, version: undefined }
    },
  }
}

/** The one issuer of the policy that the ID token is from and for; what it would be refused for, it is refused for here. */
function principalOf(policy: Policy, { claims }: Session) {
  const audiences = [claims.aud].flat()
  const [found, ...others] = [...policy.issuers.values()].flatMap((issuer) =>
    issuer.audience.some((name) => audiences.includes(name))
      ? issuer.addresses.filter(({ iss }) => iss === claims.iss).map(({ tenant }) => ({ issuer, tenant }))
      : [],
  )
  const taken = claims as Claims
  const why =
    found === undefined || others.length > 0
      ? 'the policy does not name the issuer and audience of this session once'
      : refusalOfClaims(found.issuer, 'id_token', taken, found.tenant)
  if (found === undefined || why !== undefined) throw new HfAuthError('HFAUTH_TOKEN_UNSUPPORTED', why ?? '')
  const { alias, preset } = found.issuer
  return principalFromClaims({ issuer: alias, preset, credential: 'id_token', claims: taken })
}
