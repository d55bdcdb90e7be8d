/**
 * `@hfauth/core`: one policy file, from verified claims to roles, permissions and scopes.
 *
 * @module
 */

export {
  type AuditActor,
  type AuditClient,
  type AuditDecision,
  type AuditEvent,
  type AuditEventType,
  type AuditHttp,
  type AuditLoss,
  type AuditModel,
  type AuditRevocation,
  type AuditTrace,
  type AuditUsage,
  auditActor,
  auditDecision,
  auditEventTypes,
  recordedText,
} from './audit/event.ts'
export { type AuditField, type AuditMember, type AuditObject, auditEventShape } from './audit/shape.ts'
export type { Brand } from './brand.ts'
export { type AppRouteMatch, type AppRouter, createAppRouter } from './compile/app-routes.ts'
export { type Access, type LoadSnapshotOptions, loadSnapshot } from './decide/access.ts'
export type { Snapshot } from './decide/snapshot.ts'
export {
  createEngine,
  type Engine,
  type EngineOptions,
  type ScopesOptions,
} from './engine/engine.ts'
export type { PolicyAccess } from './engine/policy-access.ts'
export { HfAuthError, type HfAuthErrorCode, type HfAuthErrorOptions } from './errors.ts'
export { type ExampleResult, type RunExamplesOptions, runExamples } from './examples.ts'
export type { Atom, Outcome } from './explain/atoms.ts'
export type { AttributeChange, Change } from './explain/counterfactual.ts'
export {
  type ConsideredStatement,
  type ExplainOptions,
  type Explanation,
  explainRules,
} from './explain/explain.ts'
export type { Audience, Remedies, Remedy } from './explain/remedies.ts'
export type { Holder } from './explain/who-can.ts'
export { type HubAction, type HubType, hubActions, hubAttributes, hubTypes } from './hub/actions.ts'
export { type CanonicalId, canonicalId } from './hub/ids.ts'
export type { HubRoute, HubService, RouteTarget } from './hub/route.ts'
export { hubRoutes } from './hub/route-table.ts'
export { matchHubRoute, type NamedInPath, type RouteMatch, sharedServices } from './hub/routes.ts'
export { type HubScope, hubScopes } from './hub/scope-catalogue.ts'
export { impliedScopes, smallestScopes, sufficientScopes } from './hub/scopes.ts'
export { type DefinedPolicy, definePolicy } from './policy/define.ts'
export { canonicalJson, digestOf } from './policy/digest.ts'
export {
  type FaultCode,
  formatLocation,
  PolicyError,
  type PolicyFault,
  type PolicyWarning,
  type WarningCode,
} from './policy/faults.ts'
export { normalPolicy } from './policy/normal-policy.ts'
export { type ParsePolicyOptions, parsePolicy } from './policy/parse.ts'
export type { Environment, Issuer, IssuerAddress, Policy, Route } from './policy/policy.ts'
export type { ConditionDocument, PolicyDocument } from './policy/schema.ts'
export { issuerAtAddress, type NamedIssuer } from './principal/actors.ts'
export type { Claims } from './principal/claims.ts'
export { normalClaims } from './principal/normal-claims.ts'
export type {
  AccessTokenCheck,
  LogoutSignal,
  Preset,
  RevocationEndpoint,
} from './principal/preset.ts'
export { presets } from './principal/presets/index.ts'
export {
  actorFor,
  anonymous,
  assertPrincipal,
  type Principal,
  principalFromClaims,
  type VerifiedClaims,
} from './principal/principal.ts'
export { type IssuerLimits, refusalOfClaims } from './principal/refusal.ts'
export { type AbilityOptions, abilityOf, type HfAuthAbility } from './reach/ability.ts'
export { type PrismaRule, type PrismaRulesOptions, prismaRulesOf } from './reach/prisma-rules.ts'
export type { PrismaConditions } from './reach/prisma-words.ts'
export type { PatternGrant, Patterns } from './reach/search.ts'
export type {
  BindingReference,
  CredentialKind,
  Decision,
  DecisionReason,
  Delegation,
  Json,
  Likelihood,
  OrgMembership,
  PolicyReference,
  PrincipalKind,
  PrincipalShape,
  Question,
  RequestContext,
  Resource,
  ResourceGroupMembership,
  ResourceInput,
  SourceLocation,
  StatementReference,
  StepUp,
} from './types.ts'
