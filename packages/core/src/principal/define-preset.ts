/**
 * Define preset: the one reader of what the presets state as data.
 *
 * @module
 */
import { present } from '../internal/present.ts'
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

/** Fills in what most providers share. `more` reads members that have no rule of their own. */
export function definePreset(
  data: PresetData,
  more: (claims: Claims) => Partial<ClaimedMembers> = () => ({}),
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
      return { ...readMembers(data, normal), ...more(normal) }
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

/** A single claim as it is; several joined with `:`, none of which holds one. */
function subjectOf({ subjectClaims }: PresetData, claims: Claims): string | undefined {
  for (const names of subjectClaims) {
    const parts = names.map((name) => textClaim(claims, name))
    if (names.length > 1 && parts.some((part) => part?.includes(':'))) continue
    if (parts.every((part) => part !== undefined)) return parts.join(':')
  }
  return undefined
}

function readMembers({ kind, reads, groupsUnknownWith = [] }: PresetData, claims: Claims): ClaimedMembers {
  const { username, name, groups, scopes, email } = reads
  const partial = groupsUnknownWith.some((member) => own(claims, member) !== undefined)
  return present({
    username: username && textClaim(claims, username),
    name: name && textClaim(claims, name),
    ...(email && present({ email: textClaim(claims, 'email'), emailVerified: isVerified(email, claims) })),
    ...(kind === 'user' && present({ mfa: mfaClaim(claims), authTime: timeClaim(claims, 'auth_time') })),
    issuedAt: timeClaim(claims, 'iat'),
    expiresAt: timeClaim(claims, 'exp'),
    groups: groups !== undefined && !partial ? listClaim(claims, groups) : undefined,
    scopes: scopes?.map((claim) => scopeClaim(claims, claim)).find((list) => list !== undefined),
  })
}

function isVerified({ verified, when }: EmailRule, claims: Claims): boolean | undefined {
  const says = booleanClaim(claims, verified)
  return says === true && when !== undefined ? when(claims) : says
}
