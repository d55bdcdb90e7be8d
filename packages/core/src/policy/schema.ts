/**
 * The shape of a policy file: which keys there are and what kind of value each holds.
 *
 * text → **shape** → rules → normal form. Names, patterns and conditions are judged one step later,
 * in `rules.ts`; here a wrong or unknown key is found, all of them at once. The TypeScript types come
 * from the same description. The only file that knows the schema library.
 *
 * @module
 */
import * as v from 'valibot'
import { suggestion } from '../internal/nearest.ts'
import type { JsonPath } from '../json.ts'
import type { Json } from '../types.ts'
import type { FaultCode } from './faults.ts'

const strings = v.array(v.string())
const stringOrStrings = v.union([v.string(), strings])
const condition = mapping(v.custom<Json>(() => true))

/** Each member unknown to `entries` becomes an issue of its own, where `v.strictObject` stops at the first. */
function strict<const Entries extends v.ObjectEntries>(
  entries: Entries,
): v.StrictObjectSchema<Entries, undefined> {
  return refuseLists(v.objectWithRest(entries, v.never())) as unknown as v.StrictObjectSchema<
    Entries,
    undefined
  >
}

function mapping<const Value extends v.GenericSchema>(value: Value) {
  return refuseLists(v.record(v.string(), value))
}

/** To the library a list is an object too; to someone who writes a policy it is a mistake. */
function refuseLists<const Schema extends v.GenericSchema>(schema: Schema): Schema {
  const run = schema['~run']
  return {
    ...schema,
    '~run': (dataset, config) =>
      run.call(schema, Array.isArray(dataset.value) ? { value: 'a list' } : dataset, config),
  } as Schema
}

const statement = strict({
  actions: strings,
  on: strings,
  when: v.optional(condition),
  unless: v.optional(condition),
  environments: v.optional(strings),
  reason: v.optional(v.string()),
})

const issuer = strict({
  preset: v.string(),
  audience: v.optional(stringOrStrings),
  issuer: v.optional(v.string()),
})

const environment = strict({
  actions: v.optional(strings),
  maxTokenAge: v.optional(v.string()),
  require: v.optional(condition),
  exempt: v.optional(strings),
})

const role = strict({
  extends: v.optional(strings),
  allow: v.optional(v.array(statement)),
  deny: v.optional(v.array(statement)),
})

const subject = strict({
  issuer: v.optional(stringOrStrings),
  kind: v.optional(v.picklist(['user', 'workload', 'anonymous'])),
  org: v.optional(stringOrStrings),
  orgRole: v.optional(stringOrStrings),
  resourceGroup: v.optional(stringOrStrings),
  group: v.optional(stringOrStrings),
  username: v.optional(stringOrStrings),
  email: v.optional(stringOrStrings),
  anonymous: v.optional(v.literal(true)),
  claims: v.optional(condition),
})

const binding = strict({
  roles: strings,
  to: subject,
  from: v.optional(v.string()),
  until: v.optional(v.string()),
})

const attributeType = v.picklist(['string', 'number', 'boolean', 'string[]', 'time', 'ip'])

const policy = strict({
  version: v.literal(1),
  name: v.string(),
  issuers: mapping(issuer),
  environments: mapping(environment),
  resources: v.optional(
    mapping(strict({ actions: strings, attributes: v.optional(mapping(attributeType)) })),
  ),
  projects: v.optional(mapping(strings)),
  scopes: v.optional(mapping(strict({ actions: strings, on: strings }))),
  roles: mapping(role),
  bindings: v.array(binding),
  deny: v.optional(v.array(statement)),
  routes: v.optional(v.array(strict({ match: v.string(), action: v.string(), resource: v.string() }))),
  invariants: v.optional(
    v.array(
      strict({
        name: v.string(),
        never: strict({ actions: strings, on: strings }),
        for: v.optional(subject),
      }),
    ),
  ),
  tests: v.optional(
    v.array(
      strict({
        name: v.string(),
        principal: v.union([
          v.literal('anonymous'),
          strict({
            issuer: v.string(),
            claims: condition,
            credential: v.optional(v.picklist(['id_token', 'access_token'])),
          }),
        ]),
        environment: v.string(),
        resources: v.optional(mapping(condition)),
        context: v.optional(condition),
        expect: mapping(v.picklist(['allow', 'deny'])),
      }),
    ),
  ),
})

export type AttributeType = v.InferOutput<typeof attributeType>
export type StatementDocument = v.InferOutput<typeof statement>
export type SubjectDocument = v.InferOutput<typeof subject>
export type BindingDocument = v.InferOutput<typeof binding>
export type PolicyDocument = v.InferOutput<typeof policy>
/** A condition as written: see `policy/condition.ts` for what it means. */
export type ConditionDocument = v.InferOutput<typeof condition>

export interface ShapeFault {
  readonly code: FaultCode
  readonly path: JsonPath
  readonly message: string
}

/** Checks the shape; the document is present when there are no faults. */
export function checkShape(value: Json): { document?: PolicyDocument; faults: ShapeFault[] } {
  const result = v.safeParse(policy, value)
  if (result.success) return { document: result.output, faults: [] }
  return { faults: result.issues.map((issue) => describe(issue)) }
}

function describe(issue: v.BaseIssue<unknown>): ShapeFault {
  const path = (issue.path ?? []).map((item) => item.key as string | number)
  const key = String(path.at(-1) ?? '')
  if (issue.type === 'never') {
    const known = knownKeys(path.slice(0, -1))
    return { code: 'unknown_key', path, message: `unknown key \`${key}\`${suggestion(key, known)}` }
  }
  if (issue.expected?.startsWith('"') && issue.received === 'undefined') {
    return { code: 'missing_key', path: path.slice(0, -1), message: `missing key \`${key}\`` }
  }
  return {
    code: 'wrong_type',
    path,
    message: `expected ${expectation(issue)}, found ${issue.received === '"a list"' ? 'a list' : issue.received}`,
  }
}

const plainWords: Readonly<Record<string, string>> = {
  Object: 'a mapping',
  Array: 'a list',
  string: 'text',
  '(string | Array)': 'text or a list of texts',
}

function expectation(issue: v.BaseIssue<unknown>): string {
  const expected = issue.expected ?? 'another value'
  return (
    plainWords[expected] ??
    expected
      .replaceAll('"', '`')
      .replaceAll(' | ', ' or ')
      .replace(/^\((.*)\)$/, '$1')
  )
}

/** Walks the schema to `path`, to name the keys that an object there may have. */
function knownKeys(path: JsonPath): string[] {
  let schema: unknown = policy
  for (const step of path) {
    const node = unwrap(schema)
    if (node.entries !== undefined) schema = node.entries[step]
    else if (node.type === 'array') schema = node.item
    else schema = node.value
    if (schema === undefined) return []
  }
  return Object.keys(unwrap(schema).entries ?? {})
}

interface SchemaNode {
  readonly type: string
  readonly entries?: Readonly<Record<string | number, unknown>>
  readonly item?: unknown
  readonly value?: unknown
  readonly wrapped?: unknown
  readonly options?: readonly unknown[]
}

function unwrap(schema: unknown): SchemaNode {
  let node = schema as SchemaNode
  if (node.type === 'optional') node = node.wrapped as SchemaNode
  if (node.type === 'union') node = (node.options?.at(-1) ?? node) as SchemaNode
  return node
}
