/**
 * Audit events: what is written down of a decision and of what came of it.
 *
 * decide → **audit**. Only what stands here is ever recorded, so that a token, a cookie or a prompt
 * has no field to end up in. Types follow the reverse-DNS names that CloudEvents wants.
 *
 * @module
 */
import type { Decision, PrincipalShape } from '../types.ts'

/** What can have happened; version 1 of the schema grows by new ones. */
export const auditEventTypes = [
  'io.hfauth.decision',
  'io.hfauth.token.rejected',
  'io.hfauth.token.exchanged',
  'io.hfauth.model.load',
  'io.hfauth.inference.completed',
  'io.hfauth.repo.write',
  'io.hfauth.stream.started',
  'io.hfauth.stream.ended',
  'io.hfauth.policy.loaded',
  'io.hfauth.policy.rejected',
  'io.hfauth.session.started',
  'io.hfauth.session.refreshed',
  'io.hfauth.session.ended',
  'io.hfauth.signin.refused',
  'io.hfauth.revocation.received',
  'io.hfauth.stream.silent',
  'io.hfauth.stream.resumed',
  'io.hfauth.secret.rotated',
  'io.hfauth.secret.rejected',
  'io.hfauth.secret.aging',
  'io.hfauth.secret.fallback',
  'io.hfauth.audit.gap',
] as const
export type AuditEventType = (typeof auditEventTypes)[number]

export interface AuditActor {
  readonly kind: PrincipalShape['kind']
  readonly id: string
  readonly issuer: string
  /** Login name, for people to read; never what decides. */
  readonly name?: string
  readonly roles: readonly string[]
  /** Ids of those who acted for it: who acts now first, then the actors before (RFC 8693 §4.1). */
  readonly actedBy?: readonly string[]
}

export interface AuditClient {
  readonly ip?: string
  /** On record at most 256 characters, controls replaced. */
  readonly userAgent?: string
}

/** Ids of W3C Trace Context, in lower-case hex, as the request gave them. */
export interface AuditTrace {
  readonly traceId: string
  /** The caller's span. */
  readonly spanId: string
}

export interface AuditHttp {
  readonly method: string
  /** The route's template, never the raw path. */
  readonly route: string
  readonly status?: number
  /** Of the request's body, as far as it was read; absent when there was none. */
  readonly bytesIn?: number
  /** Of the answer's body, as far as it was sent. */
  readonly bytesOut?: number
}

/** A model that was loaded or called. */
export interface AuditModel {
  /** `ns/name` */
  readonly id: string
  /** Who ran it, as the answer says, or else as the request asked. */
  readonly provider?: string
}

/** How much a model took in and gave out, as its answer says. */
export interface AuditUsage {
  /** Tokens. */
  readonly input?: number
  /** Tokens. */
  readonly output?: number
}

export interface AuditDecision {
  readonly effect: 'allow' | 'deny'
  readonly reason: string
  /** Ids of the statements that decided. */
  readonly statements: readonly string[]
  readonly policy: string
  readonly missingAttributes?: readonly string[]
  /** `false` in a dry run: the request went on, whatever the effect says. */
  readonly enforced?: false
  /** Where somebody acts for the actor: the first of the chain who may not do this. */
  readonly refused?: string
}

/** What was taken back, and how one heard of it. */
export interface AuditRevocation {
  /** `admin`, `back-channel-logout`, `set-push`, `set-poll`, `global-token-revocation`, or the program's own word. */
  readonly door: string
  /** `token`, `fingerprint`, `session`, `subject` or `issuer`; absent when nothing was taken back. */
  readonly by?: string
  /** Address of the issuer whose credentials it is about. */
  readonly issuer?: string
  /** Subject, session, token or fingerprint. */
  readonly target?: string
  /** Kind of the security event, and the `jti` under which it was sent. */
  readonly event?: string
  readonly eventId?: string
  /** From the moment the sender names to the moment it was in force here, in milliseconds. */
  readonly latencyMs?: number
}

/** What is missing in a trail, told by the trail itself. */
export interface AuditLoss {
  /**
   * `unavailable`: the sink did not take them; `overflow`: too many were waiting for it; `torn`: a crash left the
   * beginning of a line behind, of which nobody had been told that it is on record.
   */
  readonly reason: 'unavailable' | 'overflow' | 'torn'
  /** Events. */
  readonly count?: number
  readonly bytes?: number
  /** Times of the first and the last one. */
  readonly since?: string
  readonly until?: string
}

/** An event before the sink has numbered it. Times are RFC 3339 in UTC with three decimals. */
export interface AuditEvent {
  readonly v: 1
  readonly id: string
  readonly type: AuditEventType
  readonly time: string
  readonly environment: string
  readonly service: string
  readonly requestId: string
  readonly actor: AuditActor
  readonly client?: AuditClient
  readonly trace?: AuditTrace
  readonly action?: string
  readonly resource?: {
    readonly kind: string
    readonly id: string
    /** As it was asked for: a branch, a tag or a commit. */
    readonly revision?: string
    /** The commit that it came to: 40 hex digits, as the Hub answered (`X-Repo-Commit`). */
    readonly commit?: string
    readonly path?: string
  }
  readonly model?: AuditModel
  readonly usage?: AuditUsage
  readonly http?: AuditHttp
  readonly decision?: AuditDecision
  /** A stable error code, for what failed before or after the decision. */
  readonly error?: string
  readonly scopes?: readonly string[]
  readonly revocation?: AuditRevocation
  readonly loss?: AuditLoss
  readonly durationMs?: number
  /** Members that were longer than there is room for, and are not whole: `client.userAgent`. */
  readonly cut?: readonly string[]
}

export function auditActor(principal: PrincipalShape, roles: readonly string[]): AuditActor {
  const { kind, id, issuer, username, name } = principal
  const shown = username ?? name
  const actedBy = actorsBehind(principal)
  return {
    kind,
    id,
    issuer,
    ...(shown === undefined ? {} : { name: shown }),
    roles,
    ...(actedBy.length === 0 ? {} : { actedBy }),
  }
}

function actorsBehind(principal: PrincipalShape): string[] {
  const ids: string[] = []
  for (let { actor } = principal; actor !== undefined; { actor } = actor) ids.push(actor.id)
  return ids
}

export function auditDecision(decision: Decision): AuditDecision {
  const { allowed, reason, statements, policy, missingAttributes, delegation } = decision
  return {
    effect: allowed ? 'allow' : 'deny',
    reason,
    statements: statements.map(({ id }) => id),
    policy: policy.digest,
    ...(missingAttributes.length === 0 ? {} : { missingAttributes }),
    ...(delegation?.refused === undefined ? {} : { refused: delegation.refused }),
  }
}

/** Text from a request, fit for a record: controls, direction marks and halves of characters replaced, cut to `maxLength` characters. */
export function recordedText(text: string, maxLength = 256): string {
  // Nearly all are like this.
  if (text.length <= maxLength && plainText.test(text)) return text
  return text.slice(0, maxLength).replaceAll(/[\p{Cc}\u2028\u2029\p{Bidi_Control}\p{Surrogate}]/gu, '\ufffd')
}

const plainText = /^[ -~]*$/
