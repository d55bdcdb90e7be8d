/**
 * Grants: all that one principal may do in one environment, as plain data.
 *
 * compile → **grants** → decide, scopes, snapshot. Times are epoch milliseconds.
 *
 * @module
 */

import { compileRules } from '../compile/casl.ts'
import type { CompiledPolicy } from '../compile/compile.ts'
import { judge } from '../compile/conditions.ts'
import { principalFact, type RequestFacts } from '../compile/facts.ts'
import type { ResidualRule } from '../compile/rule.ts'
import { HfAuthError } from '../errors.ts'
import { present } from '../internal/present.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import { type Condition, factName } from '../policy/condition.ts'
import type { Binding, Environment } from '../policy/policy.ts'
import type { BindingReference, PrincipalShape, StatementReference } from '../types.ts'

/** What the token's own scopes let through; `null` when it is not held to any. */
export type ScopeCeiling =
  | { readonly kind: 'huggingface'; readonly scopes: readonly string[] }
  | { readonly kind: 'own'; readonly covers: readonly ResidualRule[] }

export interface Grants {
  readonly principal: string
  readonly environment: string
  /** False for someone without a credential whom no binding names. */
  readonly authenticated: boolean
  readonly actions: readonly string[]
  readonly types: readonly string[]
  /** The environment's ceiling; absent when it has none. */
  readonly ceiling?: readonly string[]
  /** From this moment on the token is too old. */
  readonly freshUntil?: number
  /** The longest age that the environment allows, for the step-up. */
  readonly maxTokenAgeSeconds?: number
  /** What `require` asks and the principal does not have. */
  readonly unmet?: readonly string[]
  readonly scopes?: ScopeCeiling
  readonly roles: readonly string[]
  readonly rules: readonly ResidualRule[]
  /** Not in a snapshot: where things stand in the policy, and whose doing they are. */
  readonly sources?: GrantSources
}

export interface GrantSources {
  readonly bindings: readonly BindingReference[]
  statement(id: string): StatementReference
  /** The first scope of an own issuer, by name, that would cover the question; at most one. */
  scopeCovering(action: string, facts: RequestFacts): readonly string[]
}

export interface GrantsAndTerm {
  readonly grants: Grants
  /** From this moment on the grants have to be worked out again, since a binding begins or ends. */
  readonly validUntil?: number
}

export function grantsFor(
  compiled: CompiledPolicy,
  principal: PrincipalShape,
  environment: Environment,
  now: number,
): GrantsAndTerm {
  const { policy } = compiled
  const { bound, roles, rules } = compiled.narrow(principal, environment, now)
  const grants: Grants = {
    principal: principal.id,
    environment: environment.name,
    authenticated: principal.kind !== 'anonymous' || bound.bindings.length > 0,
    actions: sortedUnique(policy.actions),
    types: sortedUnique(policy.types.keys()),
    roles,
    rules,
    sources: sourcesOf(compiled, bound.bindings),
    ...present({
      ceiling: environment.actions && sortedUnique(environment.actions),
      freshUntil: freshUntil(principal, environment),
      maxTokenAgeSeconds: environment.maxTokenAgeSeconds,
      unmet: unmetRequirements(principal, environment),
      scopes: scopeCeiling(compiled, principal),
    }),
  }
  return { grants, ...present({ validUntil: bound.validUntil }) }
}

/** The earlier of the token's expiry and its age limit. A token that does not say when it was made is too old at once. */
function freshUntil(principal: PrincipalShape, environment: Environment): number | undefined {
  const { maxTokenAgeSeconds } = environment
  const limits = [principal.expiresAt]
  if (maxTokenAgeSeconds !== undefined && principal.kind !== 'anonymous') {
    limits.push(principal.issuedAt === undefined ? 0 : principal.issuedAt + maxTokenAgeSeconds)
  }
  const known = limits.filter((limit) => limit !== undefined)
  return known.length === 0 ? undefined : Math.min(...known) * 1000
}

function unmetRequirements(principal: PrincipalShape, environment: Environment): string[] | undefined {
  const { require } = environment
  if (require === undefined || environment.exempt.has(principal.issuer)) return undefined
  const holds = (condition: Condition) =>
    judge(condition, (path) => principalFact(principal, path.name)) === true
  if (holds(require)) return undefined
  const parts = require.kind === 'all' ? require.of : [require]
  return sortedUnique(parts.filter((part) => !holds(part)).flatMap(factsOf))
}

function factsOf(condition: Condition): string[] {
  switch (condition.kind) {
    case 'test':
    case 'element':
      return [factName(condition.path)]
    case 'not':
      return factsOf(condition.of)
    case 'unknown':
      return [...condition.facts]
    default:
      return condition.of.flatMap(factsOf)
  }
}

/**
 * A Hugging Face access token is always held to its scopes, and has none when they are not known. Any
 * other token is held to them as soon as it carries one that the policy names.
 */
function scopeCeiling(compiled: CompiledPolicy, principal: PrincipalShape): ScopeCeiling | undefined {
  if (principal.huggingface && principal.credential === 'access_token') {
    return { kind: 'huggingface', scopes: sortedUnique(principal.scopes ?? []) }
  }
  const named = (principal.scopes ?? []).flatMap((scope) => compiled.policy.scopes.get(scope) ?? [])
  if (named.length === 0) return undefined
  return { kind: 'own', covers: named.flatMap((scope) => compiled.coveredBy(scope)) }
}

function sourcesOf(compiled: CompiledPolicy, bindings: readonly Binding[]): GrantSources {
  return {
    bindings: bindings
      .map(({ id, roles, location }) => ({ id, roles, ...present({ location }) }))
      .sort((a, b) => compareCodeUnits(a.id, b.id)),
    statement(id) {
      const statement = compiled.statement(id)
      if (statement === undefined)
        throw new HfAuthError('HFAUTH_CONFIG_INVALID', `no statement \`${id}\` in the policy`)
      const { effect, reason, location } = statement
      return { id, effect, ...present({ reason, location }) }
    },
    scopeCovering(action, facts) {
      const { type } = facts.resource
      return sortedUnique(compiled.policy.scopes.keys())
        .filter((name) => {
          const scope = compiled.policy.scopes.get(name)
          return (
            scope !== undefined &&
            compileRules(compiled.coveredBy(scope))(action, type).some((rule) => rule.matches(facts))
          )
        })
        .slice(0, 1)
    },
  }
}
