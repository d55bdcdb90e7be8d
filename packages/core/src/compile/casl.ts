/**
 * CASL: residual rules as CASL rules, with our three-valued conditions behind CASL's own extension
 * point. The only file that knows the library.
 *
 * Its defaults that are traps here: the action `manage` and the subject `all` mean everything (`manage`
 * is one of Hugging Face's actions, so the wildcards are `*` and `**`), and an operator it does not know
 * is ignored (conditions are read by our own reader, which refuses it).
 *
 * @module
 */
import { Ability, type RuleOf } from '@casl/ability'
import { HfAuthError } from '../errors.ts'
import { type GlobPart, matchGlob, parseGlob } from '../internal/glob.ts'
import { type Condition, readCondition } from '../policy/condition.ts'
import type { ConditionDocument } from '../policy/schema.ts'
import { compileCondition, type Judge, type Truth } from './conditions.ts'
import { type RequestFacts, requestReader } from './facts.ts'
import type { ResidualRule } from './rule.ts'

/** CASL's conditions for a rule; a denial's are wrapped, since it matches unless they are known to be false. */
type CaslConditions = ConditionDocument | { readonly $possibly: ConditionDocument }

type CaslRule = RuleOf<Ability<[string, string], CaslConditions>>

/**
 * One residual rule, ready to be asked. Whether the id fits is seen here, since the index has shown most of it
 * already; what the rule asks beyond that is a CASL rule, made when it is first needed.
 */
export class CompiledRule {
  readonly rule: ResidualRule
  readonly isDenial: boolean
  /** The literal text that every matching id begins with. */
  readonly prefix: string
  private readonly fit: IdFit
  private readonly glob: readonly GlobPart[]
  private readonly judge: Judge<RequestFacts> | undefined
  private casl: CaslRule | undefined

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

  /** An allow whose condition is unknown does not match; a denial whose condition is unknown does. */
  matches(facts: RequestFacts): boolean {
    if (!this.fits(facts.id)) return false
    if (this.judge === undefined) return true
    this.casl ??= caslRule(this.rule, this.judge)
    return this.casl.matchesConditions(facts as never)
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

function caslRule(
  { actions, types, effect, statement, when }: ResidualRule,
  judge: Judge<RequestFacts>,
): CaslRule {
  const isDenial = effect === 'deny'
  const document = when ?? { $and: [] }
  const ability = new Ability<[string, string], CaslConditions>(
    [
      {
        action: [...actions],
        subject: [...types],
        inverted: isDenial,
        conditions: isDenial ? { $possibly: document } : document,
        reason: statement,
      },
    ],
    {
      anyAction: '*',
      anySubjectType: '**',
      conditionsMatcher: () =>
        isDenial
          ? (facts) => judge(facts as RequestFacts) !== false
          : (facts) => judge(facts as RequestFacts) === true,
    },
  )
  const [made] = ability.possibleRulesFor(actions[0] ?? '*', types[0] ?? '**')
  if (made === undefined) throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'a rule names no action or no type')
  return made
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
