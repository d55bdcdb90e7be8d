/**
 * The checked policy: what the later stages work on. Every name in it exists, every pattern and
 * condition has been read, every duration is a number.
 *
 * @module
 */
import type { Brand } from '../brand.ts'
import type { Claims } from '../principal/claims.ts'
import type { IssuerLimits } from '../principal/refusal.ts'
import type { PolicyReference, SourceLocation } from '../types.ts'
import type { Condition } from './condition.ts'
import type { PolicyWarning } from './faults.ts'
import type { Pattern } from './pattern.ts'
import type { AttributeType, PolicyDocument, SubjectDocument } from './schema.ts'

export interface Statement {
  /** `roles.engineer.allow#1f0c2a9b`: where it belongs and what it says, whatever its place in the list. */
  readonly id: string
  readonly effect: 'allow' | 'deny'
  /** Action names; `*` for all. */
  readonly actions: readonly string[]
  /** Projects are already replaced by their patterns. */
  readonly patterns: readonly Pattern[]
  /** `when` and not `unless`. */
  readonly condition?: Condition
  readonly environments?: ReadonlySet<string>
  readonly reason?: string
  readonly location?: SourceLocation
}

export interface Role {
  readonly name: string
  /** Itself and everything it extends, sorted. */
  readonly closure: readonly string[]
  readonly statements: readonly Statement[]
}

export interface Binding {
  readonly id: string
  readonly roles: readonly string[]
  readonly to: SubjectDocument
  readonly claims?: Condition
  /** Epoch milliseconds. */
  readonly from?: number
  readonly until?: number
  readonly location?: SourceLocation
}

/** One text of `iss`, and where what belongs to it is found. */
export interface IssuerAddress {
  /** Compared exactly. */
  readonly iss: string
  /** Where its metadata and keys are; the same as `iss`, unless that is only another spelling. */
  readonly url: string
  /** The tenant whose address it is, where each has its own. */
  readonly tenant?: string
}

export interface Issuer extends IssuerLimits {
  /** The first of its addresses. */
  readonly url: string
  readonly addresses: readonly IssuerAddress[]
  readonly audience: readonly string[]
  /** Public keys from the policy; nothing is fetched for such an issuer. */
  readonly keys?: readonly Claims[]
}

export interface Environment {
  readonly name: string
  /** The ceiling; absent when everything may be done that roles allow. */
  readonly actions?: ReadonlySet<string>
  readonly maxTokenAgeSeconds?: number
  readonly require?: Condition
  readonly exempt: ReadonlySet<string>
}

export interface ResourceType {
  readonly actions: readonly string[]
  /** Absent when the application did not declare any: then every attribute may be used. */
  readonly attributes?: Readonly<Record<string, AttributeType>>
}

/** What a scope of one of your own issuers covers. */
export interface ScopeGrant {
  readonly name: string
  readonly actions: readonly string[]
  readonly patterns: readonly Pattern[]
}

export interface Route {
  readonly method: string
  /** `/v1/predict/:name` */
  readonly path: string
  readonly action: string
  /** `model:acme/:name` */
  readonly resource: string
}

/** What must never be possible. */
export interface Invariant {
  readonly name: string
  /** Action names; `*` for all. */
  readonly actions: readonly string[]
  /** As written. */
  readonly on: readonly string[]
  readonly patterns: readonly Pattern[]
  /** For whom; for everyone when left out. */
  readonly for?: SubjectDocument
  readonly claims?: Condition
  readonly location?: SourceLocation
}

interface PolicyMembers {
  readonly reference: PolicyReference
  readonly issuers: ReadonlyMap<string, Issuer>
  readonly environments: ReadonlyMap<string, Environment>
  readonly types: ReadonlyMap<string, ResourceType>
  readonly actions: ReadonlySet<string>
  readonly scopes: ReadonlyMap<string, ScopeGrant>
  readonly roles: ReadonlyMap<string, Role>
  readonly bindings: readonly Binding[]
  readonly deny: readonly Statement[]
  readonly routes: readonly Route[]
  readonly invariants: readonly Invariant[]
  readonly warnings: readonly PolicyWarning[]
  /** As written, after variables were filled in. */
  readonly document: PolicyDocument
}

/** Made by `parsePolicy` only. */
export type Policy = Brand<PolicyMembers, 'Policy'>
export type UncheckedPolicy = PolicyMembers
