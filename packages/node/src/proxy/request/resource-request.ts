/**
 * Resource request: what is about one resource, or about several of which all must be allowed.
 *
 * who → **subject → facts → decide → record → credential → forward** → answer.
 *
 * @module
 */

import type { Decision } from '@hfauth/core'
import { refusalOfDecision } from '../../guard/refusal.ts'
import { createUsageReader } from '../bodies/answer-usage.ts'
import { wholeAnswerHeaders } from '../bodies/whole-answer.ts'
import type { UpstreamCredential } from '../upstream/credentials.ts'
import type { Fields } from '../wire/fields.ts'
import type { Inbound } from '../wire/inbound.ts'
import type { Reply } from '../wire/reply.ts'
import { forwardedHeaders, headerValue } from '../wire/request-headers.ts'
import { isCollectionRoute, withReadableItems } from './collections.ts'
import { decideOn } from './decide-on.ts'
import type { Known, Parts } from './known.ts'
import type { Lease } from './leases.ts'
import { onFailure } from './on-failure.ts'
import { observed } from './outcome.ts'
import { passOn } from './pass-on.ts'
import { type OutcomeRecord, openOutcome } from './record-outcome.ts'
import { readSubject, type Subject } from './subject.ts'

/** @throws ProxyRefusal, HfAuthError as the steps do. */
export async function answerResource(known: Known, parts: Parts): Promise<Reply> {
  const { inbound, target, match, caller, progress } = known
  const { settings, leases } = parts
  const { stop } = inbound
  const { principal } = caller
  const subject = await readSubject({ inbound, target, match, address: known.address, principal }, settings)
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
  const { http, isTrial } = progress
  const asked = { questions: subject.questions, discovery: subject.discovery === true, http, isTrial }
  const scopes = [...new Set(decisions.flatMap((decision) => decision.scopes))]
  let lease: Lease
  let outcome: OutcomeRecord
  let shown: Reply
  let credential: UpstreamCredential | undefined
  // In a dry run everything stays whole.
  const isCut = isCollectionRoute(match) && !settings.isDryRun
  try {
    lease = leases.take({ caller, headers: known.headers, asked, judge: parts.judge }, stop)
    outcome = openOutcome(known, parts, subject.questions[0], decisions[0] as Decision)
    onFailure(progress, (reason) => {
      lease.release()
      if (stop.reason === unrecorded) outcome.forget()
      else outcome.end({ error: stop.reason ?? reason })
    })
    const upstream = parts.upstreamFor(progress)
    const need = { action, resource, scopes, recorded: onRecord }
    credential = await upstream.requireCredential(caller, need)
    shown = await passOn(
      known,
      {
        search: target.search,
        headers: outboundHeaders(inbound, subject.mediaType, isCut),
        body: subject.body,
        credential,
        action,
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
  if (isCut) shown = await withReadableItems(shown, { action, known, parts, credential })
  outcome.answered(shown)
  const usage = action === 'infer' ? createUsageReader(shown) : undefined
  return observed(shown, {
    stop,
    onBytes: usage?.take,
    onEnd(ending) {
      lease.release()
      const used = usage?.end()
      outcome.end({ ...ending, usage: used })
      const { status } = shown
      const { type } = resource
      const limited = { principal, ip: caller.client.ip }
      parts.spend({ caller: limited, action, method: inbound.method, status, type, usage: used })
    },
  })
}

/** Ends a request whose decision could not be put on record. */
const unrecorded = 'unrecorded'

/**
 * Whether a request may be sent upstream while its decision is being put on record: a plain read of the Hub has
 * no effect but its answer, and that waits. While records fail, reads wait like everything else.
 */
function mayGoEarly({ inbound, match }: Known, { questions }: Subject, { settings, audit }: Parts): boolean {
  const isRead = inbound.method === 'GET' || inbound.method === 'HEAD'
  const isPlain = match.route.host === 'hub' && questions.length === 1 && questions[0].action === 'read'
  return isRead && isPlain && !settings.isDryRun && !audit.isFailing()
}

function outboundHeaders(inbound: Inbound, mediaType: string | undefined, isCut: boolean): Fields {
  const headers = isCut ? wholeAnswerHeaders(inbound) : forwardedHeaders(inbound.headers)
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
