/**
 * Statements: `actions` on patterns, under conditions; the same for roles and for global denials.
 *
 * @module
 */
import { present } from '../internal/present.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { JsonPath } from '../json.ts'
import type { Json } from '../types.ts'
import type { Condition } from './condition.ts'
import { readPolicyCondition } from './condition-faults.ts'
import { digestOf } from './digest.ts'
import { type Pattern, parsePattern } from './pattern.ts'
import type { Statement } from './policy.ts'
import { checkActions, checkFact, checkName, type PolicyReader } from './reader.ts'
import type { ConditionDocument, StatementDocument } from './schema.ts'

/** Reads a list of statements; `owner` is `roles.engineer` or nothing for the global denials. */
export function readStatements(
  reader: PolicyReader,
  documents: readonly StatementDocument[] | undefined,
  effect: 'allow' | 'deny',
  path: JsonPath,
): Statement[] {
  const seen = new Map<string, Statement>()
  for (const [i, document] of (documents ?? []).entries()) {
    const statement = readStatement(reader, document, effect, [...path, i])
    if (seen.has(statement.id)) reader.fault('duplicate', [...path, i], 'this statement stands here twice')
    seen.set(statement.id, statement)
  }
  return [...seen.values()]
}

function readStatement(
  reader: PolicyReader,
  document: StatementDocument,
  effect: 'allow' | 'deny',
  path: JsonPath,
): Statement {
  checkActions(reader, document.actions, [...path, 'actions'])
  const patterns = readPatterns(reader, document.on, [...path, 'on'])
  for (const [i, name] of (document.environments ?? []).entries()) {
    checkName(reader, 'unknown_environment', name, reader.document.environments, [...path, 'environments', i])
  }
  if (effect === 'allow' && isUnreachable(reader, document)) {
    reader.fault(
      'unreachable_statement',
      path,
      'no environment it applies to lets any of its actions through',
    )
  }
  if (effect === 'allow' && document.actions.includes('*') && document.on.includes('**')) {
    reader.warn('everything_on_everything', path, 'allows every action on every resource')
  }
  const types = patterns.map((pattern) => pattern.type)
  return {
    id: `${path.slice(0, -1).join('.')}#${shortDigest(normalStatement(document))}`,
    effect,
    actions: sortedUnique(document.actions),
    patterns,
    ...present({
      condition: readGuard(reader, document, types, path),
      environments: document.environments && new Set(document.environments),
      reason: document.reason,
      location: reader.locate(path),
    }),
  }
}

/** The patterns of `on`, with projects replaced by theirs. */
export function readPatterns(reader: PolicyReader, on: readonly string[], path: JsonPath): Pattern[] {
  if (on.length === 0)
    reader.fault('unreachable_statement', path, 'no resource is named, so this never applies')
  return on.flatMap((text, i) => {
    const here = [...path, i]
    if (text.startsWith('project:')) {
      const name = text.slice('project:'.length)
      const projects = reader.document.projects ?? {}
      if (!checkName(reader, 'unknown_project', name, projects, here)) return []
      // What is wrong inside a project is reported once, where it stands.
      return (projects[name] ?? []).flatMap((member) => {
        const pattern = parsePattern(member)
        return 'fault' in pattern ? [] : [pattern]
      })
    }
    return readPattern(reader, text, here)
  })
}

export function readPattern(reader: PolicyReader, text: string, path: JsonPath): Pattern[] {
  const pattern = parsePattern(text)
  if ('fault' in pattern) {
    reader.fault('malformed_pattern', path, pattern.fault)
    return []
  }
  if (pattern.type !== '**' && !checkName(reader, 'unknown_type', pattern.type, reader.types, path)) return []
  return [pattern]
}

function readGuard(
  reader: PolicyReader,
  document: StatementDocument,
  types: readonly string[],
  path: JsonPath,
): Condition | undefined {
  const read = (condition: ConditionDocument, key: string) =>
    readPolicyCondition(
      condition,
      {
        roots: ['resource', 'principal', 'context'],
        checkFact: (fact) => checkFact(reader, types, fact),
        report: (fault) => reader.fault(fault.code, fault.path, fault.message),
      },
      [...path, key],
    )
  const when = document.when && read(document.when, 'when')
  const unless = document.unless && read(document.unless, 'unless')
  if (unless === undefined) return when
  const not: Condition = { kind: 'not', of: unless }
  return when === undefined ? not : { kind: 'all', of: [when, not] }
}

function isUnreachable(reader: PolicyReader, document: StatementDocument): boolean {
  const environments = document.environments ?? Object.keys(reader.document.environments)
  return environments.every((name) => {
    const environment = reader.document.environments[name]
    const ceiling = environment?.actions
    if (environment === undefined || ceiling === undefined) return false
    if (ceiling.includes('*') || document.actions.includes('*')) return false
    return !document.actions.some((action) => ceiling.includes(action))
  })
}

/** A statement's content with its sets sorted, so that the order in the file changes nothing. */
export function normalStatement(document: StatementDocument): Json {
  return present({
    ...document,
    actions: sortedUnique(document.actions),
    on: sortedUnique(document.on),
    environments: document.environments && sortedUnique(document.environments),
  }) as Json
}

export function shortDigest(value: Json): string {
  return digestOf(value).slice('sha256:'.length, 'sha256:'.length + 8)
}
