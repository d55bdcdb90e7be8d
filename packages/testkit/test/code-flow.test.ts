import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import * as oauth from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Hub, publicAppId, startHub } from '../src/index.ts'
import {
  createAppClient,
  insecure,
  postToken,
  readUserinfo,
  redirectUri,
  signInForTokens,
} from './app-client.ts'

let hub: Hub
beforeAll(async () => {
  hub = await startHub()
})
afterAll(() => hub.close())

describe('metadata', () => {
  test.each(['openid-configuration', 'oauth-authorization-server'])(
    '%s has the documented members and no other',
    async (name) => {
      const response = await fetch(`${hub.url}/.well-known/${name}`, {
        headers: { origin: 'http://app.example' },
      })
      expect(await response.json()).toEqual({
        issuer: hub.url,
        authorization_endpoint: `${hub.url}/oauth/authorize`,
        token_endpoint: `${hub.url}/oauth/token`,
        userinfo_endpoint: `${hub.url}/oauth/userinfo`,
        jwks_uri: `${hub.url}/oauth/jwks`,
        device_authorization_endpoint: `${hub.url}/oauth/device`,
        registration_endpoint: `${hub.url}/oauth/register`,
        response_types_supported: ['code'],
        response_modes_supported: ['query'],
        grant_types_supported: [
          'urn:ietf:params:oauth:grant-type:token-exchange',
          'urn:ietf:params:oauth:grant-type:device_code',
          'authorization_code',
          'refresh_token',
        ],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        id_token_signing_alg_values_supported: ['RS256'],
        subject_types_supported: ['public'],
        client_id_metadata_supported: true,
      })
      expect(response.headers.get('access-control-allow-origin')).toBe('http://app.example')
    },
  )

  test('the key set holds the RS256 key only', async () => {
    const { keys } = (await (await fetch(`${hub.url}/oauth/jwks`)).json()) as { keys: { alg: string }[] }
    expect(keys.map(({ alg }) => alg)).toEqual(['RS256'])
    expect(JSON.stringify(keys)).not.toContain('"d"')
  })
})

