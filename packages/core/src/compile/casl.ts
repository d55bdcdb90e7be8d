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
import { readCondition } from '../policy/condition.ts'
import type { ConditionDocument } from '../policy/schema.ts'
import { compileCondition, type Judge, type Truth } from './conditions.ts'
import { type RequestFacts, requestReader } from './facts.ts'
import type { ResidualRule } from './rule.ts'

/** CASL's conditions for a rule; a denial's are wrapped, since it matches unless they are known to be false. */
type CaslConditions = ConditionDocument | { readonly $possibly: ConditionDocument }

type CaslRule = RuleOf<Ability<[string, string], CaslConditions>>

/** One residual rule, ready to be asked. The CASL rule is made when it is first needed. */
export class CompiledRule {
  readonly rule: ResidualRule
  readonly isDenial: boolean
  private readonly judge: Judge<RequestFacts>
  private casl: CaslRule | undefined

  /** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when the rule's condition cannot be read. */
  constructor(rule: ResidualRule) {
    this.rule = rule
    this.isDenial = rule.effect === 'deny'
    this.judge = compileCondition(readResidual(documentOf(rule)), requestReader)
  }

  /** An allow whose condition is unknown does not match; a denial whose condition is unknown does. */
  matches(facts: RequestFacts): boolean {
    this.casl ??= caslRule(this.rule, this.judge)
    return this.casl.matchesConditions(facts as never)
  }

  /** The three-valued answer, with the unknown facts added to `missing`. */
  truth(facts: RequestFacts, missing?: Set<string>): Truth {
    return this.judge(facts, missing)
  }
}

function caslRule(rule: ResidualRule, judge: Judge<RequestFacts>): CaslRule {
  const isDenial = rule.effect === 'deny'
  const document = documentOf(rule)
  const ability = new Ability<[string, string], CaslConditions>(
    [
      {
        action: [...rule.actions],
        subject: [...rule.types],
        inverted: isDenial,
        conditions: isDenial ? { $possibly: document } : document,
        reason: rule.statement,
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
  const [made] = ability.possibleRulesFor(rule.actions[0] ?? '*', rule.types[0] ?? '**')
  if (made === undefined) throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'a rule names no action or no type')
  return made
}

/** The pattern on the id and the rest of the condition, as one. Always there: CASL takes a rule without for match-all. */
function documentOf(rule: ResidualRule): ConditionDocument {
  const id =
    rule.id === undefined
      ? undefined
      : { 'resource.id': rule.id.includes('*') ? { $glob: rule.id } : { $eq: rule.id } }
  if (id === undefined) return rule.when ?? { $and: [] }
  return rule.when === undefined ? id : { $and: [id, rule.when] }
}

function readResidual(document: ConditionDocument) {
  return readCondition(document, {
    roots: ['resource', 'context', 'principal'],
    residual: true,
    checkFact: () => undefined,
    report: (fault) => {
      throw new HfAuthError('HFAUTH_CONFIG_INVALID', fault.message)
    },
  })
}
