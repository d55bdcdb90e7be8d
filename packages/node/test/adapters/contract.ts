/**
 * The contract of every adapter: one guard, one set of routes, one list of promises, whatever framework
 * stands between the socket and the handler.
 *
 * @module
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  createEngine,
  definePolicy,
  HfAuthError,
  type HfAuthErrorCode,
  parsePolicy,
  presets,
  principalFromClaims,
} from '@hfauth/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Admission } from '../../src/adapters/admission.ts'
import {
  type AuditSink,
  createAuditLog,
  createGuard,
  type Guard,
  type GuardQuestion,
  memorySink,
  type RecordedEvent,
  type Verifier,
} from '../../src/index.ts'
import { type RawAnswer, sendRaw } from '../proxy-fixture.ts'

/** What an application mounts: the same paths, questions and handlers under each framework. */
export interface Parts {
  readonly guard: Guard
  /** Asked for by `POST /predict/:name`; the name is the framework's own reading of the path. */
  question(name: string): GuardQuestion
  /** What the handlers behind the guard answer. */
  seen(admission: Admission | undefined): object
  /** Paths that reached a handler. */
  readonly reached: string[]
  /** What the handler of `GET /fails` threw, as the framework's own way of reporting errors has it. */
  readonly errors: unknown[]
}

export interface RunningApp {
  /** `http://127.0.0.1:port` */
  readonly url: string
  close(): Promise<void>
}

export interface Framework {
  readonly name: string
  /**
   * Serves:
   * - `GET /api/models/:name` guarded by the policy's own route, answers `seen(…)` as JSON;
   * - `POST /predict/:name` guarded by `question(name)`, sends the body back as it comes in;
   * - `GET /office`, guarded by `officeQuestion`, answers `seen(…)`;
   * - `GET /fails`, guarded by `readQuestion`, whose handler throws `failure`.
   */
  start(parts: Parts): Promise<RunningApp>
  /** The framework hands over less than what came: promises that hang on it are made otherwise. */
  readonly hides?: { readonly target?: true; readonly headers?: true; readonly address?: true }
}

export const readQuestion: GuardQuestion = { action: 'read', resource: 'model:acme/vision' }
export const officeQuestion: GuardQuestion = { action: 'read', resource: 'dataset:acme/plans' }
export const failure = 'the handler failed'

