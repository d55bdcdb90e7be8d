/**
 * Snapshot: one principal's grants as JSON, for a browser to show only what is allowed.
 *
 * It says nothing of other principals, roles, bindings or claims: rules carry no statement ids and no
 * places in the file, and conditions on the principal are already evaluated away. Written here, on a server, and
 * read by `read-snapshot.ts` in a page, which needs no digests.
 *
 * @module
 */
import type { ResidualRule } from '../compile/rule.ts'
import { present } from '../internal/present.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import { canonicalJson, digestOf } from '../policy/digest.ts'
import type { Json } from '../types.ts'
import type { ScopeCeiling, Standing } from './standing.ts'

type SnapshotRule = Omit<ResidualRule, 'statement'>

export interface Snapshot {
  readonly snapshot: 1
  /** `sha256:` over everything else here; changes when, and only when, what the principal may do changes. */
  readonly digest: string
  readonly principal: string
  readonly environment: string
  readonly authenticated: boolean
  readonly actions: readonly string[]
  readonly types: readonly string[]
  readonly ceiling?: readonly string[]
  /** Epoch milliseconds. */
  readonly freshUntil?: number
  readonly maxTokenAgeSeconds?: number
  readonly unmet?: readonly string[]
  readonly scopes?:
    | { readonly kind: 'huggingface'; readonly scopes: readonly string[] }
    | { readonly kind: 'own'; readonly covers: readonly SnapshotRule[] }
  readonly roles: readonly string[]
  readonly rules: readonly SnapshotRule[]
}

export function snapshotOf(standing: Standing): Snapshot {
  const { principal, environment, authenticated, ceiling, freshUntil, maxTokenAgeSeconds, unmet, scopes } =
    standing
  const body = {
    principal,
    environment,
    authenticated,
    actions: sortedUnique(standing.actions),
    types: sortedUnique(standing.types),
    roles: standing.roles(),
    rules: anonymise(standing.rules()),
    ...present({
      ceiling: ceiling && sortedUnique(ceiling),
      freshUntil,
      maxTokenAgeSeconds,
      unmet,
      scopes: scopes && writeScopes(scopes),
    }),
  }
  return { snapshot: 1, digest: digestOf(body as unknown as Json), ...body }
}

function writeScopes(ceiling: ScopeCeiling): NonNullable<Snapshot['scopes']> {
  return ceiling.kind === 'own'
    ? { kind: 'own', covers: anonymise(ceiling.covers) }
    : { kind: 'huggingface', scopes: ceiling.scopes }
}

/** Rules by content alone, each once: which statement they come from, and how many, is nobody's business. */
function anonymise(rules: readonly ResidualRule[]): SnapshotRule[] {
  const byContent = new Map<string, SnapshotRule>()
  for (const { statement: _, ...rule } of rules) byContent.set(canonicalJson(rule as unknown as Json), rule)
  return [...byContent].sort(([a], [b]) => compareCodeUnits(a, b)).map(([, rule]) => rule)
}
