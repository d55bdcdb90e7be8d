/**
 * Grants: works out a principal's standing from a policy.
 *
 * compile → **grants** → decide. Done once for a principal; what others share is not done again.
 *
 * @module
 */

import type { BoundRoles, HeldBinding } from '../compile/bindings.ts'
import { compileRule } from '../compile/casl.ts'
import type { CompiledPolicy } from '../compile/compile.ts'
import { compileCondition, type Judge } from '../compile/conditions.ts'
import { principalReader } from '../compile/facts.ts'
import type { ResidualRule } from '../compile/rule.ts'
import { type Buckets, RuleTable } from '../compile/rule-table.ts'
import type { Topic, Topics } from '../compile/topics.ts'
import { HfAuthError } from '../errors.ts'
import { present } from '../internal/present.ts'
import { Scratch } from '../internal/scratch.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import { type Condition, factName } from '../policy/condition.ts'
import type { Binding, Statement } from '../policy/policy.ts'
import type { PolicyReference, PrincipalShape } from '../types.ts'
import { Cells, type CellsOwner } from './cells.ts'
import { huggingfaceCeiling, type ScopeCeiling, type Standing, type StandingSources } from './standing.ts'

/** Works out standings; holds what is the same for everybody. */
export type StandingSource = (principal: PrincipalShape, now: number) => PolicyStanding

export function createStandings(compiled: CompiledPolicy): StandingSource {
  const shared: Shared = {
    compiled,
    types: new Set(compiled.policy.types.keys()),
    requirements: compileRequirements(compiled.environment.require),
  }
  return (principal, now) => new PolicyStanding(shared, principal, compiled.bindingsOf(principal, now))
}

/** Tables of whoever is asked about; a question never waits. */
const gathered = /* @__PURE__ */ new Scratch<RuleTable>()

/** What is the same for everybody in an environment. */
interface Shared {
  readonly compiled: CompiledPolicy
  readonly types: ReadonlySet<string>
  readonly requirements: (principal: PrincipalShape) => readonly string[] | undefined
}

export class PolicyStanding implements Standing, CellsOwner {
  /** From this moment on it has to be worked out again, since a binding begins or ends. */
  readonly validUntil: number | undefined
  readonly authenticated: boolean
  readonly freshUntil: number | undefined
  readonly unmet: readonly string[] | undefined
  readonly scopes: ScopeCeiling | undefined
  readonly index: Cells
  private readonly shared: Shared
  private readonly owner: PrincipalShape
  private readonly bindings: readonly HeldBinding[]
  /** Rules of the principal alone, from the first look at everything held. */
  private personal: RuleTable | undefined

  constructor(shared: Shared, owner: PrincipalShape, { bindings, validUntil }: BoundRoles) {
    const { compiled, requirements } = shared
    const { environment } = compiled
    this.shared = shared
    this.owner = owner
    this.bindings = bindings
    this.validUntil = validUntil
    this.authenticated = owner.kind !== 'anonymous' || bindings.length > 0
    this.freshUntil = freshUntil(owner, environment.maxTokenAgeSeconds)
    this.unmet = environment.exempt.has(owner.issuer) ? undefined : requirements(owner)
    this.scopes = scopeCeiling(compiled, owner)
    this.index = new Cells(this)
  }

  get topics(): Topics {
    return this.shared.compiled.topics
  }

  tables(): Scratch<RuleTable> {
    const personal = this.shared.compiled.gather(this.bindings, gathered)
    if (personal.length > 0) gathered.add(this.personalTable(personal))
    return gathered
  }

  merged(topic: Topic): Buckets {
    const { compiled } = this.shared
    const shared = compiled.mergedBuckets(this.bindings, topic)
    const { personal } = this
    if (personal === undefined) return shared
    return {
      allows: [...shared.allows, ...personal.buckets('allow', topic)],
      denies: [...shared.denies, ...personal.buckets('deny', topic)],
    }
  }

  /** Rules of the principal alone; never merged with what others share. */
  private personalTable(statements: readonly Statement[]): RuleTable {
    this.personal ??= this.shared.compiled.personalRules(statements, this.owner)
    return this.personal
  }

  private boundRoles(): readonly string[] {
    return this.bindings.flatMap(({ roles }) => roles)
  }

  get sources(): StandingSources {
    return new PolicySources(this.shared.compiled, this.owner, this.bindings)
  }

  get principal(): string {
    return this.owner.id
  }

  get environment(): string {
    return this.shared.compiled.environment.name
  }

  get reference(): PolicyReference {
    return this.shared.compiled.policy.reference
  }

  get actions(): ReadonlySet<string> {
    return this.shared.compiled.policy.actions
  }

  get types(): ReadonlySet<string> {
    return this.shared.types
  }

