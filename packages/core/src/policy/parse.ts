/**
 * Parse: policy text → checked policy, or every fault at once.
 *
 * text → document → shape → names, patterns, conditions → **Policy**. Reads no file and no
 * environment: what `${env.NAME}` stands for is handed in.
 *
 * @module
 */

import { hubActions } from '../hub/actions.ts'
import { suggestion } from '../internal/nearest.ts'
import { sortedUnique } from '../internal/sort.ts'
import { JsonError, type JsonPath, parseLocatedJson } from '../json.ts'
import type { Json, SourceLocation } from '../types.ts'
import { readBindings } from './bindings.ts'
import { isMapping } from './condition.ts'
import { digestOf } from './digest.ts'
import { readEnvironments } from './environments.ts'
import {
  type FaultCode,
  formatLocation,
  formatPath,
  PolicyError,
  type PolicyFault,
  type PolicyWarning,
} from './faults.ts'
import { findGroupDenials } from './group-denials.ts'
import { readIssuers } from './issuers.ts'
import { normalPolicy } from './normal-policy.ts'
import type { Policy, ScopeGrant, UncheckedPolicy } from './policy.ts'
import { checkActions, checkPlainNames, knownTypes, type PolicyReader } from './reader.ts'
import { readRoles } from './roles.ts'
import { checkTests, readInvariants, readRoutes } from './routes.ts'
import { checkShape, type PolicyDocument } from './schema.ts'
import { findShadows } from './shadows.ts'
import { readPattern, readPatterns, readStatements } from './statements.ts'
import { checkStructure } from './structure.ts'

export interface ParsePolicyOptions {
  /** Name of the file, for messages and decisions. */
  readonly file?: string
  /** What `${env.NAME}` under `issuers` stands for. */
  readonly variables?: Readonly<Record<string, string | undefined>>
  /**
   * Leaves `${env.NAME}` as it stands, in place of filling in `variables`: for what is made of a policy once and used
   * elsewhere. Nobody's tokens are those of such an issuer.
   */
  readonly openVariables?: true
  /** Longest text, in characters. Default 5 MiB. */
  readonly maxLength?: number
}

/** A text that has been read but not yet judged; made from JSON here and from YAML in `@hfauth/core/yaml`. */
export interface PolicySource {
  readonly value: Json
  /** Where the value at `path` stands; lines and columns count from 1. */
  locate(path: JsonPath): SourceLocation | undefined
  /** Faults of the text itself, such as duplicate keys. */
  readonly faults: readonly PolicyFault[]
}

const maxSuggestions = 100

export const defaultMaxPolicyLength = 5 * 1024 * 1024

/**
 * Reads and checks a policy from JSON text, or from the object that `definePolicy` gives.
 *
 * For YAML use the function of the same name in `@hfauth/core/yaml`.
 *
 * @throws PolicyError `HFAUTH_POLICY_INVALID` with every fault, each with its code, line and column.
 */
export function parsePolicy(input: string | PolicyDocument, options: ParsePolicyOptions = {}): Policy {
  return checkPolicy(typeof input === 'string' ? readJsonText(input, options) : fromObject(input), options)
}

/** Checks a source that has been read already. */
export function checkPolicy(source: PolicySource, options: ParsePolicyOptions = {}): Policy {
  const faults: PolicyFault[] = [...source.faults]
  const warnings: PolicyWarning[] = []
  const entry = <Code>(code: Code, path: JsonPath, message: string) => ({
    code,
    path: formatPath(path),
    message,
    ...(nearestLocation(source, path) ?? { line: 1, column: 1 }),
    ...(options.file === undefined ? {} : { file: options.file }),
  })
  const fault = (code: FaultCode, path: JsonPath, message: string) => faults.push(entry(code, path, message))

  for (const found of checkStructure(source.value)) fault(found.code, found.path, found.message)
  if (faults.length > source.faults.length) throw errorOf(faults)
  const value =
    options.openVariables === true
      ? source.value
      : fillInVariables(source.value, options.variables ?? {}, fault)
  const shape = checkShape(value)
  for (const found of shape.faults) fault(found.code, found.path, found.message)
  if (shape.document === undefined) throw errorOf(faults)

  const types = knownTypes(shape.document)
  let suggested = 0
  const reader: PolicyReader = {
    document: shape.document,
    types,
    actions: new Set([...hubActions, ...[...types.values()].flatMap((type) => type.actions)]),
    locate(path) {
      const location = source.locate(path)
      return location && options.file !== undefined ? { file: options.file, ...location } : location
    },
    isOpen: (text) => options.openVariables === true && text.search(variable) >= 0,
    suggestion: (text, names) => (++suggested > maxSuggestions ? '' : suggestion(text, names())),
    fault,
    warn: (code, path, message) => warnings.push(entry(code, path, message)),
  }
  const policy = readPolicy(reader, warnings)
  if (faults.length > 0) throw errorOf(faults)
  return Object.freeze(policy) as Policy
}

