/**
 * Known: what the steps of one request hand on, and what all requests share.
 *
 * Types only.
 *
 * @module
 */
import type { AuditHttp, RouteMatch } from '@hfauth/core'
import type { AuditLog } from '../../audit/types.ts'
import type { Gate } from '../../guard/gate.ts'
import type { Refusal } from '../../guard/refusal.ts'
import type { Caller, Visit } from '../../guard/types.ts'
import type { ResourceFacts } from '../upstream/resource-facts.ts'
import type { Address } from '../wire/addresses.ts'
import type { Fields } from '../wire/fields.ts'
import type { HubTarget } from '../wire/hub-target.ts'
import type { Inbound } from '../wire/inbound.ts'
import type { Reply } from '../wire/reply.ts'
import type { LeaseJudge, Leases } from './leases.ts'
import type { ProxySettings } from './options.ts'
import type { Spend } from './spend.ts'
import type { UpstreamAccess } from './upstream-access.ts'

/** How far a request has come: what an error is told with, and recorded under. */
export interface Progress {
  visit: Visit | Caller
  http: AuditHttp
  /** Whether Git asked: it knows no other way to bring a credential than Basic. */
  isGit: boolean
  /** Whether a dry run lets through what was refused: with the caller's own credential. */
  isTrial: boolean
  /** Set once the decision is on record; from then on, this records what came of it. */
  onFailure?: (reason: string) => void
}

/** A request whose sender and route are known. */
export interface Known {
  readonly inbound: Inbound
  readonly headers: Fields
  readonly address: Address
  readonly target: HubTarget
  readonly match: RouteMatch
  readonly caller: Caller
  readonly progress: Progress
}

/** What one proxy has for all requests. */
export interface Parts {
  readonly settings: ProxySettings
  readonly gate: Gate
  readonly audit: AuditLog
  readonly facts: ResourceFacts
  /** With the credentials that were configured, or in a trial the caller's own. */
  upstreamFor(progress: Pick<Progress, 'isTrial'>): UpstreamAccess
  readonly leases: Leases
  /** The policy that decides here, for leases. */
  readonly judge: LeaseJudge
  /** Takes what an answer has used from the limits that count it. */
  readonly spend: Spend
  readonly resourceMetadataUrl: string | undefined
  refuse(refusal: Refusal, progress: Progress): Reply
}