describe('code flow', () => {
  test('gives an ID token that verifies against the key set and carries the nonce', async () => {
    const app = await createAppClient(hub)
    const callback = await app.authorize({ scope: 'openid profile email' })
    expect(callback.searchParams.has('iss')).toBe(false)
    const tokens = await app.redeem(callback)
    const { payload, protectedHeader } = await jwtVerify(
      tokens.id_token ?? '',
      createRemoteJWKSet(new URL(app.server.jwks_uri ?? '')),
      { issuer: hub.url, audience: publicAppId },
    )
    expect(protectedHeader.alg).toBe('RS256')
    expect(payload).toMatchObject({
      sub: hub.person('ana').id,
      nonce: app.nonce,
      preferred_username: 'ana',
      email: 'ana@acme.example',
      email_verified: true,
    })
    expect(payload.auth_time).toBeTypeOf('number')
    expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3600)
  })

  test('gives tokens of the shapes Hugging Face uses', async () => {
    const tokens = await signInForTokens(hub, { scope: 'openid read-repos' })
    expect(tokens.token_type).toBe('bearer')
    expect(tokens.expires_in).toBe(28_800)
    expect(tokens.refresh_token).toMatch(/^hf_oauth__refresh_[A-Za-z0-9]{34}$/)
    const jwt = tokens.access_token.replace(/^hf_oauth_/, '')
    expect(decodeProtectedHeader(jwt).alg).toBe('EdDSA')
    const claims = decodeJwt(jwt)
    expect(claims).toMatchObject({
      iss: hub.url,
      aud: hub.url,
      sub: hub.person('ana').id,
      client_id: publicAppId,
      scope: ['openid', 'read-repos'],
    })
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(28_800)
    expect(hub.issued).toEqual(
      expect.arrayContaining([tokens.access_token, tokens.refresh_token, tokens.id_token]),
    )
  })

  test('a sign-in without openid gives no ID token', async () => {
    const app = await createAppClient(hub)
    const callback = await app.authorize({ scope: 'read-repos', params: { nonce: undefined } })
    const { body } = await postToken(hub, {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      client_id: publicAppId,
      code_verifier: app.verifier,
    })
    expect(body).toMatchObject({ scope: 'read-repos' })
    expect(body).not.toHaveProperty('id_token')
  })

  test('a code works once, and using it again ends the tokens it gave', async () => {
    const app = await createAppClient(hub)
    const callback = await app.authorize()
    const tokens = await app.redeem(callback)
    const again = await postToken(hub, {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      client_id: publicAppId,
      code_verifier: app.verifier,
    })
    expect(again).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
    expect((await readUserinfo(hub, tokens.access_token)).status).toBe(401)
  })

  test('a code may be redeemed without naming the client, as huggingface.js does', async () => {
    const app = await createAppClient(hub)
    const callback = await app.authorize()
    const answer = await postToken(hub, {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: app.verifier,
    })
    expect(answer.status).toBe(200)
  })

  test('a wrong verifier is refused', async () => {
    const app = await createAppClient(hub)
    const callback = await app.authorize()
    const answer = await postToken(hub, {
      grant_type: 'authorization_code',
      code: callback.searchParams.get('code') ?? '',
      redirect_uri: redirectUri,
      client_id: publicAppId,
      code_verifier: oauth.generateRandomCodeVerifier(),
    })
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_grant' } })
  })

  test.each([
    ['no PKCE', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
    ['plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['a scope that no app can have', { scope: 'openid read-minds' }, 'invalid_scope'],
  ])('a public app with %s is refused at its redirect URI, with the state', async (_, params, error) => {
    const app = await createAppClient(hub)
    const callback = await app.authorize({ params })
    expect(callback.searchParams.get('error')).toBe(error)
    expect(callback.searchParams.get('state')).toBeTruthy()
    expect(callback.searchParams.has('iss')).toBe(false)
  })

  test.each([
    ['another path', 'http://127.0.0.1:5173/elsewhere'],
    ['another host', 'http://app.example/callback'],
    ['https on loopback', 'https://127.0.0.1:5173/callback'],
    ['a query', 'http://127.0.0.1:5173/callback?next=1'],
    ['user information', 'http://ana@127.0.0.1:5173/callback'],
  ])('a redirect URI with %s gets a page and no redirect', async (_, uri) => {
    const app = await createAppClient(hub)
    await expect(app.authorize({ params: { redirect_uri: uri } })).rejects.toThrow(/redirect_uri/)
  })

  test('any port of a loopback host is accepted', async () => {
    const app = await createAppClient(hub)
    const callback = await app.authorize({
      params: { redirect_uri: 'http://localhost:40123/oauth/callback' },
    })
    expect(callback.origin).toBe('http://localhost:40123')
  })

  test('a confidential app needs its secret, in the header or in the body', async () => {
    const { clientId, clientSecret = '' } =
      hub.world.apps.find(({ kind }) => kind === 'confidential') ?? hub.app('')
    const app = await createAppClient(hub, clientId)
    const redeem = async (extra: Record<string, string>, headers: Record<string, string> = {}) => {
      const callback = await app.authorize({
        params: { code_challenge: undefined, code_challenge_method: undefined },
      })
      const code = callback.searchParams.get('code') ?? ''
      return postToken(
        hub,
        { grant_type: 'authorization_code', code, redirect_uri: redirectUri, ...extra },
        headers,
      )
    }
    const basic = (secret: string) => ({ authorization: `Basic ${btoa(`${clientId}:${secret}`)}` })
    expect((await redeem({}, basic(clientSecret))).status).toBe(200)
    expect((await redeem({ client_id: clientId, client_secret: clientSecret })).status).toBe(200)
    expect(await redeem({ client_id: clientId })).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    })
    expect(await redeem({}, basic('wrong'))).toMatchObject({ status: 401, body: { error: 'invalid_client' } })
  })
})

