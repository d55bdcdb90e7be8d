/**
 * Atoms: the single tests of a condition, each with the value it met and how it came out.
 *
 * compile → decide → **explain**. Reads a condition as it was written, or as partial evaluation left it.
 *
 * @module
 */
import { compileCondition, type Truth } from '../compile/conditions.ts'
import { principalFact, type RequestFacts, requestReader } from '../compile/facts.ts'
import { present } from '../internal/present.ts'
import {
  type Condition,
  type FactPath,
  factName,
  type Operator,
  writeCondition,
} from '../policy/condition.ts'
import type { Json, PrincipalShape } from '../types.ts'

export type Outcome = 'holds' | 'does not hold' | 'unknown'

export interface Atom {
  /** `resource.gated` */
  readonly fact: string
  /** Absent, with the operand, when the asker may not know what is asked of the fact. */
  readonly operator?: Operator
  /** What the fact is compared with; for a reference, the value found there. */
  readonly operand?: Json
  /** The fact that the operand is taken from, as `principal.username`. */
  readonly reference?: string
  /** Absent when the fact was not told. */
  readonly value?: Json
  /** How the test itself came out. */
  readonly outcome: Outcome
  /** True inside `unless` or `$not`: there the statement needs the test not to hold. */
  readonly negated: boolean
}

/** Everything a condition may ask about: the request, and whoever asks it where that is not settled yet. */
export interface AskedFacts {
  readonly request: RequestFacts
  readonly principal?: PrincipalShape
}

export function outcomeOf(truth: Truth): Outcome {
  return truth === undefined ? 'unknown' : truth ? 'holds' : 'does not hold'
}

/** The tests of a condition, in its order. */
export function atomsOf(condition: Condition | undefined, facts: AskedFacts, negated = false): Atom[] {
  switch (condition?.kind) {
    case undefined:
      return []
    case 'not':
      return atomsOf(condition.of, facts, !negated)
    case 'all':
    case 'any':
      return condition.of.flatMap((part) => atomsOf(part, facts, negated))
    case 'unknown':
      return condition.facts.map((fact) => ({ fact, outcome: 'unknown', negated }))
    case 'element':
      return [
        {
          fact: factName(condition.path),
          operator: '$elemMatch',
          operand: writeCondition(condition.of) as Json,
          ...met(condition, facts, readFact(condition.path, facts)),
          negated,
        },
      ]
    case 'test': {
      const { path, operand, operator, known } = condition
      const reference = 'ref' in operand ? operand.ref : undefined
      return [
        {
          fact: factName(path),
          operator,
          ...present({
            operand: 'literal' in operand ? operand.literal : readFact(operand.ref, facts),
            reference: reference && factName(reference),
          }),
          ...met(condition, facts, known ?? readFact(path, facts)),
          negated,
        },
      ]
    }
  }
}

/** The three-valued answer to a whole condition, with the unknown facts added to `missing`. */
export function truthOf(condition: Condition | undefined, facts: AskedFacts, missing?: Set<string>): Truth {
  if (condition === undefined) return true
  return compileCondition<undefined>(condition, (path) => () => readFact(path, facts))(undefined, missing)
}

function met(condition: Condition, facts: AskedFacts, value: Json | undefined) {
  return { ...present({ value }), outcome: outcomeOf(truthOf(condition, facts)) }
}

export function readFact(path: FactPath, { request, principal }: AskedFacts): Json | undefined {
  if (path.root === 'principal')
    return principal === undefined ? undefined : (principalFact(principal, path.name) ?? undefined)
  return requestReader(path)(request) ?? undefined
}
