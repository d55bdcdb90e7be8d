/**
 * Sessions: signs people in on the server and knows them by a cookie from then on.
 *
 * verify → **session** → guard. Handlers over Web `Request`s for the pages, and the reading of a session for
 * everything else. Tokens stay here: a browser only ever holds the cookie.
 *
 * @module
 */
import type { RevocableIdentity } from '../verify/types.ts'
import { jsonAnswer, problemAnswer, problemOf, redirectAnswer, withCookies } from './answers.ts'
import { createAttempts } from './attempts.ts'
import { isDoubled, removalOf } from './cookies.ts'
import { createCsrf, isUnsafe } from './csrf.ts'
import { createHandOver } from './hand-over.ts'
import type { IdentityReader } from './identity.ts'
import { createJournal, type Visitor } from './journal.ts'
import { createKeeper, type Kept } from './keeper.ts'
import { createLeases } from './lease.ts'
import { createOAuthProvider } from './oauth.ts'
import { readSessionsOptions, type SessionsOptions } from './options.ts'
import type { SessionRecord } from './record.ts'
import { createRefresher } from './refresh.ts'
import { finishSignIn, startSignIn, stateOf } from './sign-in.ts'
import { readSignOutForm, signOut } from './sign-out.ts'
import type { Session, SessionReader, SessionRequest } from './types.ts'

export interface AccessToken {
  readonly token: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  readonly scopes: readonly string[]
}

export interface Sessions extends SessionReader {
  /**
   * Answers `login`, `callback`, `session`, `me` and `logout` under the base path; `undefined` for every other
   * path. Never throws for what a request contains.
   *
   * @param client - Address of the socket's other end, for the record.
   */
  handle(request: Request, client?: { readonly remoteAddress?: string }): Promise<Response | undefined>
  /** As `identify`, without the proof that an unsafe request needs: for what changes nothing. */
  load(request: SessionRequest): Promise<Session | undefined>
  /**
   * The person's access token at the provider, renewed when it lasts less than a minute. For requests that this
   * service makes itself; never hand it to the page.
   *
   * @returns `undefined` when there is no session, or it has no token.
   * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable) when it has expired and cannot be renewed now.
   */
  accessToken(request: SessionRequest): Promise<AccessToken | undefined>
  /**
   * Gives the session a new id, and forgets the old one: to be called when a person has gained rights here.
   * The new `setCookie` must be sent.
   *
   * @returns `undefined` when there is no session.
   */
  rotate(request: SessionRequest): Promise<Session | undefined>
  /**
   * Ends every session of a subject, or of one sign-in at the provider when `sessionId` is given: for
   * administrators and for back-channel logout. Gives their number.
   *
   * @param of - `issuer` is the address of the issuer, not its alias.
   * @throws HfAuthError `HFAUTH_CONFIG_INVALID` without a store.
   */
  endAll(of: Pick<RevocableIdentity, 'issuer' | 'subject' | 'sessionId'>): Promise<number>
}