function readPolicy(reader: PolicyReader, warnings: readonly PolicyWarning[]): UncheckedPolicy {
  const document = reader.document
  for (const key of ['issuers', 'environments', 'roles', 'projects', 'scopes', 'resources'] as const) {
    checkPlainNames(reader, document[key], [key])
  }
  for (const [name, patterns] of Object.entries(document.projects ?? {})) {
    for (const [i, text] of patterns.entries()) readPattern(reader, text, ['projects', name, i])
  }
  const policy: UncheckedPolicy = {
    reference: { name: document.name, version: document.version, digest: digestOf(normalPolicy(document)) },
    issuers: readIssuers(reader),
    environments: readEnvironments(reader),
    types: reader.types,
    actions: reader.actions,
    scopes: readScopes(reader),
    roles: readRoles(reader),
    bindings: readBindings(reader),
    deny: readStatements(reader, document.deny, 'deny', ['deny']),
    routes: readRoutes(reader),
    invariants: readInvariants(reader),
    warnings,
    document,
  }
  checkTests(reader)
  const bound = new Set(
    policy.bindings.flatMap(({ roles }) => roles.flatMap((role) => policy.roles.get(role)?.closure ?? [])),
  )
  for (const name of policy.roles.keys()) {
    if (!bound.has(name))
      reader.warn('role_without_binding', ['roles', name], `role \`${name}\` is bound to nobody`)
  }
  for (const { role, index, denial } of findShadows(policy.roles, policy.deny)) {
    const where = denial.location === undefined ? `\`${denial.id}\`` : `at ${formatLocation(denial.location)}`
    const path = ['roles', role, 'allow', index]
    reader.warn('shadowed_by_deny', path, `has no effect: the denial ${where} holds wherever it does`)
  }
  for (const { binding, role, kept } of findGroupDenials(policy.roles, policy.bindings)) {
    const message = `while somebody’s groups are unknown, what role \`${role}\` denies is not denied, and \`bindings[${kept}]\` grants it: deny by the condition \`principal.groups: { $contains: … }\` in a role that all of the issuer have`
    reader.warn('denial_by_group', ['bindings', binding, 'to', 'group'], message)
  }
  return policy
}

function readScopes(reader: PolicyReader): Map<string, ScopeGrant> {
  return new Map(
    Object.entries(reader.document.scopes ?? {}).map(([name, { actions, on }]) => {
      checkActions(reader, actions, ['scopes', name, 'actions'])
      return [
        name,
        { name, actions: sortedUnique(actions), patterns: readPatterns(reader, on, ['scopes', name, 'on']) },
      ]
    }),
  )
}

const variable = /\$\{env\.([A-Za-z_]\w*)\}/g

function fillInVariables(
  value: Json,
  variables: Readonly<Record<string, string | undefined>>,
  fault: (code: FaultCode, path: JsonPath, message: string) => void,
): Json {
  const issuers = isMapping(value) ? value.issuers : undefined
  if (!isMapping(value) || !isMapping(issuers)) return value
  const fill = (node: Json, path: JsonPath): Json => {
    if (typeof node === 'string') {
      return node.replaceAll(variable, (_, name: string) => {
        const found = Object.hasOwn(variables, name) ? variables[name] : undefined
        if (found === undefined) fault('unknown_variable', path, `variable \`${name}\` has no value`)
        return found ?? 'missing'
      })
    }
    if (Array.isArray(node)) return node.map((item, i) => fill(item, [...path, i]))
    if (!isMapping(node)) return node
    return Object.fromEntries(Object.entries(node).map(([key, item]) => [key, fill(item, [...path, key])]))
  }
  return { ...value, issuers: fill(issuers, ['issuers']) }
}

/** The location of `path`, or of the nearest thing around it. */
function nearestLocation(source: PolicySource, path: JsonPath): SourceLocation | undefined {
  for (let length = path.length; length >= 0; length--) {
    const location = source.locate(path.slice(0, length))
    if (location !== undefined) return location
  }
  return undefined
}

function errorOf(faults: PolicyFault[]): PolicyError {
  return new PolicyError(faults.sort((a, b) => a.line - b.line || a.column - b.column))
}

function readJsonText(text: string, options: ParsePolicyOptions): PolicySource {
  const maxLength = options.maxLength ?? defaultMaxPolicyLength
  const at = lineCounter(text)
  try {
    const { value, offsetOf } = parseLocatedJson(text, { maxLength, maxValues: 1_000_000 })
    const locate = (path: JsonPath) => {
      const offset = offsetOf(path)
      return offset === undefined ? undefined : at(offset)
    }
    return { value, locate, faults: [] }
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    const file = options.file === undefined ? {} : { file: options.file }
    const code =
      text.length > maxLength
        ? 'too_large'
        : error.message.startsWith('duplicate')
          ? 'duplicate_key'
          : 'syntax'
    throw new PolicyError([{ code, path: '', message: error.message, ...at(error.offset), ...file }])
  }
}

function fromObject(value: PolicyDocument): PolicySource {
  return { value: value as unknown as Json, locate: () => undefined, faults: [] }
}

/** Line and column of an offset, counted from 1. */
function lineCounter(text: string): (offset: number) => SourceLocation {
  const starts = [0]
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return (offset) => {
    let low = 0
    let high = starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((starts[middle] ?? 0) <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 }
  }
}
