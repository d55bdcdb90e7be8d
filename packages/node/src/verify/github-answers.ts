/**
 * GitHub answers: what GitHub says of a person's addresses, organisations and teams, as far as it counts.
 *
 * Everything is by id: logins and slugs change hands.
 *
 * @module
 */
import type { Claims, Json } from '@hfauth/core'
import { isJsonObject } from '../internal/json-object.ts'
import { claim } from '../token/claims.ts'
import type { Listed } from './github-pages.ts'

/** Where the API of a GitHub is: github.com, a data-residency tenant, or a server of one's own. */
export function githubApiOf(url: string): string {
  const { protocol, host } = new URL(url)
  if (host === 'github.com') return 'https://api.github.com'
  return host.endsWith('.ghe.com') ? `https://api.${host}` : `${protocol}//${host}/api/v3`
}

/** The verified primary address of `GET /user/emails`. */
export function readEmail({ entries }: Listed): Claims {
  const primary = entries.find((entry) => claim(entry, 'primary') === true)
  const email = primary && claim(primary, 'email')
  return typeof email === 'string' && primary?.verified === true ? { email, email_verified: true } : {}
}

/** Ids of those of `wanted` in which `GET /user/memberships/orgs` says that the person is active. */
export function readMemberships({ entries }: Listed, wanted: readonly string[]): readonly string[] {
  const active = entries
    .filter((membership) => claim(membership, 'state') === 'active')
    .map((membership) => idOf(claim(membership, 'organization')))
  return wanted.filter((id) => active.includes(id))
}

/** `team:ORG/TEAM` for each team of `GET /user/teams` in one of `orgs`. */
export function readTeams({ entries }: Listed, orgs: readonly string[]): readonly string[] {
  return entries.flatMap((team) => {
    const [org, id] = [idOf(claim(team, 'organization')), idOf(team)]
    return org !== undefined && id !== undefined && orgs.includes(org) ? [`team:${org}/${id}`] : []
  })
}

function idOf(value: Json | undefined): string | undefined {
  const id = isJsonObject(value) ? claim(value, 'id') : undefined
  return Number.isSafeInteger(id) ? String(id) : undefined
}
