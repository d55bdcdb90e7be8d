/**
 * Define preset: the one reader of what the presets state as data.
 *
 * @module
 */
import {
  booleanClaim,
  type Claims,
  listClaim,
  mfaClaim,
  own,
  scopeClaim,
  textClaim,
  timeClaim,
} from './claims.ts'
import { normalClaims } from './normal-claims.ts'
import type { ClaimedMembers, EmailRule, MemberClaims, Preset, PresetData } from './preset.ts'

/** Fills in what most providers share. Organisations have a reader of their own, where a provider tells them. */
export function definePreset(
  data: PresetData,
  readOrgs: (claims: Claims) => ClaimedMembers['orgs'] = () => undefined,
): Preset {
  return {
    authorizedParty: 'client',
    types: ['jwt'],
    accessTypes: ['at+jwt'],
    clockToleranceSeconds: 30,
    keys: 'discovery',
    introspectedAudience: 'aud',
    tokenId: 'jti',
    ...data,
    huggingface: data.huggingface ?? false,
    subject: (claims) => subjectOf(data, normalClaims(data, claims)),
    read(claims) {
      const normal = normalClaims(data, claims)
      return readMembers(data, normal, readOrgs(normal))
    },
  }
}

/** What OpenID Connect Core 1.0 §5.1 calls them, and `groups`, which it leaves to habit. */
export const standardMembers = {
  username: 'preferred_username',
  name: 'name',
  groups: 'groups',
  scopes: ['scope'],
  email: { verified: 'email_verified' },
} as const satisfies MemberClaims

function subjectOf({ subjectClaims }: PresetData, claims: Claims): string | undefined {
  for (const names of subjectClaims) {
    const subject = joined(claims, names)
    if (subject !== undefined) return subject
  }
  return undefined
}

/** A single claim as it is; several joined with `:`, none of which holds one. */
function joined(claims: Claims, names: readonly string[]): string | undefined {
  let subject: string | undefined
  for (const name of names) {
    const part = textClaim(claims, name)
    if (part === undefined || (names.length > 1 && part.includes(':'))) return undefined
    subject = subject === undefined ? part : `${subject}:${part}`
  }
  return subject
}

/** One literal for all, because this runs for every new token. */
function readMembers(
  { kind, reads, groupsUnknownWith = [] }: PresetData,
  claims: Claims,
  orgs: ClaimedMembers['orgs'],
): ClaimedMembers {
  const { username, name, groups, scopes, email } = reads
  const partial = groupsUnknownWith.some((member) => own(claims, member) !== undefined)
  return {
    username: username && textClaim(claims, username),
    name: name && textClaim(claims, name),
    email: email && textClaim(claims, 'email'),
    emailVerified: email && isVerified(email, claims),
    mfa: kind === 'user' ? mfaClaim(claims) : undefined,
    authTime: kind === 'user' ? timeClaim(claims, 'auth_time') : undefined,
    issuedAt: timeClaim(claims, 'iat'),
    expiresAt: timeClaim(claims, 'exp'),
    orgs,
    groups: groups !== undefined && !partial ? listClaim(claims, groups) : undefined,
    scopes: scopes && firstScopes(claims, scopes),
  }
}

function firstScopes(claims: Claims, names: readonly string[]): readonly string[] | undefined {
  for (const name of names) {
    const scopes = scopeClaim(claims, name)
    if (scopes !== undefined) return scopes
  }
  return undefined
}

function isVerified({ verified, when }: EmailRule, claims: Claims): boolean | undefined {
  const says = booleanClaim(claims, verified)
  return says === true && when !== undefined ? when(claims) : says
}
