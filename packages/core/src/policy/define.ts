/**
 * Define: a policy as TypeScript, in which a misspelt name does not compile.
 *
 * Types only. The names are read from the keys of `roles`, `issuers`, `environments`, `projects` and
 * `resources`; everything that mentions one is held to them. What a name means, and everything that
 * types cannot say, is for `parsePolicy`.
 *
 * @module
 */
import type { HubAction, HubType, hubAttributes, idAttributes } from '../hub/actions.ts'
import type { Json } from '../types.ts'
import type { principalFacts } from './reader.ts'
import type { PolicyDocument } from './schema.ts'

/**
 * Checks a policy's names as it is written, and gives editors their completion; at run time it hands back what it
 * was given, and nothing is known to be sound before `parsePolicy`.
 *
 * Names have to be literal for this. A document put together at run time needs no `definePolicy`: `parsePolicy`
 * takes it as it is.
 *
 * @returns The same object; its type keeps the names, so that `keyof typeof policy.roles` is their union.
 */
export function definePolicy<
  const Role extends string,
  const Issuer extends string,
  const Environment extends string,
  const Project extends string = never,
  const Resources extends ResourcesInput = Record<never, never>,
>(
  policy: PolicyInput<Role, Issuer, Environment, Project, Resources>,
): DefinedPolicy<Role, Issuer, Environment, Project, Extract<keyof Resources, string>> {
  return policy as unknown as DefinedPolicy<
    Role,
    Issuer,
    Environment,
    Project,
    Extract<keyof Resources, string>
  >
}

/** A policy document whose type knows its names. */
export type DefinedPolicy<
  Role extends string = string,
  Issuer extends string = string,
  Environment extends string = string,
  Project extends string = string,
  Type extends string = string,
> = Omit<PolicyDocument, 'roles' | 'issuers' | 'environments' | 'projects' | 'resources'> & {
  roles: { [Name in Role]: RoleDocument }
  issuers: { [Name in Issuer]: IssuerDocument }
  environments: { [Name in Environment]: EnvironmentDocument }
  projects?: { [Name in Project]: string[] }
  resources?: { [Name in Type]: ResourceDocument }
}

type Item<Key extends keyof PolicyDocument> =
  NonNullable<PolicyDocument[Key]> extends readonly (infer T)[]
    ? T
    : NonNullable<PolicyDocument[Key]>[keyof NonNullable<PolicyDocument[Key]>]

type RoleDocument = Item<'roles'>
type IssuerDocument = Item<'issuers'>
type EnvironmentDocument = Item<'environments'>
type ResourceDocument = Item<'resources'>
type ScopeDocument = Item<'scopes'>
type BindingDocument = Item<'bindings'>
type SubjectDocument = BindingDocument['to']
type StatementDocument = Item<'deny'>
type RouteDocument = Item<'routes'>
type InvariantDocument = Item<'invariants'>
type ExampleDocument = Item<'tests'>

/** The keys and their comments come from the document's types, so a new key is taken without a change here. */
interface PolicyInput<
  Role extends string,
  Issuer extends string,
  Environment extends string,
  Project extends string,
  Resources extends ResourcesInput,
  N extends Names = NamesOf<Role, Issuer, Environment, Project, Resources>,
> extends ReadonlyDocument<PolicyDocument> {
  readonly roles: { readonly [Name in Role]: RoleInput<N> }
  readonly issuers: { readonly [Name in Issuer]: IssuerInput<N> }
  readonly environments: { readonly [Name in Environment]: EnvironmentInput<N> }
  readonly projects?: { readonly [Name in Project]: readonly N['pattern'][] } | undefined
  readonly resources?:
    | (Resources & { readonly [Type in keyof Resources]: Closed<Resources[Type], ResourceInput> })
    | undefined
  readonly scopes?: { readonly [name: string]: ScopeInput<N> } | undefined
  readonly bindings: readonly BindingInput<N>[]
  readonly deny?: readonly StatementInput<N>[] | undefined
  readonly routes?: readonly RouteInput<N>[] | undefined
  readonly invariants?: readonly InvariantInput<N>[] | undefined
  readonly tests?: readonly ExampleInput<N>[] | undefined
}

type ResourceInput = ReadonlyDocument<ResourceDocument>
type ResourcesInput = { readonly [type: string]: ResourceInput }

