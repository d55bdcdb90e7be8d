/**
 * Snapshot: one principal's grants as JSON, for a browser to show only what is allowed.
 *
 * It says nothing of other principals, roles, bindings or claims: rules carry no statement ids and no
 * places in the file, and conditions on the principal are already evaluated away.
 *
 * @module
 */
import { CompiledRule } from '../compile/casl.ts'
import type { ResidualRule } from '../compile/rule.ts'
import { bucketsIn, mergeBuckets, RuleTable } from '../compile/rule-table.ts'
import { HfAuthError } from '../errors.ts'
import { present } from '../internal/present.ts'
import { compareCodeUnits, sortedUnique } from '../internal/sort.ts'
import { parseJson } from '../json.ts'
import { isMapping } from '../policy/condition.ts'
import { canonicalJson, digestOf } from '../policy/digest.ts'
import type { Json } from '../types.ts'
import { Cells } from './cells.ts'
import { huggingfaceCeiling, ownCeiling } from './grants.ts'
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

/**
 * Reads a snapshot from text or from parsed JSON, trusting nothing about it.
 *
 * @throws HfAuthError `HFAUTH_SNAPSHOT_INVALID` when it is not a snapshot this version can read.
 */
export function readSnapshot(input: unknown): Standing {
  const value = readBounded(input)
  if (!isMapping(value) || value.snapshot !== 1) throw invalid('it is not a snapshot of version 1')
  const rules = rulesOf(value.rules, 'rules')
  const roles = texts(value.roles, 'roles')
  const actions = new Set(texts(value.actions, 'actions'))
  const types = new Set(texts(value.types, 'types'))
  const table = tableOf(rules)
  const ceiling = optional(value.ceiling, 'ceiling', texts)
  return {
    principal: text(value.principal, 'principal'),
    environment: text(value.environment, 'environment'),
    reference: { name: 'snapshot', version: 1, digest: text(value.digest, 'digest') },
    authenticated: value.authenticated === true,
    actions,
    types,
    ceiling: ceiling && new Set(ceiling),
    freshUntil: optional(value.freshUntil, 'freshUntil', number),
    maxTokenAgeSeconds: optional(value.maxTokenAgeSeconds, 'maxTokenAgeSeconds', number),
    unmet: optional(value.unmet, 'unmet', texts),
    scopes: optional(value.scopes, 'scopes', readScopes),
    cells: new Cells({
      actions,
      types,
      ceiling: ceiling && new Set(ceiling),
      show: (search) => table.show(search),
      merged: (action, type) => mergeBuckets(bucketsIn([table], action, type)),
    }),
    roles: () => roles,
    rules: () => rules,
    sources: undefined,
  }
}

function tableOf(rules: readonly ResidualRule[]): RuleTable {
  try {
    return new RuleTable(rules.map((rule) => new CompiledRule(rule)))
  } catch {
    throw invalid('a condition is of no known kind')
  }
}

/** Everything passes through the strict reader, so that no getter, cycle or prototype of an object is ever met. */
function readBounded(input: unknown): Json {
  try {
    return parseJson(typeof input === 'string' ? input : (JSON.stringify(input) ?? ''), {
      maxLength: 16 * 1024 * 1024,
      maxValues: 1_000_000,
    })
  } catch {
    throw invalid('it is not strict JSON within bounds')
  }
}

function rulesOf(value: Json | undefined, name: string): ResidualRule[] {
  return list(value, name).map((item, i) => {
    if (!isMapping(item)) throw invalid(`\`${name}\` holds something that is no rule`)
    const { effect, when } = item
    if (effect !== 'allow' && effect !== 'deny') throw invalid(`\`${name}\` holds a rule of no known effect`)
    if (when !== undefined && !isMapping(when))
      throw invalid(`\`${name}\` holds a rule with a condition of no known kind`)
    return {
      statement: `snapshot.${name}[${i}]`,
      effect,
      actions: texts(item.actions, name),
      types: texts(item.types, name),
      ...(item.id === undefined ? {} : { id: text(item.id, 'id') }),
      ...(when === undefined ? {} : { when }),
    }
  })
}

function readScopes(value: Json): ScopeCeiling {
  if (isMapping(value) && value.kind === 'huggingface')
    return huggingfaceCeiling(texts(value.scopes, 'scopes'))
  if (isMapping(value) && value.kind === 'own') {
    const covers = rulesOf(value.covers, 'covers')
    tableOf(covers)
    return ownCeiling(covers)
  }
  throw invalid('`scopes` is of no known kind')
}

function optional<T>(
  value: Json | undefined,
  name: string,
  read: (value: Json, name: string) => T,
): T | undefined {
  return value === undefined ? undefined : read(value, name)
}

function list(value: Json | undefined, name: string): readonly Json[] {
  if (!Array.isArray(value)) throw invalid(`\`${name}\` is not a list`)
  return value
}

function texts(value: Json | undefined, name: string): readonly string[] {
  const items = list(value, name)
  if (!items.every((item) => typeof item === 'string')) throw invalid(`\`${name}\` is not a list of texts`)
  return items as readonly string[]
}

function text(value: Json | undefined, name: string): string {
  if (typeof value !== 'string') throw invalid(`\`${name}\` is not a text`)
  return value
}

function number(value: Json, name: string): number {
  if (typeof value !== 'number') throw invalid(`\`${name}\` is not a number`)
  return value
}

function invalid(what: string): HfAuthError {
  return new HfAuthError('HFAUTH_SNAPSHOT_INVALID', `snapshot cannot be read: ${what}`)
}
