/**
 * Who acts for whom is read from verified tokens only, and stands on record (RFC 8693 §4.1).
 */
import { createEngine, parsePolicy } from '@hfauth/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createAuditLog,
  createGuard,
  createVerifier,
  memorySink,
  type RevocableIdentity,
} from '../src/index.ts'
import {
  createClock,
  type LoopbackIssuer,
  policyWith,
  refusalOf,
  rsa,
  rsaKey,
  signed,
  startIssuer,
} from './loopback-issuer.ts'

let issuer: LoopbackIssuer
const clock = createClock()

beforeAll(async () => {
  issuer = await startIssuer()
  issuer.keys = [rsa.jwk]
})
afterAll(() => issuer.close())

function setUp(isRevoked: (identity: RevocableIdentity) => boolean = () => false) {
  const policy = parsePolicy({
    version: 1,
    name: 'test',
    issuers: {
      idp: { preset: 'oidc', issuer: issuer.url, audience: 'app-1' },
      agents: { preset: 'oidc', issuer: 'https://agents.example', audience: 'app-1' },
    },
    environments: { production: {} },
    roles: {
      engineer: { allow: [{ actions: ['read', 'write'], on: ['model:acme/*'] }] },
      viewer: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] },
    },
    bindings: [
      { roles: ['engineer'], to: { issuer: 'idp', claims: { sub: 'ana' } } },
      { roles: ['viewer'], to: { issuer: 'agents', claims: { sub: 'bot' } } },
    ],
  })
  const now = () => clock.ms
  const sink = memorySink()
  const guard = createGuard({
    engine: createEngine(policy, { environment: 'production', now }),
    verifier: createVerifier({ policy, now }),
    audit: createAuditLog({ sink, environment: 'production', service: 'test', now, durability: 'strict' }),
  })
  return { guard, sink, verifier: createVerifier({ policy, now, revocations: { isRevoked } }) }
}

function tokenWith(act: unknown, key = rsa): string {
  const { seconds } = clock
  return signed({ iss: issuer.url, aud: 'app-1', sub: 'ana', iat: seconds, exp: seconds + 300, act }, key)
}

const bot = { iss: 'https://agents.example', sub: 'bot' }

function request(token: string): Request {
  return new Request('https://api.acme.dev/', { headers: { authorization: `Bearer ${token}` } })
}

test('who acts for a person may do what both may, and both stand on record', async () => {
  const { guard, sink } = setUp()
  const resource = 'model:acme/x'
  expect((await guard.check(request(tokenWith(bot)), { action: 'read', resource })).allowed).toBe(true)
  expect((await guard.check(request(tokenWith(bot)), { action: 'write', resource })).allowed).toBe(false)
  expect((await guard.check(request(tokenWith(undefined)), { action: 'write', resource })).allowed).toBe(true)
  const events = sink.events.map(({ actor, decision }) => [
    actor.id,
    actor.actedBy,
    decision?.effect,
    decision?.refused,
  ])
  expect(events).toEqual([
    ['idp|ana', ['agents|bot'], 'allow', undefined],
    ['idp|ana', ['agents|bot'], 'deny', 'agents|bot'],
    ['idp|ana', undefined, 'allow', undefined],
  ])
})

test('an actor that cannot be read refuses the token, rather than being left out', async () => {
  const { guard, verifier } = setUp()
  for (const act of ['bot', {}, { sub: 'bot', iss: 'https://evil.test' }, [bot]]) {
    expect((await refusalOf(verifier.verify(tokenWith(act)))).code).toBe('HFAUTH_CLAIMS_INVALID')
    const answer = await guard.check(request(tokenWith(act)), { action: 'read', resource: 'model:acme/x' })
    expect(answer.allowed).toBe(false)
    expect('response' in answer && answer.response.status).toBe(401)
  }
})

describe('an address that two aliases share', () => {
  const agents = 'https://agents.example'
  const verifierOf = (issuers: Parameters<typeof policyWith>[0]) =>
    createVerifier({ policy: policyWith(issuers), now: () => clock.ms })

  test('says of nobody else’s token which of them acts, so the token is refused', async () => {
    const verifier = verifierOf({
      idp: { preset: 'oidc', issuer: issuer.url },
      web: { preset: 'oidc', issuer: agents, audience: 'web' },
      batch: { preset: 'oidc', issuer: agents, audience: 'batch' },
    })
    const refusal = await refusalOf(verifier.verify(tokenWith(bot)))
    expect(refusal).toMatchObject({ code: 'HFAUTH_CLAIMS_INVALID' })
    expect(refusal.message).toContain('does not name once')
  })

  test('is one alias with two audiences where it need not be two', async () => {
    const verifier = verifierOf({
      idp: { preset: 'oidc', issuer: issuer.url },
      agents: { preset: 'oidc', issuer: agents, audience: ['web', 'batch'] },
    })
    const { principal } = await verifier.verify(tokenWith(bot))
    expect(principal.actor?.id).toBe('agents|bot')
  })

  test.each(['none', 'its own'])(
    'is clear in its own tokens, where the audience tells: `iss` %s',
    async (iss) => {
      const verifier = verifierOf({
        other: { preset: 'oidc', issuer: issuer.url, audience: 'app-2' },
        idp: { preset: 'oidc', issuer: issuer.url, audience: 'app-1' },
      })
      const act = { sub: 'bot', ...(iss === 'none' ? {} : { iss: issuer.url }) }
      const { principal } = await verifier.verify(tokenWith(act))
      expect([principal.id, principal.actor?.id]).toEqual(['idp|ana', 'idp|bot'])
    },
  )
})

test('a signature comes before every word about actors', async () => {
  const refusal = await refusalOf(setUp().verifier.verify(tokenWith('bot', rsaKey('rsa-1'))))
  expect(refusal.code).toBe('HFAUTH_TOKEN_INVALID')
})

test('who acts is asked about as well as for whom, each under the issuer and the name of their own', async () => {
  const asked: RevocableIdentity[] = []
  const { verifier } = setUp((identity) => {
    asked.push(identity)
    return false
  })
  await verifier.verify(tokenWith({ ...bot, act: { sub: 'first' } }))
  expect(asked).toEqual([
    expect.objectContaining({ issuer: issuer.url, subject: 'ana', issuedAt: clock.seconds }),
    { issuer: 'https://agents.example', subject: 'bot', issuedAt: clock.seconds },
    { issuer: issuer.url, subject: 'first', issuedAt: clock.seconds },
  ])
})

test.each(['ana', 'bot', 'first'])(
  'a token in whose chain %s has been revoked is refused, also when it is remembered',
  async (name) => {
    let gone: string | undefined
    const { verifier } = setUp(({ subject }) => subject === gone)
    const token = tokenWith({ ...bot, act: { sub: 'first' } })
    await verifier.verify(token)
    gone = name
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_REVOKED')
  },
)