interface RoleInput<N extends Names> extends ReadonlyDocument<RoleDocument> {
  readonly extends?: readonly N['role'][] | undefined
  readonly allow?: readonly StatementInput<N>[] | undefined
  readonly deny?: readonly StatementInput<N>[] | undefined
}

interface IssuerInput<N extends Names> extends ReadonlyDocument<IssuerDocument> {
  readonly preset: N['preset']
}

interface EnvironmentInput<N extends Names> extends ReadonlyDocument<EnvironmentDocument> {
  readonly actions?: readonly (N['action'] | '*')[] | undefined
  readonly exempt?: readonly N['issuer'][] | undefined
  readonly require?: N['requirement'] | undefined
}

interface StatementInput<N extends Names> extends ReadonlyDocument<StatementDocument> {
  readonly actions: readonly (N['action'] | '*')[]
  readonly on: readonly (N['pattern'] | N['project'])[]
  readonly when?: N['condition'] | undefined
  readonly unless?: N['condition'] | undefined
  readonly environments?: readonly N['environment'][] | undefined
}

interface ScopeInput<N extends Names> extends ReadonlyDocument<ScopeDocument> {
  readonly actions: readonly (N['action'] | '*')[]
  readonly on: readonly (N['pattern'] | N['project'])[]
}

interface SubjectInput<N extends Names> extends ReadonlyDocument<SubjectDocument> {
  readonly issuer?: N['issuer'] | readonly N['issuer'][] | undefined
  readonly claims?: N['claims'] | undefined
}

interface BindingInput<N extends Names> extends ReadonlyDocument<BindingDocument> {
  readonly roles: readonly N['role'][]
  readonly to: SubjectInput<N>
}

interface RouteInput<N extends Names> extends ReadonlyDocument<RouteDocument> {
  readonly action: N['action']
  readonly resource: N['pattern']
}

interface InvariantInput<N extends Names> extends ReadonlyDocument<InvariantDocument> {
  readonly never: ScopeInput<N>
  readonly for?: SubjectInput<N> | undefined
}

type NamedPrincipal = Exclude<ReadonlyDocument<ExampleDocument>['principal'], 'anonymous'>

interface PrincipalInput<N extends Names> extends NamedPrincipal {
  readonly issuer: N['issuer']
}

interface ExampleInput<N extends Names> extends ReadonlyDocument<ExampleDocument> {
  readonly principal: 'anonymous' | PrincipalInput<N>
  readonly environment: N['environment']
  readonly expect: { readonly [Question in N['question']]: 'allow' | 'deny' }
}

/** What may stand where a name is mentioned. */
interface Names {
  readonly role: string
  readonly issuer: string
  readonly environment: string
  readonly action: string
  readonly preset: string
  readonly pattern: string
  readonly project: string
  readonly question: string
  readonly condition: Facts
  readonly requirement: Facts
  readonly claims: Facts
}

type NamesOf<
  Role extends string,
  Issuer extends string,
  Environment extends string,
  Project extends string,
  Resources extends ResourcesInput,
> = {
  readonly role: NoInfer<Role>
  readonly issuer: NoInfer<Issuer>
  readonly environment: NoInfer<Environment>
  readonly action: HubAction | ActionIn<NoInfer<Resources>>
  readonly preset: Unless<NoInfer<Role>, PresetName | `${string}\${env.${string}`>
  readonly pattern: Unless<NoInfer<Role>, '**' | `${TypeOf<NoInfer<Resources>> | '**'}:${string}`>
  readonly project: `project:${NoInfer<Project>}`
  readonly question: Unless<
    NoInfer<Role>,
    `${HubAction | ActionIn<NoInfer<Resources>>} ${TypeOf<NoInfer<Resources>> | '**'}:${string}`
  >
  readonly condition: Unless<
    NoInfer<Role>,
    Condition<`resource.${AttributeOf<NoInfer<Resources>>}` | PrincipalFact | `context.${string}`>,
    Facts
  >
  readonly requirement: Unless<NoInfer<Role>, Condition<PrincipalFact>, Facts>
  readonly claims: Unless<NoInfer<Role>, FreeCondition, Facts>
}

/** In a document whose names are not literal there is nothing to be held to. */
type Unless<Role, Strict, Open = string> = string extends Role ? Open : Strict

