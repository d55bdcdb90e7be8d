/**
 * Caller request: who somebody is, answered by the proxy itself.
 *
 * @module
 */
import { refusalOfDecision } from '../../guard/refusal.ts'
import { type Reply, textReply } from '../wire/reply.ts'
import type { Known, Parts } from './known.ts'
import { recordKnown } from './list-request.ts'
import { assertBody } from './subject.ts'
import { buildWhoami } from './whoami.ts'

export async function answerWhoami(known: Known, parts: Parts): Promise<Reply> {
  const { inbound, caller, progress } = known
  assertBody(inbound)
  const { principal, presented, session } = caller
  const decision = await recordKnown(known, parts, { kind: 'principal', id: principal.id }, 'caller')
  if (!decision.allowed) return parts.refuse(refusalOfDecision(decision), progress)
  const expiresAt = session === undefined ? presented?.credential.expiresAt : session.endsAt / 1000
  const headers = Object.entries({
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'private, no-store',
    vary: 'Authorization, Origin',
    'x-content-type-options': 'nosniff',
    'x-request-id': caller.requestId,
  })
  return textReply(200, headers, JSON.stringify(buildWhoami(principal, expiresAt)))
}
