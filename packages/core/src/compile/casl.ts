/**
 * CASL: residual rules as CASL rules, with our three-valued conditions behind CASL's own extension
 * point. The only file that knows the library.
 *
 * Its defaults that are traps here: the action `manage` and the subject `all` mean everything (`manage`
 * is one of Hugging Face's actions, so the wildcards are `*` and `**`), the last rule wins (denials are
 * handed over last), and an operator it does not know is ignored (conditions are read by our own
 * reader, which refuses it).
 *
 * @module
 */
import { Ability, type ConditionsMatcher } from '@casl/ability'
import { HfAuthError } from '../errors.ts'
import { type Condition, readCondition } from '../policy/condition.ts'
import type { ConditionDocument } from '../policy/schema.ts'
import { judge, type Truth } from './conditions.ts'
import { type RequestFacts, requestFact } from './facts.ts'
import type { ResidualRule } from './rule.ts'

export interface CompiledRule {
  readonly rule: ResidualRule
  /** An allow whose condition is unknown does not match; a denial whose condition is unknown does. */
  matches(facts: RequestFacts): boolean
  /** The three-valued answer, with the unknown facts added to `missing`. */
  truth(facts: RequestFacts, missing?: Set<string>): Truth
}

/** The rules that could apply to an action on a type, denials first. */
export type RuleLookup = (action: string, type: string) => readonly CompiledRule[]

/** CASL's conditions for a rule; a denial's are wrapped, since it matches unless they are known to be false. */
type CaslConditions = ConditionDocument | { readonly $possibly: ConditionDocument }

/** Builds one CASL ability from the rules, allows before denials. */
export function compileRules(rules: readonly ResidualRule[]): RuleLookup {
  const ordered = [
    ...rules.filter(({ effect }) => effect === 'allow'),
    ...rules.filter(({ effect }) => effect === 'deny'),
  ]
  const conditions = new Map<CaslConditions, Condition>()
  const matcher: ConditionsMatcher<CaslConditions> = (document) => {
    const condition = conditions.get(document)
    if (condition === undefined)
      throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'a rule was changed after it was compiled')
    const isDenial = '$possibly' in document
    return (facts) => {
      const truth = judge(condition, (path) => requestFact(facts as RequestFacts, path))
      return isDenial ? truth !== false : truth === true
    }
  }

  const byOrigin = new Map<object, ResidualRule>()
  const raw = ordered.map((rule) => {
    const document = documentOf(rule)
    const inverted = rule.effect === 'deny'
    const wrapped: CaslConditions = inverted ? { $possibly: document } : document
    conditions.set(wrapped, readResidual(document))
    const origin = {
      action: [...rule.actions],
      subject: [...rule.types],
      inverted,
      conditions: wrapped,
      reason: rule.statement,
    }
    byOrigin.set(origin, rule)
    return origin
  })
  const ability = new Ability<[string, string], CaslConditions>(raw, {
    conditionsMatcher: matcher,
    anyAction: '*',
    anySubjectType: '**',
  })

  const compiled = new Map<object, CompiledRule>()
  return (action, type) =>
    ability.possibleRulesFor(action, type).flatMap((caslRule) => {
      const rule = byOrigin.get(caslRule.origin)
      if (rule === undefined) return []
      let entry = compiled.get(caslRule)
      if (entry === undefined) {
        const condition = conditions.get(caslRule.conditions as CaslConditions) as Condition
        entry = {
          rule,
          matches: (facts) => caslRule.matchesConditions(facts as never),
          truth: (facts, missing) => judge(condition, (path) => requestFact(facts, path), missing),
        }
        compiled.set(caslRule, entry)
      }
      return [entry]
    })
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

function readResidual(document: ConditionDocument): Condition {
  return readCondition(document, {
    roots: ['resource', 'context', 'principal'],
    residual: true,
    checkFact: () => undefined,
    report: (fault) => {
      throw new HfAuthError('HFAUTH_CONFIG_INVALID', fault.message)
    },
  })
}
