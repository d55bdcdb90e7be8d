/**
 * What is exchanged for whom: the smallest scopes the policy yields, kept for one principal in one environment,
 * and forgotten when they are revoked.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Claims,
  createEngine,
  type Principal,
  parsePolicy,
  presets,
  principalFromClaims,
} from '@hfauth/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createPolicyExchange,
  createTokenExchange,
  exchangeForMember,
  type TokenExchangeOptions,
} from '../src/index.ts'
import type { RevocableIdentity, Revocations } from '../src/verify/types.ts'
import {
  type Answer,
  createClock,
  json,
  type LoopbackIssuer,
  paths,
  refusalOf,
  signed,
  startIssuer,
} from './loopback-issuer.ts'

const minted = 'hf_oauth_minted-header.minted-payload.minted-signature'
const granted = { access_token: minted, token_type: 'bearer', expires_in: 28_800 }

let hub: LoopbackIssuer
let clock: ReturnType<typeof createClock>
let asked: Record<string, string>[]

beforeAll(async () => {
  hub = await startIssuer()
})
afterAll(() => hub.close())
beforeEach(() => {
  clock = createClock()
  asked = []
  answer(json(granted))
})

function answer(next: Answer): void {
  hub.answers.set(paths.token, (request, response, body) => {
    asked.push(body.startsWith('{') ? JSON.parse(body) : Object.fromEntries(new URLSearchParams(body)))
    next(request, response, body)
  })
}

const issuer = 'https://id.acme.dev'
const okta = 'https://acme.okta.com/oauth2/default'
const policy = parsePolicy({
  version: 1,
  name: 'test',
  issuers: {
    idp: { preset: 'oidc', issuer, audience: 'app-1' },
    okta: { preset: 'okta', issuer: okta, audience: 'app-2' },
    ci: { preset: 'github-actions', audience: 'https://huggingface.co' },
  },
  environments: { production: { actions: ['read', 'infer', 'write'] }, development: {} },
  roles: {
    viewer: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] },
    engineer: { allow: [{ actions: ['read', 'infer', 'delete'], on: ['model:acme/*'] }] },
    editor: { allow: [{ actions: ['edit'], on: ['prompt:*'] }] },
    releaser: { allow: [{ actions: ['write'], on: ['model:acme/vision-large', 'dataset:acme/*'] }] },
  },
  resources: { prompt: { actions: ['edit'] } },
  bindings: [
    { roles: ['engineer'], to: { issuer: ['idp', 'okta'], claims: { sub: 'ana' } } },
    { roles: ['viewer'], to: { issuer: 'idp', claims: { sub: 'bot' } } },
    { roles: ['editor'], to: { issuer: 'idp', claims: { sub: 'eve' } } },
    { roles: ['releaser'], to: { issuer: 'ci', claims: { repository: 'acme/vision' } } },
  ],
})

function principalOf(alias: string, claims: Claims): Principal {
  const preset = presets.get({ ci: 'github-actions', okta: 'okta' }[alias] ?? 'oidc')
  if (preset === undefined) throw new Error('no preset')
  const times = { iat: clock.seconds, exp: clock.seconds + 3600 }
  return principalFromClaims({
    issuer: alias,
    preset,
    credential: 'id_token',
    claims: { ...times, ...claims },
  })
}

const person = (claims: Claims = {}) =>
  principalOf('idp', { iss: issuer, sub: 'ana', email: 'ana@acme.example', email_verified: true, ...claims })

function exchangeWith(options: Partial<TokenExchangeOptions> = {}) {
  return createTokenExchange({
    hubUrl: hub.url,
    client: { id: 'app-1', secret: 'oauth_app_secret_x' },
    now: () => clock.ms,
    ...options,
  })
}

function policyExchangeIn(
  environment: string,
  exchange = exchangeWith(),
  actor?: { subject: string; issuer?: string },
) {
  const engine = createEngine(policy, { environment, now: () => clock.ms })
  return createPolicyExchange({ engine, exchange, ...(actor === undefined ? {} : { actor }) })
}

/** A set of revocations that tests fill by hand. */
function revocationSet() {
  const listeners = new Set<() => void>()
  const subjects = new Set<string>()
  const set: Revocations & { revoke(subject: string, at?: string): void } = {
    isRevoked: ({ issuer: at, subject = '' }: RevocableIdentity) => subjects.has(`${at} ${subject}`),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    revoke(subject, at = issuer) {
      subjects.add(`${at} ${subject}`)
      for (const listener of listeners) listener()
    },
  }
  return set
}

