/**
 * Who am I: the caller as the proxy knows it, in the Hub's words.
 *
 * Answered here and not upstream, where the caller may be somebody else altogether, or nobody.
 *
 * @see `GET /api/whoami-v2` in the Hub's OpenAPI description
 * @module
 */
import type { OrgMembership, Principal } from '@hfauth/core'

/** @param expiresAt - Epoch seconds after which the credential is no longer taken. */
export function buildWhoami(principal: Principal, expiresAt: number | undefined) {
  const { kind, subject, username, name, email, emailVerified, orgs, claims } = principal
  const auth = {
    type: kind === 'workload' ? 'app_token' : 'oauth',
    ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt * 1000).toISOString() }),
  }
  if (kind === 'workload') return { type: 'app', id: subject, name: name ?? subject, auth }
  return {
    type: 'user',
    id: subject,
    name: username ?? email ?? subject,
    fullname: name ?? username ?? subject,
    email: email ?? null,
    ...(email === undefined ? {} : { emailVerified: emailVerified === true }),
    isPro: claims.isPro === true,
    canPay: claims.canPay === true,
    avatarUrl: typeof claims.picture === 'string' ? claims.picture : '',
    periodEnd: null,
    orgs: (orgs ?? []).map(describeOrg),
    auth,
  }
}

function describeOrg({ id, handle, name, role, plan, resourceGroups, restrictions }: OrgMembership) {
  return {
    type: 'org',
    id,
    name: handle,
    fullname: name ?? handle,
    email: null,
    canPay: false,
    avatarUrl: '',
    periodEnd: null,
    ...(plan === undefined ? {} : { plan }),
    ...(role === undefined ? {} : { roleInOrg: role }),
    ...(resourceGroups === undefined ? {} : { resourceGroups }),
    ...(restrictions === undefined ? {} : { securityRestrictions: restrictions }),
  }
}
