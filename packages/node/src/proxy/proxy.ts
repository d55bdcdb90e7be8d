/**
 * Proxy: an identity-aware Hugging Face that unchanged clients use through `HF_ENDPOINT`, `hubUrl` or
 * `endpointUrl`.
 *
 * client → verify → decide → record → **exchange → Hugging Face** → client.
 *
 * @module
 */
import { HfAuthError, type Policy } from '@hfauth/core'
import type { Connection } from '../guard/types.ts'
import { createTrustedProxies } from '../internal/trusted-proxies.ts'
import { withCors } from './cors.ts'
import { type ListeningProxy, type ListenOptions, listen } from './listen.ts'
import { createPipeline, type Pipeline } from './pipeline.ts'
import { type Readiness, withReadiness } from './readiness.ts'
import { createLeases } from './request/leases.ts'
import { type ProxyOptions, readProxyOptions } from './request/options.ts'
import { inboundFromRequest } from './wire/inbound.ts'
import { responseOf } from './wire/reply.ts'

/** What a policy brings with it; all of it changes together. */
export type PolicyParts = Pick<ProxyOptions, 'engine' | 'verifier' | 'credentials'>

export interface HubProxy {
  /**
   * Answers one Web request, for servers that are not Node's. Never throws for what a request contains.
   *
   * @param connection - Without the target as sent, paths are judged as the URL parser left them.
   */
  fetch(request: Request, connection?: Connection): Promise<Response>
  /** Serves over HTTP/1.1, and over TLS when there is a certificate. */
  listen(options: ListenOptions): Promise<ListeningProxy>
  /**
   * Judges every request from now on by another policy. What is under way goes on where the new policy allows it
   * too; the rest is cut, with the reason `policy_changed`.
   *
   * @throws HfAuthError as {@link createProxy} does; then the policy before stays in force.
   */
  use(parts: PolicyParts): void
}

/**
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an address is not an origin, a limit is no number, or the policy
 *   has neither an issuer nor a binding for anonymous callers: it is probably not the one that was meant.
 */
export function createProxy(options: ProxyOptions): HubProxy {
  const settings = readProxyOptions(options)
  assertKnowsSomebody(options.engine.policy)
  const readiness: Readiness = { isDraining: false }
  const proxies = createTrustedProxies(options.trustedProxies)
  const { revocations, sessions } = options
  const { atExpiry, requestsPerCaller: perCaller, now } = settings
  // Of all policies that come, so that nothing that is under way is forgotten.
  const leases = createLeases({ revocations, sessions, atExpiry, perCaller, now })
  let current = createPipeline(options, settings, leases)
  const inForce: Pipeline = {
    handle: (inbound) => current.handle(inbound),
    open: (inbound) => current.open(inbound),
    recordMalformed: (reason, remoteAddress) => current.recordMalformed(reason, remoteAddress),
  }
  const pipeline = withCors(withReadiness(inForce, readiness, options), settings.corsOrigins)
  return {
    fetch: async (request, connection = {}) =>
      responseOf(await pipeline.handle(inboundFromRequest(request, connection))),
    listen: (listenOptions) => listen(pipeline, listenOptions, readiness, proxies),
    use(parts) {
      current = createPipeline({ ...options, ...parts }, settings, leases)
      leases.judgeBy(current.judge)
    },
  }
}

function assertKnowsSomebody({ issuers, bindings }: Policy): void {
  if (issuers.size > 0 || bindings.some(({ to }) => to.anonymous === true || to.kind === 'anonymous')) return
  throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'the policy has no `issuers`, so nobody could be let in')
}
