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
import { Ability } from '@casl/ability'
import { HfAuthError } from '../errors.ts'
import type { ConditionDocument } from '../policy/schema.ts'
import { CompiledRule } from './compiled-rule.ts'
import type { Judge } from './conditions.ts'
import type { RequestFacts } from './facts.ts'
import type { ResidualRule } from './rule.ts'

/** CASL's conditions for a rule; a denial's are wrapped, since it matches unless they are known to be false. */
type CaslConditions = ConditionDocument | { readonly $possibly: ConditionDocument }

/** What is needed of CASL's `Rule`. */
interface Matcher {
  matchesConditions(facts: RequestFacts): boolean
}

/** A rule of a policy, which CASL is asked about from the first question on. */
export class CaslRule extends CompiledRule {
  private matcher: Matcher | undefined

  /** As far as `can` has to know: an allow that is unknown does not match, a denial that is unknown does. */
  matches(facts: RequestFacts): boolean {
    if (!this.fits(facts.id)) return false
    if (this.judge === undefined) return true
    this.matcher ??= matcherOf(this.rule, this.judge)
    return this.matcher.matchesConditions(facts)
  }
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when its condition cannot be read. */
export function compileRule(rule: ResidualRule): CaslRule {
  return new CaslRule(rule)
}

function matcherOf(
  { actions, types, effect, statement, when }: ResidualRule,
  judge: Judge<RequestFacts>,
): Matcher {
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
  // CASL calls what it judges a subject, and knows it by its name.
  return made as unknown as Matcher
}
