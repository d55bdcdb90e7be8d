import { readFileSync } from 'node:fs'
import { type Preset, presets } from '@hfauth/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createAssertionKeys,
  createSecretRing,
  revokeAtGitHub,
  revokeAtProvider,
  revokeAtSlack,
  Secret,
} from '../src/index.ts'
import { json, type LoopbackIssuer, refusalOf, startIssuer } from './loopback-issuer.ts'

let provider: LoopbackIssuer
let calls: { method?: string | undefined; authorization?: string | undefined; body: string }[]
const token = 'gho_16C7e42F292c6912E7710c838347Ae178B4a'

beforeAll(async () => {
  provider = await startIssuer()
})
afterAll(() => provider.close())
beforeEach(() => {
  calls = []
})

function answerWith(path: string, status: number, body: object | string = '') {
  provider.answers.set(path, (request, response, text) => {
    calls.push({ method: request.method, authorization: request.headers.authorization, body: text })
    json(body, status)(request, response, text)
  })
}
const basic = (id: string, secret: string) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`

describe('revoking at a provider', () => {
  const endpoint = () => `${provider.url}/v1/revoke`

  test('sends the token and its kind, authenticated by the client’s secret', async () => {
    answerWith('/v1/revoke', 200)
    await revokeAtProvider({
      endpoint: endpoint(),
      token,
      tokenTypeHint: 'refresh_token',
      client: { id: 'app 1', secret: 's:1' },
    })
    expect(calls).toEqual([
      {
        method: 'POST',
        authorization: basic('app+1', 's%3A1'),
        body: `token=${token}&token_type_hint=refresh_token`,
      },
    ])
  })

  test('can go without a client, as Google has it, where a token that is gone is no failure', async () => {
    answerWith('/v1/revoke', 400, { error: 'invalid_token' })
    await revokeAtProvider({ endpoint: endpoint(), token })
    expect(calls).toMatchObject([{ authorization: undefined, body: `token=${token}` }])
  })

  test('can be signed by the client’s key', async () => {
    answerWith('/v1/revoke', 200)
    const keys = createAssertionKeys({ clientId: 'app-1', audience: provider.url })
    await revokeAtProvider({
      endpoint: endpoint(),
      token,
      client: { id: 'app-1', assertion: keys.parameters },
    })
    const form = new URLSearchParams(calls[0]?.body)
    expect(form.get('client_id')).toBe('app-1')
    expect(form.get('client_assertion')?.split('.')).toHaveLength(3)
  })

  test('falls back to the previous secret once', async () => {
    provider.answers.set('/v1/revoke', (request, response, text) => {
      const isOld = request.headers.authorization === basic('app-1', 'old-secret')
      json(isOld ? '' : { error: 'invalid_client' }, isOld ? 200 : 401)(request, response, text)
    })
    const version = (id: string, value: string) => ({ id, secret: new Secret(value), notBefore: Date.now() })
    const source = { load: async () => [version('2', 'new-secret'), version('1', 'old-secret')] }
    const ring = await createSecretRing({ name: 'app', source })
    await revokeAtProvider({ endpoint: endpoint(), token, client: { id: 'app-1', secret: ring } })
    expect(ring.status().fallbacks).toBe(1)
    ring.close()
  })

  test.each([
    [400, { error: 'unsupported_token_type' }, 'HFAUTH_REVOCATION_REFUSED', false],
    [401, { error: 'invalid_client' }, 'HFAUTH_REVOCATION_REFUSED', false],
    [503, '', 'HFAUTH_ISSUER_UNAVAILABLE', true],
    [429, '', 'HFAUTH_ISSUER_UNAVAILABLE', true],
    [302, '', 'HFAUTH_ISSUER_UNAVAILABLE', true],
  ])(
    'ends, when the provider answers %i, in an error that repeats neither token nor secret',
    async (status, body, code, retryable) => {
      answerWith('/v1/revoke', status, body)
      const asked = revokeAtProvider({
        endpoint: endpoint(),
        token,
        client: { id: 'app-1', secret: 'very-secret-text' },
      })
      expect(await refusalOf(asked, token, 'very-secret-text')).toMatchObject({ code, retryable })
    },
  )

  test('goes to https only', async () => {
    expect(
      await refusalOf(revokeAtProvider({ endpoint: 'http://idp.example/revoke', token }), token),
    ).toMatchObject({
      code: 'HFAUTH_CONFIG_INVALID',
    })
  })
})

describe('what the presets know of revocation', () => {
  const shown = (preset: Preset) => {
    const { name, revocation, logout } = preset
    const way = { rfc7009: 'RFC 7009', github: '`github`', slack: '`slack`', none: '–' }[revocation]
    const signals = logout.map((signal) => `\`${signal}\``).join(', ') || '–'
    return `| \`${name}\` | ${way} | ${signals} |`
  }

  test('stands in the guide, row by row', () => {
    const guide = readFileSync(new URL('../../../docs/guide/revocation.md', import.meta.url), 'utf8')
    const table = guide.split('| --- | --- | --- |\n').at(-1)?.trim().split('\n')
    expect(table).toEqual([...presets.values()].map(shown))
  })

  test.each([...presets.values()])(
    'decides whether the endpoint of a `$name` issuer is called',
    async (preset) => {
      answerWith('/v1/revoke', 200)
      const asked = revokeAtProvider({
        endpoint: `${provider.url}/v1/revoke`,
        token,
        issuer: { alias: 'idp', preset },
      })
      if (preset.revocation === 'rfc7009') await asked
      else expect((await refusalOf(asked, token)).code).toBe('HFAUTH_CONFIG_INVALID')
      expect(calls).toHaveLength(preset.revocation === 'rfc7009' ? 1 : 0)
    },
  )

  test.each(['github', 'slack'])('names the way that a `%s` issuer has instead', async (name) => {
    const preset = presets.get(name) ?? expect.unreachable('no such preset')
    const asked = revokeAtProvider({ endpoint: provider.url, token, issuer: { alias: 'idp', preset } })
    const way = { github: '`revokeAtGitHub`', slack: '`revokeAtSlack`' }[name]
    expect((await refusalOf(asked, token)).message).toContain(way)
  })
})

