/**
 * Durability: which events are on the disk before what they tell of, and which may follow it within moments.
 *
 * entry → **durability** → log. The one place that says so: an event is strict unless it stands here.
 *
 * @module
 */
import type { AuditEventType } from '@hfauth/core'
import type { AuditEffect, AuditEntry } from './types.ts'

/**
 * `strict`: on record before its caller goes on. `bounded`: taken in before its caller goes on, and on record within
 * moments; while the sink does not keep up it waits like a strict one.
 */
export type Durability = 'strict' | 'bounded'

export function durabilityOf(
  { type, decision }: AuditEntry,
  { describes = false }: AuditEffect = {},
): Durability {
  if (afterwards.has(type)) return 'bounded'
  if (type !== 'io.hfauth.decision') return 'strict'
  // A denial that is let through all the same opens as an allow does.
  const isRefusal = decision?.effect === 'deny' && decision.enforced !== false
  return isRefusal || describes ? 'bounded' : 'strict'
}

/** Nothing happens on their word: a refusal, or what came of something whose permission was on record before. */
const afterwards: ReadonlySet<AuditEventType> = new Set([
  'io.hfauth.token.rejected',
  'io.hfauth.signin.refused',
  'io.hfauth.session.refreshed',
  'io.hfauth.model.load',
  'io.hfauth.inference.completed',
  'io.hfauth.repo.write',
  'io.hfauth.stream.ended',
])
