/** One function over a Web request: who, what, may they, on the record. */
import {
  createEngine,
  definePolicy,
  HfAuthError,
  type HfAuthErrorCode,
  type PolicyDocument,
  parsePolicy,
  presets,
  principalFromClaims,
} from '@hfauth/core'
import { describe, expect, test } from 'vitest'
import {
  type AuditSink,
  type Connection,
  createAuditLog,
  createGuard,
  type GuardOptions,
  memorySink,
  type Verifier,
} from '../src/index.ts'

const now = 1_780_315_200_000
const seconds = now / 1000

const document = definePolicy({
  version: 1,
  name: 'acme-models',
  issuers: {
    hf: { preset: 'huggingface', audience: 'app' },
    okta: { preset: 'okta', issuer: 'https://acme.okta.com/oauth2/default', audience: 'api://models' },
  },
  environments: { production: { actions: ['read', 'infer'] }, open: {} },
  roles: {
    viewer: { allow: [{ actions: ['read', 'infer', 'write'], on: ['model:acme/*'] }] },
    office: {
      allow: [
        { actions: ['read'], on: ['dataset:acme/*'], when: { 'context.ip': { $cidr: '198.51.100.0/24' } } },
      ],
    },
  },
  bindings: [{ roles: ['viewer', 'office'], to: { issuer: ['hf', 'okta'] } }],
  deny: [{ actions: ['read'], on: ['model:acme/secret'], reason: 'Ask the board.' }],
  routes: [{ match: 'POST /v1/predict/:name', action: 'infer', resource: 'model:acme/:name' }],
})

/** Tokens are names here: `ana`, somebody whom Okta vouches for, or the code of the error it is refused with. */
const verifier: Verifier = {
  async verify(token) {
    if (token.startsWith('HFAUTH_'))
      throw new HfAuthError(token as HfAuthErrorCode, 'refused', { retryable: true })
    const huggingface = token.startsWith('hf_')
    const preset = presets.get(huggingface ? 'huggingface' : 'okta')
    const issuer = parsed.issuers.get(huggingface ? 'hf' : 'okta')
    if (preset === undefined || issuer === undefined) throw new Error('no issuer')
    const kind = huggingface ? 'access_token' : 'id_token'
    const principal = principalFromClaims({
      issuer: issuer.alias,
      preset,
      credential: kind,
      claims: { sub: token, iat: seconds - 1000, exp: seconds + 3600, scope: 'openid', scopes: ['openid'] },
    })
    return { principal, issuer, kind, fingerprint: '0'.repeat(32) }
  },
}
const parsed = parsePolicy(document)

interface Options extends Partial<Omit<GuardOptions, 'engine' | 'audit'>> {
  readonly environment?: string
  readonly policy?: Partial<PolicyDocument>
  readonly sink?: AuditSink
}

function setUp({ environment = 'production', policy = {}, sink, ...options }: Options = {}) {
  const memory = memorySink()
  const guard = createGuard({
    engine: createEngine(parsePolicy({ ...document, ...policy } as PolicyDocument), {
      environment,
      now: () => now,
    }),
    verifier,
    audit: createAuditLog({
      sink: sink ?? memory,
      environment,
      service: 'api',
      now: () => now,
      durability: 'strict',
    }),
    ...options,
  })
  return { guard, events: memory.events }
}

function request(token?: string, path = '/v1/predict/vision', headers: Record<string, string> = {}): Request {
  const authorization =
    token === undefined ? {} : { authorization: token.includes(' ') ? token : `Bearer ${token}` }
  return new Request(`https://api.acme.dev${path}`, {
    method: 'POST',
    headers: { ...authorization, ...headers },
  })
}

const read = { action: 'read', resource: 'model:acme/vision' }

