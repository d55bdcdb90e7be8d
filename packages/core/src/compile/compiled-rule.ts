/**
 * A residual rule, ready to be asked: whether the id fits, and what the rule asks beyond that.
 *
 * rule, conditions → **compiled rule** → CASL, rule list. Pages read snapshots with it, so it knows no library.
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

/** Whether the id fits is seen here, since the index has shown most of it already. */
export class CompiledRule {
  readonly rule: ResidualRule
  readonly isDenial: boolean
  /** The literal text that every matching id begins with. */
  readonly prefix: string
  private readonly fit: IdFit
  private readonly glob: readonly GlobPart[]
  protected readonly judge: Judge<RequestFacts> | undefined

  /** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the rule's condition cannot be read. */
  constructor(rule: ResidualRule) {
    const { id, when } = rule
    this.rule = rule
    this.isDenial = rule.effect === 'deny'
    this.fit = id === undefined ? 'any' : idFit(id)
    this.prefix = id === undefined ? '' : id.slice(0, id.includes('*') ? id.indexOf('*') : undefined)
    this.glob = this.fit === 'glob' ? parseGlob(id ?? '') : []
    this.judge = when && compileCondition(readResidual(when), requestReader)
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