/** An access token that lasts less than this is renewed before it is handed out, in milliseconds. */
const leastAccessMs = 60_000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is missing, weak or out of its range. */
export function createSessions(options: SessionsOptions): Sessions {
  const settings = readSessionsOptions(options)
  const { basePath, cookieName, verifier, now, idleMs } = settings
  const keeper = createKeeper(settings)
  const attempts = createAttempts(settings)
  const takeOver = createHandOver(settings)
  const csrf = createCsrf(settings.secrets, settings.origin)
  const journal = createJournal(settings)
  const readers: ReadonlyMap<string, IdentityReader> = new Map(
    [...settings.providers].map(([alias, provider]) => [
      alias,
      { provider, oauth: createOAuthProvider(provider, settings), verifier, now },
    ]),
  )
  const parts = { settings, keeper, attempts, readers }
  const leases = createLeases(keeper, settings)
  const refresher = createRefresher({
    keeper,
    leases,
    settings,
    readerOf: (alias) => readers.get(alias),
    onRefreshed: ({ principal, record }) => journal.refreshed(principal, record.scopes),
    onEnded: ({ principal }, error) => journal.ended(principal, undefined, error),
  })
  /** Use counts once in a while only: a write for every request would be dear and say nothing more. */
  const touchMs = Math.min(60_000, idleMs / 10)

  async function current(headers: Pick<Headers, 'get'>): Promise<Kept | undefined> {
    const found = await keeper.find(headers)
    const fresh = found && (await refresher.fresh(found))
    if (fresh === undefined || now() - fresh.record.seenAt < touchMs || leases.isHeld(fresh.record))
      return fresh
    // Another request may have been quicker; then it has said the same.
    return (await keeper.change(fresh, { ...fresh.record, seenAt: now() })) ?? keeper.again(fresh)
  }

  function removalOfDoubled(headers: Pick<Headers, 'get'>): string | undefined {
    return isDoubled(headers, cookieName) ? removalOf(cookieName) : undefined
  }

  function sessionOf({ id, principal, record, endsAt, setCookie }: Kept): Session {
    return Object.freeze({
      principal,
      scopes: record.scopes,
      signedInAt: record.signedInAt,
      endsAt,
      csrfToken: csrf.tokenFor(id),
      ...(setCookie === undefined ? {} : { setCookie }),
    })
  }

  /** Begins a session in the place of the one that the browser had, if any. */
  async function begin(record: SessionRecord, visitor: Visitor, route: string): Promise<Kept> {
    const kept = await keeper.begin(record)
    try {
      await journal.started(kept.principal, record.scopes, visitor, route)
    } catch (error) {
      await keeper.end(kept)
      throw error
    }
    const before = await keeper.find(visitor.headers)
    if (before !== undefined && (await keeper.end(before))) await journal.ended(before.principal, visitor)
    return kept
  }

  async function callback(request: Request, alias: string, visitor: Visitor): Promise<Response> {
    const route = `${basePath}/callback`
    const forget = attempts.forget(stateOf(new URL(request.url).searchParams))
    try {
      const { record, returnTo } = await finishSignIn(request, alias, parts)
      const { setCookie = '' } = await begin(record, visitor, route)
      return redirectAnswer(returnTo, [setCookie, forget])
    } catch (error) {
      return withCookies(await refuse(error, visitor, route), [forget])
    }
  }

  async function refuse(error: unknown, visitor: Visitor, route: string): Promise<Response> {
    const problem = problemOf(error)
    await journal.refused(error, visitor, route, problem.status)
    const { failurePath } = settings
    // A page's own request wants the answer itself; only a browser on its way is sent on.
    if (failurePath === undefined || visitor.method !== 'GET') return problemAnswer(problem)
    return redirectAnswer(`${failurePath}?error=${problem.reason}`)
  }

  async function handOver(request: Request, visitor: Visitor): Promise<Response> {
    try {
      csrf.assertOrigin(request.headers)
      const kept = await begin(await takeOver(request.headers), visitor, `${basePath}/session`)
      return jsonAnswer(describe(sessionOf(kept)), kept.setCookie === undefined ? [] : [kept.setCookie])
    } catch (error) {
      return refuse(error, visitor, `${basePath}/session`)
    }
  }

  async function me(request: Request): Promise<Response> {
    const kept = await current(request.headers)
    if (kept === undefined) {
      const removal = removalOfDoubled(request.headers)
      return jsonAnswer({ signedIn: false }, removal === undefined ? [] : [removal])
    }
    return jsonAnswer(describe(sessionOf(kept)), kept.setCookie === undefined ? [] : [kept.setCookie])
  }

  async function logout(request: Request, visitor: Visitor): Promise<Response> {
    const form = await readSignOutForm(request)
    const kept = await keeper.find(request.headers)
    if (kept === undefined) csrf.assertOrigin(request.headers)
    else csrf.assertOwn(request.headers, kept.id, form.token)
    const done = kept && (await signOut(kept, form.everywhere, parts))
    if (kept !== undefined) await journal.ended(kept.principal, visitor, done?.failure)
    const cookies = [removalOf(cookieName)]
    const location = done?.location ?? settings.afterSignOut
    return (request.headers.get('accept') ?? '').includes('application/json')
      ? jsonAnswer({ signedIn: false, location }, cookies)
      : redirectAnswer(location, cookies)
  }

  /** Method, and what answers it, for a path; a callback's path says whose it is. */
  function routeOf(
    path: string,
  ): readonly [string, (request: Request, visitor: Visitor) => Promise<Response>] | undefined {
    if (!path.startsWith(`${basePath}/`)) return undefined
    const [name, alias, ...more] = path.slice(basePath.length + 1).split('/')
    if (name === 'callback' && more.length === 0) {
      const known = alias ?? settings.defaultProvider
      const ours = readers.get(known)?.provider.redirectUri === settings.origin + path
      return ours ? ['GET', (request, visitor) => callback(request, known, visitor)] : undefined
    }
    if (alias !== undefined) return undefined
    switch (name) {
      case 'login':
        return ['GET', (request) => startSignIn(request, parts)]
      case 'session':
        return ['POST', handOver]
      case 'me':
        return ['GET', me]
      case 'logout':
        return ['POST', logout]
      default:
        return undefined
    }
  }

  return {
    async handle(request, client = {}) {
      const found = routeOf(new URL(request.url).pathname)
      if (found === undefined) return undefined
      const [method, answer] = found
      if (request.method !== method) {
        return problemAnswer({ status: 405, reason: 'method', detail: `Use ${method}.` }, { allow: method })
      }
      const forwardedFor = request.headers.get('x-forwarded-for')
      const remoteAddress = settings.proxies.clientOf(client.remoteAddress, forwardedFor)
      const visitor = { headers: request.headers, method, remoteAddress }
      try {
        return await answer(request, visitor)
      } catch (error) {
        return problemAnswer(problemOf(error))
      }
    },

    async load({ headers }) {
      const kept = await current(headers)
      return kept && sessionOf(kept)
    },

    async identify(request) {
      const kept = await current(request.headers)
      if (kept !== undefined && isUnsafe(request)) csrf.assertOwn(request.headers, kept.id)
      return kept && sessionOf(kept)
    },

    removalOfDoubled: ({ headers }) => removalOfDoubled(headers),

    async accessToken({ headers }) {
      const found = await keeper.find(headers)
      const kept = found && (await refresher.withAccess(found, leastAccessMs))
      const tokens = kept?.record.tokens
      if (kept === undefined || tokens === undefined || tokens.accessUntil <= now()) return undefined
      return { token: tokens.access, expiresAt: tokens.accessUntil, scopes: kept.record.scopes }
    },

    async rotate({ headers }) {
      let before = await current(headers)
      let mine: Kept | undefined
      // Under a lease, so that no refresh is lost between the old id and the new one.
      while (before !== undefined && mine === undefined) {
        before = await leases.settled(before)
        mine = before && (await leases.take(before))
        if (mine === undefined && before !== undefined) before = await keeper.again(before)
      }
      if (before === undefined || mine === undefined) return undefined
      const { lease: _, ...record } = before.record
      const kept = await keeper.begin(record)
      // Ended meanwhile, by a sign-out everywhere for instance: then the new one must not live on.
      if (await keeper.end(mine)) return sessionOf(kept)
      await keeper.end(kept)
      return undefined
    },

    endAll: (of) => keeper.endAll(of),
  }
}

/** What a page may know of its own session. */
function describe({ principal, scopes, signedInAt, endsAt, csrfToken }: Session): object {
  const { id, issuer, username, name } = principal
  return {
    signedIn: true,
    principal: {
      id,
      issuer,
      ...(username === undefined ? {} : { username }),
      ...(name === undefined ? {} : { name }),
    },
    scopes,
    signedInAt,
    endsAt,
    csrfToken,
  }
}
