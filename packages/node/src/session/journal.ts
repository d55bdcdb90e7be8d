/**
 * Journal: what is put on record of sign-ins, refreshes and sign-outs.
 *
 * A sign-in counts only when it is on record. The end of a session counts either way: that it cannot be written
 * down is no reason to keep somebody in.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { type AuditEventType, anonymous, auditActor, HfAuthError, type Principal } from '@hfauth/core'
import type { AuditEntry } from '../audit/types.ts'
import type { Settings } from './options.ts'

/** What is known of who asks. */
export interface Visitor {
  readonly headers: Pick<Headers, 'get'>
  readonly method?: string
  /** Address of the client, as far as whoever calls knows it. */
  readonly remoteAddress?: string | undefined
}

export interface Journal {
  /** @throws HfAuthError `HFAUTH_AUDIT_UNAVAILABLE` (retryable). */
  started(principal: Principal, scopes: readonly string[], visitor: Visitor, route: string): Promise<void>
  refreshed(principal: Principal, scopes: readonly string[]): Promise<void>
  /** @param error - Why the provider ended it; or, where somebody signed out, why it did not take its tokens back. */
  ended(principal: Principal, visitor?: Visitor, error?: unknown): Promise<void>
  refused(error: unknown, visitor: Visitor, route: string, status: number): Promise<void>
}

export function createJournal({ audit, engine }: Settings): Journal {
  async function record(
    type: AuditEventType,
    principal: Principal,
    more: Partial<AuditEntry>,
  ): Promise<void> {
    const roles = principal === anonymous ? [] : engine.for(principal).roles()
    await audit.record({ type, requestId: randomUUID(), actor: auditActor(principal, roles), ...more })
  }

  const ignore = (): void => {}

  return {
    started: (principal, scopes, visitor, route) =>
      record('io.hfauth.session.started', principal, { scopes, ...seen(visitor, route) }),
    refreshed: (principal, scopes) =>
      record('io.hfauth.session.refreshed', principal, { scopes }).catch(ignore),
    ended: (principal, visitor, error) =>
      record('io.hfauth.session.ended', principal, {
        ...(visitor === undefined ? {} : seen(visitor)),
        ...(error === undefined ? {} : { error: codeOf(error) }),
      }).catch(ignore),
    refused: (error, visitor, route, status) =>
      record('io.hfauth.signin.refused', anonymous, {
        ...seen(visitor, route, status),
        error: codeOf(error),
      }).catch(ignore),
  }
}

function codeOf(error: unknown): string {
  return error instanceof HfAuthError ? error.code : 'internal_error'
}

function seen(
  { headers, method, remoteAddress }: Visitor,
  route?: string,
  status?: number,
): Partial<AuditEntry> {
  const agent = headers.get('user-agent')
  return {
    client: {
      ...(remoteAddress === undefined ? {} : { ip: remoteAddress }),
      ...(agent === null ? {} : { userAgent: agent }),
    },
    ...(route === undefined || method === undefined
      ? {}
      : { http: { method, route, ...(status === undefined ? {} : { status }) } }),
  }
}