describe('consent', () => {
  test('Cancel sends access_denied with the state', async () => {
    const app = await createAppClient(hub)
    hub.forgetConsent('ben', publicAppId)
    const callback = await app.authorize({ username: 'ben', deny: true })
    expect(callback.searchParams.get('error')).toBe('access_denied')
    expect(callback.searchParams.get('state')).toBeTruthy()
    expect(callback.searchParams.has('code')).toBe(false)
  })

  test('is asked once per person, app and scopes, and a wider scope asks again', async () => {
    const cancel = { username: 'cleo', deny: true } as const
    await signInForTokens(hub, { username: 'cleo', scope: 'openid profile', grantOrgs: ['acme'] })
    // With the page skipped, there is nothing to cancel.
    const app = await createAppClient(hub)
    const skipped = await app.authorize({ ...cancel, scope: 'openid profile' })
    expect(skipped.searchParams.has('code')).toBe(true)
    const asked = await app.authorize({ ...cancel, scope: 'openid profile read-repos' })
    expect(asked.searchParams.get('error')).toBe('access_denied')
  })

  test('remembers the organisations that were granted', async () => {
    hub.forgetConsent('ana', publicAppId)
    await signInForTokens(hub, { grantOrgs: [] })
    const tokens = await signInForTokens(hub, { grantOrgs: ['acme'] })
    const { body } = await readUserinfo(hub, tokens.access_token)
    expect(JSON.stringify(body)).not.toContain('roleInOrg')
  })

  test('orgIds of the request decides which boxes are ticked', async () => {
    hub.forgetConsent('ana', publicAppId)
    const other = await signInForTokens(hub, { params: { orgIds: '64a1f0000000000000000fff' } })
    expect(JSON.stringify((await readUserinfo(hub, other.access_token)).body)).not.toContain('roleInOrg')
    hub.forgetConsent('ana', publicAppId)
    const acme = await signInForTokens(hub, { params: { orgIds: '64a1f0000000000000000100' } })
    expect(JSON.stringify((await readUserinfo(hub, acme.access_token)).body)).toContain('roleInOrg')
  })
})

describe('refresh', () => {
  async function refresh(token: string) {
    return postToken(hub, { grant_type: 'refresh_token', refresh_token: token, client_id: publicAppId })
  }

  test('rotates the token, keeps the session, and refuses the old one', async () => {
    const tokens = await signInForTokens(hub)
    const first = await refresh(tokens.refresh_token ?? '')
    expect(first.status).toBe(200)
    expect(first.body.refresh_token).not.toBe(tokens.refresh_token)
    const session = (token: unknown) => decodeJwt(String(token).replace('hf_oauth_', '')).sessionId
    expect(session(first.body.access_token)).toBe(session(tokens.access_token))
    expect(await refresh(tokens.refresh_token ?? '')).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    // Reuse ends the whole family.
    expect(await refresh(String(first.body.refresh_token))).toMatchObject({
      body: { error: 'invalid_grant' },
    })
  })

  test('an app can be set to get none', async () => {
    hub.app(publicAppId).refreshTokens = false
    try {
      expect((await signInForTokens(hub)).refresh_token).toBeUndefined()
    } finally {
      delete hub.app(publicAppId).refreshTokens
    }
  })
})

test('a strict client accepts the refresh answer', async () => {
  const app = await createAppClient(hub)
  const tokens = await app.redeem(await app.authorize())
  const response = await oauth.refreshTokenGrantRequest(
    app.server,
    app.client,
    oauth.None(),
    tokens.refresh_token ?? '',
    insecure,
  )
  const refreshed = await oauth.processRefreshTokenResponse(app.server, app.client, response)
  expect(refreshed.access_token).toMatch(/^hf_oauth_/)
})
