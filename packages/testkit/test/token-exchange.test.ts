import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type CiIssuer,
  confidentialAppId,
  type Hub,
  publicAppId,
  startCiIssuer,
  startHub,
} from '../src/index.ts'
import { postToken, readAnswer, readUserinfo } from './app-client.ts'

let hub: Hub
let ci: CiIssuer
beforeAll(async () => {
  ci = await startCiIssuer()
  hub = await startHub({
    world: {
      trustedPublishers: [
        {
          resource: 'acme/vision-small',
          issuer: ci.url,
          claims: { repository: 'acme/trainer', ref: 'refs/heads/main' },
        },
      ],
    },
  })
})
afterAll(async () => {
  await hub.close()
  await ci.close()
})

const exchange = { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange' }

describe('exchange for organisation members', () => {
  function trade(
    overrides: Record<string, string> = {},
    secret = hub.app(confidentialAppId).clientSecret ?? '',
  ) {
    return postToken(
      hub,
      {
        ...exchange,
        subject_token: 'ana@acme.example',
        subject_token_type: 'urn:huggingface:token-type:user-email',
        ...overrides,
      },
      { authorization: `Basic ${btoa(`${confidentialAppId}:${secret}`)}` },
    )
  }

  test('gives a token of the app with the scopes asked for and no refresh token', async () => {
    const { status, body } = await trade({ scope: 'openid profile read-repos' })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      token_type: 'bearer',
      expires_in: 28_800,
      scope: 'openid profile read-repos',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    })
    expect(body).not.toHaveProperty('refresh_token')
    expect(decodeJwt(String(body.id_token))).toMatchObject({
      sub: hub.person('ana').id,
      aud: confidentialAppId,
    })
    expect((await readUserinfo(hub, String(body.access_token))).body).toMatchObject({
      preferred_username: 'ana',
      orgs: [{ roleInOrg: 'write' }],
    })
  })

  test('without a scope gives all scopes of the app', async () => {
    const { body } = await trade()
    expect(String(body.scope).split(' ')).toEqual(hub.app(confidentialAppId).scopes)
  })

  test.each([
    ['a wrong secret', {}, 'wrong', 401, 'invalid_client'],
    [
      'somebody outside the organisation',
      { subject_token: 'dan@acme.example' },
      undefined,
      400,
      'invalid_grant',
    ],
    ['an unknown address', { subject_token: 'nobody@acme.example' }, undefined, 400, 'invalid_grant'],
    ['a scope the app lacks', { scope: 'openid read-minds' }, undefined, 400, 'invalid_scope'],
    [
      'another kind of subject',
      { subject_token_type: 'urn:example:phone' },
      undefined,
      400,
      'invalid_request',
    ],
  ])('refuses %s', async (_, overrides, secret, status, error) => {
    expect(await trade(overrides, secret)).toMatchObject({ status, body: { error } })
  })

  test('refuses an app without the privilege', async () => {
    const answer = await postToken(hub, {
      ...exchange,
      client_id: publicAppId,
      subject_token: 'ana@acme.example',
      subject_token_type: 'urn:huggingface:token-type:user-email',
    })
    expect(answer).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
  })

  test('refuses an app of the organisation from which the privilege was taken', async () => {
    hub.app(confidentialAppId).tokenExchange = false
    try {
      expect(await trade()).toMatchObject({ status: 400, body: { error: 'unauthorized_client' } })
    } finally {
      hub.app(confidentialAppId).tokenExchange = true
    }
  })

  test('gives tokens that do not reach personal repositories', async () => {
    hub.world.repos.push({ type: 'model', id: 'ana/notes', private: true, files: { 'README.md': 'mine' } })
    const read = async (token: string, id: string) =>
      (await fetch(`${hub.url}/api/models/${id}`, { headers: { authorization: `Bearer ${token}` } })).status
    const traded = String((await trade()).body.access_token)
    expect(await read(traded, 'acme/vision-large')).toBe(200)
    expect(await read(traded, 'ana/notes')).toBe(404)
    const own = await hub.tokenFor({ username: 'ana', clientId: publicAppId, scopes: ['read-repos'] })
    expect(await read(own, 'ana/notes')).toBe(200)
  })
})

describe('exchange for trusted publishers', () => {
  async function trade(token: string, resource = 'acme/vision-small') {
    return readAnswer(
      await fetch(`${hub.url}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          ...exchange,
          subject_token: token,
          subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
          resource,
        }),
      }),
    )
  }
  const job = (overrides: Record<string, unknown> = {}) =>
    ci.token({ audience: hub.url, repository: 'acme/trainer', ...overrides })
  const writeStatus = async (token: string, id: string) =>
    (
      await fetch(`${hub.url}/api/models/${id}/auth-check/write`, {
        headers: { authorization: `Bearer ${token}` },
      })
    ).status

  test('gives a token that writes to the one repository', async () => {
    const { status, body } = await trade(await job())
    expect(status).toBe(200)
    expect(body).toMatchObject({ token_type: 'bearer', expires_in: 3600 })
    expect(body.access_token).toMatch(/^hf_jwt_[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(await writeStatus(String(body.access_token), 'acme/vision-small')).toBe(200)
    expect(await writeStatus(String(body.access_token), 'acme/text-chat')).toBe(403)
    expect(await writeStatus(String(body.access_token), 'acme/vision-large')).toBe(404)
    expect((await readUserinfo(hub, String(body.access_token))).status).toBe(401)
  })

  test('takes a form as well', async () => {
    const answer = await postToken(hub, {
      ...exchange,
      subject_token: await job(),
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
      resource: 'acme/vision-small',
    })
    expect(answer.status).toBe(200)
  })

  test.each([
    ['another repository', { repository: 'acme/other' }],
    ['another branch', { ref: 'refs/heads/dev' }],
    ['another audience', { audience: 'https://huggingface.co' }],
    ['an expired token', { exp: 1 }],
    ['a token that is not valid yet', { nbf: 4_000_000_000 }],
    ['another issuer', { iss: 'http://127.0.0.1:1' }],
    ['no signature', { header: { alg: 'none' } }],
    ['an unknown key', { header: { kid: 'other' } }],
  ])('refuses %s', async (_, overrides) => {
    expect(await trade(await job(overrides))).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  test('refuses a token whose claims were changed after signing', async () => {
    const [header, , signature] = (await job({ repository: 'acme/other' })).split('.')
    const [, payload] = (await job()).split('.')
    expect(await trade(`${header}.${payload}.${signature}`)).toMatchObject({
      body: { error: 'invalid_grant' },
    })
  })

  test('refuses a repository without that publisher, and a request without a repository', async () => {
    expect(await trade(await job(), 'acme/text-chat')).toMatchObject({ body: { error: 'invalid_grant' } })
    expect(await trade(await job(), '')).toMatchObject({ status: 400, body: { error: 'invalid_request' } })
  })
})
