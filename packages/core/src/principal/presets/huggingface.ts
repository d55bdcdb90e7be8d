/**
 * Hugging Face: ID tokens, and access tokens by what userinfo says of them.
 *
 * `orgs` is left out of the principal when it was not told. Roles of an organisation are told only
 * after the person ticked it on the consent screen, or with `read-memberships`.
 *
 * @see huggingface.co/docs/hub/oauth, and the Hub's OpenAPI description of `/oauth/userinfo`
 * @module
 */
import { present } from '../../internal/present.ts'
import type { Json, OrgMembership, ResourceGroupMembership } from '../../types.ts'
import { type Claims, listClaim, own, textClaim } from '../claims.ts'
import { definePreset, standardMembers } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

export const huggingface: Preset = /* @__PURE__ */ definePreset(
  {
    name: 'huggingface',
    kind: 'user',
    huggingface: true,
    issuer: { known: 'https://huggingface.co' },
    algorithms: ['RS256'],
    accessTokens: 'userinfo',
    subjectClaims: [['sub']],
    reads: standardMembers,
    revocation: 'none',
    logout: [],
  },
  readOrgs,
)

function readOrgs(claims: Claims): readonly OrgMembership[] | undefined {
  const orgs = own(claims, 'orgs')
  return Array.isArray(orgs) ? orgs.flatMap(readOrg) : undefined
}

/** A membership without its id or handle proves nothing and is dropped. */
function readOrg(value: Json): OrgMembership[] {
  if (!isClaims(value)) return []
  const id = textClaim(value, 'sub')
  const handle = textClaim(value, 'preferred_username')
  if (id === undefined || handle === undefined) return []
  const groups = own(value, 'resourceGroups')
  return [
    {
      id,
      handle,
      ...present({
        name: textClaim(value, 'name'),
        role: textClaim(value, 'roleInOrg'),
        plan: textClaim(value, 'plan'),
        restrictions: readRestrictions(value),
        resourceGroups: Array.isArray(groups) ? groups.flatMap(readResourceGroup) : undefined,
      }),
    },
  ]
}

/** Restrictions that cannot be read still say that there are some. */
function readRestrictions(membership: Claims): readonly string[] | undefined {
  const told = own(membership, 'securityRestrictions') ?? undefined
  return told === undefined ? undefined : (listClaim(membership, 'securityRestrictions') ?? ['unreadable'])
}

function readResourceGroup(value: Json): ResourceGroupMembership[] {
  if (!isClaims(value)) return []
  const id = textClaim(value, 'sub')
  const name = textClaim(value, 'name')
  const role = textClaim(value, 'role')
  return id === undefined || name === undefined || role === undefined ? [] : [{ id, name, role }]
}

function isClaims(value: Json): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
