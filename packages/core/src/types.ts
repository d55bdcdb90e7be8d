/**
 * The nouns that pass between the stages: principal, resource, question, decision.
 *
 * Types only; every stage imports them and they import nothing.
 *
 * @module
 */

/** JSON as it is parsed; never holds functions, class instances or cycles. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export type PrincipalKind = 'user' | 'workload' | 'anonymous'

/** Which credential vouched for the principal: scopes bind some and not others. */
export type CredentialKind = 'id_token' | 'access_token' | 'none'

/** A membership as Hugging Face tells it. Members left out were not told, which is not the same as empty. */
export interface OrgMembership {
  readonly id: string
  readonly handle: string
  readonly name?: string
  /** `no_access`, `read`, `contributor`, `write`, `admin`, or the name of a custom role. */
  readonly role?: string
  readonly plan?: string
  readonly resourceGroups?: readonly ResourceGroupMembership[]
  readonly restrictions?: readonly string[]
}

export interface ResourceGroupMembership {
  readonly id: string
  readonly name: string
  readonly role: string
}

/**
 * What verified claims say about who is asking.
 *
 * Times are epoch seconds. A member that is absent is unknown, not empty: conditions on it are
 * neither true nor false.
 */
export interface PrincipalShape {
  readonly kind: PrincipalKind
  /** The alias under `issuers` in the policy. */
  readonly issuer: string
  /** Stable: `alias|sub`. */
  readonly id: string
  readonly subject: string
  readonly credential: CredentialKind
  /** True when the issuer is Hugging Face: its access tokens are always held to their scopes. */
  readonly huggingface: boolean
  readonly username?: string
  readonly name?: string
  readonly email?: string
  readonly emailVerified?: boolean
  readonly mfa?: boolean
  readonly authTime?: number
  readonly issuedAt?: number
  readonly expiresAt?: number
  readonly orgs?: readonly OrgMembership[]
  readonly groups?: readonly string[]
  readonly scopes?: readonly string[]
  /** All verified claims: as the issuer wrote them, except for what its preset makes uniform. */
  readonly claims: { readonly [name: string]: Json }
  /** Who acts for this principal, as the token says (`act`, RFC 8693 §4.1); it may have an actor before it. */
  readonly actor?: PrincipalShape
}

export interface Resource {
  readonly type: string
  readonly id: string
  readonly attributes?: { readonly [name: string]: Json | undefined }
}

/** `type:id`, or the resource with its attributes. */
export type ResourceInput = string | Resource

/** Facts of one request. `time` is epoch milliseconds; the engine fills it in from its clock. */
export interface RequestContext {
  readonly ip?: string
  readonly time?: number
  readonly userAgent?: string
  readonly requestId?: string
  readonly [name: string]: Json | undefined
}

export interface Question {
  readonly action: string
  readonly resource: ResourceInput
  readonly context?: RequestContext
  /** Another environment of the same policy than the engine's own. */
  readonly environment?: string
}

/** Why a question was answered as it was; the first that applies, in this order. */
export type DecisionReason =
  | 'unknown_environment'
  | 'unknown_action'
  | 'unknown_resource_type'
  | 'invalid_resource'
  | 'authentication_required'
  | 'token_too_old'
  | 'step_up_required'
  | 'explicit_deny'
  | 'environment_ceiling'
  | 'no_matching_rule'
  | 'condition_unknown'
  | 'insufficient_scope'
  | 'allowed'

/** Where something stands in the policy. Lines and columns count from 1. */
export interface SourceLocation {
  readonly file?: string
  readonly line: number
  readonly column: number
}

export interface StatementReference {
  /** Where it belongs and what it says: `roles.engineer.allow#1f0c2a9b`. The same under any order in the file. */
  readonly id: string
  readonly effect: 'allow' | 'deny'
  /** The statement's own `reason`, for people. */
  readonly reason?: string
  readonly location?: SourceLocation
}

export interface BindingReference {
  /** `bindings#9b1f0c2a`. The same under any order in the file. */
  readonly id: string
  readonly roles: readonly string[]
  readonly location?: SourceLocation
}

/** Who acts for whom. */
export interface Delegation {
  /** Ids: the subject, who acts now, and then the actors before. */
  readonly chain: readonly string[]
  /** The first of them who may not do this; absent when all may. */
  readonly refused?: string
}

/** What a fresh sign-in must bring (RFC 9470). */
export interface StepUp {
  /** Longest age of the token, in seconds. */
  readonly maxAgeSeconds?: number
  readonly acrValues?: readonly string[]
  /** The conditions under `require` that do not hold, as `principal.mfa`. */
  readonly missing: readonly string[]
}

export interface Decision {
  readonly allowed: boolean
  readonly reason: DecisionReason
  readonly principal: string
  readonly environment: string
  readonly action: string
  /** Canonical `type:id`, or the text as given when it has no canonical form. */
  readonly resource: string
  /** The statements that decided. */
  readonly statements: readonly StatementReference[]
  readonly roles: readonly string[]
  readonly bindings: readonly BindingReference[]
  /** Scopes the action needs on this resource; the missing ones when the reason is `insufficient_scope`. */
  readonly scopes: readonly string[]
  /** Attributes a condition needed and did not get, as `resource.gated`. */
  readonly missingAttributes: readonly string[]
  readonly stepUp?: StepUp
  /** Only when somebody acts for the principal; reason and statements are then those of whoever was refused. */
  readonly delegation?: Delegation
  readonly policy: PolicyReference
}

export interface PolicyReference {
  readonly name: string
  readonly version: number
  /** `sha256:` and 64 hex digits, over the canonical policy. */
  readonly digest: string
}

/** The third answer, for callers that do not know the attributes. */
export type Likelihood = 'allow' | 'deny' | 'maybe'
