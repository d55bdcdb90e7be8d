/**
 * Resource request: what is about one resource, or about several of which all must be allowed.
 *
 * who → **subject → facts → decide → record → credential → forward** → answer.
 *
 * @module
 */
import type { Decision } from '@hfauth/core'
import { refusalOfDecision } from '../guard/refusal.ts'
import { createUsageReader } from './answer-usage.ts'
import { decideOn } from './decide-on.ts'
import type { Inbound } from './inbound.ts'
import type { Known, Parts } from './known.ts'
import { observed } from './outcome.ts'
import { passOn } from './pass-on.ts'
import { openOutcome } from './record-outcome.ts'
import { forwardedHeaders, headerValue } from './request-headers.ts'
import { readSubject } from './subject.ts'

/** @throws ProxyRefusal, HfAuthError as the steps do. */
export async function answerResource(known: Known, parts: Parts): Promise<Response> {
  const { inbound, target, match, caller, progress } = known
  const { settings, leases } = parts
  const { principal } = caller
  const subject = await readSubject({ inbound, target, match, address: known.address, principal }, settings)
  const decisions: Decision[] = []
  for (const question of subject.questions) {
    const decision = await decideOn(question, subject.discovery === true, known, parts)
    if ('refused' in decision) {
      return parts.refuse(refusalOfDecision(decision.refused), progress)
    }
    decisions.push(decision)
  }
  const [{ action, resource }] = subject.questions
  const { http, isTrial } = progress
  const asked = { questions: subject.questions, discovery: subject.discovery === true, http, isTrial }
  const lease = leases.take({ caller, headers: known.headers, asked, judge: parts.judge })
  const outcome = openOutcome(known, parts, subject.questions[0], decisions[0] as Decision)
  const ended = (reason: string) =>
    inbound.signal.aborted ? 'client_closed' : lease.signal.aborted ? String(lease.signal.reason) : reason
  progress.onFailure = (reason) => {
    lease.release()
    outcome.end({ error: ended(reason) })
  }

  const scopes = [...new Set(decisions.flatMap((decision) => decision.scopes))]
  const upstream = parts.upstreamFor(progress)
  const credential = await upstream.requireCredential(caller, { action, resource, scopes })
  const shown = await passOn(
    known,
    {
      search: target.search,
      headers: outboundHeaders(inbound, subject.mediaType),
      body: subject.body,
      credential,
      action,
      signal: AbortSignal.any([inbound.signal, lease.signal]),
      revision: resource.attributes.revision,
      provider: resource.attributes.provider,
    },
    parts,
  )
  outcome.answered(shown)
  const usage = action === 'infer' ? createUsageReader(shown) : undefined
  return observed(shown, {
    gone: inbound.signal,
    lease: lease.signal,
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

function outboundHeaders(inbound: Inbound, mediaType: string | undefined): Headers {
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
