/**
 * List request: everything of a type, cut down to what its reader may use; and what names nothing to be judged.
 *
 * who → **probe → record → forward → filter** → answer. What would be refused for every resource is refused
 * here; otherwise each item is judged by itself.
 *
 * @module
 */

import { type Decision, type HubType, sufficientScopes } from '@hfauth/core'
import { refusalOfDecision } from '../../guard/refusal.ts'
import type { Caller } from '../../guard/types.ts'
import { type FilterOptions, filterList, withNeededMembers } from '../bodies/lists.ts'
import { assertWhole, wholeAnswerHeaders, withCut } from '../bodies/whole-answer.ts'
import type { Reply } from '../wire/reply.ts'
import { forwardedHeaders } from '../wire/request-headers.ts'
import { cutCollections } from './collections.ts'
import type { Known, Parts } from './known.ts'
import { onFailure } from './on-failure.ts'
import { observed } from './outcome.ts'
import { passOn } from './pass-on.ts'
import { assertBody } from './subject.ts'

/** Refusals of a probe that hold whatever the resource is. */
const refusesAll: ReadonlySet<string> = new Set([
  'unknown_environment',
  'unknown_action',
  'unknown_resource_type',
  'authentication_required',
  'token_too_old',
  'step_up_required',
  'environment_ceiling',
])

export async function answerList(known: Known, type: HubType, parts: Parts): Promise<Reply> {
  const { inbound, target, match, caller, progress } = known
  const { settings, gate, facts, leases } = parts
  const { isDryRun } = settings
  assertBody(inbound)
  const { action } = match
  const probe = probeAccess(caller, action, type)
  const refused = refusedByProbe(probe)
  const resource = { kind: type, id: match.owner === undefined ? '*' : `${match.owner.toLowerCase()}/*` }
  await gate.recordDecision(caller, probe, {
    http: progress.http,
    describes: match.route.describes,
    resource,
    ...(refused ? {} : { grantedAs: 'filtered' }),
    ...(refused && isDryRun ? { enforced: false as const } : {}),
  })
  if (isDryRun) progress.isTrial = true
  else if (refused) return parts.refuse(refusalOfDecision(probe), progress)
  const lease = leases.take({ caller, headers: known.headers, judge: parts.judge }, inbound.stop)
  onFailure(progress, () => lease.release())
  const isHub = match.route.host === 'hub'
  const [scopes = []] = sufficientScopes(action, type, { private: true, gated: false }) ?? []
  // Without a credential the list holds what is public.
  const credential = await parts.upstreamFor(progress).credentialFor(caller, { action, scopes })
  const { stop } = inbound
  const search = isHub && type !== 'collection' ? withNeededMembers(target.query) : target.search
  const headers = wholeAnswerHeaders(inbound)
  const shown = await passOn(
    known,
    { action, search, headers, body: undefined, credential, stop, revision: undefined },
    parts,
  )
  // In a dry run the list stays whole: what the policy would take out of it is for the record only.
  if (!isDryRun) assertWhole(shown)
  if (shown.status !== 200 || isDryRun) return observed(shown, { stop, onEnd: lease.release })
  const { access, context } = caller
  const judged: FilterOptions = { access, action, context, factsOf: (item) => facts(item, credential) }
  const cut = async (value: unknown) => {
    const list = await filterList(value, { ...judged, type, owner: match.owner })
    return type === 'collection' ? cutCollections(list, judged) : list
  }
  const filtered = await withCut(shown, cut, { timeoutMs: settings.upstreamTimeoutMs })
  lease.release()
  return filtered
}

/** What anybody may read: fetched without a credential, for whoever the proxy knows. */
export async function answerCatalogue(known: Known, parts: Parts): Promise<Reply> {
  const { inbound, target, caller, progress } = known
  assertBody(inbound)
  const decision = await recordKnown(known, parts, { kind: 'catalogue', id: '*' }, 'catalogue')
  if (!decision.allowed) return parts.refuse(refusalOfDecision(decision), progress)
  const lease = parts.leases.take({ caller, headers: known.headers, judge: parts.judge }, inbound.stop)
  onFailure(progress, () => lease.release())
  const { stop } = inbound
  const headers = forwardedHeaders(inbound.headers)
  const shown = await passOn(
    known,
    {
      action: 'read',
      search: target.search,
      headers,
      body: undefined,
      credential: undefined,
      stop,
      revision: undefined,
    },
    parts,
  )
  return observed(shown, { stop, onEnd: lease.release })
}

/** Records what needs no more than a caller whom the environment takes. */
export async function recordKnown(
  { match, caller, progress }: Known,
  { gate }: Parts,
  resource: { readonly kind: string; readonly id: string },
  grantedAs: string,
): Promise<Pick<Decision, 'allowed'> & Decision> {
  const probe = probeAccess(caller, 'read', 'model')
  const isNobody = caller.principal.kind === 'anonymous'
  const isRefused = isNobody || (probe.reason !== 'environment_ceiling' && refusedByProbe(probe))
  if (!isRefused) {
    const { describes } = match.route
    await gate.recordDecision(caller, probe, { http: progress.http, describes, resource, grantedAs })
    return { ...probe, allowed: true }
  }
  const reason = refusedByProbe(probe) ? probe.reason : 'authentication_required'
  const decision: Decision = { ...probe, allowed: false, reason }
  await gate.recordDecision(caller, decision, { http: progress.http, resource })
  return decision
}

/** What holds for every resource of a type shows on any one of them. */
function probeAccess(caller: Caller, action: string, type: string): Decision {
  return caller.access.decide({ action, resource: { type, id: 'any' }, context: caller.context })
}

function refusedByProbe({ reason }: Decision): boolean {
  return refusesAll.has(reason)
}
