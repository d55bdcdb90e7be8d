/**
 * Session fixture: a service with sessions, and browsers that keep their cookies as browsers do.
 *
 * @module
 */
import { createEngine, type PolicyDocument, parsePolicy } from '@hfauth/core'
import { confidentialAppId, type Hub, publicAppId } from '@hfauth/testkit'
import { leaveLines, rememberSecrets } from '../../../test/support/output.ts'
import {
  createAuditLog,
  createSessions,
  createVerifier,
  type MemorySink,
  memorySink,
  type SessionStore,
  type Sessions,
  type SessionsOptions,
} from '../src/index.ts'

export const origin = 'http://127.0.0.1:4321'
export const secret = 'a secret of the tests, forty-two characters'
export const cookieName = '__Host-hfauth'

export interface Service {
  readonly sessions: Sessions
  readonly events: MemorySink['events']
  readonly engine: SessionsOptions['engine']
  readonly verifier: SessionsOptions['verifier']
  readonly audit: SessionsOptions['audit']
}

export interface ServiceOptions
  extends Partial<Omit<SessionsOptions, 'engine' | 'verifier' | 'audit' | 'store'>> {
  readonly store?: SessionStore | undefined
  readonly now: () => number
  readonly issuers?: PolicyDocument['issuers']
  readonly sink?: Parameters<typeof createAuditLog>[0]['sink']
}

/** People of `acme` who write there are engineers; whoever signs in reads. */
export function policyFor(issuers: PolicyDocument['issuers']) {
  return parsePolicy({
    version: 1,
    name: 'sessions',
    issuers,
    environments: { production: {} },
    roles: {
      viewer: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] },
      engineer: { allow: [{ actions: ['infer'], on: ['model:acme/*'] }] },
    },
    bindings: [
      { roles: ['viewer'], to: { issuer: Object.keys(issuers) } },
      ...(issuers.hf === undefined
        ? []
        : [{ roles: ['engineer'], to: { issuer: 'hf', org: 'acme', orgRole: ['write', 'admin'] } }]),
    ],
    routes: [
      { match: 'GET /v1/models/:name', action: 'read', resource: 'model:acme/:name' },
      { match: 'POST /v1/predict/:name', action: 'infer', resource: 'model:acme/:name' },
    ],
  })
}

export function hubIssuers(hub: Hub): PolicyDocument['issuers'] {
  return {
    hf: { preset: 'huggingface', issuer: hub.url, audience: [publicAppId, confidentialAppId] },
  }
}

export function createService({ now, issuers = {}, sink, store, ...options }: ServiceOptions): Service {
  const policy = policyFor(issuers)
  const memory = memorySink()
  const environment = 'production'
  const engine = createEngine(policy, { environment, now })
  const verifier = createVerifier({ policy, now })
  const audit = createAuditLog({
    sink: sink ?? memory,
    environment,
    service: 'test',
    now,
    durability: 'strict',
  })
  rememberSecrets([secret])
  const sessions = createSessions({
    engine,
    verifier,
    audit,
    origin,
    secrets: [secret],
    providers: { hf: { clientId: publicAppId } },
    now,
    ...(store === undefined ? {} : { store }),
    ...options,
  })
  return { sessions, events: memory.events, engine, verifier, audit }
}

/** Leaves what a service put on record for the last reading of all output. */
export function leaveRecord(name: string, { events }: Pick<Service, 'events'>): void {
  leaveLines(`audit-${name}`, events)
}

/** A browser with one origin's cookies, that tells where its requests come from. */
export class Browser {
  readonly cookies = new Map<string, string>()
  private readonly sessions: Sessions

  constructor(sessions: Sessions, cookies: Iterable<readonly [string, string]> = []) {
    this.sessions = sessions
    this.cookies = new Map(cookies)
  }

  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** A request as this browser sends it from a page of ours; headers can be replaced or, with `null`, removed. */
  request(path: string, init: RequestInit = {}, headers: Record<string, string | null> = {}): Request {
    const method = init.method ?? 'GET'
    const all: Record<string, string | null> = {
      cookie: this.cookie || null,
      'sec-fetch-site': 'same-origin',
      origin: method === 'GET' ? null : origin,
      ...headers,
    }
    const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null)
    return new Request(new URL(path, origin), { ...init, headers: Object.fromEntries(sent) })
  }

  async send(path: string, init?: RequestInit, headers?: Record<string, string | null>): Promise<Response> {
    const response = await this.sessions.handle(this.request(path, init, headers))
    if (response === undefined) throw new Error(`nothing answers \`${path}\``)
    this.store(response)
    return response
  }

  store(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split('; ')
      const [name = '', value = ''] = pair.split('=')
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name)
      else this.cookies.set(name, value)
      if (value !== '') rememberSecrets([value])
    }
  }

  async me(): Promise<{ signedIn: boolean; csrfToken: string; principal: { id: string; username: string } }> {
    return (await (await this.send('/auth/me')).json()) as never
  }

  /** Leaves for the provider; gives the address it was sent to. */
  async leave(query = ''): Promise<string> {
    const response = await this.send(`/auth/login${query}`)
    return response.headers.get('location') ?? ''
  }

  /** Signs in from beginning to end; gives the last answer. */
  async signIn(
    hub: Hub,
    username = 'ana',
    query = '',
    orgs: readonly string[] = ['acme'],
  ): Promise<Response> {
    const authorizationUrl = await this.leave(query)
    const back = await hub.signIn({ authorizationUrl, username, grantOrgs: orgs })
    return this.send(back)
  }

  async signOut(body = '', headers: Record<string, string | null> = {}): Promise<Response> {
    const { csrfToken } = await this.me()
    const form = { method: 'POST', body: new URLSearchParams(body) }
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    return this.send('/auth/logout', form, { 'x-csrf-token': csrfToken, ...type, ...headers })
  }
}
