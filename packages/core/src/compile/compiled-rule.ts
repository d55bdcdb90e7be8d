/**
 * A residual rule, ready to be asked: whether the id fits, and what the rule asks beyond that.
 *
 * rule, conditions → **compiled rule** → rule table. Pages read snapshots with it, so it knows no library: who wants another
 * to judge hands it in.
 *
 * @module
 */
import { HfAuthError } from '../errors.ts'
import { type GlobPart, matchGlob, parseGlob } from '../internal/glob.ts'
import { type Condition, readCondition } from '../policy/condition.ts'
import type { ConditionDocument } from '../policy/schema.ts'
import { compileCondition, type Judge, type Truth } from './conditions.ts'
import { type RequestFacts, requestReader } from './facts.ts'
import type { ResidualRule } from './rule.ts'

/** Says whether what a rule asks beyond the id is met. CASL's `Rule` is one. */
export interface Matcher {
  matchesConditions(facts: RequestFacts): boolean
}

/** Makes a matcher when a rule is first asked. */
export type MatcherOf = (rule: ResidualRule, judge: Judge<RequestFacts>) => Matcher

/** An allow whose condition is unknown does not match; a denial whose condition is unknown does. */
const judgedMatcher: MatcherOf = ({ effect }, judge) => ({
  matchesConditions: (facts) => judge(facts) ?? effect === 'deny',
})

/** Whether the id fits is seen here, since the index has shown most of it already. */
export class CompiledRule {
  readonly rule: ResidualRule
  readonly isDenial: boolean
  /** The literal text that every matching id begins with. */
  readonly prefix: string
  private readonly fit: IdFit
  private readonly glob: readonly GlobPart[]
  private readonly judge: Judge<RequestFacts> | undefined
  private readonly matcherOf: MatcherOf
  private matcher: Matcher | undefined

  /** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the rule's condition cannot be read. */
  constructor(rule: ResidualRule, matcherOf: MatcherOf = judgedMatcher) {
    const { id, when } = rule
    this.rule = rule
    this.matcherOf = matcherOf
    this.isDenial = rule.effect === 'deny'
    this.fit = id === undefined ? 'any' : idFit(id)
    this.prefix = id === undefined ? '' : id.slice(0, id.includes('*') ? id.indexOf('*') : undefined)
    this.glob = this.fit === 'glob' ? parseGlob(id ?? '') : []
    this.judge = when && compileCondition(readResidual(when), requestReader)
  }

  /** As far as `can` has to know: an allow that is unknown does not match, a denial that is unknown does. */
  matches(facts: RequestFacts): boolean {
    if (!this.fits(facts.id)) return false
    if (this.judge === undefined) return true
    this.matcher ??= this.matcherOf(this.rule, this.judge)
    return this.matcher.matchesConditions(facts)
  }

  /** The three-valued answer, with the unknown facts added to `missing`. */
  truth(facts: RequestFacts, missing?: Set<string>): Truth {
    if (!this.fits(facts.id)) return false
    return this.judge === undefined ? true : this.judge(facts, missing)
  }

  /** Whether the rule is about this canonical id. */
  fits(id: string): boolean {
    switch (this.fit) {
      case 'any':
        return true
      case 'exact':
        return id === this.prefix
      case 'one-level':
        return id.startsWith(this.prefix) && !id.includes('/', this.prefix.length)
      case 'glob':
        return id.startsWith(this.prefix) && matchGlob(this.glob, id)
    }
  }
}

/** How a glob is matched: most are one of the simple kinds. */
type IdFit = 'any' | 'exact' | 'one-level' | 'glob'

function idFit(glob: string): IdFit {
  const star = glob.indexOf('*')
  if (star < 0) return 'exact'
  return star === glob.length - 1 ? 'one-level' : 'glob'
}

/** A condition as partial evaluation wrote it. */
export function readResidual(document: ConditionDocument): Condition {
  return readCondition(document, {
    roots: ['resource', 'context', 'principal'],
    residual: true,
    isFact: () => true,
    // The principal's own values stand where references were; judging takes any of them.
    isOperand: () => true,
    report: ({ kind }) => {
      throw new HfAuthError('HFAUTH_CONFIG_INVALID', `a condition cannot be read: ${kind}`)
    },
  })
}