describe('whoever is let through', () => {
  test('is known, with what they may do and the decision', async () => {
    const { guard, events } = setUp({ requestId: () => 'r1' })
    const outcome = await guard.check(request('ana'), read, { remoteAddress: '::ffff:192.0.2.7' })
    expect(outcome).toMatchObject({
      allowed: true,
      requestId: 'r1',
      principal: { id: 'okta|ana' },
      decision: { reason: 'allowed' },
    })
    if (outcome.allowed) expect(outcome.access.can('read', 'model:acme/vision')).toBe(true)
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({
      type: 'io.hfauth.decision',
      requestId: 'r1',
      actor: { kind: 'user', id: 'okta|ana', roles: ['office', 'viewer'] },
      client: { ip: '192.0.2.7' },
      action: 'read',
      resource: { kind: 'model', id: 'acme/vision' },
      http: { method: 'POST', route: 'custom' },
      decision: { effect: 'allow', reason: 'allowed' },
    })
  })

  test.each([1, 200, 225, 240, 251])(
    'leaves no part of a token on record that stands %i characters into what is cut at 256',
    async (lead) => {
      const { guard, events } = setUp()
      const token = `hf_${'aB3dE6gH9k'.repeat(4).slice(0, 34)}`
      const text = `${'x'.repeat(lead)} ${token}`
      const asked = { action: 'read', resource: `model:acme/${text.replace(' ', '-')}` }
      await guard.check(request('ana', '/', { 'user-agent': text }), asked)
      expect(events).toHaveLength(1)
      expect(JSON.stringify(events)).not.toContain(token.slice(0, 4))
    },
  )

  test('is asked about what the policy’s own routes say', async () => {
    const { guard, events } = setUp()
    expect(await guard.check(request('ana'))).toMatchObject({
      allowed: true,
      decision: { resource: 'model:acme/vision' },
    })
    expect(events[0]?.http?.route).toBe('POST /v1/predict/:name')
  })

  test('can be told without a question', async () => {
    const { guard, events } = setUp()
    expect(await guard.identify(request('ana'))).toMatchObject({ id: 'okta|ana' })
    expect(await guard.identify(request())).toMatchObject({ kind: 'anonymous' })
    await expect(guard.identify(request('HFAUTH_TOKEN_EXPIRED'))).rejects.toMatchObject({
      code: 'HFAUTH_TOKEN_EXPIRED',
    })
    await expect(guard.identify(request('Bearer a, Bearer b'))).rejects.toMatchObject({
      code: 'HFAUTH_REQUEST_INVALID',
    })
    expect(events).toEqual([])
  })
})