/** The presets by name; a test holds this against the presets there are. */
export type PresetName =
  | 'huggingface'
  | 'okta'
  | 'okta-org'
  | 'google'
  | 'google-workspace'
  | 'github'
  | 'entra'
  | 'auth0'
  | 'keycloak'
  | 'slack'
  | 'aws-alb'
  | 'oidc'
  | 'github-actions'
  | 'gitlab-ci'
  | 'circleci'
  | 'buildkite'
  | 'aws'
  | 'aws-eks'
  | 'kubernetes'
  | 'google-service-account'

type TypeOf<Resources> = HubType | Extract<keyof Resources, string>

type ActionIn<Resources extends ResourcesInput> = Resources[keyof Resources]['actions'][number]

/** Any name, as soon as one of the types does not say which attributes it has. */
type AttributeOf<Resources extends ResourcesInput> =
  | keyof typeof hubAttributes
  | keyof typeof idAttributes
  | {
      [Type in keyof Resources]: Resources[Type] extends { readonly attributes: infer Attributes }
        ? Extract<keyof Attributes, string>
        : string
    }[keyof Resources]

type PrincipalFact = `principal.${(typeof principalFacts)[number]}` | `principal.claims.${string}`

type Plain = string | number | boolean | null
type Reference = { readonly $ref: `${'principal' | 'resource' | 'context'}.${string}` }

// Aliases, since an interface has no implicit index signature and would not be JSON.
type Condition<Fact extends string> = { readonly [Name in Fact]?: Expectation } & {
  /** All of these conditions hold. */
  readonly $and?: readonly Condition<Fact>[]
  /** At least one of these conditions holds. */
  readonly $or?: readonly Condition<Fact>[]
  /** This condition does not hold. */
  readonly $not?: Condition<Fact>
}

/** Claims and elements may have any name, operators' included: these are left to `parsePolicy`. */
type FreeCondition = { readonly [name: string]: Expectation | readonly FreeCondition[] | FreeCondition } & {
  /** All of these conditions hold. */
  readonly $and?: readonly FreeCondition[]
  /** At least one of these conditions holds. */
  readonly $or?: readonly FreeCondition[]
  /** This condition does not hold. */
  readonly $not?: FreeCondition
}

/** A plain value stands for `$eq`. */
type Expectation = Plain | readonly Json[] | Reference | Tests

type Tests = {
  /** Equals; on a list, has the value. */
  readonly $eq?: Plain | readonly Json[] | Reference
  /** Does not equal. */
  readonly $ne?: Plain | readonly Json[] | Reference
  /** Is one of these. */
  readonly $in?: readonly Plain[] | Reference
  /** Is none of these. */
  readonly $nin?: readonly Plain[] | Reference
  /** Is less than this. */
  readonly $lt?: number | string | Reference
  /** Is this or less. */
  readonly $lte?: number | string | Reference
  /** Is greater than this. */
  readonly $gt?: number | string | Reference
  /** Is this or greater. */
  readonly $gte?: number | string | Reference
  /** Was told, or was not. Never unknown. */
  readonly $exists?: boolean
  /** A list that has all of these. */
  readonly $all?: readonly Plain[] | Reference
  /** A list of this length. */
  readonly $size?: number
  /** A list with an element for which this holds. */
  readonly $elemMatch?: FreeCondition
  /** A list that has this value. */
  readonly $contains?: Plain | Reference
  /** Matches this pattern: `*` is any run without `/`, `**` any run. */
  readonly $glob?: string
  /** An address in this range, or in one of several: `192.0.2.0/24`. */
  readonly $cidr?: string | readonly string[]
  /** A moment before this time, or before so long from now: `7d`, `-15m`. */
  readonly $before?: string | Reference
  /** A moment after this time, or after so long from now: `7d`, `-15m`. */
  readonly $after?: string | Reference
  /** None of what stands here. */
  readonly $not?: Expectation
}

type Facts = { readonly [name: string]: unknown }

/** A document as it may be written: lists can be constants of the program, and JSON is looked at elsewhere. */
type ReadonlyDocument<T> = T extends readonly (infer Item)[]
  ? readonly ReadonlyDocument<Item>[]
  : T extends object
    ? Json extends T[keyof T]
      ? Facts
      : { readonly [Key in keyof T]: ReadonlyDocument<T[Key]> }
    : T

/** Refuses members that `Shape` does not have, where inference would let them pass. */
type Closed<T, Shape> = { readonly [Key in Exclude<keyof T, keyof Shape>]: never }
