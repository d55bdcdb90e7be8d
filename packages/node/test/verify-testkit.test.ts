import {
  type CiIssuer,
  confidentialAppId,
  type Hub,
  publicAppId,
  startCiIssuer,
  startHub,
} from '@hfauth/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTokenExchange, createVerifier, type TokenVerifier } from '../src/index.ts'
import { createClock, policyWith, refusalOf } from './loopback-issuer.ts'

const clock = createClock(Date.now())
const now = () => clock.ms

let hub: Hub
let ci: CiIssuer
let verifier: TokenVerifier

beforeAll(async () => {
  ci = await startCiIssuer({ now })
  hub = await startHub({
    now,
    world: {
      trustedPublishers: [
        {
          resource: 'acme/vision-small',
          issuer: ci.url,
          claims: { repository: 'acme/vision', ref: 'refs/heads/main' },
        },
      ],
    },
  })
})
afterAll(async () => {
  await hub.close()
  await ci.close()
})
beforeEach(() => {
  hub.requests.clear()
  for (const name of Object.keys(hub.faults)) delete hub.faults[name as keyof typeof hub.faults]
  verifier = createVerifier({
    policy: policyWith({
      hf: { preset: 'huggingface', issuer: hub.url, audience: publicAppId },
      ci: { preset: 'github-actions', issuer: ci.url, audience: 'https://models.acme.example' },
    }),
    now,
  })
})

const tokenOf = (clientId = publicAppId, more: object = {}) =>
  hub.tokenFor({
    username: 'ana',
    clientId,
    scopes: ['openid', 'profile', 'read-repos'],
    orgs: ['acme'],
    ...more,
  })

describe('an access token of the Hub', () => {
  test('gives the person with organisation, role and scopes', async () => {
    const { principal, issuer } = await verifier.verify(await tokenOf())
    expect(issuer.alias).toBe('hf')
    expect(principal).toMatchObject({
      username: 'ana',
      subject: hub.person('ana').id,
      scopes: ['openid', 'profile', 'read-repos'],
      orgs: [{ handle: 'acme', role: 'write' }],
    })
  })

  test('of another app of the same Hub does not act here', async () => {
    const token = await tokenOf(confidentialAppId)
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_AUDIENCE')
  })

  test('that has expired is refused by the Hub itself', async () => {
    const token = await tokenOf(publicAppId, { expiresInSeconds: -60 })
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_INVALID')
  })

  test('with a word of its payload changed is refused', async () => {
    const [head, , signature] = (await tokenOf(confidentialAppId)).split('.')
    const [, payload] = (await tokenOf()).split('.')
    const token = `${head}.${payload}.${signature}`
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_INVALID')
  })

  test('signs nobody out while userinfo is down', async () => {
    const token = await tokenOf()
    hub.faults.userinfo = { status: 503 }
    expect(await refusalOf(verifier.verify(token), token)).toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable: true,
    })
    delete hub.faults.userinfo
    await expect(verifier.verify(token)).resolves.toBeDefined()
  })
})

describe('the ID token of a job', () => {
  const job = { audience: 'https://models.acme.example', repository: 'acme/vision' }

  test('gives a workload with its claims, also behind our prefix', async () => {
    const { principal } = await verifier.verify(`hf_oidc_${await ci.token(job)}`)
    expect(principal).toMatchObject({
      kind: 'workload',
      name: 'acme/vision',
      claims: { repository: 'acme/vision', ref: 'refs/heads/main' },
    })
  })

  test('ends after its five minutes', async () => {
    const token = await ci.token(job)
    await verifier.verify(token)
    clock.forward(300)
    await expect(verifier.verify(token)).resolves.toBeDefined()
    clock.forward(30)
    expect((await refusalOf(verifier.verify(token), token)).code).toBe('HFAUTH_TOKEN_EXPIRED')
  })

  test('signed with a rotated key is taken after the cooldown', async () => {
    await verifier.verify(await ci.token(job))
    ci.rotateKey({ keepPrevious: false })
    clock.forward(30)
    await expect(verifier.verify(await ci.token(job))).resolves.toBeDefined()
  })

  test('for another audience, or unsigned, is refused', async () => {
    const foreign = await ci.token({ ...job, audience: hub.url })
    expect((await refusalOf(verifier.verify(foreign), foreign)).code).toBe('HFAUTH_TOKEN_AUDIENCE')
    const open = await ci.token({ ...job, header: { alg: 'none' } })
    expect((await refusalOf(verifier.verify(open), open)).code).toBe('HFAUTH_TOKEN_INVALID')
  })
})

