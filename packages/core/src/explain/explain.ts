/**
 * Explain: a decision with every statement that was considered on the way, how each came out and why.
 *
 * compile → decide → **explain**. From a snapshot only what the snapshot knows: rules without places, and
 * conditions from which the principal is already evaluated away.
 *
 * @module
 */

import type { CompiledPolicy } from '../compile/compile.ts'
import { readResidual } from '../compile/compiled-rule.ts'
import type { RequestFacts } from '../compile/facts.ts'
import { type Access, standingOf } from '../decide/access.ts'
import { decide } from '../decide/decide.ts'
import { emptyFacts, nameOf, readFacts } from '../decide/resource.ts'
import type { Standing } from '../decide/standing.ts'
import { matchGlob, parseGlob } from '../internal/glob.ts'
import { present } from '../internal/present.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import type { Pattern } from '../policy/pattern.ts'
import type { Statement } from '../policy/policy.ts'
import type { Decision, PrincipalShape, Question, SourceLocation } from '../types.ts'
import { type AskedFacts, type Atom, atomsOf, type Outcome, outcomeOf, truthOf } from './atoms.ts'
import type { Audience, Remedies } from './remedies.ts'

export interface ExplainOptions {
  /** Default `self`: roles and groups of others and the text of the policy are not told. */
  readonly audience?: Audience
}

export interface ConsideredStatement {
  readonly statement: string
  readonly effect: 'allow' | 'deny'
  /** The glob on ids that was met; `**` when the statement is about every id. */
  readonly pattern: string
  /** False for a statement on this action and type whose pattern leaves this id out. */
  readonly matchesId: boolean
  /** Of pattern and condition together. */
  readonly outcome: Outcome
  /** Facts that were not told, as `resource.gated`. */
  readonly missing: readonly string[]
  /** The tests of its condition; none when the pattern already leaves the id out. */
  readonly atoms: readonly Atom[]
  readonly location?: SourceLocation
}

export interface Explanation {
  readonly decision: Decision
  /** Statements on this action and type, sorted. */
  readonly considered: readonly ConsideredStatement[]
  /** On a denial by a live policy: the changes that would turn it into an allow. */
  readonly remedies?: Remedies
}

/**
 * Explains from the rules alone, for a snapshot: no places, no tests on the principal, no remedies. An access
 * to a live policy explains itself, with all of these.
 *
 * A function, so that pages which explain nothing do not load it.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the access comes neither from an engine nor from a snapshot.
 */
export function explainRules(access: Access, question: Question): Explanation {
  const { action, resource, context, environment } = question
  const { standing, now } = standingOf(access)
  const request = readFacts(emptyFacts(), resource, context, now)
  if (request === undefined || (environment !== undefined && environment !== access.environment))
    return { decision: access.decide(question), considered: [] }
  return {
    decision: decide(standing, action, nameOf(resource), request),
    considered: consideredRules(standing, action, request),
  }
}

/** What a standing alone can tell: the rules on this action, type and id. */
function consideredRules(standing: Standing, action: string, request: RequestFacts): ConsideredStatement[] {
  return standing.index
    .candidates(action, request)
    .map((compiled): ConsideredStatement => {
      const { statement, effect, id, when } = compiled.rule
      const missing = new Set<string>()
      const truth = compiled.truth(request, missing)
      const matchesId = compiled.fits(request.id)
      return {
        statement,
        effect,
        pattern: id ?? '**',
        matchesId,
        outcome: outcomeOf(truth),
        missing: sortedUnique(missing),
        atoms: matchesId && when !== undefined ? atomsOf(readResidual(when), { request }) : [],
      }
    })
    .filter(({ matchesId }) => matchesId)
    .sort(byContent)
}

export interface ConsideredBy {
  readonly compiled: CompiledPolicy
  readonly roles: readonly string[]
  readonly principal: PrincipalShape
  readonly audience: Audience
}

/** The statements of the roles held and the denials for everybody, by their conditions as they were written. */
export function consideredStatements(
  { compiled, roles, principal, audience }: ConsideredBy,
  action: string,
  request: RequestFacts,
): ConsideredStatement[] {
  const asked = { request, principal }
  return compiled
    .statementsOf(roles)
    .filter(({ actions }) => actions.includes('*') || actions.includes(action))
    .flatMap((statement) => entriesOf(statement, compiled, asked))
    .filter((entry) => audience === 'administrator' || concernsAsker(entry))
    .map((entry) => (audience === 'administrator' ? entry : withoutText(entry)))
    .sort(byContent)
}

function entriesOf(
  statement: Statement,
  compiled: CompiledPolicy,
  { request, principal }: Required<AskedFacts>,
): ConsideredStatement[] {
  const { id, effect, condition, location } = statement
  const onType = (types: readonly string[]) => types.includes('**') || types.includes(request.type)
  const globs = compiled.globsFor(statement, principal).filter(({ types }) => onType(types))
  const patterns = globs.map((glob) => glob.id ?? '**')
  const matching = sortedUnique(patterns).filter((pattern) => matchGlob(parseGlob(pattern), request.id))
  const common = { statement: id, effect, ...present({ location }) }
  if (matching.length > 0) {
    const missing = new Set<string>()
    const truth = truthOf(condition, { request, principal }, missing)
    return matching.map((pattern) => ({
      ...common,
      pattern,
      matchesId: true,
      outcome: outcomeOf(truth),
      missing: sortedUnique(missing),
      atoms: atomsOf(condition, { request, principal }),
    }))
  }
  const written = statement.patterns.filter(({ type }) => onType([type])).map(patternText)
  return sortedUnique(written).map((pattern) => ({
    ...common,
    pattern,
    matchesId: false,
    outcome: 'does not hold',
    missing: [],
    atoms: [],
  }))
}

function patternText({ pieces }: Pattern): string {
  return pieces.map((piece) => ('text' in piece ? piece.text : `\${${piece.placeholder}}`)).join('')
}

/** A denial that does not hold is about others, and a pattern that does not match about other things. */
function concernsAsker({ effect, matchesId, outcome }: ConsideredStatement): boolean {
  return matchesId && (effect === 'allow' || outcome !== 'does not hold')
}

/** What is asked of the principal may name other people's groups; the principal's own values may be told. */
function withoutText({ location: _, ...entry }: ConsideredStatement): ConsideredStatement {
  return {
    ...entry,
    atoms: entry.atoms.map((atom) => {
      const { operator, operand, reference, ...rest } = atom
      return /^principal\./.test(atom.fact) || /^principal\./.test(reference ?? '') ? rest : atom
    }),
  }
}

function byContent(a: ConsideredStatement, b: ConsideredStatement): number {
  return compareCodeUnits(`${a.statement} ${a.pattern}`, `${b.statement} ${b.pattern}`)
}
