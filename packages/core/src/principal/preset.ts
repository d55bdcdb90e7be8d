/**
 * A preset: what is known of a provider before any of its tokens has been seen.
 *
 * Data first, so that verification (`@hfauth/node`), the policy's checks and the reading of claims cannot
 * drift apart: who its issuer is, whom its tokens are for, how they are signed and typed, what in them names
 * the subject and the tenant, and what they cannot prove. Names of claims are those after
 * `normalClaims`, where nested members have been lifted and texts made booleans.
 *
 * @module
 */
import type { CredentialKind, PrincipalKind, PrincipalShape } from '../types.ts'
import type { Claims } from './claims.ts'

/**
 * How an access token of this issuer is checked; `none` means that only ID tokens are taken. `introspection`
 * (RFC 7662) and `github` need a client's id and secret, which never stand in a policy.
 */
export type AccessTokenCheck = 'userinfo' | 'jwt' | 'introspection' | 'github' | 'none'

/** Where a revocation is sent; `none` where the provider has no such endpoint. */
export type RevocationEndpoint = 'rfc7009' | 'github' | 'slack' | 'none'

/** How the provider says that someone was logged out: OIDC back-channel logout, SSF/CAEP, Google RISC, global token revocation. */
export type LogoutSignal = 'back-channel' | 'ssf' | 'risc' | 'gtr'

type Unclaimed = 'kind' | 'issuer' | 'id' | 'subject' | 'credential' | 'huggingface' | 'claims' | 'actor'

/** The members that claims decide, `undefined` where they do not tell; the rest comes from the policy and the credential. */
export type ClaimedMembers = {
  readonly [Name in Exclude<keyof PrincipalShape, Unclaimed>]-?: PrincipalShape[Name] | undefined
}

export type TokenCredential = Exclude<CredentialKind, 'none'>

export interface IssuerRule {
  /** `iss` when the policy gives none; `{tenant}` stands for each of the policy's tenants. */
  readonly known?: string
  /** Other texts of `iss` for the same keys. */
  readonly also?: readonly string[]
  /** What an address in the policy must look like; addresses on this machine are let off. */
  readonly form?: RegExp
  /** Whether addresses of that form are this provider's alone. */
  readonly distinctive?: true
  /** An address of that form, for messages. */
  readonly example?: string
  /** Addresses that many installations share: they prove nothing unless the policy pins the `keys`. */
  readonly shared?: RegExp
}

export interface TenantRule {
  readonly claim: string
  /** Whether a policy must list its tenants, because everyone's tokens have the same issuer. */
  readonly required?: true
  readonly form: RegExp
  /** What a tenant is, in the plural. */
  readonly what: string
}

export interface EmailRule {
  /** The boolean claim that says so; `never` where nothing in a token can. */
  readonly verified: string
  /** What must be true besides. */
  readonly when?: (claims: Claims) => boolean
}

/** Which claim a member of the principal is read from; what is left out stays unknown. */
export interface MemberClaims {
  readonly username?: string
  readonly name?: string
  readonly groups?: string
  /** The first of these that is there. */
  readonly scopes?: readonly string[]
  readonly email?: EmailRule
}

/** How texts and numbers are made one kind before anything is compared. */
export interface Coercion {
  /** `"true"` and `"false"` become booleans. */
  readonly booleans?: readonly string[]
  /** What any other value of these becomes: `true` where they are warnings, which only a plain no clears. Default left out. */
  readonly oddBoolean?: true
  /** Whole numbers become texts: ids. */
  readonly texts?: readonly string[]
}

export interface PresetData {
  readonly name: string
  readonly kind: PrincipalKind
  /** True for Hugging Face alone. */
  readonly huggingface?: true
  readonly issuer: IssuerRule
  /** Audiences that others share, which a policy must not name: what they are, for the message. */
  readonly sharedAudience?: { readonly form: RegExp; readonly what: string }
  /** Further audiences of an access token that are the issuer itself; `{iss}` stands for its address. */
  readonly ownAudiences?: readonly string[]
  /** `client`: `azp` must be one of our audiences in an ID token. `any`: it names the workload itself. Default `client`. */
  readonly authorizedParty?: 'client' | 'any'
  /** Signature algorithms of its JWTs (RFC 7518 §3.1), the only ones accepted; none where it issues no JWT. */
  readonly algorithms: readonly string[]
  /** Accepted `typ` of an ID token besides none, lower case. Default `jwt`. */
  readonly types?: readonly string[]
  /** Accepted `typ` that say that a token is an access token. Default `at+jwt`. */
  readonly accessTypes?: readonly string[]
  /** What tells an access token from an ID token when both are typed `JWT`: a claim, and its value. */
  readonly accessMark?: { readonly claim: string; readonly value?: string }
  /** Clock difference to forgive unless the verifier is told otherwise, in seconds. Default 30. */
  readonly clockToleranceSeconds?: number
  /** Longest life of an ID token, `exp` − `iat`, in seconds. */
  readonly maxLifetimeSeconds?: number
  /** `discovery`, or one PEM per `kid` at the load balancer's address, or none. Default `discovery`. */
  readonly keys?: 'discovery' | 'pem-per-kid' | 'none'
  readonly accessTokens: AccessTokenCheck
  /** By which claim of an introspection answer its audience is judged. Default `aud`. */
  readonly introspectedAudience?: 'aud' | 'client_id'
  /** Claims that together name the subject; the first list that is there whole counts. */
  readonly subjectClaims: readonly (readonly string[])[]
  /** The claim that names the token itself. Default `jti`. */
  readonly tokenId?: string
  readonly tenant?: TenantRule
  /** Without these a token is refused. */
  readonly requires?: readonly string[]
  /** Values with which a token is refused unless a binding asks for them by name. */
  readonly gate?: { readonly claim: string; readonly values: readonly string[] }
  readonly reads: MemberClaims
  /** Whether each claim is documented to be one value and never a list; proofs build on it. */
  readonly singleValues?: true
  /** Claims whose presence says that the list of groups is not whole: groups are then unknown. */
  readonly groupsUnknownWith?: readonly string[]
  readonly coerce?: Coercion
  /** Names for nested members, by their path. */
  readonly lift?: Readonly<Record<string, readonly string[]>>
  /** Why a sound token is refused all the same. */
  readonly refuse?: (claims: Claims, credential: TokenCredential) => string | undefined
  /** Claims that prove less than they seem to, and what to bind on instead, if anything. For warnings. */
  readonly weak?: Readonly<Record<string, string>>
  readonly revocation: RevocationEndpoint
  readonly logout: readonly LogoutSignal[]
}

type Defaulted =
  | 'huggingface'
  | 'authorizedParty'
  | 'types'
  | 'accessTypes'
  | 'clockToleranceSeconds'
  | 'keys'
  | 'introspectedAudience'
  | 'tokenId'

export interface Preset
  extends Omit<PresetData, Defaulted>,
    Required<Omit<Pick<PresetData, Defaulted>, 'huggingface'>> {
  readonly huggingface: boolean
  subject(claims: Claims): string | undefined
  read(claims: Claims): ClaimedMembers
}
