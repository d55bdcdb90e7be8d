/**
 * What the checks of a policy share: where to report, and which names exist.
 *
 * @module
 */
import { hubActions, hubAttributes, hubTypes, idAttributes } from '../hub/actions.ts'
import { suggestion } from '../internal/nearest.ts'
import type { JsonPath } from '../json.ts'
import type { SourceLocation } from '../types.ts'
import type { FactPath } from './condition.ts'
import type { FaultCode, WarningCode } from './faults.ts'
import type { ResourceType } from './policy.ts'
import type { PolicyDocument } from './schema.ts'

export interface PolicyReader {
  readonly document: PolicyDocument
  readonly types: ReadonlyMap<string, ResourceType>
  readonly actions: ReadonlySet<string>
  locate(path: JsonPath): SourceLocation | undefined
  /** Whether a text under `issuers` has a variable in it that was left open, so that its form says nothing. */
  isOpen(text: string): boolean
  /** `, did you mean …?`, for as many names as anybody reads: each is compared with all that there are. */
  suggestion(text: string, names: () => Iterable<string>): string
  fault(code: FaultCode, path: JsonPath, message: string): void
  warn(code: WarningCode, path: JsonPath, message: string): void
}

/** Hugging Face's types and the application's own. */
export function knownTypes(document: PolicyDocument): Map<string, ResourceType> {
  const types = new Map<string, ResourceType>(
    hubTypes.map((type) => [type, { actions: hubActions, attributes: hubAttributes }]),
  )
  for (const [type, { actions, attributes }] of Object.entries(document.resources ?? {})) {
    types.set(type, attributes === undefined ? { actions } : { actions, attributes })
  }
  return types
}

/** Reports `name` unless `names` has it. */
export function checkName(
  reader: PolicyReader,
  code: FaultCode,
  name: string,
  names: ReadonlyMap<string, unknown> | ReadonlySet<string> | object,
  path: JsonPath,
): boolean {
  const isKnown = names instanceof Map || names instanceof Set ? names.has(name) : Object.hasOwn(names, name)
  if (isKnown) return true
  const known = () => (names instanceof Map || names instanceof Set ? names.keys() : Object.keys(names))
  const kind = code.slice('unknown_'.length).replace('type', 'resource type')
  reader.fault(code, path, `unknown ${kind} \`${name}\`${reader.suggestion(name, known)}`)
  return false
}

export function checkActions(reader: PolicyReader, actions: readonly string[], path: JsonPath): void {
  for (const [i, action] of actions.entries()) {
    if (action !== '*') checkName(reader, 'unknown_action', action, reader.actions, [...path, i])
  }
  if (actions.length === 0)
    reader.fault('unreachable_statement', path, 'no action is named, so this never applies')
}

const plainName = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/

export function checkPlainNames(reader: PolicyReader, names: object | undefined, path: JsonPath): void {
  for (const name of Object.keys(names ?? {})) {
    if (!plainName.test(name))
      reader.fault(
        'malformed_name',
        [...path, name],
        `\`${name}\` is not a name: letters, digits, \`.\`, \`_\`, \`:\`, \`/\` and \`-\``,
      )
  }
}

/** What conditions may ask of a principal, `claims.` aside. */
export const principalFacts = [
  'kind',
  'issuer',
  'id',
  'username',
  'name',
  'email',
  'emailVerified',
  'mfa',
  'authTime',
  'issuedAt',
  'expiresAt',
  'orgs',
  'groups',
  'scopes',
] as const

const principalFactSet: ReadonlySet<string> = new Set(principalFacts)

/** Says what is wrong with a fact in a condition on resources of `types`. */
export function checkFact(reader: PolicyReader, types: readonly string[], fact: FactPath) {
  if (fact.root === 'context') return undefined
  if (fact.root === 'principal') {
    return principalFactSet.has(fact.name) || fact.name.startsWith('claims.')
      ? undefined
      : unknownAttribute('principal', fact.name, principalFactSet)
  }
  const known = new Set<string>(Object.keys(idAttributes))
  for (const type of types.includes('**') ? reader.types.keys() : types) {
    const attributes = reader.types.get(type)?.attributes
    if (attributes === undefined) return undefined
    for (const name of Object.keys(attributes)) known.add(name)
  }
  return known.has(fact.name) ? undefined : unknownAttribute(types.join(', '), fact.name, known)
}

function unknownAttribute(owner: string, name: string, known: ReadonlySet<string>) {
  const of = owner === '**' ? 'any resource type' : owner
  return {
    code: 'unknown_attribute' as const,
    message: `unknown attribute \`${name}\` of ${of}${suggestion(name, known)}`,
  }
}
