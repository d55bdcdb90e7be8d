/**
 * Decide on: one question about one resource, answered and put on record.
 *
 * subject → **facts → decide → record** → credential. A stream is asked about again when another policy comes
 * while it is open.
 *
 * @module
 */
import type { Decision } from '@hfauth/core'
import { recordedResource } from '../../guard/gate.ts'
import type { Caller } from '../../guard/types.ts'
import type { AskedQuestion } from '../bodies/body-question.ts'
import { ignoredWish } from '../wire/request-headers.ts'
import type { Known, Parts } from './known.ts'
import type { LeaseTerms } from './leases.ts'

type Judging = Pick<Parts, 'settings' | 'gate' | 'upstreamFor'>

interface Judged {
  readonly decision: Decision
  /** Denied, and open all the same: what may be changed is asked for before anything is. */
  readonly isOpen: boolean
  /** Denied, and let through by a dry run. */
  readonly isTrial: boolean
}

/** Decides one question, and begins to put it on record: before `recorded` has resolved nobody may feel anything of it. */
export async function decideOn(
  question: AskedQuestion,
  discovery: boolean,
  { inbound, match, caller, progress }: Known,
  parts: Judging,
): Promise<{ decision: Decision; isRefused: boolean; recorded: Promise<void> }> {
  const judged = await judge(question, discovery, caller, progress, parts)
  const { decision, isOpen, isTrial } = judged
  if (isTrial) progress.isTrial = true
  const ignored = ignoredWish(inbound.headers)
  const recorded = parts.gate.recordDecision(caller, decision, {
    ...recordOf(judged, question),
    http: progress.http,
    describes: match.route.describes,
    ...(ignored === undefined ? {} : { error: ignored }),
  })
  return { decision, isRefused: !(decision.allowed || isOpen || isTrial), recorded }
}

/**
 * Whether a stream may go on under the policy of these parts. Only a denial goes on record: being let through
 * again is no second use.
 *
 * @param caller - As the policy of these parts sees it.
 * @throws HfAuthError `HFAUTH_AUDIT_UNAVAILABLE`.
 */
export async function decideAgain(
  caller: Caller,
  asked: NonNullable<LeaseTerms['asked']>,
  parts: Judging,
): Promise<boolean> {
  for (const question of asked.questions) {
    const judged = await judge(question, asked.discovery, caller, asked, parts)
    const { decision, isOpen, isTrial } = judged
    if (decision.allowed || isOpen) continue
    await parts.gate.recordDecision(caller, decision, { ...recordOf(judged, question), http: asked.http })
    if (!isTrial) return false
  }
  return true
}

async function judge(
  { action, resource }: AskedQuestion,
  discovery: boolean,
  caller: Caller,
  progress: { readonly isTrial: boolean },
  { settings, upstreamFor }: Judging,
): Promise<Judged> {
  const attributes = {
    ...(await upstreamFor(progress).factsFor(caller, action, resource)),
    ...resource.attributes,
  }
  const decision = caller.access.decide({
    action,
    resource: { ...resource, attributes },
    context: caller.context,
  })
  const isOpen = !decision.allowed && discovery && hangsOnRevision(decision)
  return { decision, isOpen, isTrial: settings.isDryRun && !decision.allowed && !isOpen }
}

function recordOf({ decision, isOpen, isTrial }: Judged, { resource }: AskedQuestion) {
  return {
    resource: recordedResource(decision, resource.attributes),
    ...(isOpen ? { grantedAs: 'discovery' } : {}),
    ...(isTrial ? { enforced: false as const } : {}),
  }
}

/** Before a push nobody knows what it will change: it may be asked by whoever may change something. */
function hangsOnRevision({ reason, missingAttributes }: Decision): boolean {
  return (
    reason === 'condition_unknown' &&
    missingAttributes.length > 0 &&
    missingAttributes.every((name) => name === 'resource.revision')
  )
}
