/**
 * Snapshot: one principal's grants as JSON, for a browser to show only what is allowed.
 *
 * It says nothing of other principals, roles, bindings or claims: rules carry no statement ids and no
 * places in the file, and conditions on the principal are already evaluated away.
 *
 * @module
 */
import type { ResidualRule } from '../compile/rule.ts'
import { HfAuthError } from '../errors.ts'
import { compareCodeUnits } from '../internal/sort.ts'
import { parseJson } from '../json.ts'
import { isMapping } from '../policy/condition.ts'
import { canonicalJson, digestOf } from '../policy/digest.ts'
import type { Json } from '../types.ts'
import type { Grants, ScopeCeiling } from './grants.ts'

type SnapshotRule = Omit<ResidualRule, 'statement'>

export interface Snapshot extends Omit<Grants, 'sources' | 'rules' | 'scopes'> {
  readonly snapshot: 1
  /** `sha256:` over everything else here; changes when, and only when, what the principal may do changes. */
  readonly digest: string
  readonly rules: readonly SnapshotRule[]
  readonly scopes?:
    | { readonly kind: 'huggingface'; readonly scopes: readonly string[] }
    | { readonly kind: 'own'; readonly covers: readonly SnapshotRule[] }
}

export function snapshotOf(grants: Grants): Snapshot {
  const { sources: _, rules, scopes, ...rest } = grants
  const body = {
    ...rest,
    rules: anonymise(rules),
    ...(scopes === undefined
      ? {}
      : { scopes: scopes.kind === 'own' ? { ...scopes, covers: anonymise(scopes.covers) } : scopes }),
  }
  return { snapshot: 1, digest: digestOf(body as unknown as Json), ...body }
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
export function readSnapshot(input: unknown): { grants: Grants; digest: string } {
  const value = readBounded(input)
  if (!isMapping(value) || value.snapshot !== 1) throw invalid('it is not a snapshot of version 1')
  const { digest } = value
  if (typeof digest !== 'string') throw invalid('`digest` is missing')
  const grants: Grants = {
    principal: text(value, 'principal'),
    environment: text(value, 'environment'),
    authenticated: value.authenticated === true,
    actions: texts(value.actions, 'actions'),
    types: texts(value.types, 'types'),
    roles: texts(value.roles, 'roles'),
    rules: rulesOf(value.rules, 'rules'),
    ...optional(value, 'ceiling', texts),
    ...optional(value, 'unmet', texts),
    ...optional(value, 'freshUntil', number),
    ...optional(value, 'maxTokenAgeSeconds', number),
    ...optional(value, 'scopes', scopesOf),
  }
  return { grants, digest }
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
      ...(item.id === undefined ? {} : { id: text(item, 'id') }),
      ...(when === undefined ? {} : { when }),
    }
  })
}

function scopesOf(value: Json): ScopeCeiling {
  if (isMapping(value) && value.kind === 'huggingface')
    return { kind: 'huggingface', scopes: texts(value.scopes, 'scopes') }
  if (isMapping(value) && value.kind === 'own')
    return { kind: 'own', covers: rulesOf(value.covers, 'covers') }
  throw invalid('`scopes` is of no known kind')
}

function optional<Name extends string, T>(
  value: { readonly [key: string]: Json },
  name: Name,
  read: (value: Json, name: string) => T,
): { readonly [Key in Name]?: T } {
  const member = value[name]
  return (member === undefined ? {} : { [name]: read(member, name) }) as { readonly [Key in Name]?: T }
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

function text(value: { readonly [key: string]: Json }, name: string): string {
  const member = value[name]
  if (typeof member !== 'string') throw invalid(`\`${name}\` is not a text`)
  return member
}

function number(value: Json, name: string): number {
  if (typeof value !== 'number') throw invalid(`\`${name}\` is not a number`)
  return value
}

function invalid(what: string): HfAuthError {
  return new HfAuthError('HFAUTH_SNAPSHOT_INVALID', `snapshot cannot be read: ${what}`)
}