describe('a refusal', () => {
  const metadata = 'https://api.acme.dev/.well-known/oauth-protected-resource'
  const stepUp = { environments: { production: { require: { 'principal.mfa': true } } } }
  const fresh = { environments: { production: { maxTokenAge: '10m' } } }
  const mfa = 'http://schemas.openid.net/pape/policies/2007/06/multi-factor'

  test.each<[string, string | undefined, Options, number, string, string | null, string]>([
    ['nobody', undefined, {}, 401, 'authentication_required', 'Bearer', 'authentication_required'],
    [
      'nobody, told where to go',
      undefined,
      { resourceMetadataUrl: metadata },
      401,
      'authentication_required',
      `Bearer resource_metadata="${metadata}"`,
      'authentication_required',
    ],
    [
      'two credentials',
      'Bearer a, Bearer b',
      {},
      400,
      'credential_malformed',
      'Bearer error="invalid_request"',
      'credential_malformed',
    ],
    [
      'no token after the scheme',
      'Bearer !',
      {},
      400,
      'credential_malformed',
      'Bearer error="invalid_request"',
      'credential_malformed',
    ],
    [
      'another scheme',
      'Basic eDp5',
      {},
      401,
      'token_invalid',
      'Bearer error="invalid_token"',
      'token_invalid',
    ],
    [
      'a token of no issuer',
      'HFAUTH_TOKEN_UNSUPPORTED',
      {},
      401,
      'token_invalid',
      'Bearer error="invalid_token"',
      'token_invalid',
    ],
    [
      'a forged token',
      'HFAUTH_TOKEN_INVALID',
      {},
      401,
      'token_invalid',
      'Bearer error="invalid_token"',
      'token_invalid',
    ],
    [
      'an expired token',
      'HFAUTH_TOKEN_EXPIRED',
      { resourceMetadataUrl: metadata },
      401,
      'token_expired',
      `Bearer error="invalid_token", resource_metadata="${metadata}"`,
      'token_expired',
    ],
    [
      'a token for somebody else',
      'HFAUTH_TOKEN_AUDIENCE',
      {},
      401,
      'token_audience',
      'Bearer error="invalid_token"',
      'token_audience',
    ],
    [
      'a token that was taken back',
      'HFAUTH_TOKEN_REVOKED',
      {},
      401,
      'token_revoked',
      'Bearer error="invalid_token"',
      'token_revoked',
    ],
    [
      'revocations that are not known',
      'HFAUTH_REVOCATION_UNAVAILABLE',
      {},
      503,
      'revocation_unavailable',
      null,
      'revocation_unavailable',
    ],
    [
      'an issuer that is down',
      'HFAUTH_ISSUER_UNAVAILABLE',
      {},
      503,
      'issuer_unavailable',
      null,
      'issuer_unavailable',
    ],
    [
      'a token without the scope',
      'hf_ana',
      {},
      403,
      'insufficient_scope',
      'Bearer error="insufficient_scope", scope="inference-api"',
      'insufficient_scope',
    ],
    [
      'a token that is too old',
      'ana',
      { policy: fresh },
      401,
      'token_too_old',
      'Bearer error="insufficient_user_authentication", max_age="600"',
      'token_too_old',
    ],
    [
      'a sign-in that is too weak',
      'ana',
      { policy: stepUp },
      401,
      'step_up_required',
      `Bearer error="insufficient_user_authentication", acr_values="${mfa}"`,
      'step_up_required',
    ],
    ['no rule', 'ana', { policy: { bindings: [] } }, 403, 'access_denied', null, 'no_matching_rule'],
  ])('of %s', async (_, token, options, status, shown, challenge, reason) => {
    const { guard, events } = setUp(options)
    const outcome = await guard.check(request(token))
    if (outcome.allowed) throw new Error('allowed')
    const { response } = outcome
    expect(outcome.reason).toBe(reason)
    expect(response.status).toBe(status)
    expect(response.headers.get('www-authenticate')).toBe(challenge)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(response.headers.get('cache-control')).toBe('no-store')
    const problem = (await response.json()) as Record<string, unknown>
    expect(problem).toMatchObject({
      type: `urn:hfauth:problem:${shown}`,
      status,
      reason: shown,
      requestId: outcome.requestId,
    })
    expect(problem.retryable).toBe(status === 503 ? true : undefined)
    expect(response.headers.get('retry-after')).toBe(status === 503 ? '5' : null)
    expect(events).toHaveLength(1)
    const [event] = events
    expect(event?.requestId).toBe(outcome.requestId)
    if (event?.type === 'io.hfauth.decision') expect(event.decision).toMatchObject({ effect: 'deny', reason })
    else
      expect(event).toMatchObject({
        type: 'io.hfauth.token.rejected',
        error: expect.stringMatching(/^HFAUTH_/),
      })
  })

  test('tells nothing of the rule, the roles or the resource', async () => {
    const { guard, events } = setUp()
    const outcome = await guard.check(request('ana'), { action: 'read', resource: 'model:acme/secret' })
    if (outcome.allowed) throw new Error('allowed')
    expect(await outcome.response.json()).toEqual({
      type: 'urn:hfauth:problem:access_denied',
      title: 'Forbidden',
      status: 403,
      detail: 'You may not do this.',
      reason: 'access_denied',
      requestId: outcome.requestId,
    })
    expect(outcome.decision?.reason).toBe('explicit_deny')
    expect(events[0]?.decision).toMatchObject({
      reason: 'explicit_deny',
      statements: [expect.stringContaining('deny#')],
    })
  })

  test('of the environment says so, since that hangs on no resource', async () => {
    const { guard } = setUp()
    const outcome = await guard.check(request('ana'), { action: 'write', resource: 'model:acme/vision' })
    expect(outcome.allowed ? undefined : await outcome.response.json()).toMatchObject({
      reason: 'environment_ceiling',
    })
  })

  test('of a route that the policy does not name is a 404, on record as unmatched', async () => {
    const { guard, events } = setUp()
    const outcome = await guard.check(request('ana', '/v1/predict/a/b'))
    expect(outcome).toMatchObject({ allowed: false, reason: 'route_unknown', principal: { id: 'okta|ana' } })
    expect(events[0]).toMatchObject({
      http: { route: 'unmatched' },
      decision: { effect: 'deny', reason: 'route_unknown' },
    })
  })

  test.each([
    ['dot segments', '/v1/predict/../admin'],
    ['encoded dots', '/v1/predict/%2e%2e'],
    ['an empty segment', '/v1//predict/vision'],
    ['a fragment', '/v1/predict/vision#x'],
    ['a double encoding', '/v1/predict/%2561'],
    ['an encoded control', '/v1/predict/a%00b'],
    ['dots between encoded slashes', '/v1/predict/x%2F..%2Fy'],
    ['an absolute address', 'http://evil.test/v1/predict/vision'],
  ])('of a target with %s is a 400, whoever asks', async (_, target) => {
    const { guard, events } = setUp()
    const outcome = await guard.check(request('ana'), undefined, { target })
    expect(outcome).toMatchObject({ allowed: false, reason: 'path_ambiguous', response: { status: 400 } })
    expect(events[0]?.decision).toMatchObject({ effect: 'deny', reason: 'path_ambiguous' })
  })

  test('of an encoded slash hangs on the id it makes: it is decoded once, as the application does', async () => {
    const { guard } = setUp()
    const outcome = await guard.check(request('ana'), undefined, { target: '/v1/predict/x%2Fy' })
    expect(outcome).toMatchObject({
      allowed: false,
      reason: 'no_matching_rule',
      decision: { resource: 'model:acme/x/y' },
    })
    const up = await guard.check(request('ana'), undefined, { target: '/v1/predict/%2E%2E%2Fsecret' })
    expect(up).toMatchObject({ allowed: false, reason: 'path_ambiguous' })
  })

  test('follows when there is no record, whatever the decision was', async () => {
    const full: AuditSink = { write: () => Promise.reject(new Error('disk full')) }
    for (const token of ['ana', 'HFAUTH_TOKEN_INVALID', undefined]) {
      const outcome = await setUp({ sink: full }).guard.check(request(token))
      expect(outcome).toMatchObject({
        allowed: false,
        reason: 'audit_unavailable',
        response: { status: 503 },
      })
    }
  })

  test('follows when something fails that nobody thought of', async () => {
    const { guard, events } = setUp({ verifier: { verify: () => Promise.reject(new Error('token ana')) } })
    const outcome = await guard.check(request('ana'))
    expect(outcome).toMatchObject({ allowed: false, reason: 'internal_error', response: { status: 500 } })
    expect(events[0]?.decision).toMatchObject({ effect: 'deny', reason: 'internal_error' })
  })

  test('never holds the token, in the answer or on record', async () => {
    for (const token of ['hf_secret_canary', 'HFAUTH_TOKEN_INVALID']) {
      const { guard, events } = setUp()
      const outcome = await guard.check(request(token))
      if (outcome.allowed) throw new Error('allowed')
      const shown = JSON.stringify([...outcome.response.headers]) + (await outcome.response.text())
      // The name of this principal is its token; nothing else may be.
      expect(shown).not.toContain(token)
      expect(JSON.stringify(events.map(({ actor: _, ...event }) => event))).not.toContain(`Bearer ${token}`)
    }
  })
})

