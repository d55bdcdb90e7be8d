/**
 * The shape of a policy file: which keys there are and what kind of value each holds.
 *
 * text → **shape** → rules → normal form. Names, patterns and conditions are judged one step later,
 * by the readers beside this file; here a wrong or unknown key is found, all of them at once. The TypeScript
 * types come from the same description, and so does the JSON Schema that editors read
 * (`scripts/policy-schema.ts`): the comment above a key is what both show for it. The only file that knows
 * the schema library.
 *
 * @module
 */
import * as v from 'valibot'
import { suggestion } from '../internal/nearest.ts'
import type { JsonPath } from '../json.ts'
import type { Json } from '../types.ts'
import type { FaultCode } from './faults.ts'

// Texts of one kind share one schema object: by it the JSON Schema knows what to suggest and what to refuse.
const preset = v.string()
const duration = v.string()
const time = v.string()
const actions = v.array(v.string())
const patterns = v.array(v.string())
const members = v.array(v.string())
const strings = v.array(v.string())
const stringOrStrings = v.union([v.string(), strings])
const facts = mapping(v.custom<Json>(() => true))
const condition = mapping(v.custom<Json>(() => true))
const requirement = mapping(v.custom<Json>(() => true))
const claims = mapping(v.custom<Json>(() => true))

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
  /** What may be done, or with `deny` may not: Hugging Face’s actions, your own under `resources`, or `*` for all. */
  actions,
  /** On which resources: patterns such as `model:acme/*`, or `project:NAME`. */
  on: patterns,
  /** Applies only where this condition holds. */
  when: v.optional(condition),
  /** Does not apply where this condition holds. */
  unless: v.optional(condition),
  /** Applies only in these environments; in all when left out. */
  environments: v.optional(strings),
  /** Shown to people with the decision. */
  reason: v.optional(v.string()),
})

const issuer = strict({
  /** What is known of this provider: how its tokens are checked and its claims are read. */
  preset,
  /** For whom tokens must have been made. Required: without it, tokens meant for others would be taken. */
  audience: v.optional(stringOrStrings),
  /** The exact `iss`, or several: https addresses. May be left out where the preset knows it. */
  issuer: v.optional(stringOrStrings),
  /** Whose people or jobs are let in, where an issuer serves many: what a tenant is depends on the preset. */
  tenants: v.optional(strings),
  /** The issuer’s public keys (JSON Web Keys), when they are not to be fetched. */
  keys: v.optional(v.array(facts)),
})

const environment = strict({
  /** The ceiling: nobody can do anything else here. Everything when left out. */
  actions: v.optional(actions),
  /** Older tokens must be renewed first: `15m`, `8h`, `30d`. */
  maxTokenAge: v.optional(duration),
  /** What must be true of the principal; otherwise a step-up is asked for. */
  require: v.optional(requirement),
  /** Issuers that `require` does not apply to. */
  exempt: v.optional(strings),
})

const role = strict({
  /** Roles whose statements this one takes over. */
  extends: v.optional(strings),
  /** What its holders may do. */
  allow: v.optional(v.array(statement)),
  /** What its holders may not do, whatever else allows it. */
  deny: v.optional(v.array(statement)),
})

const subject = strict({
  /** Who vouched: one alias under `issuers`, or several. */
  issuer: v.optional(stringOrStrings),
  /** A person, a workload such as a CI job, or nobody known. */
  kind: v.optional(v.picklist(['user', 'workload', 'anonymous'])),
  /** Member of this organisation, by id (survives renames) or handle. */
  org: v.optional(stringOrStrings),
  /** With this role in the same organisation. */
  orgRole: v.optional(stringOrStrings),
  /** Member of this resource group of the same organisation. */
  resourceGroup: v.optional(stringOrStrings),
  /** Member of this group at the issuer. */
  group: v.optional(stringOrStrings),
  /** The user name at the issuer. */
  username: v.optional(stringOrStrings),
  /** The e-mail address, when the issuer has verified it. */
  email: v.optional(stringOrStrings),
  /** Those who showed no credential. */
  anonymous: v.optional(v.literal(true)),
  /** A condition on the raw verified claims. */
  claims: v.optional(claims),
})

