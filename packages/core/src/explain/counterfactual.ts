/**
 * Counterfactuals: the same question with something changed, asked of the same `decide`.
 *
 * A change says what would be different: another role, a fresher token, an attribute. It is carried out on
 * the principal, the bindings, the environment or the request, and never on the rules.
 *
 * @module
 */
import type { CompiledPolicy } from '../compile/compile.ts'
import type { RequestFacts } from '../compile/facts.ts'
import { can } from '../decide/decide.ts'
import { createStandings, type StandingSource } from '../decide/grants.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { Json, PrincipalShape } from '../types.ts'

/** One thing that would have to be different. */
export type Change =
  /** Sign in, with a fresh ID token of this issuer. */
  | { readonly kind: 'sign_in'; readonly issuer: string }
  /** Be bound to a role; without a name when the asker may not know it. */
  | { readonly kind: 'role'; readonly role?: string }
  /** A token that also carries these scopes. */
  | { readonly kind: 'scope'; readonly scopes: readonly string[] }
  | { readonly kind: 'environment'; readonly environment: string }
  /** A token issued now; `maxAgeSeconds` is how long it will do. */
  | { readonly kind: 'fresher_token'; readonly maxAgeSeconds?: number }
  /** Sign in anew so that these facts hold, as `principal.mfa`. */
  | { readonly kind: 'step_up'; readonly missing: readonly string[] }
  /** A fact of the resource or the request; without values when the asker may know its name only. */
  | AttributeChange

export interface AttributeChange {
  readonly kind: 'attribute'
  readonly fact: string
  /** False when the fact was not told: telling it is the change. */
  readonly told: boolean
  /** A value that would do. */
  readonly is?: Json
  /** Any value would do that is not this one; `is` is an example. */
  readonly not?: Json
}

/** A question about somebody, with what is needed to ask it differently. */
export interface Situation {
  readonly compiled: CompiledPolicy
  readonly principal: PrincipalShape
  readonly action: string
  readonly request: RequestFacts
  /** Epoch milliseconds. */
  readonly now: number
  /** The same policy compiled for another of its environments. */
  compiledIn(environment: string): CompiledPolicy | undefined
}

/** Asks the changed question; remembers what the same roles and environment share. */
export type Counterfactual = (changes: readonly Change[]) => boolean

export function createCounterfactual(situation: Situation): Counterfactual {
  const sources = new Map<string, StandingSource | undefined>()
  return (changes) => {
    const { now } = situation
    const roles = changes.flatMap((change) => (change.kind === 'role' ? (change.role ?? []) : []))
    const environment =
      changes.find((change) => change.kind === 'environment')?.environment ??
      situation.compiled.environment.name
    const key = [environment, ...sortedUnique(roles)].join('\n')
    if (!sources.has(key)) sources.set(key, sourceWith(situation, environment, roles))
    const standings = sources.get(key)
    if (standings === undefined) return false
    const principal = changedPrincipal(situation, changes)
    return can(standings(principal, now), situation.action, changedRequest(situation.request, changes))
  }
}

function sourceWith(
  situation: Situation,
  environment: string,
  roles: readonly string[],
): StandingSource | undefined {
  const compiled = situation.compiledIn(environment)
  if (compiled === undefined || roles.length === 0) return compiled && createStandings(compiled)
  return createStandings({
    ...compiled,
    bindingsOf: (principal, now) => {
      const bound = compiled.bindingsOf(principal, now)
      // A role is for somebody: whoever showed no credential has to sign in first.
      if (principal.kind === 'anonymous') return bound
      return { ...bound, bindings: [...bound.bindings, { id: 'supposed', roles, to: {} }] }
    },
  })
}

/** Facts of the principal that another sign-in can bring. */
export const steppableFacts: readonly string[] = ['principal.mfa', 'principal.authTime']

function changedPrincipal(
  { compiled, principal, now }: Situation,
  changes: readonly Change[],
): PrincipalShape {
  const seconds = Math.floor(now / 1000)
  let changed = principal
  // Signing in comes first, whatever the order: the other changes are about the new token.
  const signIns = changes.filter(({ kind }) => kind === 'sign_in')
  const others = changes.filter(({ kind }) => kind !== 'sign_in')
  for (const change of [...signIns, ...others]) {
    if (change.kind === 'sign_in') {
      const preset = compiled.policy.issuers.get(change.issuer)?.preset
      if (preset === undefined) continue
      changed = {
        kind: preset.kind,
        issuer: change.issuer,
        id: `${change.issuer}|`,
        subject: '',
        credential: 'id_token',
        huggingface: preset.huggingface,
        issuedAt: seconds,
        expiresAt: seconds + 3600,
        claims: {},
      }
    } else if (change.kind === 'fresher_token') {
      changed = { ...changed, issuedAt: seconds, expiresAt: seconds + 3600 }
    } else if (change.kind === 'scope') {
      changed = { ...changed, scopes: sortedUnique([...(changed.scopes ?? []), ...change.scopes]) }
    } else if (change.kind === 'step_up') {
      const { missing } = change
      changed = {
        ...changed,
        ...(missing.includes('principal.mfa') ? { mfa: true } : {}),
        ...(missing.includes('principal.authTime') ? { authTime: seconds } : {}),
      }
    }
  }
  return changed
}

function changedRequest(request: RequestFacts, changes: readonly Change[]): RequestFacts {
  let { attributes, context } = request
  for (const change of changes) {
    if (change.kind !== 'attribute' || change.is === undefined) continue
    const name = change.fact.slice(change.fact.indexOf('.') + 1)
    // A whole name is found before a path, so this is also how a nested fact is replaced.
    if (change.fact.startsWith('resource.')) attributes = { ...attributes, [name]: change.is }
    else context = { ...context, [name]: change.is }
  }
  return { ...request, attributes, context }
}
