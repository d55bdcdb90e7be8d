/**
 * GitHub answers: what GitHub says of a person's addresses, organisations and teams, as far as it counts.
 *
 * Everything is by id: logins and slugs change hands. An answer that is refused, cut off or of another
 * shape is no answer, and what it would have told is unknown.
 *
 * @module
 */
import type { Claims, Json } from '@hfauth/core'
import { parseJson } from '@hfauth/core/json'
import { isJsonObject } from '../internal/json-object.ts'
import type { BoundedResponse } from '../internal/request.ts'
import { claim } from '../token/claims.ts'

/** Where the API of a GitHub is: github.com, a data-residency tenant, or a server of one's own. */
export function githubApiOf(url: string): string {
  const { protocol, host } = new URL(url)
  if (host === 'github.com') return 'https://api.github.com'
  return host.endsWith('.ghe.com') ? `https://api.${host}` : `${protocol}//${host}/api/v3`
}

/** The verified primary address of `GET /user/emails`. */
export function readEmail(response: BoundedResponse): Claims {
  const primary = (readList(response) ?? []).find((entry) => claim(entry, 'primary') === true)
  const email = primary && claim(primary, 'email')
  return typeof email === 'string' && primary?.verified === true ? { email, email_verified: true } : {}
}

/** Ids of those of `wanted` in which `GET /user/memberships/orgs` says that the person is active. */
export function readMemberships(response: BoundedResponse, wanted: readonly string[]): readonly string[] {
  const active = (readList(response) ?? [])
    .filter((membership) => claim(membership, 'state') === 'active')
    .map((membership) => idOf(claim(membership, 'organization')))
  return wanted.filter((id) => active.includes(id))
}

/** `team:ORG/TEAM` for each team of `GET /user/teams` in one of `orgs`; `undefined` when they are not all known. */
export function readTeams(response: BoundedResponse, orgs: readonly string[]): readonly string[] | undefined {
  if (/\brel="?next\b/.test(response.headers.get('link') ?? '')) return undefined
  return readList(response)?.flatMap((team) => {
    const [org, id] = [idOf(claim(team, 'organization')), idOf(team)]
    return org !== undefined && id !== undefined && orgs.includes(org) ? [`team:${org}/${id}`] : []
  })
}

function readList({ status, text }: BoundedResponse): readonly Claims[] | undefined {
  if (status !== 200) return undefined
  try {
    const value = parseJson(text)
    return Array.isArray(value) && value.every(isJsonObject) ? (value as Claims[]) : undefined
  } catch {
    return undefined
  }
}

function idOf(value: Json | undefined): string | undefined {
  const id = isJsonObject(value) ? claim(value, 'id') : undefined
  return Number.isSafeInteger(id) ? String(id) : undefined
}