const binding = strict({
  /** The roles that are given. */
  roles: strings,
  /** To whom: everything that stands here must hold. */
  to: subject,
  /** Not before this time: `2027-01-31T00:00:00Z`. */
  from: v.optional(time),
  /** Not from this time on: `2027-01-31T00:00:00Z`. */
  until: v.optional(time),
})

const attributeType = v.picklist(['string', 'number', 'boolean', 'string[]', 'time', 'ip'])

const resource = strict({
  /** What can be done with resources of this type. */
  actions,
  /** Its attributes and their types; a misspelt one in a condition is then a fault. */
  attributes: v.optional(mapping(attributeType)),
})

const scope = strict({
  /** The actions that the scope covers. */
  actions,
  /** The resources that the scope covers. */
  on: patterns,
})

const route = strict({
  /** Method and path: `POST /v1/predict/:name`. */
  match: v.string(),
  /** The action that a request to it takes. */
  action: v.string(),
  /** The resource it takes it on, with the path’s parameters: `model:acme/:name`. */
  resource: v.string(),
})

const invariant = strict({
  /** The promise, for people. */
  name: v.string(),
  /** What must never be possible. */
  never: strict({
    /** Any of these actions. */
    actions,
    /** On any of these resources. */
    on: patterns,
  }),
  /** For whom; for everyone when left out. */
  for: v.optional(subject),
})

const example = strict({
  /** What the example shows. */
  name: v.string(),
  /** Who asks: `anonymous`, or an issuer and the claims it would vouch for. */
  principal: v.union([
    v.literal('anonymous'),
    strict({
      /** An alias under `issuers`. */
      issuer: v.string(),
      /** The claims of the token, as the issuer would write them. */
      claims: facts,
      /** The kind of token. With `access_token`, its scopes count. Default `id_token`. */
      credential: v.optional(v.picklist(['id_token', 'access_token'])),
    }),
  ]),
  /** Where it is asked. */
  environment: v.string(),
  /** Attributes of resources, by `type:id`. Otherwise they are private, without a gate and without tags. */
  resources: v.optional(mapping(facts)),
  /** Facts of the request, such as `ip`. */
  context: v.optional(facts),
  /** Questions (`infer model:acme/vision-large`), and the answers to them. */
  expect: mapping(v.picklist(['allow', 'deny'])),
})

const policy = strict({
  /** The version of the policy language. */
  version: v.literal(1),
  /** A name for people and records. */
  name: v.string(),
  /** Who may vouch for an identity, by an alias of your own. */
  issuers: mapping(issuer),
  /** Where decisions are made, and the most that anyone may do there. */
  environments: mapping(environment),
  /** Your own resource types: their actions and attributes. */
  resources: v.optional(mapping(resource)),
  /** Named sets of patterns, used as `project:NAME`. */
  projects: v.optional(mapping(members)),
  /** What an OAuth scope of your own issuer covers. */
  scopes: v.optional(mapping(scope)),
  /** Named statements that bindings give to people and workloads. */
  roles: mapping(role),
  /** Verified claims → roles. */
  bindings: v.array(binding),
  /** Denials for everyone; a denial always wins. */
  deny: v.optional(v.array(statement)),
  /** Your own HTTP API, for middleware and proxy. */
  routes: v.optional(v.array(route)),
  /** What must never be possible, over every request there can be. */
  invariants: v.optional(v.array(invariant)),
  /** Examples, asked by `hfauth policy test`. */
  tests: v.optional(v.array(example)),
})

/** The schema objects that the JSON Schema is made from; nothing at run time uses them, so bundles leave them out. */
export const shapes = {
  policy,
  preset,
  duration,
  time,
  actions,
  patterns,
  members,
  condition,
  requirement,
  claims,
  facts,
} as const

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