describe('revoking at GitHub', () => {
  test.each(['token', 'grant'] as const)('deletes the %s, in the app’s name', async (what) => {
    answerWith(`/applications/app-1/${what}`, 204)
    await revokeAtGitHub({ token, client: { id: 'app-1', secret: 's1' }, what, apiUrl: provider.url })
    expect(calls).toEqual([
      {
        method: 'DELETE',
        authorization: basic('app-1', 's1'),
        body: JSON.stringify({ access_token: token }),
      },
    ])
  })

  test('is content with a token that is gone, and not with a client that is refused', async () => {
    const options = { token, client: { id: 'app-1', secret: 's1' }, apiUrl: provider.url }
    answerWith('/applications/app-1/token', 404)
    await revokeAtGitHub(options)
    answerWith('/applications/app-1/token', 401)
    expect(await refusalOf(revokeAtGitHub(options), token)).toMatchObject({
      code: 'HFAUTH_REVOCATION_REFUSED',
    })
  })
})

describe('revoking at Slack', () => {
  const slackToken = 'xoxp-1111-2222-never-to-be-repeated'
  const revoke = (timeoutMs = 5000) =>
    revokeAtSlack({ token: slackToken, apiUrl: `${provider.url}/api`, timeoutMs })

  test('sends the token as its own credential, and nothing else', async () => {
    answerWith('/api/auth.revoke', 200, { ok: true, revoked: true })
    await revoke()
    expect(calls).toEqual([{ method: 'POST', authorization: `Bearer ${slackToken}`, body: '' }])
    expect(provider.requests.at(-1)).toBe('/api/auth.revoke')
  })

  test.each(['token_revoked', 'token_expired', 'account_inactive'])(
    'is content with a token that is gone (%s)',
    async (error) => {
      answerWith('/api/auth.revoke', 200, { ok: false, error })
      await revoke()
    },
  )

  test.each([
    [
      'a token that Slack may only dislike from here',
      200,
      { ok: false, error: 'invalid_auth' },
      '`invalid_auth`',
    ],
    ['a kind of token that has no end', 200, { ok: false, error: 'not_allowed_token_type' }, 'allowed_token'],
    ['`ok` without `revoked`', 200, { ok: true }, 'no reason'],
    ['a token that was left alive', 200, { ok: true, revoked: false }, 'no reason'],
    ['a gone token and `ok` in one', 200, { ok: true, error: 'token_revoked' }, '`token_revoked`'],
    ['an error that repeats the token', 200, { ok: false, error: slackToken }, 'no reason'],
    ['what is no answer of Slack', 200, '<html>', 'no reason'],
    ['a status that Slack does not have', 403, '', 'status 403'],
  ])('refuses %s', async (_, status, body, said) => {
    answerWith('/api/auth.revoke', status, body)
    const { code, retryable, message } = await refusalOf(revoke(), slackToken)
    expect({ code, retryable }).toEqual({ code: 'HFAUTH_REVOCATION_REFUSED', retryable: false })
    expect(message).toContain(said)
  })

  test.each([
    [200, { ok: false, error: 'ratelimited' }],
    [200, { ok: false, error: 'internal_error' }],
    [429, { ok: false, error: 'ratelimited' }],
    [503, ''],
    [302, ''],
  ])('can be tried again after %i %o', async (status, body) => {
    answerWith('/api/auth.revoke', status, body)
    expect(await refusalOf(revoke(), slackToken)).toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable: true,
    })
  })

  test('waits no longer than it was told', async () => {
    provider.answers.set('/api/auth.revoke', () => {})
    expect(await refusalOf(revoke(20), slackToken)).toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      message: expect.stringContaining('no answer within 20 ms'),
    })
  })

  test('reads no endless answer', async () => {
    answerWith('/api/auth.revoke', 200, { ok: true, revoked: true, more: 'x'.repeat(70_000) })
    expect((await refusalOf(revoke(), slackToken)).message).toContain('longer than')
  })

  test('goes to https only', async () => {
    const asked = revokeAtSlack({ token: slackToken, apiUrl: 'http://slack.example/api' })
    expect((await refusalOf(asked, slackToken)).code).toBe('HFAUTH_CONFIG_INVALID')
  })
})