  get ceiling(): ReadonlySet<string> | undefined {
    return this.shared.compiled.environment.actions
  }

  get maxTokenAgeSeconds(): number | undefined {
    return this.shared.compiled.environment.maxTokenAgeSeconds
  }

  roles(): readonly string[] {
    return this.shared.compiled.closureOf(this.boundRoles())
  }

  rules(): readonly ResidualRule[] {
    return this.shared.compiled.rulesOf(this.boundRoles(), this.owner)
  }
}

/** The earlier of the token's expiry and its age limit. A token that does not say when it was made is too old at once. */
function freshUntil(
  { kind, issuedAt, expiresAt }: PrincipalShape,
  maxAgeSeconds: number | undefined,
): number | undefined {
  const byAge =
    maxAgeSeconds === undefined || kind === 'anonymous'
      ? undefined
      : issuedAt === undefined
        ? 0
        : issuedAt + maxAgeSeconds
  if (byAge === undefined) return expiresAt === undefined ? undefined : expiresAt * 1000
  return Math.min(byAge, expiresAt ?? byAge) * 1000
}

/** What of `require` a principal does not meet; unknown is not met. */
function compileRequirements(
  require: Condition | undefined,
): (principal: PrincipalShape) => readonly string[] | undefined {
  if (require === undefined) return () => undefined
  const compile = (condition: Condition): Judge<PrincipalShape> =>
    compileCondition(condition, principalReader)
  const whole = compile(require)
  const parts = (require.kind === 'all' ? require.of : [require]).map((part) => ({
    facts: factsOf(part),
    judge: compile(part),
  }))
  return (principal) => {
    if (whole(principal) === true) return undefined
    return sortedUnique(parts.filter(({ judge }) => judge(principal) !== true).flatMap(({ facts }) => facts))
  }
}

function factsOf(condition: Condition): readonly string[] {
  switch (condition.kind) {
    case 'test':
    case 'element':
      return [factName(condition.path)]
    case 'not':
      return factsOf(condition.of)
    case 'unknown':
      return condition.facts
    default:
      return condition.of.flatMap(factsOf)
  }
}

/**
 * A Hugging Face access token is always held to its scopes, and has none when they are not known. Any
 * other token is held to them as soon as it carries one that the policy names.
 */
function scopeCeiling(compiled: CompiledPolicy, principal: PrincipalShape): ScopeCeiling | undefined {
  const { huggingface, credential, scopes } = principal
  if (huggingface && credential === 'access_token') return huggingfaceCeiling(scopes ?? [])
  const known = compiled.policy.scopes
  if (scopes === undefined || known.size === 0) return undefined
  const named = sortedUnique(scopes).flatMap((scope) => known.get(scope) ?? [])
  if (named.length === 0) return undefined
  const covers = named.flatMap((scope) => compiled.coveredBy(scope, principal))
  const { topics } = compiled
  const table = new RuleTable(covers.map(compileRule), topics)
  return {
    kind: 'own',
    covers,
    allow(action, facts) {
      const topic = topics.find(action, facts.type)
      return topic !== undefined && table.matches('allow', topic, facts)
    },
  }
}

/** Looks things up in the policy when somebody wants to know. */
class PolicySources implements StandingSources {
  private readonly compiled: CompiledPolicy
  private readonly owner: PrincipalShape
  private readonly found: readonly Binding[]

  constructor(compiled: CompiledPolicy, owner: PrincipalShape, found: readonly Binding[]) {
    this.compiled = compiled
    this.owner = owner
    this.found = found
  }

  get bindings() {
    return this.found
      .map(({ id, roles, location }) => ({ id, roles, ...present({ location }) }))
      .sort((a, b) => compareCodeUnits(a.id, b.id))
  }

  statement(id: string) {
    const statement = this.compiled.statement(id)
    if (statement === undefined)
      throw new HfAuthError('HFAUTH_CONFIG_INVALID', `no statement \`${id}\` in the policy`)
    const { effect, reason, location } = statement
    return { id, effect, ...present({ reason, location }) }
  }

  scopeCovering(action: string, facts: Parameters<StandingSources['scopeCovering']>[1]) {
    const { policy } = this.compiled
    const covers = (name: string) => {
      const scope = policy.scopes.get(name)
      if (scope === undefined) return false
      const rules = this.compiled.coveredBy(scope, this.owner)
      return rules.some(
        (rule) =>
          (rule.actions.includes('*') || rule.actions.includes(action)) &&
          (rule.types.includes('**') || rule.types.includes(facts.type)) &&
          compileRule(rule).matches(facts),
      )
    }
    return sortedUnique(policy.scopes.keys()).filter(covers).slice(0, 1)
  }
}
