/**
 * CASL's ability: rules in CASL's own vocabulary as an instance that CASL's companions take.
 *
 * Beside `casl.ts`, which judges, this is the second door to the library: what it makes leaves the package,
 * types and all. Its evaluator is CASL's, with three operators more: `$glob` on a field, and `$surely` and
 * `$possibly` for conditions of ours that CASL has no words for.
 *
 * @module
 */
import { Ability, buildMongoQueryMatcher, type MongoAbility } from '@casl/ability'
import { matchGlob, parseGlob } from '../internal/glob.ts'
import type { ConditionDocument } from '../policy/schema.ts'
import type { Json } from '../types.ts'
import { readResidual } from './compiled-rule.ts'
import { compileCondition, type Judge } from './conditions.ts'
import { type RequestFacts, requestReader } from './facts.ts'

/** A rule as CASL takes it: one action may be several, an `inverted` one forbids. */
export interface PortableRule {
  action: string[]
  subject: string[]
  conditions?: { [field: string]: Json }
  inverted?: boolean
  reason?: string
}

export type CaslAbility = MongoAbility

export interface AbilityParts {
  /** Later rules win, as CASL has it. */
  readonly rules: readonly PortableRule[]
  /** What a subject says, under its canonical id; `undefined` when it has none. */
  factsOf(type: string, subject: object): RequestFacts | undefined
  /** The facts as the flat object that the rules' conditions are about. */
  fieldsOf(facts: RequestFacts): object
}

const factsKey: unique symbol = Symbol('facts')

/** What conditions are matched against: fields by their names, and the facts behind them. */
interface View {
  readonly [factsKey]?: RequestFacts | undefined
}

export function createAbility({ rules, factsOf, fieldsOf }: AbilityParts): CaslAbility {
  const matcher = createMatcher()
  const options = {
    // Names that no policy can give an action or a type: `manage` and `all` are not magic here.
    anyAction: '*',
    anySubjectType: '**',
    detectSubjectType,
    conditionsMatcher(conditions: object) {
      const matches = matcher(conditions as never)
      const onSubject = (subject: object) => {
        const facts = factsOf(detectSubjectType(subject), subject)
        const view: View = facts === undefined ? {} : { ...fieldsOf(facts), [factsKey]: facts }
        return matches(view as never)
      }
      // For `rulesToCondition` and the database adapters.
      return Object.defineProperty(onSubject, 'ast', { get: () => matches.ast }) as typeof matches
    },
  }
  return new Ability(rules as never, options as never) as unknown as CaslAbility
}

/** As `subject()` of CASL marks it; failing that, the member `type`. */
function detectSubjectType(subject: object): string {
  const { __caslSubjectType__: marked, type } = subject as { [name: string]: unknown }
  if (typeof marked === 'string') return marked
  return typeof type === 'string' ? type : ''
}

interface Node {
  readonly field?: string
  readonly value: never
}

function createMatcher() {
  const judges = new WeakMap<object, readonly Judge<RequestFacts>[]>()
  const judgesOf = (documents: readonly ConditionDocument[]) => {
    let made = judges.get(documents)
    if (made === undefined) {
      made = documents.map((document) => compileCondition(readResidual(document), requestReader))
      judges.set(documents, made)
    }
    return made
  }
  const glob = ({ field = '', value }: Node, view: { [field: string]: unknown }) => {
    const text = view[field]
    const globs: readonly string[] = [value].flat()
    return typeof text === 'string' && globs.every((pattern) => matchGlob(parseGlob(pattern), text))
  }
  const surely = ({ value }: Node, view: View) => {
    const facts = view[factsKey]
    return facts !== undefined && judgesOf(value).every((judge) => judge(facts) === true)
  }
  const possibly = ({ value }: Node, view: View) => {
    const facts = view[factsKey]
    return facts === undefined || judgesOf(value).every((judge) => judge(facts) !== false)
  }
  return buildMongoQueryMatcher(
    { $glob: { type: 'field' }, $surely: { type: 'document' }, $possibly: { type: 'document' } },
    { glob, surely, possibly } as never,
  )
}
