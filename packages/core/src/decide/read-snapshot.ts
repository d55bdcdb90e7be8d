/**
 * Read snapshot: from JSON of unknown origin to a standing that answers questions.
 *
 * snapshot → **read snapshot** → access. Loaded by pages, so it is small: the strict JSON reader stays away, since
 * this is the only reader of the text and a page that is given other rules only shows something else.
 *
 * @module
 */
import { CompiledRule } from '../compile/compiled-rule.ts'
import type { ResidualRule } from '../compile/rule.ts'
import type { Vocabulary } from '../compile/topics.ts'
import { HfAuthError } from '../errors.ts'
import { isMapping } from '../policy/condition.ts'
import type { Json } from '../types.ts'
import { RuleList } from './rule-list.ts'
import { huggingfaceCeiling, type ScopeCeiling, type Standing } from './standing.ts'

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
  const listed = optional(value.ceiling, 'ceiling', texts)
  const ceiling = listed && new Set(listed)
  return {
    principal: text(value.principal, 'principal'),
    environment: text(value.environment, 'environment'),
    reference: { name: 'snapshot', version: 1, digest: text(value.digest, 'digest') },
    authenticated: value.authenticated === true,
    actions,
    types,
    ceiling,
    freshUntil: optional(value.freshUntil, 'freshUntil', number),
    maxTokenAgeSeconds: optional(value.maxTokenAgeSeconds, 'maxTokenAgeSeconds', number),
    unmet: optional(value.unmet, 'unmet', texts),
    scopes: optional(value.scopes, 'scopes', (scopes) => readScopes(scopes, { actions, types })),
    index: listOf(rules, { actions, types, ceiling }),
    roles: () => roles,
    rules: () => rules,
    sources: undefined,
  }
}

function listOf(rules: readonly ResidualRule[], vocabulary: Vocabulary): RuleList {
  try {
    return new RuleList(
      rules.map((rule) => new CompiledRule(rule)),
      vocabulary,
    )
  } catch {
    throw invalid('a condition is of no known kind')
  }
}

/** Longest snapshot, in UTF-16 code units. */
const maxLength = 16 * 1024 * 1024
const maxDepth = 64

/** Everything passes through its text, so that no getter, cycle or prototype of an object is ever met. */
function readBounded(input: unknown): Json {
  try {
    const text = typeof input === 'string' ? input : (JSON.stringify(input) ?? '')
    const value = text.length > maxLength ? undefined : JSON.parse(text)
    if (value !== undefined && !isDeeper(value, maxDepth)) return value
  } catch {}
  throw invalid('it is not JSON within bounds')
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1))
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

function readScopes(value: Json, vocabulary: Vocabulary): ScopeCeiling {
  if (isMapping(value) && value.kind === 'huggingface')
    return huggingfaceCeiling(texts(value.scopes, 'scopes'))
  if (isMapping(value) && value.kind === 'own') {
    const covers = rulesOf(value.covers, 'covers')
    const index = listOf(covers, vocabulary)
    return { kind: 'own', covers, allow: (action, facts) => index.allow(action, facts) }
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
