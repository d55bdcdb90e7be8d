/**
 * Bindings: which verified claims give which roles.
 *
 * @module
 */
import { present } from '../internal/present.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { JsonPath } from '../json.ts'
import type { Json } from '../types.ts'
import type { Condition } from './condition.ts'
import { readPolicyCondition } from './condition-faults.ts'
import { closedGates } from './gates.ts'
import type { Binding } from './policy.ts'
import { checkName, type PolicyReader } from './reader.ts'
import type { BindingDocument, SubjectDocument } from './schema.ts'
import { shortDigest } from './statements.ts'
import { parseTime } from './time.ts'
import { warnOfWeakSubject } from './weak-subjects.ts'

export function readBindings(reader: PolicyReader): Binding[] {
  const seen = new Map<string, Binding>()
  for (const [i, document] of reader.document.bindings.entries()) {
    const binding = readBinding(reader, document, ['bindings', i])
    if (seen.has(binding.id)) reader.fault('duplicate', ['bindings', i], 'this binding stands here twice')
    seen.set(binding.id, binding)
  }
  return [...seen.values()]
}

function readBinding(reader: PolicyReader, document: BindingDocument, path: JsonPath): Binding {
  for (const [i, role] of document.roles.entries()) {
    checkName(reader, 'unknown_role', role, reader.document.roles, [...path, 'roles', i])
  }
  const claims = both(
    checkSubject(reader, document.to, [...path, 'to']),
    closedGates(reader.document, document.to),
  )
  return {
    id: `bindings#${shortDigest(normalBinding(document))}`,
    roles: sortedUnique(document.roles),
    to: document.to,
    ...present({
      claims,
      from: readTime(reader, document.from, [...path, 'from']),
      until: readTime(reader, document.until, [...path, 'until']),
      location: reader.locate(path),
    }),
  }
}

function both(one: Condition | undefined, other: Condition | undefined): Condition | undefined {
  return one === undefined || other === undefined ? (one ?? other) : { kind: 'all', of: [one, other] }
}

/** Checks a subject and reads its condition on claims. */
export function checkSubject(
  reader: PolicyReader,
  subject: SubjectDocument,
  path: JsonPath,
): Condition | undefined {
  const aliases = [subject.issuer ?? []].flat()
  for (const alias of aliases)
    checkName(reader, 'unknown_issuer', alias, reader.document.issuers, [...path, 'issuer'])
  if (Object.keys(subject).length === 0) {
    reader.fault('malformed_condition', path, 'names nobody: give an `issuer`, a `group`, `claims` …')
  }
  warnOfWeakSubject(reader, subject, path)
  if (subject.claims === undefined) return undefined
  return readPolicyCondition(
    subject.claims,
    {
      roots: ['claims'],
      checkFact: () => undefined,
      report: (fault) => reader.fault(fault.code, fault.path, fault.message),
    },
    [...path, 'claims'],
  )
}

function readTime(reader: PolicyReader, text: string | undefined, path: JsonPath): number | undefined {
  if (text === undefined) return undefined
  const time = parseTime(text)
  if (time === undefined)
    reader.fault('malformed_time', path, `\`${text}\` is not a time such as \`2027-01-31T00:00:00Z\``)
  return time
}

/** A binding's content with its sets sorted. */
export function normalBinding(document: BindingDocument): Json {
  const to = Object.fromEntries(
    Object.entries(document.to).map(([key, value]) => [
      key,
      Array.isArray(value) ? sortedUnique(value as string[]) : value,
    ]),
  )
  return present({ ...document, roles: sortedUnique(document.roles), to }) as Json
}
