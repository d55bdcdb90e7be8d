/**
 * The AuthZEN endpoints, over HTTP.
 *
 * Derived from the OpenID AuthZEN working group's interop and certification material (openid/authzen).
 */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createEngine,
  type DefinedPolicy,
  HfAuthError,
  type Json,
  type Policy,
  type PolicyDocument,
  parsePolicy,
  presets,
  principalFromClaims,
} from '@hfauth/core'
import { serve } from '@hono/node-server'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AuthzenOptions, createAuthzen, type Entity } from '../src/authzen.ts'
import { createAuditLog, createGuard, memorySink } from '../src/index.ts'

const issuer = { preset: 'oidc', issuer: 'https://login.acme.dev', audience: 'api' } as const

/** A person or service of the directory, with what is known of them as claims. */
function principalIn(policy: Policy, sub: string, claims: Record<string, Json> = {}) {
  const preset = policy.issuers.get('directory')?.preset ?? presets.get('oidc')
  if (preset === undefined) throw new Error('no preset')
  return principalFromClaims({
    issuer: 'directory',
    preset,
    credential: 'id_token',
    claims: { ...claims, sub },
  })
}

type Document = Pick<PolicyDocument, 'resources' | 'roles' | 'bindings'>

async function start(
  document: Document,
  options: (policy: Policy) => Pick<AuthzenOptions, 'principalOf'> & Partial<AuthzenOptions>,
) {
  const policy = parsePolicy({
    version: 1,
    name: 'decision-point',
    issuers: { directory: issuer },
    environments: { production: {} },
    resources: { ...document.resources, pdp: { actions: ['evaluate'] } },
    roles: { ...document.roles, gateway: { allow: [{ actions: ['evaluate'], on: ['pdp:main'] }] } },
    bindings: [...(document.bindings ?? []), { roles: ['gateway'], to: { claims: { sub: 'gateway' } } }],
  } as PolicyDocument as DefinedPolicy)
  const { events, ...sink } = memorySink()
  const engine = createEngine(policy, { environment: 'production' })
  const audit = createAuditLog({
    sink,
    environment: 'production',
    service: 'pdp',
    timeoutMs: 5000,
    durability: 'strict',
  })
  const verified = policy.issuers.get('directory')
  const guard = createGuard({
    engine,
    audit,
    verifier: {
      async verify(token) {
        if (verified === undefined || !['gateway', 'stranger'].includes(token))
          throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'no')
        return {
          principal: principalIn(policy, token),
          issuer: verified,
          kind: 'id_token',
          fingerprint: '0'.repeat(32),
        }
      },
    },
  })
  const authzen = createAuthzen({
    engine,
    audit,
    guard,
    question: { action: 'evaluate', resource: 'pdp:main' },
    url: 'https://pdp.acme.dev',
    ...options(policy),
  })
  const server = serve({ fetch: authzen.handle, port: 0, hostname: '127.0.0.1' }) as Server
  if (!server.listening) await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
    const response = await fetch(`${url}/access/v1/${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer gateway', 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      body: JSON.parse(text) as Record<string, unknown>,
    }
  }
  return {
    authzen,
    url,
    events,
    post,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Running = Awaited<ReturnType<typeof start>>

describe('the certification scenario', () => {
  const stored: Record<string, Record<string, Json>> = {
    'record-1': { status: 'active' },
    'record-2': { status: 'archived' },
  }
  const people: Record<string, Record<string, Json>> = { alice: {}, bob: { role: 'admin' } }
  let it: Running
  beforeAll(async () => {
    it = await start(
      {
        resources: { record: { actions: ['read', 'write', 'delete'] } },
        roles: {
          person: { allow: [{ actions: ['read'], on: ['record:*'] }] },
          admin: {
            allow: [{ actions: ['write'], on: ['record:*'], when: { 'resource.status': 'archived' } }],
          },
          alice: {
            allow: [
              { actions: ['write'], on: ['record:*'], when: { 'resource.status': { $ne: 'archived' } } },
              { actions: ['delete'], on: ['record:*'], when: { 'context.action.soft': true } },
            ],
          },
        },
        bindings: [
          { roles: ['person'], to: { issuer: 'directory' } },
          { roles: ['admin'], to: { claims: { role: 'admin' } } },
          { roles: ['alice'], to: { claims: { sub: 'alice' } } },
        ],
      },
      (policy) => ({
        principalOf: ({ type, id, properties }: Entity) => {
          const known = type === 'user' ? people[id] : undefined
          const role = properties.role ?? known?.role
          return known && principalIn(policy, id, role === undefined ? {} : { role })
        },
        resourceOf: ({ type, id, properties }) => ({
          type,
          id,
          attributes: { ...stored[id], ...properties },
        }),
        subjectsOf: (type) => (type === 'user' ? Object.keys(people) : []),
        resourcesOf: (type) => (type === 'record' ? Object.keys(stored) : []),
        maxEvaluations: 5,
        maxBodyBytes: 10_000,
      }),
    )
  })
  afterAll(() => it.close())

  const user = (id: string, properties?: object) => ({ type: 'user', id, ...(properties && { properties }) })
  const record = (id: string, status?: string) => ({
    type: 'record',
    id,
    ...(status && { properties: { status } }),
  })
  const ask = (subject: unknown, name: string, resource: unknown, more: object = {}) => ({
    subject,
    action: { name },
    resource,
    ...more,
  })
  const one = ask(user('alice'), 'read', record('record-1'))

  test.each([
    ['1', one, true],
    ['2', ask(user('alice'), 'write', record('record-1')), true],
    ['3', ask(user('bob'), 'read', record('record-1')), true],
    ['4', ask(user('bob'), 'write', record('record-1')), false],
    ['5', ask(user('alice'), 'write', record('record-1', 'archived')), false],
    ['6', ask(user('bob', { role: 'admin' }), 'write', record('record-2', 'archived')), true],
    ['7', { ...one, action: { name: 'delete', properties: { soft: true } } }, true],
    ['8', { ...one, action: { name: 'delete', properties: { soft: false } } }, false],
    ['1 with a context', { ...one, context: { time: '2026-01-01T00:00:00Z', ip: '192.0.2.1' } }, true],
    ['1 with unknown members', { ...one, foo: 1, futureField: { a: [] } }, true],
    [
      '1 with more properties',
      {
        subject: user('alice', { department: 'x', role: 'manager' }),
        action: { name: 'read', properties: { method: 'GET' } },
        resource: { ...record('record-1'), properties: { status: 'active', owner: 'bob' } },
      },
      true,
    ],
    ['an unknown subject', ask(user('mallory'), 'read', record('record-1')), false],
    [
      'an unknown type of subject',
      ask({ type: 'spaceship', id: 'alice' }, 'read', record('record-1')),
      false,
    ],
    ['an unknown resource type', ask(user('alice'), 'read', { type: 'spaceship', id: 'x' }), false],
    ['an unknown action', ask(user('alice'), 'fly', record('record-1')), false],
  ])('rule %s', async (_, body, decision) => {
    const before = it.events.length
    for (const _again of [1, 2]) {
      const answer = await it.post('evaluation', body)
      expect([answer.status, answer.body]).toEqual([200, { decision }])
    }
    // The caller's own right to ask, and the decision: both are on record, each time.
    expect(it.events.slice(before).map((event) => event.decision?.effect)).toEqual(
      [true, decision, true, decision].map((allowed) => (allowed ? 'allow' : 'deny')),
    )
  })

  test.each<[string, unknown]>([
    ['no subject', { ...one, subject: undefined }],
    ['no action', { ...one, action: undefined }],
    ['no resource', { ...one, resource: undefined }],
    ['a subject without a type', { ...one, subject: { id: 'alice' } }],
    ['a subject without an id', { ...one, subject: { type: 'user' } }],
    ['an empty action', { ...one, action: {} }],
    ['a resource without a type', { ...one, resource: { id: 'x' } }],
    ['a resource without an id', { ...one, resource: { type: 'record' } }],
    ['a subject that is a text', { ...one, subject: 'alice' }],
    ['a name that is a number', { ...one, action: { name: 123 } }],
    ['a context of null', { ...one, context: null }],
    ['properties of null', { ...one, subject: { ...user('alice'), properties: null } }],
    ['an empty id', { ...one, subject: user('') }],
    ['broken JSON', '{"subject":'],
    ['nothing', ''],
    ['a list', '[]'],
    ['a member twice', `{"subject":{"type":"user","id":"bob"},${JSON.stringify(one).slice(1)}`],
    ['a member that reaches for prototypes', `{"__proto__":{},${JSON.stringify(one).slice(1)}`],
    ['deep nesting', `{"context":${'{"a":'.repeat(200)}1${'}'.repeat(200)},${JSON.stringify(one).slice(1)}`],
  ])('%s is a request that cannot be answered', async (_, body) => {
    const answer = await it.post('evaluation', body)
    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ reason: 'request_invalid' })
  })

  test('another media type is refused with 400, a character set beside it is fine', async () => {
    expect((await it.post('evaluation', one, { 'content-type': 'text/plain' })).status).toBe(400)
    expect(
      (await it.post('evaluation', one, { 'content-type': 'Application/JSON; charset=utf-8' })).status,
    ).toBe(200)
  })

  test('a body that is too long is not read', async () => {
    const answer = await it.post('evaluation', { ...one, context: { a: 'x'.repeat(20_000) } })
    expect(answer.status).toBe(413)
  })

  test('the id of a request comes back, also with an error, unless it could not be sent back', async () => {
    const id = (value: string) => ({ 'x-request-id': value })
    expect((await it.post('evaluation', one, id('abc 1'))).headers.get('x-request-id')).toBe('abc 1')
    expect((await it.post('evaluation', {}, id('abc 2'))).headers.get('x-request-id')).toBe('abc 2')
    const refused = await it.post('evaluation', one, { ...id('abc 3'), authorization: 'Bearer stranger' })
    expect([refused.status, refused.headers.get('x-request-id')]).toEqual([403, 'abc 3'])
    expect((await it.post('evaluation', one, id('x'.repeat(300)))).status).toBe(400)
    expect((await it.post('evaluation', one)).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('whoever may not ask learns nothing', async () => {
    const nobody = await it.post('evaluation', one, { authorization: 'Bearer nobody' })
    expect([nobody.status, nobody.headers.get('www-authenticate')]).toEqual([
      401,
      'Bearer error="invalid_token"',
    ])
    expect(nobody.body).not.toHaveProperty('decision')
    const bare = await fetch(`${it.url}/access/v1/evaluation`, { method: 'POST', body: '{}' })
    expect([bare.status, bare.headers.get('www-authenticate')]).toEqual([401, 'Bearer'])
  })

  test('other methods and paths are not there', async () => {
    const get = await fetch(`${it.url}/access/v1/evaluation`)
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST'])
    expect((await fetch(`${it.url}/access/v1/other`, { method: 'POST' })).status).toBe(404)
  })

  const decisionsOf = async (body: object) => {
    const answer = await it.post('evaluations', body)
    expect(answer.status).toBe(200)
    return (answer.body.evaluations as object[] | undefined) ?? answer.body
  }
  const list = (...decisions: boolean[]) => decisions.map((decision) => ({ decision }))
  const [aliceReads, bobOnOne] = [
    { subject: user('alice'), action: { name: 'read' } },
    { subject: user('bob'), resource: record('record-1') },
  ]

  test.each<[string, object, object]>([
    [
      'resources',
      { ...aliceReads, evaluations: [{ resource: record('record-1') }, { resource: record('record-2') }] },
      list(true, true),
    ],
    [
      'actions, in order',
      { ...bobOnOne, evaluations: [{ action: { name: 'read' } }, { action: { name: 'write' } }] },
      list(true, false),
    ],
    [
      'whole questions',
      { evaluations: [one, ask(user('bob'), 'write', record('record-1'))] },
      list(true, false),
    ],
    [
      'a context of their own',
      { ...one, context: { a: 1 }, evaluations: [{}, { context: { a: 2 } }] },
      list(true, true),
    ],
    [
      'one that cannot be answered',
      { ...aliceReads, evaluations: [{ resource: record('record-1') }, {}] },
      list(true, false),
    ],
    ['one that is no object', { ...one, evaluations: [{}, 1] }, list(true, false)],
    [
      'an empty default that all replace',
      { ...aliceReads, resource: {}, evaluations: [{ resource: record('record-1') }] },
      list(true),
    ],
    ['nothing, as a single one', one, { decision: true }],
    ['an empty list, as a single one', { ...one, evaluations: [] }, { decision: true }],
    [
      'properties',
      {
        ...ask(user('alice'), 'write', undefined),
        evaluations: [
          { resource: record('record-1', 'active') },
          { resource: record('record-2', 'archived') },
        ],
      },
      list(true, false),
    ],
    [
      'subjects with properties',
      {
        action: { name: 'write' },
        resource: record('record-2', 'archived'),
        evaluations: [{ subject: user('alice') }, { subject: user('bob', { role: 'admin' }) }],
      },
      list(false, true),
    ],
    [
      'a default and one that replaces it whole',
      {
        ...ask(user('alice'), 'write', record('record-1', 'active')),
        evaluations: [{}, { resource: record('record-2', 'archived') }],
      },
      list(true, false),
    ],
    [
      'the first denial',
      {
        ...bobOnOne,
        options: { evaluations_semantic: 'deny_on_first_deny' },
        evaluations: ['read', 'write', 'read'].map((name) => ({ action: { name } })),
      },
      list(true, false),
    ],
    [
      'the first permit',
      {
        ...bobOnOne,
        options: { evaluations_semantic: 'permit_on_first_permit' },
        evaluations: ['write', 'read', 'write'].map((name) => ({ action: { name } })),
      },
      list(false, true),
    ],
  ])('many at once: %s', async (_, body, decisions) => {
    expect(await decisionsOf(body)).toEqual(decisions)
  })

  test.each<[string, object]>([
    [
      'a semantic that nobody knows',
      { ...one, evaluations: [{}], options: { evaluations_semantic: 'guess' } },
    ],
    ['no list', { ...one, evaluations: {} }],
    ['too many', { ...one, evaluations: Array.from({ length: 6 }, () => ({})) }],
    ['an incomplete single one', { evaluations: [], subject: user('alice') }],
  ])('many at once with %s cannot be answered', async (_, body) => {
    expect((await it.post('evaluations', body)).status).toBe(400)
  })

  const aliceOn = (id: string) => ({ subject: user('alice'), resource: record(id) })
  const names = (...actions: string[]) => actions.map((name) => ({ name }))
  test.each<[string, string, object, object[]]>([
    [
      'S1',
      'subject',
      { subject: { type: 'user' }, action: { name: 'read' }, resource: record('record-1') },
      [user('alice'), user('bob')],
    ],
    [
      'S1 with an id',
      'subject',
      { subject: user('alice'), action: { name: 'read' }, resource: record('record-1') },
      [user('alice'), user('bob')],
    ],
    [
      'S2',
      'resource',
      { ...aliceReads, resource: { type: 'record' } },
      [record('record-1'), record('record-2')],
    ],
    [
      'S2 with an id',
      'resource',
      { ...aliceReads, resource: record('record-1') },
      [record('record-1'), record('record-2')],
    ],
    [
      'S2 with a context',
      'resource',
      { ...aliceReads, resource: { type: 'record' }, context: { a: 1 } },
      [record('record-1'), record('record-2')],
    ],
    ['S3', 'action', aliceOn('record-1'), names('read', 'write')],
    [
      'S4',
      'subject',
      { subject: { type: 'user' }, action: { name: 'write' }, resource: record('record-2', 'archived') },
      [user('bob')],
    ],
    [
      'S5',
      'resource',
      { subject: user('bob', { role: 'admin' }), action: { name: 'write' }, resource: { type: 'record' } },
      [record('record-2')],
    ],
    [
      'S6',
      'action',
      { subject: user('bob', { role: 'admin' }), resource: record('record-2', 'archived') },
      names('read', 'write'),
    ],
    [
      'an unknown subject',
      'resource',
      { subject: user('mallory'), action: { name: 'read' }, resource: { type: 'record' } },
      [],
    ],
    [
      'an unknown subject’s actions',
      'action',
      { subject: user('mallory'), resource: record('record-1') },
      [],
    ],
    [
      'an unknown type of subjects',
      'subject',
      { subject: { type: 'spaceship' }, action: { name: 'read' }, resource: record('record-1') },
      [],
    ],
    ['an unknown type of resources', 'resource', { ...aliceReads, resource: { type: 'spaceship' } }, []],
  ])('search %s', async (_, kind, body, results) => {
    expect((await it.post(`search/${kind}`, body)).body).toEqual({ results })
    const paged = await it.post(`search/${kind}`, { ...body, page: { limit: 1 } })
    expect(paged.body).toEqual({ page: { next_token: '' }, results })
  })

  test.each<[string, object]>([
    ['subject', { subject: { type: 'user' }, resource: record('record-1') }],
    ['subject', { subject: { type: 'user' }, action: { name: 'read' }, resource: { type: 'record' } }],
    ['resource', { action: { name: 'read' }, resource: { type: 'record' } }],
    ['resource', { subject: { type: 'user' }, action: { name: 'read' }, resource: { type: 'record' } }],
    ['action', { resource: record('record-1') }],
    ['action', { subject: { type: 'user' }, resource: record('record-1') }],
    ['action', { ...aliceOn('record-1'), page: 1 }],
  ])('a %s search for %j cannot be answered', async (kind, body) => {
    expect((await it.post(`search/${kind}`, body)).status).toBe(400)
  })

  test('whatever JSON is sent ends in an answer, and never in a permit for nobody', async () => {
    const entity = fc.oneof(
      fc.jsonValue(),
      fc.record({ type: fc.jsonValue(), id: fc.jsonValue(), properties: fc.jsonValue() }),
    )
    const body = fc.record(
      {
        subject: entity,
        action: fc.oneof(fc.jsonValue(), fc.record({ name: fc.jsonValue() })),
        resource: entity,
        context: fc.jsonValue(),
        evaluations: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('evaluation', 'evaluations', 'search/action'),
        body,
        async (path, value) => {
          const answer = await it.post(path, value)
          expect([200, 400, 413]).toContain(answer.status)
          expect(JSON.stringify(answer.body)).not.toContain('"decision":true')
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('the metadata', () => {
  const nothing = { principalOf: () => undefined }

  test('name the endpoints that are there, and only those', async () => {
    const it = await start({ resources: {}, roles: {}, bindings: [] }, () => nothing)
    const response = await fetch(`${it.url}/.well-known/authzen-configuration`)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({
      policy_decision_point: 'https://pdp.acme.dev',
      access_evaluation_endpoint: 'https://pdp.acme.dev/access/v1/evaluation',
      access_evaluations_endpoint: 'https://pdp.acme.dev/access/v1/evaluations',
      search_action_endpoint: 'https://pdp.acme.dev/access/v1/search/action',
    })
    expect((await it.post('search/subject', {})).status).toBe(404)
    await it.close()
  })

  test('of a decision point with a path stand between host and path', async () => {
    const it = await start({ resources: {}, roles: {}, bindings: [] }, () => ({
      ...nothing,
      url: 'https://pdp.acme.dev/tenant1',
    }))
    const response = await fetch(`${it.url}/.well-known/authzen-configuration/tenant1`)
    expect(await response.json()).toMatchObject({
      policy_decision_point: 'https://pdp.acme.dev/tenant1',
      access_evaluation_endpoint: 'https://pdp.acme.dev/tenant1/access/v1/evaluation',
    })
    const asked = await fetch(`${it.url}/tenant1/access/v1/evaluation`, { method: 'POST' })
    expect(asked.status).toBe(401)
    await it.close()
  })

  test.each(['http://pdp.acme.dev', 'https://pdp.acme.dev/?a=1', 'pdp'])(
    'are not those of %s',
    async (url) => {
      await expect(
        start({ resources: {}, roles: {}, bindings: [] }, () => ({ ...nothing, url })),
      ).rejects.toMatchObject({
        code: 'HFAUTH_CONFIG_INVALID',
      })
    },
  )
})

describe('the interop scenarios', () => {
  const todoPeople: Record<string, readonly [email: string, ...roles: string[]]> = {
    CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: [
      'rick@the-citadel.com',
      'admin',
      'evil_genius',
    ],
    CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: ['morty@the-citadel.com', 'editor'],
    CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: ['summer@the-smiths.com', 'editor'],
    CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: ['beth@the-smiths.com', 'viewer'],
    CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs: ['jerry@the-smiths.com', 'viewer'],
  }
  const ids = Object.keys(todoPeople)
  const bound = (...roles: string[]) =>
    roles.map((role) => ({ roles: [role], to: { claims: { roles: { $contains: role } } } }))
  const known = (policy: Policy) => ({
    principalOf: ({ id }: Entity) => {
      const [email, ...roles] = todoPeople[id] ?? []
      return email === undefined ? undefined : principalIn(policy, id, { email, email_verified: true, roles })
    },
  })

  test('Todo: 40 single evaluations and 3 of many', async () => {
    const own = { 'resource.ownerID': { $ref: 'principal.email' } }
    const it = await start(
      {
        resources: {
          user: { actions: ['can_read_user'] },
          todo: { actions: ['can_read_todos', 'can_create_todo', 'can_update_todo', 'can_delete_todo'] },
        },
        roles: {
          person: {
            allow: [
              { actions: ['can_read_user'], on: ['user:**'] },
              { actions: ['can_read_todos'], on: ['todo:*'] },
            ],
          },
          admin: { allow: [{ actions: ['can_create_todo', 'can_delete_todo'], on: ['todo:*'] }] },
          evil_genius: { allow: [{ actions: ['can_update_todo'], on: ['todo:*'] }] },
          editor: {
            allow: [
              { actions: ['can_create_todo'], on: ['todo:*'] },
              { actions: ['can_update_todo', 'can_delete_todo'], on: ['todo:*'], when: own },
            ],
          },
        },
        bindings: [
          { roles: ['person'], to: { issuer: 'directory' } },
          ...bound('admin', 'evil_genius', 'editor'),
        ],
      },
      known,
    )
    const emailOf = (id = '') => todoPeople[id]?.[0] ?? ''
    const todo = (x: number, ownerID: string) => ({
      type: 'todo',
      id: `7240d0db-8ff0-41ec-98b2-34a096273b9${x}`,
      properties: { ownerID },
    })
    const subject = (id = '') => ({ type: 'user', id })
    const first = { type: 'todo', id: 'todo-1' }
    const rick = 'rick@the-citadel.com'
    const expected = ['TTTTTTTT', 'TTTTFTFT', 'TTTTFTFT', 'TTTFFFFF', 'TTTFFFFF']
    for (const [i, id] of ids.entries()) {
      const theirs = i === 0 ? todo(1, 'morty@the-citadel.com') : todo([1, 1, 3, 4, 5][i] ?? 0, emailOf(id))
      const asked: [string, object][] = [
        ['can_read_user', { type: 'user', id: 'beth@the-smiths.com' }],
        ['can_read_user', { type: 'user', id: emailOf(id) }],
        ['can_read_todos', first],
        ['can_create_todo', first],
        ['can_update_todo', todo(2, rick)],
        ['can_update_todo', theirs],
        ['can_delete_todo', todo(2, rick)],
        ['can_delete_todo', theirs],
      ]
      const answers = await Promise.all(
        asked.map(([name, resource]) =>
          it.post('evaluation', { subject: subject(id), action: { name }, resource }),
        ),
      )
      expect(answers.map(({ body }) => (body.decision === true ? 'T' : 'F')).join(''), emailOf(id)).toBe(
        expected[i],
      )
    }
    const [jerry, morty] = ['jerry@the-smiths.com', 'morty@the-citadel.com']
    const many = (id: string | undefined, ...resources: object[]) =>
      it.post('evaluations', {
        subject: subject(id),
        action: { name: 'can_update_todo' },
        evaluations: resources.map((resource) => ({ resource })),
      })
    // The harness compares JSON texts, so nothing else may stand in an item.
    const text = async (answer: Promise<{ body: Record<string, unknown> }>) =>
      JSON.stringify((await answer).body.evaluations)
    expect(await text(many(ids[0], todo(2, rick), todo(5, jerry)))).toBe(
      '[{"decision":true},{"decision":true}]',
    )
    expect(await text(many(ids[1], todo(2, rick), todo(1, morty)))).toBe(
      '[{"decision":false},{"decision":true}]',
    )
    expect(await text(many(ids[4], todo(2, rick), todo(5, jerry)))).toBe(
      '[{"decision":false},{"decision":false}]',
    )
    await it.close()
  })

  test('API gateway: 25 evaluations, whose ids begin with a slash', async () => {
    const it = await start(
      {
        resources: { route: { actions: ['GET', 'POST', 'PUT', 'DELETE'] } },
        roles: {
          person: { allow: [{ actions: ['GET'], on: ['route:**'] }] },
          admin: { allow: [{ actions: ['POST', 'DELETE'], on: ['route:todos', 'route:todos/*'] }] },
          evil_genius: { allow: [{ actions: ['PUT'], on: ['route:todos/*'] }] },
          editor: { allow: [{ actions: ['POST', 'PUT', 'DELETE'], on: ['route:todos', 'route:todos/*'] }] },
        },
        bindings: [
          { roles: ['person'], to: { issuer: 'directory' } },
          ...bound('admin', 'evil_genius', 'editor'),
        ],
      },
      (policy) => ({
        ...known(policy),
        // An id of the policy has no empty part.
        resourceOf: ({ type, id, properties }) => ({ type, id: id.slice(1), attributes: properties }),
      }),
    )
    const routes = [
      ['GET', '/users/{userId}'],
      ['GET', '/todos'],
      ['POST', '/todos'],
      ['PUT', '/todos/{todoId}'],
      ['DELETE', '/todos/{todoId}'],
    ]
    for (const [i, id] of ids.entries()) {
      const answers = await Promise.all(
        routes.map(([name, route]) =>
          it.post('evaluation', {
            subject: { type: 'identity', id },
            action: { name },
            resource: { type: 'route', id: route },
          }),
        ),
      )
      expect(answers.map(({ body }) => body.decision)).toEqual([true, true, i < 3, i < 3, i < 3])
    }
    await it.close()
  })

  test('Search and IdP: 198 searches and the 6 at login', async () => {
    const staff: Record<string, readonly [role: string, department: string]> = {
      alice: ['manager', 'Sales'],
      bob: ['employee', 'Legal'],
      carol: ['contractor', 'Legal'],
      dan: ['manager', 'Finance'],
      erin: ['employee', 'Finance'],
      felix: ['contractor', 'Accounting'],
    }
    const L = 'Legal',
      A = 'Accounting',
      S = 'Sales',
      F = 'Finance'
    const rows: [department: string, owner: string][] = [
      [L, 'alice'],
      [L, 'bob'],
      [L, 'carol'],
      [A, 'dan'],
      [L, 'erin'],
      [A, 'felix'],
      [S, 'alice'],
      [L, 'bob'],
      [A, 'carol'],
      [S, 'dan'],
      [A, 'erin'],
      [L, 'felix'],
      [S, 'alice'],
      [A, 'bob'],
      [F, 'carol'],
      [L, 'dan'],
      [L, 'erin'],
      [A, 'felix'],
      [L, 'alice'],
      [A, 'bob'],
    ]
    const records = new Map(rows.map(([department, holder], i) => [String(101 + i), { department, holder }]))
    const mine = { 'resource.holder': { $ref: 'principal.claims.sub' } }
    const near = { 'resource.department': { $ref: 'principal.claims.department' } }
    const it = await start(
      {
        resources: { record: { actions: ['view', 'edit', 'delete'] } },
        roles: {
          person: {
            allow: [
              { actions: ['view', 'edit', 'delete'], on: ['record:*'], when: mine },
              { actions: ['view'], on: ['record:*'], when: near },
            ],
          },
          manager: {
            allow: [
              { actions: ['view'], on: ['record:*'] },
              { actions: ['edit'], on: ['record:*'], when: near },
            ],
          },
        },
        bindings: [
          { roles: ['person'], to: { issuer: 'directory' } },
          { roles: ['manager'], to: { claims: { role: 'manager' } } },
        ],
      },
      (policy) => ({
        principalOf: ({ id }) => {
          const [role, department] = staff[id] ?? []
          return role === undefined || department === undefined
            ? undefined
            : principalIn(policy, id, { role, department })
        },
        resourceOf: ({ type, id }) => ({
          type,
          id,
          ...(records.has(id) && { attributes: { ...records.get(id) } }),
        }),
        subjectsOf: () => Object.keys(staff),
        resourcesOf: () => [...records.keys()],
      }),
    )
    const user = (id: string) => ({ type: 'user', id })
    const record = (id: string) => ({ type: 'record', id })
    /** As the scenario has it: the lists in full. */
    const all = [...records.keys()].join(' ')
    const expected: Record<string, readonly [view: string, edit: string, remove: string]> = {
      alice: [all, '101 107 110 113 119', '101 107 113 119'],
      bob: ['101 102 103 105 108 112 114 116 117 119 120', '102 108 114 120', '102 108 114 120'],
      carol: ['101 102 103 105 108 109 112 115 116 117 119', '103 109 115', '103 109 115'],
      dan: [all, '104 110 115 116', '104 110 116'],
      erin: ['105 111 115 117', '105 111 117', '105 111 117'],
      felix: ['104 106 109 111 112 114 118 120', '106 112 118', '106 112 118'],
    }
    const actions = ['view', 'edit', 'delete']
    const holds = (who: string, action: string, id: string) =>
      (expected[who]?.[actions.indexOf(action)] ?? '').split(' ').includes(id)
    const results = async (kind: string, body: object) =>
      JSON.stringify((await it.post(`search/${kind}`, body)).body.results)

    let asked = 0
    let empty = 0
    for (const who of Object.keys(staff)) {
      for (const name of actions) {
        const found = await results('resource', {
          subject: user(who),
          action: { name },
          resource: { type: 'record' },
        })
        expect(found).toBe(
          JSON.stringify([...records.keys()].filter((id) => holds(who, name, id)).map(record)),
        )
        asked++
      }
      for (const id of records.keys()) {
        const found = await results('action', { subject: user(who), resource: record(id) })
        const names = actions.filter((name) => holds(who, name, id)).sort()
        expect(found).toBe(JSON.stringify(names.map((name) => ({ name }))))
        asked++
        empty += Number(found === '[]')
      }
    }
    for (const id of records.keys()) {
      for (const name of actions) {
        const found = await results('subject', {
          subject: { type: 'user' },
          action: { name },
          resource: record(id),
        })
        expect(found).toBe(
          JSON.stringify(
            Object.keys(staff)
              .filter((who) => holds(who, name, id))
              .map(user),
          ),
        )
        asked++
      }
    }
    expect([asked, empty]).toEqual([198, 46])
    await it.close()
  })
})