describe('a token that a proxy in front hands over', () => {
  const name = 'x-amzn-oidc-data'
  const proxy = { remoteAddress: '10.9.0.1' }
  const options = { proxyTokenHeader: name, trustedProxies: ['10.9.0.0/16'] }
  /** The stub takes any text for a name. */
  const data = 'YQ==.bmE=.eA=='
  const sent = (headers: Record<string, string>, token?: string) =>
    request(token, '/', { [name]: data, host: 'api.acme.dev', ...headers })

  test('lets the person in, and stands on record like any other', async () => {
    const { guard, events } = setUp(options)
    const outcome = await guard.check(sent({}), read, proxy)
    expect(outcome).toMatchObject({ allowed: true, principal: { id: `okta|${data}` } })
    expect(events[0]?.actor.id).toBe(`okta|${data}`)
    expect((await guard.identify(sent({}), proxy)).id).toBe(`okta|${data}`)
    expect(await guard.check(request('ana', '/'), read, proxy)).toMatchObject({ allowed: true })
  })

  test.each<[string, Connection]>([
    ['another machine', { remoteAddress: '192.0.2.1' }],
    ['a machine behind the proxy, which only says so', { remoteAddress: '192.0.2.1' }],
    ['nobody knows where', {}],
  ])('is refused from %s', async (_, connection) => {
    const { guard } = setUp(options)
    const outcome = await guard.check(sent({ 'x-forwarded-for': '10.9.0.1' }), read, connection)
    expect(outcome).toMatchObject({ allowed: false, reason: 'credential_malformed' })
  })

  test('is ignored unless the guard was told of it', async () => {
    const { guard } = setUp({ trustedProxies: options.trustedProxies })
    expect(await guard.check(sent({}), read, proxy)).toMatchObject({ reason: 'authentication_required' })
  })

  test.each<[string, Request]>([
    ['beside a bearer token', sent({}, 'ana')],
    ['when it comes twice', sent({ [name]: `${data}, ${data}` })],
    ['when it is empty', sent({ [name]: '' })],
    ['when it is no such token', sent({ [name]: 'Bearer ana' })],
  ])('is refused %s', async (_, asked) => {
    const { guard } = setUp(options)
    expect(await guard.check(asked, read, proxy)).toMatchObject({
      allowed: false,
      reason: 'credential_malformed',
    })
  })

  test('is refused beside a session', async () => {
    const { principal } = await verifier.verify('ana')
    const session = { principal, scopes: [], signedInAt: now, endsAt: now, csrfToken: '' }
    const { guard } = setUp({ ...options, sessions: { identify: async () => session } })
    expect(await guard.check(sent({}), read, proxy)).toMatchObject({ reason: 'credential_malformed' })
  })

  test.each<[string, Record<string, string>, boolean]>([
    ['another site', { 'sec-fetch-site': 'cross-site' }, false],
    ['a neighbour of the same site', { 'sec-fetch-site': 'same-site' }, false],
    ['a page of another origin', { origin: 'https://evil.example' }, false],
    ['a page without an origin', { origin: 'null' }, false],
    ['our own page', { 'sec-fetch-site': 'same-origin', origin: 'https://api.acme.dev' }, true],
    ['our own page in an old browser', { origin: 'https://api.acme.dev' }, true],
    ['no browser', {}, true],
  ])('changes nothing for %s', async (_, headers, allowed) => {
    const { guard } = setUp(options)
    const outcome = await guard.check(sent(headers), read, proxy)
    expect(outcome.allowed).toBe(allowed)
    if (!outcome.allowed) expect(outcome.reason).toBe('request_forged')
    const reading = new Request(sent(headers), { method: 'GET' })
    expect((await guard.check(reading, read, proxy)).allowed).toBe(true)
  })

  test.each([
    ['without trusted proxies', { proxyTokenHeader: name }],
    ['by a name that is none', { ...options, proxyTokenHeader: 'x y' }],
    ['by the name of the bearer token’s header', { ...options, proxyTokenHeader: 'Authorization' }],
  ])('cannot be asked for %s', (_, wrong) => {
    expect(() => setUp(wrong)).toThrow(expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }))
  })
})

