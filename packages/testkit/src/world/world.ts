/**
 * World: everything the testkit believes, as one plain object.
 *
 * **world** → oidc (who signs in), hub (which repositories answer), inference.
 * Types only. The object stays live: a change is seen by the next request.
 *
 * @module
 */

/** Organisation roles in rising order, plus any name an organisation invents. */
export type OrgRole = 'no_access' | 'read' | 'contributor' | 'write' | 'admin' | (string & {})

/** A person's role in one resource group of an organisation. */
export interface ResourceGroupRole {
  /** 24 hexadecimal digits. */
  id: string
  name: string
  role: OrgRole
}

export interface Membership {
  role: OrgRole
  resourceGroups?: ResourceGroupRole[]
  /** Shown in userinfo and whoami for this organisation, as the Hub does for a lapsed SSO session. */
  securityRestrictions?: ('mfa' | 'token-policy' | 'token-revoked' | 'sso' | 'ip')[]
}

export interface Person {
  username: string
  /** 24 hexadecimal digits. Becomes `sub`; survives a change of `username`. */
  id: string
  name: string
  email: string
  emailVerified: boolean
  isPro: boolean
  canPay?: boolean
  /** Memberships by organisation name. */
  orgs: Record<string, Membership>
}

export interface Organization {
  /** The handle in URLs. */
  name: string
  /** 24 hexadecimal digits. */
  id: string
  displayName: string
  plan?: 'team' | 'enterprise' | 'plus' | 'academia'
  canPay?: boolean
}

/** An OAuth client. */
export interface App {
  /** A UUID on the real Hub, or the address of a document that describes the app. */
  clientId: string
  name: string
  /** `http` on a loopback host matches any port; everything else is compared as a string. */
  redirectUris: string[]
  /** Scopes the app may ask for. Asking for another is `invalid_scope`. */
  scopes: string[]
  /** `space` apps are confidential and accept any URL on the origins in `redirectUris`. */
  kind: 'public' | 'confidential' | 'space'
  /** Made at start when a confidential or space app comes without one. */
  clientSecret?: string
  /** Organisation the app belongs to, by name. */
  org?: string
  /** May exchange a member's e-mail for a token. Needs `org`. Default false. */
  tokenExchange?: boolean
  /** Whether sign-ins get a refresh token. Default true. */
  refreshTokens?: boolean
  /** Life of access tokens, in seconds. Default 28800. */
  accessTokenSeconds?: number
}

export type RepoType = 'model' | 'dataset' | 'space'

export interface Repo {
  type: RepoType
  /** `namespace/name`. */
  id: string
  private?: boolean
  gated?: false | 'auto' | 'manual'
  /** Usernames admitted to a gated repository. Members of the owning organisation need no entry. */
  admitted?: string[]
  tags?: string[]
  pipelineTag?: string
  libraryName?: string
  /** Space SDK. Default `static`. */
  sdk?: string
  /** Resource group, by id: then only its members and organisation admins see a private repository. */
  resourceGroup?: string
  /** Username of the creator, which is what lets a `contributor` write. */
  createdBy?: string
  /** Client id that created it, which is what lets `contribute-repos` write. */
  createdByApp?: string
  /** Content of the `main` branch by path. Text is stored as UTF-8. */
  files: Record<string, Uint8Array | string>
}

/** A CI identity that may write to one repository. */
export interface TrustedPublisher {
  /** `ns/name`, `datasets/ns/name` or `spaces/ns/name`. */
  resource: string
  /** Exact `iss`. Must be a loopback URL: the testkit fetches its keys. */
  issuer: string
  /** Expected `aud`. Default the hub's URL. */
  audience?: string
  /** Claims compared exactly, all of them. */
  claims: Record<string, string>
}

/** A personal access token, the kind a user makes on the settings page. */
export interface UserToken {
  /** Starts with `hf_`. */
  token: string
  username: string
  role: 'read' | 'write'
}

export interface Inference {
  /** Models the router serves. */
  models: string[]
  /** Pause between two streamed chunks, in milliseconds. Default 15. */
  chunkDelayMs: number
  /** Awaited before each streamed chunk, so that a test can hold a stream open at a chosen place. */
  beforeChunk?: (index: number) => void | Promise<void>
}

export interface World {
  people: Person[]
  organizations: Organization[]
  apps: App[]
  repos: Repo[]
  trustedPublishers: TrustedPublisher[]
  userTokens: UserToken[]
  inference: Inference
  /** Leaves `orgs` out of userinfo when the sign-in granted none, instead of listing them without roles. */
  omitOrgs: boolean
}

/** A world to start with. Entries replace those of the base that have the same name or id. */
export interface WorldOptions extends Partial<Omit<World, 'inference'>> {
  /** What to build on. Default `default`, the small world around the organisation `acme`. */
  readonly base?: 'default' | 'empty'
  readonly inference?: Partial<Inference>
}
