/**
 * Microsoft Entra ID, for people of the directories that a policy lists. Each directory has an address of
 * its own, so `iss` is compared with exactly those, and must agree with `tid` and with the key's `issuer`.
 *
 * `sub` differs from app to app; `tid` and `oid` name the person. Nothing in a token proves an address
 * except `xms_edov`. Above 200 groups the list is replaced by a pointer, and groups are unknown.
 *
 * @see learn.microsoft.com: identity-platform/access-token-claims-reference, claims-validation,
 * migrate-off-email-claim-authorization, authentication-national-cloud (hosts), optional-claims-reference (`idtyp`)
 * @module
 */
import { own, textClaim } from '../claims.ts'
import { definePreset } from '../define-preset.ts'
import type { Preset } from '../preset.ts'

export const entra: Preset = /* @__PURE__ */ definePreset({
  name: 'entra',
  kind: 'user',
  issuer: {
    known: 'https://login.microsoftonline.com/{tenant}/v2.0',
    form: /^https:\/\/(?:login\.(?:microsoftonline\.com|microsoftonline\.us|partner\.microsoftonline\.cn)\/\{tenant\}\/v2\.0|sts\.windows\.net\/\{tenant\}\/)$/,
    distinctive: true,
    example: 'https://sts.windows.net/{tenant}/',
  },
  sharedAudience: {
    form: /^(?:00000003-0000-0000-c000-000000000000|https:\/\/graph\.microsoft\.com\/?)$/,
    what: 'Microsoft Graph',
  },
  algorithms: ['RS256'],
  accessTokens: 'jwt',
  accessMark: { claim: 'scp' },
  tokenId: 'uti',
  subjectClaims: [['tid', 'oid']],
  tenant: {
    claim: 'tid',
    required: true,
    form: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    what: 'directory (tenant) ids, in lower case',
  },
  requires: ['tid', 'oid'],
  coerce: { booleans: ['xms_edov'] },
  reads: {
    username: 'preferred_username',
    name: 'name',
    groups: 'groups',
    scopes: ['scp'],
    email: { verified: 'xms_edov' },
  },
  groupsUnknownWith: ['_claim_names', 'hasgroups'],
  refuse(claims) {
    const isApp =
      textClaim(claims, 'idtyp') === 'app' ||
      (own(claims, 'scp') === undefined &&
        ['appid', 'azpacr', 'appidacr'].some((name) => own(claims, name) !== undefined))
    return isApp ? 'the token is an application’s, not a person’s' : undefined
  },
  weak: { sub: 'oid', email: 'oid', upn: 'oid', preferred_username: 'oid', unique_name: 'oid' },
  revocation: 'none',
  logout: [],
})