describe('an exchange under a policy', () => {
  test('asks for what one question needs, or for what the roles allow here, and nothing else', async () => {
    const exchange = policyExchangeIn('production')
    await exchange.forMember(person(), { action: 'read', resource: 'model:acme/x' })
    await exchange.forMember(person())
    await policyExchangeIn('development').forMember(person())
    expect(asked.map(({ scope }) => scope)).toEqual([
      'read-repos',
      'inference-api read-repos',
      'inference-api manage-repos',
    ])
  })

  test('asks for what both may where somebody acts for the person', async () => {
    await policyExchangeIn('production').forMember(person({ act: { sub: 'bot' } }))
    expect(asked.map(({ scope, subject_token }) => [subject_token, scope])).toEqual([
      ['ana@acme.example', 'read-repos'],
    ])
  })

  test.each<[string, Claims, Parameters<ReturnType<typeof createPolicyExchange>['forMember']>[1]]>([
    ['what the policy denies', {}, { action: 'write', resource: 'model:acme/x' }],
    ['what the environment never allows', {}, { action: 'delete', resource: 'model:acme/x' }],
    ['what whoever acts may not', { act: { sub: 'bot' } }, { action: 'infer', resource: 'model:acme/x' }],
    ['somebody whose address nobody verified', { email_verified: false }, undefined],
    ['somebody without an address', { email: '' }, undefined],
    ['roles that need no scope', { sub: 'eve' }, undefined],
    ['a question that needs no scope', { sub: 'eve' }, { action: 'edit', resource: 'prompt:x' }],
  ])('is refused for %s', async (_, claims, question) => {
    const refusal = await refusalOf(policyExchangeIn('production').forMember(person(claims), question))
    expect(refusal.code).toBe('HFAUTH_EXCHANGE_REFUSED')
    expect(asked).toEqual([])
  })

  test('takes the resource for a job from the question that the policy allows', async () => {
    const idToken = signed({ sub: 'job' })
    const job = principalOf('ci', { sub: 'job', repository: 'acme/vision' })
    const exchange = policyExchangeIn('production')
    await exchange.forPublisher(job, {
      idToken,
      question: { action: 'write', resource: 'model:acme/vision-large' },
    })
    await exchange.forPublisher(job, {
      idToken,
      question: { action: 'write', resource: 'dataset:acme/labels' },
    })
    expect(asked.map(({ resource }) => resource)).toEqual(['acme/vision-large', 'datasets/acme/labels'])

    for (const question of [
      { action: 'write', resource: 'model:acme/other' },
      { action: 'read', resource: 'model:acme/vision-large' },
    ]) {
      const refusal = await refusalOf(exchange.forPublisher(job, { idToken, question }), idToken)
      expect(refusal.code).toBe('HFAUTH_EXCHANGE_REFUSED')
    }
    const notAJob = exchange.forPublisher(person(), {
      idToken,
      question: { action: 'read', resource: 'model:acme/x' },
    })
    expect((await refusalOf(notAJob)).code).toBe('HFAUTH_EXCHANGE_REFUSED')
    expect(asked).toHaveLength(2)
  })

  test('keeps tokens apart by principal and by environment', async () => {
    const exchange = exchangeWith()
    const question = { action: 'read', resource: 'model:acme/x' }
    const inProduction = policyExchangeIn('production', exchange)
    await inProduction.forMember(person(), question)
    await inProduction.forMember(person(), question)
    expect(asked).toHaveLength(1)
    await inProduction.forMember(person({ sub: 'bot' }), question)
    await inProduction.forMember(person(), { ...question, environment: 'development' })
    expect(asked).toHaveLength(3)
    await policyExchangeIn('development', exchange).forMember(person(), question)
    expect(asked).toHaveLength(3)
  })
})