describe('an exchange at the Hub', () => {
  const exchangeWith = (secret: string) =>
    createTokenExchange({ hubUrl: hub.url, client: { id: confidentialAppId, secret }, now })
  const secretOf = () => hub.app(confidentialAppId).clientSecret ?? ''

  test('gives a member’s token that the verifier of that app accepts', async () => {
    const exchange = exchangeWith(secretOf())
    const { token, scopes } = await exchange.forMember({
      email: 'ana@acme.example',
      scopes: ['openid', 'profile', 'read-repos'],
    })
    expect(scopes).toEqual(['openid', 'profile', 'read-repos'])
    const policy = policyWith({ hf: { preset: 'huggingface', issuer: hub.url, audience: confidentialAppId } })
    expect((await createVerifier({ policy, now }).verify(token)).principal.username).toBe('ana')
  })

  test.each([
    ['a wrong secret', () => 'oauth_app_secret_wrong', 'ana@acme.example', 'invalid_client'],
    ['somebody who is no member', secretOf, 'dan@acme.example', 'invalid_grant'],
    ['nobody', secretOf, 'nobody@acme.example', 'invalid_grant'],
  ])('is refused for %s', async (_, secret, email, name) => {
    const exchange = exchangeWith(secret())
    const refusal = await refusalOf(exchange.forMember({ email, scopes: ['read-repos'] }), secret())
    expect(refusal.code).toBe('HFAUTH_EXCHANGE_REFUSED')
    expect(refusal.message).toContain(name)
  })

  test('is refused for a scope that the app does not have', async () => {
    const exchange = exchangeWith(secretOf())
    const asking = exchange.forMember({ email: 'ana@acme.example', scopes: ['no-such-scope'] })
    const refusal = await refusalOf(asking, secretOf())
    expect(refusal.message).toContain('invalid_scope')
  })

  test('gives a job a token for its repository, and for no other', async () => {
    const exchange = createTokenExchange({ hubUrl: hub.url, now })
    const idToken = await ci.token({ audience: hub.url, repository: 'acme/vision' })
    const { token, expiresAt } = await exchange.forPublisher({ idToken, resource: 'acme/vision-small' })
    expect(token).toMatch(/^hf_jwt_/)
    expect(expiresAt).toBe(clock.ms + 3_600_000)
    const refusal = await refusalOf(exchange.forPublisher({ idToken, resource: 'acme/restricted' }), idToken)
    expect(refusal).toMatchObject({ code: 'HFAUTH_EXCHANGE_REFUSED', retryable: false })
    const other = await ci.token({ audience: hub.url, repository: 'acme/other' })
    expect(
      (await refusalOf(exchange.forPublisher({ idToken: other, resource: 'acme/vision-small' }), other)).code,
    ).toBe('HFAUTH_EXCHANGE_REFUSED')
  })

  test('may work later when the token endpoint is down', async () => {
    hub.faults.tokenEndpoint = { status: 503 }
    const exchange = exchangeWith(secretOf())
    const asking = exchange.forMember({ email: 'ana@acme.example', scopes: ['read-repos'] })
    expect(await refusalOf(asking, secretOf())).toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable: true,
    })
  })
})

test('an ID token from a sign-in at the Hub is verified by its published keys', async () => {
  const exchange = await fetch(`${hub.url}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${confidentialAppId}:${hub.app(confidentialAppId).clientSecret}`).toString('base64')}`,
    },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'ana@acme.example',
      subject_token_type: 'urn:huggingface:token-type:user-email',
      scope: 'openid profile',
    }),
  })
  const { id_token: idToken } = (await exchange.json()) as { id_token: string }
  const policy = policyWith({ hf: { preset: 'huggingface', issuer: hub.url, audience: confidentialAppId } })
  const { kind, principal } = await createVerifier({ policy, now }).verify(idToken)
  expect(kind).toBe('id_token')
  expect(principal).toMatchObject({ subject: hub.person('ana').id, credential: 'id_token' })
  expect((await refusalOf(verifier.verify(idToken), idToken)).code).toBe('HFAUTH_TOKEN_AUDIENCE')
})
