/**
 * GitHub: verifies a person's access token by asking GitHub, as the app it was given to.
 *
 * kind → **GitHub** → principal. GitHub tells an app of its own tokens only, so that a token which was
 * given to someone else's app, or taken back, or has expired, is simply not found.
 *
 * Organisations are asked for where the policy lists them as tenants, the address where the token may see
 * it. What GitHub does not tell stays unknown.
 *
 * @see docs.github.com: REST, apps/oauth-applications (check a token), orgs/members, teams, users/emails
 * @module
 */
import { type Claims, HfAuthError, type Issuer, type Json } from '@hfauth/core'
import { basicAuthorization } from '../internal/basic-authorization.ts'
import { isJsonObject, parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, type Fetch, requestBounded, unavailable } from '../internal/request.ts'
import { withClientSecret } from '../secrets/client-secret.ts'
import { claim } from '../token/claims.ts'
import { checkTimes } from './check-claims.ts'
import { checkIdentity } from './check-identity.ts'
import { assertClientAccepted, type ClientCredentials } from './clients.ts'
import { githubApiOf, readEmail, readMemberships, readTeams } from './github-answers.ts'
import { type Listed, readPages } from './github-pages.ts'
import type { AcceptedToken, VerifyJwtOptions } from './jwt.ts'

export interface VerifyByGithubOptions {
  readonly fetch: Fetch
  /** Longest wait for each answer, in milliseconds. */
  readonly timeoutMs: number
  /** Current time in epoch milliseconds. */
  readonly now: () => number
  readonly time: VerifyJwtOptions['time']
}

const maxAnswerBytes = 512 * 1024

/**
 * Verifies one access token of a person.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when it is no living token of this app, or not a person's of
 * the organisations in the policy; `HFAUTH_TOKEN_EXPIRED`; `HFAUTH_ISSUER_UNAVAILABLE` (retryable).
 */
export async function verifyByGithub(
  token: string,
  issuer: Issuer,
  client: ClientCredentials,
  { fetch, timeoutMs, now, time }: VerifyByGithubOptions,
): Promise<AcceptedToken> {
  const api = githubApiOf(issuer.url)
  const subject = `GitHub at \`${api}\``
  const headers = { accept: 'application/vnd.github+json', 'user-agent': 'hfauth' }
  const bounds = { subject, fetch, timeoutMs, maxBytes: maxAnswerBytes }

  const check = (secret: string) =>
    requestBounded(`${api}/applications/${encodeURIComponent(client.id)}/token`, {
      ...bounds,
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        authorization: basicAuthorization({ id: client.id, secret }),
      },
      body: JSON.stringify({ access_token: token }),
    })
  const person = await withClientSecret(client.secret, async (secret) =>
    readTokenCheck(await check(secret), client.id, subject),
  )

  const asPerson = { ...bounds, headers: { ...headers, authorization: `Bearer ${token}` } }
  const list = (path: string) =>
    readPages(path, {
      api,
      timeoutMs,
      now,
      ask: (url, pageMs) => requestBounded(url, { ...asPerson, timeoutMs: pageMs }),
    })
  const claims = { ...person, ...(await readMore(person, issuer, list)) }
  const expiresAt = checkTimes(claims, { ...time(issuer.preset), requireExpiry: false })
  checkIdentity(claims, 'access_token', issuer)
  return { issuer, kind: 'access_token', claims, ...(expiresAt === undefined ? {} : { expiresAt }) }
}

/**
 * Reads GitHub's answer about a token.
 *
 * @throws HfAuthError `HFAUTH_TOKEN_INVALID` when there is no such token; `HFAUTH_ISSUER_UNAVAILABLE`
 * (retryable) when the answer says nothing about it.
 */
export function readTokenCheck(response: BoundedResponse, clientId: string, subject: string): Claims {
  const { status, text } = response
  if (status === 404 || status === 422) {
    throw new HfAuthError(
      'HFAUTH_TOKEN_INVALID',
      'GitHub knows no such token of this app: it expired, was taken back, or is another app’s',
    )
  }
  assertClientAccepted(response, subject)
  if (status !== 200) throw unavailable(subject, `status ${status}`)
  const answer = parseJsonObject(text)
  const user = answer && claim(answer, 'user')
  const app = answer && claim(answer, 'app')
  if (answer === undefined || !isJsonObject(user) || !isJsonObject(app)) {
    throw unavailable(subject, 'the answer is not about a token')
  }
  if (claim(app, 'client_id') !== clientId) {
    throw new HfAuthError('HFAUTH_TOKEN_AUDIENCE', 'the token was given to another app')
  }
  const id = claim(user, 'id')
  if (!Number.isSafeInteger(id) || claim(user, 'type') !== 'User') {
    throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the token is not a person’s')
  }
  return personClaims(answer, user, String(id))
}

function personClaims(answer: Claims, user: Claims, id: string): Claims {
  const scopes = claim(answer, 'scopes')
  const [issuedAt, expiresAt] = [
    secondsOf(claim(answer, 'created_at')),
    secondsOf(claim(answer, 'expires_at')),
  ]
  return {
    sub: id,
    preferred_username: claim(user, 'login') ?? null,
    ...(Array.isArray(scopes) ? { scope: scopes as Json } : {}),
    ...(issuedAt === undefined ? {} : { iat: issuedAt }),
    ...(expiresAt === undefined ? {} : { exp: expiresAt }),
  }
}

/** What needs further questions: only what the policy uses, or the token says it may see. */
async function readMore(
  { scope }: Claims,
  { tenants }: Issuer,
  list: (path: string) => Promise<Listed>,
): Promise<Claims> {
  const scopes: readonly Json[] = Array.isArray(scope) ? scope : []
  const more: Record<string, Json> = {}
  if (scopes.includes('user:email') || scopes.includes('user')) {
    Object.assign(more, readEmail(await list('/user/emails')))
  }
  if (tenants.length > 0) {
    const memberships = await list('/user/memberships/orgs?state=active&per_page=100')
    const orgs = readMemberships(memberships, tenants)
    if (orgs[0] === undefined) return more
    more.org = orgs[0]
    // Groups that cannot all be told are unknown: one that is missing would not be denied what it is denied.
    if (!memberships.isWhole) return more
    const teams = await list('/user/teams?per_page=100')
    if (teams.isWhole) more.groups = [...orgs.map((id) => `org:${id}`), ...readTeams(teams, orgs)]
  }
  return more
}

function secondsOf(text: Json | undefined): number | undefined {
  const ms = typeof text === 'string' ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1000)
}
