/**
 * Witnesses: a request with a value for every variable, put to the engine itself.
 *
 * @module
 */
import { createEngine, type Engine } from '../engine/engine.ts'
import { present } from '../internal/present.ts'
import { isMapping } from '../policy/condition.ts'
import { parsePolicy } from '../policy/parse.ts'
import type { Invariant, Issuer, Policy } from '../policy/policy.ts'
import { anonymous, type Principal, principalFromClaims } from '../principal/principal.ts'
import type { Decision, Json } from '../types.ts'
import type { Setting } from './literals.ts'
import {
  groupsVariable,
  idVariable,
  orgsVariable,
  subjectVariable,
  timeVariable,
  verifiedVariable,
} from './sources.ts'

/** A request that the engine allows although it never should. */
export interface Counterexample {
  /** As in the policy's `tests`: the issuer's alias and what its ID token would say. */
  readonly principal:
    | 'anonymous'
    | { readonly issuer: string; readonly claims: { readonly [name: string]: Json } }
  readonly environment: string
  readonly action: string
  readonly resource: {
    readonly type: string
    readonly id: string
    readonly attributes: { readonly [name: string]: Json }
  }
  readonly context: { readonly [name: string]: Json }
  /** When it is asked, in epoch milliseconds. */
  readonly time: number
  /** The engine's own answer. */
  readonly decision: Decision
}

export interface Answer extends Counterexample {
  readonly isForbidden: boolean
}

export type Values = ReadonlyMap<string, Json | undefined>

export interface Asking {
  readonly setting: Setting
  readonly action: string
  /** Some of the times that the clock may show. */
  readonly times: readonly number[]
  /** Whether the clock may show this time. */
  isInTime(time: number): boolean
}

/** Asks the engine of one environment what a proof supposes. */
export class Replay {
  private readonly policy: Policy
  private readonly engine: Engine
  private readonly forbidden: Engine
  private time = 0

  constructor(policy: Policy, environment: string, invariant: Invariant) {
    this.policy = policy
    const options = { environment, now: () => this.time }
    this.engine = createEngine(policy, options)
    this.forbidden = createEngine(forbiddenAlone(policy, invariant), options)
  }

  /** The engine's answer, and whether the request is one that the invariant is about; `undefined` for a token of nobody. */
  ask(values: Values, asking: Asking): Answer | undefined {
    const { setting, action } = asking
    const { asker, type } = setting
    const time = clockFor(values, asking)
    this.time = time
    const issuer = asker && this.policy.issuers.get(asker.alias)
    const claims = issuer === undefined ? {} : claimsOf(values, time, issuer)
    if (asker !== undefined && asker.preset.subject(claims) === undefined) return undefined
    const resource = {
      type,
      id: String(values.get(idVariable)),
      attributes: membersOf(values, 'resource.'),
    }
    const context = membersOf(values, 'context.')
    if (context.time === time) delete context.time
    const person = this.principalOf(setting, claims)
    const isForbidden = this.forbidden.for(person).can(action, resource, context)
    const decision = this.engine.for(person).decide({ action, resource, context })
    return {
      isForbidden,
      principal: asker === undefined ? 'anonymous' : { issuer: asker.alias, claims },
      environment: this.engine.environment,
      action,
      resource,
      context,
      time,
      decision,
    }
  }

  private principalOf({ asker }: Setting, claims: { readonly [name: string]: Json }): Principal {
    const issuer = asker && this.policy.issuers.get(asker.alias)
    if (issuer === undefined) return anonymous
    return principalFromClaims({
      issuer: issuer.alias,
      preset: issuer.preset,
      credential: 'id_token',
      claims,
    })
  }
}

/** A policy that allows what the invariant is about and nothing else, so that the engine tells one from the other. */
function forbiddenAlone({ document, environments }: Policy, invariant: Invariant): Policy {
  const { version, name, issuers, resources, projects } = document
  const { actions, on } = invariant
  const everyone = [{ issuer: Object.keys(issuers) }, { anonymous: true as const }]
  return parsePolicy({
    version,
    name,
    issuers,
    ...present({ resources, projects }),
    environments: Object.fromEntries([...environments.keys()].map((each) => [each, {}])),
    roles: { forbidden: { allow: [{ actions: [...actions], on: [...on] }] } },
    bindings: (invariant.for === undefined ? everyone : [invariant.for]).map((to) => ({
      roles: ['forbidden'],
      to,
    })),
  })
}

