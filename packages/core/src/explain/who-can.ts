/**
 * Who can: the bindings through which somebody could be allowed, read from the policy alone.
 *
 * compile → **who can**. Knows nobody's claims, so conditions on the principal come out as unknown. It
 * supposes what a sign-in brings anew each time: a fresh token, with scopes that suffice.
 *
 * @module
 */
import type { CompiledPolicy } from '../compile/compile.ts'
import type { RequestFacts } from '../compile/facts.ts'
import { matchGlob, parseGlob } from '../internal/glob.ts'
import { present } from '../internal/present.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import type { Binding, Statement } from '../policy/policy.ts'
import type { SubjectDocument } from '../policy/schema.ts'
import type { BindingReference } from '../types.ts'
import { truthOf } from './atoms.ts'

export interface Holder {
  readonly binding: BindingReference
  /** Whom the binding is about. */
  readonly to: SubjectDocument
  /** The bound roles that allow it, sorted. */
  readonly roles: readonly string[]
  /** `certain` when everyone whom the binding is about is allowed, `conditional` when it takes more to know. */
  readonly certainty: 'certain' | 'conditional'
}

/** Bindings in force at the time of the request, sorted; nobody is allowed who is not under one of them. */
export function holdersOf(
  compiled: CompiledPolicy,
  action: string,
  request: RequestFacts,
  now: number,
): Holder[] {
  const { policy, environment } = compiled
  if (!policy.actions.has(action) || !policy.types.has(request.type)) return []
  if (environment.actions !== undefined && !environment.actions.has(action)) return []

  const inForce = policy.bindings.filter(
    ({ from, until }) => (from === undefined || from <= now) && (until === undefined || now < until),
  )
  const likelihoodOf = createLikelihood(compiled, action, request)
  const denials = (roles: readonly string[]) =>
    strongest(
      compiled
        .statementsOf(roles)
        .filter(({ effect }) => effect === 'deny')
        .map(likelihoodOf),
    )
  // Who is under one binding may be under another, whose roles deny.
  const elsewhere = denials(inForce.flatMap(({ roles }) => roles))
  return inForce
    .flatMap((binding): Holder[] => {
      const allowing = binding.roles.map((role) => ({
        role,
        likelihood: strongest(
          compiled
            .statementsOf([role])
            .filter(({ effect }) => effect === 'allow')
            .map(likelihoodOf),
        ),
      }))
      const allowed = strongest(allowing.map(({ likelihood }) => likelihood))
      if (allowed === 'never' || denials(binding.roles) === 'always') return []
      const certain = allowed === 'always' && elsewhere === 'never' && meetsRequirements(compiled, binding)
      return [
        {
          binding: { id: binding.id, roles: binding.roles, ...present({ location: binding.location }) },
          to: binding.to,
          roles: sortedUnique(allowing.filter((one) => one.likelihood !== 'never').map(({ role }) => role)),
          certainty: certain ? 'certain' : 'conditional',
        },
      ]
    })
    .sort((a, b) => compareCodeUnits(a.binding.id, b.binding.id))
}

type StatementLikelihood = 'never' | 'sometimes' | 'always'

/** How a statement comes out for somebody of whom nothing is known. */
function createLikelihood(compiled: CompiledPolicy, action: string, request: RequestFacts) {
  return (statement: Statement): StatementLikelihood => {
    if (!statement.actions.includes('*') && !statement.actions.includes(action)) return 'never'
    const matching = compiled
      .globsFor(statement)
      .filter(({ types }) => types.includes('**') || types.includes(request.type))
      .filter(({ id }) => id === undefined || matchGlob(parseGlob(id), request.id))
    if (matching.length === 0) return 'never'
    const truth = truthOf(statement.condition, { request })
    if (truth === undefined) return 'sometimes'
    if (!truth) return 'never'
    return isPersonalOnly(statement, compiled, request) ? 'sometimes' : 'always'
  }
}

/** Whether only patterns with a placeholder match: then it depends on who is asking. */
function isPersonalOnly(statement: Statement, compiled: CompiledPolicy, request: RequestFacts): boolean {
  const patterns = statement.patterns.filter(({ pieces }) => !pieces.some((piece) => 'placeholder' in piece))
  return !compiled
    .globsFor({ ...statement, patterns })
    .some(
      ({ types, id }) =>
        (types.includes('**') || types.includes(request.type)) &&
        (id === undefined || matchGlob(parseGlob(id), request.id)),
    )
}

function strongest(likelihoods: readonly StatementLikelihood[]): StatementLikelihood {
  if (likelihoods.includes('always')) return 'always'
  return likelihoods.includes('sometimes') ? 'sometimes' : 'never'
}

/** Whether everyone under the binding is past `require`, as far as their issuers say. */
function meetsRequirements({ environment }: CompiledPolicy, { to }: Binding): boolean {
  if (environment.require === undefined) return true
  return to.issuer !== undefined && [to.issuer].flat().every((issuer) => environment.exempt.has(issuer))
}
