/**
 * Statement rules: one statement as residual rules, for one principal or for anyone.
 *
 * @module
 */
import { hubTypes, isHubType } from '../hub/actions.ts'
import { canonicalId } from '../hub/ids.ts'
import { pathsIn, writeCondition } from '../policy/condition.ts'
import type { Pattern } from '../policy/pattern.ts'
import type { Statement } from '../policy/policy.ts'
import type { Json, PrincipalShape } from '../types.ts'
import { principalFact } from './facts.ts'
import type { ResidualRule } from './rule.ts'
import { specialise } from './specialise.ts'

export interface Glob {
  /** Resource types; `**` for all. */
  readonly types: readonly string[]
  /** Absent when every id matches. */
  readonly id?: string
}

/** Whether its rules are not the same for everybody. */
export function isPersonal({ condition, patterns }: Statement): boolean {
  return (
    patterns.some(({ pieces }) => pieces.some((piece) => 'placeholder' in piece)) ||
    (condition !== undefined && pathsIn(condition).some(({ root }) => root === 'principal'))
  )
}

/** One rule for each pattern that can match; none when the condition is already known not to hold. */
export function rulesFor(
  statement: Omit<Statement, 'location'>,
  principal: PrincipalShape | undefined,
  ownTypes: readonly string[],
): ResidualRule[] {
  const { condition } = statement
  const residual =
    condition === undefined || principal === undefined ? condition : specialise(condition, principal)
  if (residual?.kind === 'constant' && !residual.truth) return []
  // An allow that can never be known to hold is kept: the decision says what was missing.
  const when = residual === undefined || residual.kind === 'constant' ? undefined : writeCondition(residual)
  return statement.patterns.flatMap((pattern) =>
    globsOf(pattern, principal, ownTypes).map(({ types, id }) => ({
      statement: statement.id,
      effect: statement.effect,
      actions: statement.actions,
      types,
      ...(id === undefined ? {} : { id }),
      ...(when === undefined ? {} : { when }),
    })),
  )
}

/** Globs over canonical ids. Hub ids are lower case, ids of other types are as they are, so `**` may take two. */
export function globsOf(
  pattern: Pattern,
  principal: PrincipalShape | undefined,
  ownTypes: readonly string[],
  anyValue: '*' | '**' = '*',
): Glob[] {
  const id = fillIn(pattern, principal, anyValue)
  if (id === undefined) return []
  if (id === '**') return [{ types: [pattern.type] }]
  const lower = id.toLowerCase().normalize('NFC')
  if (pattern.type !== '**') return [{ types: [pattern.type], id: isHubType(pattern.type) ? lower : id }]
  if (ownTypes.length === 0 || lower === id) return [{ types: ['**'], id: lower }]
  return [
    { types: hubTypes, id: lower },
    { types: ownTypes, id },
  ]
}

/** The pattern as one glob; `undefined` when a placeholder has no value, or one that no id could have. */
function fillIn(
  pattern: Pattern,
  principal: PrincipalShape | undefined,
  anyValue: '*' | '**',
): string | undefined {
  let glob = ''
  for (const piece of pattern.pieces) {
    if ('text' in piece) glob += piece.text
    else {
      const value = principal === undefined ? anyValue : placeholderValue(piece.placeholder, principal)
      if (value === undefined) return undefined
      glob += value
    }
  }
  return glob
}

function placeholderValue(path: string, principal: PrincipalShape): string | undefined {
  return literalText(principalFact(principal, path.slice('principal.'.length)))
}

/** What would be decoded (`%2F`), and the Kelvin sign, which composing makes a `K`: other text than the issuer told. */
const otherText = /[%\u212a]/

/** A value as the text that stands for a placeholder; `undefined` when no id could have it. */
export function literalText(value: Json | undefined): string | undefined {
  if (typeof value !== 'string' || otherText.test(value)) return undefined
  // Canonical ids have no `*`, so what passes here is literal text in a glob.
  return canonicalId('literal', value)
}