/** The time that the conditions see, if there is one, or another at which the token is good. */
function clockFor(values: Values, { times, isInTime }: Asking): number {
  const inSeconds = (variable: string, shift: number) => {
    const seconds = values.get(variable)
    return typeof seconds === 'number' ? [seconds * 1000 + shift] : []
  }
  const told = values.get(timeVariable)
  const expiry = inSeconds('claims.exp', 0)
  const wanted = [
    ...(typeof told === 'number' ? [told] : []),
    ...inSeconds('claims.iat', 0),
    ...inSeconds('claims.exp', -1000),
    ...times,
  ]
  return wanted.find((time) => isInTime(time) && expiry.every((end) => time < end)) ?? times[0] ?? 0
}

/** A token that nothing is asked of was made just now, and is good for an hour. */
const lifetimeSeconds = 3600

function claimsOf(
  values: Values,
  time: number,
  { preset, tenants }: Pick<Issuer, 'preset' | 'tenants'>,
): { [name: string]: Json } {
  const seconds = Math.floor(time / 1000)
  const claims = membersOf(values, 'claims.')
  if (!values.has('claims.iat')) claims.iat = seconds
  if (!values.has('claims.exp')) claims.exp = seconds + lifetimeSeconds
  const orgs = values.get(orgsVariable)
  if (orgs !== undefined) claims.orgs = Array.isArray(orgs) ? orgs.map(orgClaim) : orgs
  const { reads, subjectClaims, lift = {} } = preset
  // Members that a preset makes of several claims are told by the claim that counts most.
  const tell = (name: string | undefined, value: Json | undefined) => {
    if (name !== undefined && value !== undefined) claims[name] ??= value
  }
  tell(reads.groups, values.get(groupsVariable))
  tell(reads.email?.verified, values.get(verifiedVariable))
  const parts = String(values.get(subjectVariable) ?? '').split(':')
  if (values.has(subjectVariable))
    for (const [i, name] of (subjectClaims[0] ?? []).entries()) tell(name, parts[i] || 'x')
  // Whoever signs in there is of a tenant, and some presets believe more of those who say so.
  const { tenant } = preset
  if (tenant !== undefined && !values.has(`claims.${tenant.claim}`)) tell(tenant.claim, tenants[0])
  for (const [name, path] of Object.entries(lift)) {
    const value = claims[name]
    if (value === undefined) continue
    delete claims[name]
    tellNested(claims, path, value)
  }
  return claims
}

function tellNested(claims: { [name: string]: Json }, path: readonly string[], value: Json): void {
  const [first = '', ...rest] = path
  if (rest.length === 0) claims[first] = value
  else {
    const there = claims[first]
    const node = isMapping(there) ? { ...there } : {}
    tellNested(node, rest, value)
    claims[first] = node
  }
}

function membersOf(values: Values, prefix: string): { [name: string]: Json } {
  const members: { [name: string]: Json } = {}
  for (const [variable, value] of [...values].sort()) {
    if (variable.startsWith(prefix) && value !== undefined) members[variable.slice(prefix.length)] = value
  }
  return members
}

/** A membership as Hugging Face tells it. */
function orgClaim(org: Json): Json {
  if (typeof org !== 'object' || org === null || Array.isArray(org)) return org
  const { id, handle, name, role, plan, restrictions, resourceGroups, ...others } = org as {
    [name: string]: Json
  }
  return withoutAbsent({
    ...others,
    sub: id ?? (typeof handle === 'string' ? `${handle}-id` : 'org-id'),
    preferred_username: handle ?? (typeof id === 'string' ? id : 'org'),
    name,
    roleInOrg: role,
    plan,
    securityRestrictions: restrictions,
    resourceGroups: Array.isArray(resourceGroups) ? resourceGroups.map(groupClaim) : resourceGroups,
  })
}

function groupClaim(group: Json): Json {
  if (typeof group !== 'object' || group === null || Array.isArray(group)) return group
  const { id = 'group-id', name = 'group', role = 'read', ...others } = group as { [name: string]: Json }
  return { ...others, sub: id, name, role }
}

function withoutAbsent(members: { [name: string]: Json | undefined }): Json {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Json
}