const metadata = 'https://api.acme.dev/.well-known/oauth-protected-resource'
const policy = parsePolicy(
  definePolicy({
    version: 1,
    name: 'acme-models',
    issuers: {
      okta: { preset: 'okta', issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://models' },
      hf: { preset: 'huggingface', audience: 'app' },
    },
    environments: {
      production: { maxTokenAge: '10m', require: { 'principal.mfa': true }, exempt: ['hf'] },
    },
    roles: {
      user: {
        allow: [
          { actions: ['read', 'infer'], on: ['model:acme/*'] },
          {
            actions: ['read'],
            on: ['dataset:acme/*'],
            when: { 'context.ip': { $cidr: '198.51.100.0/24' } },
          },
        ],
      },
    },
    bindings: [{ roles: ['user'], to: { issuer: ['okta', 'hf'] } }],
    deny: [{ actions: ['*'], on: ['model:acme/secret'], reason: 'Ask the board.' }],
    routes: [{ match: 'GET /api/models/:name', action: 'read', resource: 'model:acme/:name' }],
  }),
)

/** Tokens are names: `ana`; `old` and `weak`, whose sign-in does not do; `hf_ana` without scopes; a code of an error. */
function stubVerifier(waits: Map<string, Promise<void>>): Verifier {
  return {
    async verify(token) {
      await waits.get(token)
      if (token.startsWith('HFAUTH_')) throw new HfAuthError(token as HfAuthErrorCode, 'refused')
      const alias = token.startsWith('hf_') ? 'hf' : 'okta'
      const preset = presets.get(alias === 'hf' ? 'huggingface' : 'okta')
      const issuer = policy.issuers.get(alias)
      if (preset === undefined || issuer === undefined) throw new Error('no issuer')
      const now = Math.floor(Date.now() / 1000)
      const claims = {
        sub: token,
        iat: token === 'old' ? now - 3600 : now,
        exp: now + 60,
        amr: token === 'weak' ? ['pwd'] : ['mfa'],
        ...(alias === 'hf' ? { scope: 'openid' } : {}),
      }
      const credential = alias === 'hf' ? 'access_token' : 'id_token'
      const principal = principalFromClaims({ issuer: alias, preset, credential, claims })
      return { principal, issuer, kind: credential, fingerprint: '0'.repeat(32) }
    },
  }
}

interface Case {
  readonly title: string
  readonly request: string
  readonly token?: string
  readonly headers?: readonly string[]
  readonly status: number
  readonly reason: string
  readonly challenge?: string
}

const resource = `resource_metadata="${metadata}"`
const refusals: readonly Case[] = [
  {
    title: 'nobody in particular',
    request: 'GET /api/models/vision',
    status: 401,
    reason: 'authentication_required',
    challenge: `Bearer ${resource}`,
  },
  {
    title: 'a token that is not accepted',
    request: 'GET /api/models/vision',
    token: 'HFAUTH_TOKEN_INVALID',
    status: 401,
    reason: 'token_invalid',
    challenge: `Bearer error="invalid_token", ${resource}`,
  },
  {
    title: 'whoever the policy denies',
    request: 'GET /api/models/secret',
    token: 'ana',
    status: 403,
    reason: 'access_denied',
  },
  {
    title: 'a token that lacks a scope',
    request: 'POST /predict/vision',
    token: 'hf_ana',
    status: 403,
    reason: 'insufficient_scope',
    challenge: `Bearer error="insufficient_scope", scope="inference-api", ${resource}`,
  },
  {
    title: 'a sign-in that is too long ago',
    request: 'GET /api/models/vision',
    token: 'old',
    status: 401,
    reason: 'token_too_old',
    challenge: `Bearer error="insufficient_user_authentication", max_age="600", ${resource}`,
  },
  {
    title: 'a sign-in that is too weak',
    request: 'GET /api/models/vision',
    token: 'weak',
    status: 401,
    reason: 'step_up_required',
    challenge: `Bearer error="insufficient_user_authentication", acr_values="http://schemas.openid.net/pape/policies/2007/06/multi-factor", ${resource}`,
  },
  {
    title: 'everybody while the issuer is down',
    request: 'GET /api/models/vision',
    token: 'HFAUTH_ISSUER_UNAVAILABLE',
    status: 503,
    reason: 'issuer_unavailable',
  },
  {
    title: 'a credential of another scheme',
    request: 'GET /api/models/vision',
    headers: ['Authorization: Basic YTpi'],
    status: 401,
    reason: 'token_invalid',
    challenge: `Bearer error="invalid_token", ${resource}`,
  },
  {
    title: 'a token in the header and one in the query',
    request: 'GET /api/models/vision?access_token=ana',
    token: 'ana',
    status: 400,
    reason: 'credential_malformed',
    challenge: `Bearer error="invalid_request", ${resource}`,
  },
]

/** All but `Content-Length`: how a body is framed is between the server and its client. */
const guardHeaders = [
  'cache-control',
  'content-type',
  'retry-after',
  'www-authenticate',
  'x-content-type-options',
  'x-request-id',
]

export function testAdapter({ name, start, hides = {} }: Framework): void {
  describe(`behind ${name}`, () => {
    const { events, ...sink } = memorySink()
    const waits = new Map<string, Promise<void>>()
    const reached: string[] = []
    const errors: unknown[] = []
    let app: RunningApp
    const guardOver = (events: AuditSink) =>
      createGuard({
        engine: createEngine(policy, { environment: 'production' }),
        verifier: stubVerifier(waits),
        audit: createAuditLog({
          sink: events,
          environment: 'production',
          service: 'api',
          timeoutMs: 5000,
          durability: 'strict',
        }),
        resourceMetadataUrl: metadata,
        trustedProxies: ['127.0.0.1'],
        proxyTokenHeader: 'x-amzn-oidc-data',
        requestId: () => 'request-1',
      })
    /** The same guard without a framework: every adapter must answer as it does, to the byte. */
    const bare = guardOver(memorySink())
    const question = (model: string) => ({
      action: 'infer',
      resource: `model:acme/${model}`,
      route: 'POST /predict/:name',
    })
    beforeAll(async () => {
      const guard = guardOver(sink)
      app = await start({
        guard: {
          ...guard,
          // As with sessions: whoever comes with this token gets a cookie anew.
          async check(...args) {
            const outcome = await guard.check(...args)
            const isRenewed = outcome.allowed && outcome.principal.subject === 'renewed'
            return isRenewed ? { ...outcome, setCookie: 'session=2; Path=/' } : outcome
          },
        },
        question,
        seen: (admission) => ({
          id: admission?.principal.id,
          may: admission?.access.can('infer', 'model:acme/x'),
          decided: admission?.decision.resource,
          requestId: admission?.requestId,
        }),
        reached,
        errors,
      })
    }, 180_000)
    afterAll(() => app?.close())
    let before = 0
    beforeEach(() => {
      reached.length = 0
      errors.length = 0
      before = events.length
    })

    const ask = (request: string, ...headers: readonly string[]) =>
      sendRaw(app.url, bytesOf(request, headers))
    const recorded = (): RecordedEvent[] => events.slice(before)
    const as = (token: string) => `Authorization: Bearer ${token}`

    test('a handler knows who is asking, what they may do and what was decided', async () => {
      const answer = await ask('GET /api/models/vision?x=1', as('ana'))
      expect(answer.status).toBe(200)
      expect(JSON.parse(textOf(answer))).toEqual({
        id: 'okta|ana',
        may: true,
        decided: 'model:acme/vision',
        requestId: 'request-1',
      })
      expect(recorded()).toMatchObject([
        {
          type: 'io.hfauth.decision',
          http: { method: 'GET', route: 'GET /api/models/:name' },
          decision: { effect: 'allow' },
        },
      ])
      expect(reached).toEqual(['/api/models/vision'])
    })

    test('a token that a trusted proxy hands over lets its person in, and not beside another', async () => {
      const handed = 'X-Amzn-Oidc-Data: YQ==.bmE=.eA=='
      const answer = await ask('GET /api/models/vision', handed)
      if (hides.address) return expect(answer.status).toBe(400)
      expect(answer.status).toBe(200)
      expect(JSON.parse(textOf(answer)).id).toBe('okta|YQ==.bmE=.eA==')
      for (const more of [as('ana'), handed]) {
        expect((await ask('GET /api/models/vision', handed, more)).status).toBe(400)
      }
    })

    test.each(refusals)('$title is refused, and the handler never runs', async (refusal) => {
      const { request, token, headers = [], status, reason, challenge } = refusal
      const answer = await ask(request, ...(token === undefined ? [] : [as(token)]), ...headers)
      const fields = headersOf(answer)
      expect(answer.status).toBe(status)
      expect(fields.get('www-authenticate') ?? undefined).toBe(challenge)
      expect(fields.get('content-type')).toBe('application/problem+json')
      expect(fields.get('cache-control')).toBe('no-store')
      expect(fields.get('retry-after')).toBe(status === 503 ? '5' : null)
      expect(JSON.parse(textOf(answer))).toMatchObject({
        type: `urn:hfauth:problem:${reason}`,
        status,
        reason,
        requestId: 'request-1',
      })
      expect(answer.text).not.toContain('board')
      expect(reached).toEqual([])
      expect(recorded()).toHaveLength(1)

      const [method = '', target = ''] = request.split(' ')
      const lines = [...headers, ...(token === undefined ? [] : [as(token)])]
      const direct = await bare.check(
        new Request(`http://a${target}`, { method, headers: lines.map(splitField) }),
        method === 'POST' ? question('vision') : undefined,
      )
      if (direct.allowed) throw new Error('allowed')
      const shownOf = (all: Headers) =>
        Object.fromEntries(guardHeaders.map((field) => [field, all.get(field)]))
      expect(shownOf(fields)).toEqual(shownOf(direct.response.headers))
      expect(textOf(answer)).toBe(await direct.response.text())
    })

    test('two credentials are two, and not the first', async () => {
      const answer = await ask('GET /api/models/vision', as('ana'), as('ben'))
      if (hides.headers) {
        // All that anybody behind this framework can see is the first, so nobody can take the second for it.
        expect(JSON.parse(textOf(answer))).toMatchObject({ id: 'okta|ana' })
        return
      }
      expect(answer.status).toBe(400)
      expect(headersOf(answer).get('www-authenticate')).toContain('error="invalid_request"')
      expect(reached).toEqual([])
    })

    test.each([
      ['an encoded dot segment', '/api/models/%2e%2e'],
      ['dots between encoded slashes', '/api/models/x%2f..%2fsecret'],
      ['a double encoding', '/api/models/%2573ecret'],
      ['an encoded control', '/api/models/a%00b'],
      ['an empty segment', '/api//models/vision'],
      ['dot segments', '/api/models/../models/secret'],
      ...(hides.target ? [] : [['a fragment', '/api/models/vision#x']]),
    ])('a target with %s reaches no handler', async (_, target) => {
      const answer = await ask(`GET ${target}`, as('ana'))
      expect(reached).toEqual([])
      expect(answer.status).toBeGreaterThanOrEqual(300)
      expect(answer.status).toBeLessThan(500)
      if (!hides.target && recorded().length > 0) {
        expect(recorded()[0]?.decision).toMatchObject({ effect: 'deny' })
      }
    })

    test('an encoded slash stays inside its segment, for the guard as for the handler', async () => {
      const answer = await ask('GET /api/models/a%2fb', as('ana'))
      // `model:acme/a/b` is not `model:acme/*`: whoever decoded too early would have allowed another resource.
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(reached).toEqual([])
    })

    test('HEAD is judged as GET, and a refusal of it has its headers and no body', async () => {
      const allowed = await ask('HEAD /api/models/vision', as('ana'))
      expect([allowed.status, allowed.body]).toEqual([200, ''])
      const refused = await ask('HEAD /api/models/secret', as('ana'))
      expect([refused.status, refused.body]).toEqual([403, ''])
      expect(headersOf(refused).get('content-type')).toBe('application/problem+json')
      expect(recorded().map(({ http }) => [http?.method, http?.route])).toEqual([
        ['HEAD', 'GET /api/models/:name'],
        ['HEAD', 'GET /api/models/:name'],
      ])
    })

    test('a body reaches the handler while it is still being sent', async () => {
      const socket = await open(app.url)
      const heard = listen(socket)
      const closed = once(socket, 'close')
      socket.write(
        `POST /predict/vision HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${as('ana')}\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n`,
      )
      socket.write('6\r\nfirst.\r\n')
      await heard('first.')
      socket.write('7\r\nsecond.\r\n0\r\n\r\n')
      await heard('second.')
      await closed
      expect(recorded()[0]?.http?.route).toBe('POST /predict/:name')
    })

    test('a client that leaves while it is being judged takes nobody down, and the decision is on record', async () => {
      for (const token of ['leaver', 'HFAUTH_TOKEN_EXPIRED']) {
        let go = () => {}
        waits.set(token, new Promise((resolve) => (go = resolve)))
        const asked = events.length
        const socket = await open(app.url)
        socket.write(bytesOf('GET /api/models/vision', [as(token)]))
        // A second request on its own connection: once that is answered, the first has been read too.
        expect((await ask('GET /api/models/vision', as('ana'))).status).toBe(200)
        socket.destroy()
        go()
        await expect.poll(() => events.length, { timeout: 5000 }).toBe(asked + 2)
        waits.delete(token)
      }
      expect((await ask('GET /api/models/vision', as('ana'))).status).toBe(200)
    })

    test('the address of a client is what trusted proxies say', async () => {
      const office = (...forwarded: string[]) => ask('GET /office', as('ana'), ...forwarded)
      const inside = await office('X-Forwarded-For: 203.0.113.9, 198.51.100.7')
      const spoofed = await office('X-Forwarded-For: 198.51.100.7, 203.0.113.9')
      const direct = await office()
      if (hides.address) {
        // Nobody vouches for an address, so none is believed and the rule that asks for one does not hold.
        expect([inside.status, spoofed.status, direct.status]).toEqual([403, 403, 403])
        expect(recorded().map(({ client }) => client?.ip)).toEqual([undefined, undefined, undefined])
        return
      }
      expect([inside.status, spoofed.status, direct.status]).toEqual([200, 403, 403])
      expect(recorded().map(({ client }) => client?.ip)).toEqual(['198.51.100.7', '203.0.113.9', '127.0.0.1'])
    })

    test('what a handler throws is the application’s to see', async () => {
      const answer = await ask('GET /fails', as('ana'))
      expect(answer.status).toBe(500)
      expect(errors.map((error) => (error as Error).message)).toEqual([failure])
      expect(recorded()).toMatchObject([{ decision: { effect: 'allow' } }])
    })

    test('a cookie that the guard renews goes out with the handler’s answer', async () => {
      const answer = await ask('GET /api/models/vision', as('renewed'))
      expect([answer.status, headersOf(answer).getSetCookie()]).toEqual([200, ['session=2; Path=/']])
      expect(JSON.parse(textOf(answer))).toMatchObject({ id: 'okta|renewed' })
    })

    test('the trace that a request belongs to is on record', async () => {
      const trace = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
      await ask('GET /api/models/vision', as('ana'), `Traceparent: 00-${trace.traceId}-${trace.spanId}-01`)
      expect(recorded()[0]?.trace).toEqual(trace)
    })
  })
}

function bytesOf(request: string, headers: readonly string[]): string {
  const length = request.startsWith('POST') ? ['Content-Length: 0'] : []
  return [`${request} HTTP/1.1`, 'Host: a', 'Connection: close', ...length, ...headers, '', ''].join('\r\n')
}

function headersOf({ head }: RawAnswer): Headers {
  return new Headers(head.split('\r\n').slice(1).map(splitField))
}

function splitField(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

/** The body, with the sizes of its chunks taken out. */
function textOf(answer: RawAnswer): string {
  if (headersOf(answer).get('transfer-encoding') !== 'chunked') return answer.body
  return answer.body.replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '').trimEnd()
}

async function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  return socket
}

/** Resolves when a text has come. */
function listen(socket: Socket): (text: string) => Promise<void> {
  let all = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    all += chunk
  })
  return (text) => expect.poll(() => all, { timeout: 10_000 }).toContain(text)
}