describe('facts of a request', () => {
  const dataset = { action: 'read', resource: 'dataset:acme/labels' }
  const from = async (
    connection: Connection,
    headers: Record<string, string>,
    trustedProxies?: readonly string[],
  ) => {
    const { guard, events } = setUp(trustedProxies === undefined ? {} : { trustedProxies })
    const outcome = await guard.check(request('ana', '/', headers), dataset, connection)
    return { ip: events[0]?.client?.ip, allowed: outcome.allowed }
  }
  const hop = { remoteAddress: '10.9.0.1' }

  test.each<[string, Connection, string, readonly string[] | undefined, string | undefined]>([
    ['A04 nobody is trusted by default', hop, '198.51.100.7', undefined, '10.9.0.1'],
    [
      'A06 the first that is not trusted, from the right',
      hop,
      '127.0.0.1, 198.51.100.7, 10.9.0.1',
      ['10.9.0.1'],
      '198.51.100.7',
    ],
    ['a range of proxies', hop, '198.51.100.7, 10.1.2.3', ['10.0.0.0/8'], '198.51.100.7'],
    ['what cannot be read ends the walk', hop, '198.51.100.7, unknown, 10.9.0.1', ['10.9.0.1'], '10.9.0.1'],
    ['all of them trusted', hop, '10.9.0.1', ['10.9.0.1'], '10.9.0.1'],
    ['a socket that is no proxy', { remoteAddress: '192.0.2.1' }, '198.51.100.7', ['10.9.0.1'], '192.0.2.1'],
    ['no socket at all', {}, '198.51.100.7', ['10.9.0.1'], undefined],
    ['version 6', { remoteAddress: 'fd00::1%eth0' }, '2001:db8::7', ['fd00::/8'], '2001:db8::7'],
  ])('%s', async (_, connection, forwarded, trusted, ip) => {
    const outcome = await from(connection, { 'x-forwarded-for': forwarded }, trusted)
    expect(outcome).toEqual({ ip, allowed: ip === '198.51.100.7' })
  })

  test.each(['0.0.0.0/0', '::/0', 'proxy.acme.dev', '10.0.0.0/33', '10.0.0.0/8/8', '10.0.0.0/'])(
    '`%s` is no trusted proxy',
    (entry) => {
      expect(() => setUp({ trustedProxies: [entry] })).toThrow(
        expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
      )
    },
  )

  test('cannot be replaced by the application’s own, nor by a client', async () => {
    const { guard, events } = setUp()
    const context = { ip: '198.51.100.7', requestId: 'mine' }
    const asked = request('ana', '/', { 'x-request-id': 'mine', 'user-agent': 'curl\u00a0x' })
    const outcome = await guard.check(asked, { ...dataset, context }, { remoteAddress: '192.0.2.1' })
    expect(outcome).toMatchObject({ allowed: false })
    expect(events[0]?.requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(events[0]?.client?.ip).toBe('192.0.2.1')
  })

  test('include how long it took', async () => {
    let at = now
    const { guard, events } = setUp({
      now: () => {
        at += 7
        return at
      },
    })
    await guard.check(request('ana'))
    expect(events[0]?.durationMs).toBe(7)
  })

  test('take a credential from the header alone', async () => {
    const { guard } = setUp()
    expect(await guard.check(request(undefined, '/v1/predict/vision?access_token=ana'))).toMatchObject({
      reason: 'authentication_required',
    })
  })
})
