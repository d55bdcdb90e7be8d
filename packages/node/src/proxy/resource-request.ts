/**
 * Resource request: what is about one resource, or about several of which all must be allowed.
 *
 * who → **subject → facts → decide → record → credential → forward** → answer.
 *
 * @module
 */
import type { AuditHttp, Decision } from '@hfauth/core'
import type { AuditEntry } from '../audit/types.ts'
import { recordedResource } from '../guard/gate.ts'
import { refusalOfDecision } from '../guard/refusal.ts'
import type { AskedQuestion } from './body-question.ts'
import type { Fields } from './fields.ts'
import type { Inbound } from './inbound.ts'
import type { Known, Parts } from './known.ts'
import type { Lease } from './leases.ts'
import { observed, outcomeType } from './outcome.ts'
import { passOn } from './pass-on.ts'
import type { Reply } from './reply.ts'
import { asksToBill, forwardedHeaders, headerValue } from './request-headers.ts'
import { readSubject, type Subject } from './subject.ts'

/** @throws ProxyRefusal, HfAuthError as the steps do. */
export async function answerResource(known: Known, parts: Parts): Promise<Reply> {
  const { inbound, target, match, caller, progress } = known
  const { settings, leases } = parts
  const { stop } = inbound
  const { principal } = caller
  const subject = await readSubject({ inbound, match, address: known.address, principal }, settings)
  const isEarly = mayGoEarly(known, subject, parts)
  const decisions: Decision[] = []
  let onRecord = Promise.resolve()
  for (const question of subject.questions) {
    const { decision, isRefused, recorded } = await decideOn(
      question,
      subject.discovery === true,
      known,
      parts,
    )
    if (isEarly && !isRefused) onRecord = recorded
    else await recorded
    if (isRefused) return parts.refuse(refusalOfDecision(decision), progress)
    decisions.push(decision)
  }
  onRecord.catch(() => stop.stop(unrecorded))
  const [{ action, resource }] = subject.questions
  const end = openOutcome(known, parts, subject.questions[0], decisions[0] as Decision)
  const scopes = [...new Set(decisions.flatMap((decision) => decision.scopes))]
  let lease: Lease
  let shown: Reply
  try {
    lease = leases.take(caller, known.headers, stop)
    progress.onFailure = (reason) => {
      lease.release()
      if (stop.reason !== unrecorded) end({}, stop.reason ?? reason)
    }
    const upstream = parts.upstreamFor(progress)
    const need = { action, resource, scopes, recorded: onRecord }
    const credential = await upstream.requireCredential(caller, need)
    shown = await passOn(
      known,
      {
        search: target.search,
        headers: outboundHeaders(inbound, subject.mediaType),
        body: subject.body,
        credential,
        stop,
        revision: resource.attributes.revision,
        provider: resource.attributes.provider,
      },
      parts,
    )
  } finally {
    // Whatever came of it, nobody hears of it before the decision is on record.
    await onRecord
  }
  return observed(shown, {
    stop,
    onEnd({ bytesOut, error }) {
      lease.release()
      end({ status: shown.status, bytesOut }, error)
    },
  })
}

/** Ends a request whose decision could not be put on record. */
const unrecorded = 'unrecorded'

/**
 * Whether a request may be sent upstream while its decision is being put on record: a plain read of the Hub has
 * no effect but its answer, and that waits. While records fail, reads wait like everything else.
 */
function mayGoEarly(
  { inbound, match }: Known,
  { questions }: Subject,
  { settings, isFailing }: Parts,
): boolean {
  const isRead = inbound.method === 'GET' || inbound.method === 'HEAD'
  const isPlain = match.route.host === 'hub' && questions.length === 1 && questions[0].action === 'read'
  return isRead && isPlain && !settings.isDryRun && !isFailing()
}

/** Tells what came of a request, once; for routes whose decision says it all, nothing. */
export function openOutcome(
  { match, caller, progress }: Known,
  { gate, audit, settings }: Parts,
  question: AskedQuestion,
  decision: Decision,
): (http: Partial<AuditHttp>, error?: string) => void {
  const { action } = question
  const type = outcomeType(match, action)
  return (http, error) => {
    if (type === undefined) return
    const entry: AuditEntry = {
      ...gate.entryFor(caller),
      type,
      action,
      resource: recordedOf(decision, question),
      http: { ...progress.http, ...http },
      ...(error === undefined ? {} : { error }),
      durationMs: settings.now() - caller.startedAt,
    }
    // The answer is out; all that can still be done about it is to say that health is bad.
    void audit.record(entry).catch(() => undefined)
  }
}

/** Decides one question, and begins to put it on record: before `recorded` has resolved nobody may feel anything of it. */
export async function decideOn(
  question: AskedQuestion,
  discovery: boolean,
  { inbound, caller, progress }: Known,
  { gate, settings, upstreamFor }: Parts,
): Promise<{ decision: Decision; isRefused: boolean; recorded: Promise<void> }> {
  const { action, resource } = question
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
  const isTrial = settings.isDryRun && !decision.allowed && !isOpen
  if (isTrial) progress.isTrial = true
  const asked = asksToBill(inbound.headers) ? { error: 'billing_ignored' } : {}
  const recorded = gate.recordDecision(caller, decision, {
    http: progress.http,
    resource: recordedOf(decision, question),
    ...(isOpen ? { grantedAs: 'discovery' } : {}),
    ...(isTrial ? { enforced: false as const } : {}),
    ...asked,
  })
  return { decision, isRefused: !(decision.allowed || isOpen || isTrial), recorded }
}

/** Before a push nobody knows what it will change: it may be asked by whoever may change something. */
function hangsOnRevision({ reason, missingAttributes }: Decision): boolean {
  return (
    reason === 'condition_unknown' &&
    missingAttributes.length > 0 &&
    missingAttributes.every((name) => name === 'resource.revision')
  )
}

function recordedOf(decision: Decision, { resource }: AskedQuestion) {
  return recordedResource(decision, resource.attributes)
}

function outboundHeaders(inbound: Inbound, mediaType: string | undefined): Fields {
  const headers = forwardedHeaders(inbound.headers)
  if (mediaType !== undefined) {
    headers.set('content-type', mediaType)
    headers.delete('content-length')
  }
  if (inbound.body === undefined) headers.delete('content-length')
  // Where it is let through at all, nothing in the body decides.
  const encoding = headerValue(inbound.headers, 'content-encoding')
  if (encoding !== undefined) headers.set('content-encoding', encoding)
  return headers
}
