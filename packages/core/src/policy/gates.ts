/**
 * Gates: runs that strangers can set off, taken only where a binding asks for them by name.
 *
 * A verifier refuses what no binding asks for. What one binding asks for is closed to the others of the
 * same issuer, so that naming `workflow_run` once does not widen a binding on the repository alone.
 *
 * @module
 */
import { getOrAdd } from '../internal/maps.ts'
import type { Preset } from '../principal/preset.ts'
import { presets } from '../principal/presets/index.ts'
import type { Condition, FactPath } from './condition.ts'
import type { PolicyDocument, SubjectDocument } from './schema.ts'

type Gate = NonNullable<Preset['gate']>

const known = new WeakMap<PolicyDocument, Map<string, readonly string[]>>()

/** Values of the gate that some binding of this issuer names; looked for once, since every binding asks. */
export function openedGates(document: PolicyDocument, alias: string, gate: Gate): readonly string[] {
  const byAlias = getOrAdd(known, document, () => new Map<string, readonly string[]>())
  return getOrAdd(byAlias, alias, () => findOpened(document, alias, gate))
}

function findOpened({ bindings }: PolicyDocument, alias: string, { claim, values }: Gate): readonly string[] {
  const named = bindings
    .filter(({ to }) => to.issuer === undefined || [to.issuer].flat().includes(alias))
    .flatMap(({ to }) => namedValues(to, claim))
  return values.filter((value) => named.includes(value))
}

/** The condition under which a binding leaves closed what only others open; `undefined` when that is nothing. */
export function closedGates(document: PolicyDocument, to: SubjectDocument): Condition | undefined {
  const aliases = to.issuer === undefined ? Object.keys(document.issuers) : [to.issuer].flat()
  const of = aliases.flatMap((alias): Condition[] => {
    const issuer = Object.hasOwn(document.issuers, alias) ? document.issuers[alias] : undefined
    const gate = issuer && presets.get(issuer.preset)?.gate
    if (gate === undefined) return []
    const own = namedValues(to, gate.claim)
    const closed = openedGates(document, alias, gate).filter((value) => !own.includes(value))
    return closed.length === 0 ? [] : [isNoneOf({ root: 'claims', name: gate.claim }, closed)]
  })
  return of.length === 0 ? undefined : { kind: 'all', of }
}

/** Issuers without such a claim are not concerned. */
function isNoneOf(path: FactPath, values: readonly string[]): Condition {
  const absent: Condition = { kind: 'test', path, operator: '$exists', operand: { literal: false } }
  return { kind: 'any', of: [absent, { kind: 'test', path, operator: '$nin', operand: { literal: values } }] }
}

/** Texts that a test of one claim can hold for: a plain one, `$eq`, `$in`. Nothing else names a value. */
function namedValues({ claims = {} }: SubjectDocument, claim: string): readonly unknown[] {
  const test: unknown = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  if (typeof test !== 'object' || test === null) return [test]
  const { $eq, $in } = test as { $eq?: unknown; $in?: unknown }
  return [$eq, $in].flat()
}