describe('`may_act`', () => {
  const us = { subject: 'gateway' }

  test.each<[string, Claims, { subject: string; issuer?: string } | undefined]>([
    ['that is not there', {}, undefined],
    ['that names us', { may_act: { sub: 'gateway' } }, us],
    ['that names us with the token’s issuer', { may_act: { sub: 'gateway', iss: issuer } }, us],
    [
      'that names us with our issuer',
      { may_act: { sub: 'gateway', iss: 'https://else.example' } },
      { ...us, issuer: 'https://else.example' },
    ],
  ])('%s lets us exchange for the person', async (_, claims, actor) => {
    await expect(
      policyExchangeIn('production', exchangeWith(), actor).forMember(person(claims)),
    ).resolves.toBeDefined()
  })

  test.each<[string, Claims, { subject: string } | undefined]>([
    ['that names another', { may_act: { sub: 'other' } }, us],
    [
      'that names one with our name elsewhere',
      { may_act: { sub: 'gateway', iss: 'https://else.example' } },
      us,
    ],
    ['where we are nobody', { may_act: { sub: 'gateway' } }, undefined],
    ['that is a text', { may_act: 'gateway' }, us],
    ['without a subject', { may_act: {} }, us],
  ])('%s keeps us from it, also in the proxy', async (_, claims, actor) => {
    const options = actor === undefined ? {} : { actor }
    const ways = [
      policyExchangeIn('production', exchangeWith(), actor).forMember(person(claims)),
      exchangeForMember(
        exchangeWith(),
        options,
      )({
        principal: person(claims),
        action: 'read',
        scopes: ['read-repos'],
      }),
    ]
    for (const way of ways) expect((await refusalOf(way)).code).toBe('HFAUTH_EXCHANGE_REFUSED')
    expect(asked).toEqual([])
  })
})

describe('a revocation', () => {
  test('empties what was kept for that person, and gives them nothing more', async () => {
    const revocations = revocationSet()
    const exchange = exchangeWith({ revocations })
    const under = policyExchangeIn('production', exchange)
    await under.forMember(person())
    await under.forMember(person({ sub: 'bot' }))
    await exchange.forMember({ email: 'nobody@acme.example', scopes: ['read-repos'] })
    expect(asked).toHaveLength(3)

    revocations.revoke('bot')
    expect((await refusalOf(under.forMember(person({ sub: 'bot' })))).code).toBe('HFAUTH_EXCHANGE_REFUSED')
    await under.forMember(person())
    expect(asked).toHaveLength(3)
    // For whom nobody said could have been anybody.
    await exchange.forMember({ email: 'nobody@acme.example', scopes: ['read-repos'] })
    expect(asked).toHaveLength(4)
  })

  test.each<[string, string, Claims, revoked: [string, string]]>([
    ['by its `sub`, which is not its subject', 'okta', { iss: okta, uid: '00u1', sub: 'ana' }, ['ana', okta]],
    [
      'whom somebody revoked acts for',
      'idp',
      { iss: issuer, sub: 'ana', act: { sub: 'bot' } },
      ['bot', issuer],
    ],
  ])('holds for a principal %s', async (_, alias, claims, revoked) => {
    const revocations = revocationSet()
    const under = policyExchangeIn('production', exchangeWith({ revocations }))
    const someone = principalOf(alias, { email: 'ana@acme.example', email_verified: true, ...claims })
    await under.forMember(someone)
    revocations.revoke(...revoked)
    expect(await refusalOf(under.forMember(someone), minted)).toMatchObject({
      code: 'HFAUTH_EXCHANGE_REFUSED',
    })
  })

  test('holds for an answer that was under way', async () => {
    const revocations = revocationSet()
    answer((request, response, body) => {
      revocations.revoke('ana')
      json(granted)(request, response, body)
    })
    const under = policyExchangeIn('production', exchangeWith({ revocations }))
    const refusal = await refusalOf(under.forMember(person()), minted)
    expect(refusal.code).toBe('HFAUTH_EXCHANGE_REFUSED')
  })
})

test('nothing that exchanges tokens can write to a disk', () => {
  const folder = join(import.meta.dirname, '../src/exchange')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  )
  expect(files.length).toBeGreaterThan(5)
  const writing = files.filter((name) =>
    /writeFile|appendFile|createWriteStream|from 'node:fs'|\bopen\(/.test(
      readFileSync(join(folder, name), 'utf8'),
    ),
  )
  expect(writing).toEqual([])
})
