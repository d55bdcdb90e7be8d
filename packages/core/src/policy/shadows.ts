/**
 * Shadows: allows that can never have an effect, because a denial always holds wherever they do.
 *
 * Told as warnings. Only denials without a condition are looked at, and a pattern has to be covered by a single
 * one of the denial's; what is told is certain, and what is not told may still be so.
 *
 * @module
 */
import { isHubType } from '../hub/actions.ts'
import { getOrAdd } from '../internal/maps.ts'
import type { Pattern, PatternPiece } from './pattern.ts'
import type { Role, Statement } from './policy.ts'

/** A character, a wildcard, or a placeholder, which stands for text that nobody knows yet. */
type Token = string

/** Beyond this many steps two patterns are not compared. */
const maxSteps = 1_000_000

/** What comparing may still cost, in steps: warnings are not worth a square of a policy with thousands of statements. */
export interface Effort {
  left: number
}

const maxEffort = 20_000_000
/** Two patterns are read before any of their characters are compared. */
const stepsOfReading = 50

export function fullEffort(): Effort {
  return { left: maxEffort }
}

export interface Shadow {
  readonly role: string
  /** Place of the allow among those of its role. */
  readonly index: number
  readonly denial: Statement
}

/** Allows of roles under denials that everybody meets, or that every holder of the role does. */
export function findShadows(roles: ReadonlyMap<string, Role>, deny: readonly Statement[]): Shadow[] {
  const effort = fullEffort()
  const everybody = new Denials(deny)
  const ofRole = new Map([...roles].map(([name, { statements }]) => [name, new Denials(statements)]))
  return [...roles.values()].flatMap(({ name, statements, closure }) => {
    const met = [everybody, ...closure.flatMap((each) => ofRole.get(each) ?? [])]
    const allows = statements.filter(({ effect }) => effect === 'allow')
    return allows.flatMap((allow, index) => {
      const denial = met.map((denials) => denials.over(allow, effort)).find((found) => found !== undefined)
      return denial === undefined ? [] : [{ role: name, index, denial }]
    })
  })
}

/** Denials that hold whatever the request says, by the owner their patterns name. */
class Denials {
  private readonly byOwner = new Map<string, Set<Statement>>()

  constructor(statements: readonly Statement[]) {
    for (const statement of statements) {
      if (statement.effect !== 'deny' || statement.condition !== undefined) continue
      for (const pattern of statement.patterns)
        getOrAdd(this.byOwner, ownerOf(pattern), () => new Set<Statement>()).add(statement)
    }
  }

  over(allow: Statement, effort: Effort): Statement | undefined {
    const [first] = allow.patterns
    if (first === undefined || effort.left <= 0) return undefined
    const near = [ownerOf(first), ''].flatMap((owner) => [...(this.byOwner.get(owner) ?? [])])
    return near.find((denial) => isShadowed(allow, denial, effort))
  }
}

/** The literal text before the first `/`; empty when a wildcard or a placeholder stands there. */
function ownerOf(pattern: Pattern): string {
  const text = beginning(pattern, true)
  return text.includes('/') ? text.slice(0, text.indexOf('/')) : ''
}

function isShadowed(allow: Statement, denial: Statement, effort: Effort): boolean {
  const { environments } = denial
  const everywhere =
    environments === undefined ||
    (allow.environments !== undefined && [...allow.environments].every((name) => environments.has(name)))
  return (
    everywhere &&
    (denial.actions.includes('*') || allow.actions.every((action) => denial.actions.includes(action))) &&
    allow.patterns.every((pattern) => denial.patterns.some((wider) => covers(wider, pattern, effort)))
  )
}

/** Whether every id that `pattern` can match, for whatever principal, is matched by `wider`; no, when it takes too much effort. */
export function covers(wider: Pattern, pattern: Pattern, effort: Effort = fullEffort()): boolean {
  effort.left -= stepsOfReading
  if (effort.left < 0) return false
  if (wider.type !== '**' && wider.type !== pattern.type) return false
  const ignoreCase = isHubType(pattern.type)
  if (!beginning(pattern, ignoreCase).startsWith(beginning(wider, ignoreCase))) return false
  const outer = tokensOf(wider.pieces, ignoreCase)
  const inner = tokensOf(pattern.pieces, ignoreCase)
  const steps = outer.length * inner.length
  effort.left -= steps
  if (steps > maxSteps || effort.left < 0) return false
  // reached[j]: what stands before `outer[i]` can take exactly the first j tokens of the inner pattern.
  let reached = inner.map(() => false)
  reached = [true, ...reached]
  for (const token of outer) {
    const next = [token.startsWith('*') && reached[0] === true]
    for (let j = 1; j <= inner.length; j++) {
      const taken = inner[j - 1] as Token
      if (token.startsWith('*'))
        next[j] = reached[j] === true || (next[j - 1] === true && mayTake(token, taken))
      else next[j] = reached[j - 1] === true && token === taken
    }
    reached = next
  }
  return reached[inner.length] === true
}

/** The literal text before the first wildcard or placeholder: most pairs differ there. */
function beginning({ pieces }: Pattern, ignoreCase: boolean): string {
  const [first] = pieces
  const text = first !== undefined && 'text' in first ? first.text : ''
  const star = text.indexOf('*')
  const literal = star < 0 ? text : text.slice(0, star)
  return ignoreCase ? literal.toLowerCase() : literal
}

/** `**` takes anything; `*` what can have no `/`, and nobody knows what a placeholder will have. */
function mayTake(wildcard: Token, token: Token): boolean {
  return wildcard === '**' || (token !== '/' && token !== '**' && !token.startsWith('$'))
}

function tokensOf(pieces: readonly PatternPiece[], ignoreCase: boolean): Token[] {
  return pieces.flatMap((piece) => {
    if ('placeholder' in piece) return [`\${${piece.placeholder}}`]
    const text = ignoreCase ? piece.text.toLowerCase() : piece.text
    return text.split(/(\*+)/).flatMap((run) => (run.startsWith('*') ? [run === '*' ? '*' : '**'] : [...run]))
  })
}
