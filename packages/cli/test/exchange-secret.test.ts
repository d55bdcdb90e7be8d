/** The secret of the app that exchanges tokens for `hfauth proxy`: from files it lives through a rotation. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuditLog, type MemorySink, memorySink } from '@hfauth/node'
import { confidentialAppId, type Hub, startHub } from '@hfauth/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { leaveLines, rememberSecrets } from '../../../test/support/output.ts'
import { type OpenCredentials, openCredentials } from '../src/proxy-config/upstream-credentials.ts'

const [first, second] = ['first-secret-of-the-app', 'second-secret-of-the-app']
let hub: Hub
let folder: string
let sink: MemorySink
let opened: OpenCredentials | undefined

beforeAll(async () => {
  hub = await startHub()
  rememberSecrets([first, second])
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hfauth-exchange-secret-'))
  sink = memorySink()
  hub.requests.clear()
})
afterEach(async () => {
  opened?.close()
  opened = undefined
  leaveLines('audit-exchange-secret', sink.events)
  await rm(folder, { recursive: true })
})

type Options = Parameters<typeof openCredentials>[0]

async function open(options: Pick<Options, 'exchange' | 'env'>) {
  const audit = createAuditLog({ sink, environment: 'production', service: 'test' })
  opened = await openCredentials({ hubUrl: hub.url, audit, ...options })
  return opened.credentials
}

async function put(name: string, secret: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(`${path}.new`, secret)
  await rename(`${path}.new`, path)
  return path
}

/** Asks for ana's token with another set of scopes each time, so that nothing is remembered. */
const askWith = (credentials: OpenCredentials['credentials'], scopes: readonly string[]) =>
  credentials({
    principal: { kind: 'user', email: hub.person('ana').email, emailVerified: true, claims: {} } as never,
    action: 'read',
    scopes,
    recorded: Promise.resolve(),
  })

const sent = () =>
  hub.requests
    .filter(({ path }) => path === '/oauth/token')
    .map(({ headers: { authorization = '' } }) => Buffer.from(authorization.slice(6), 'base64').toString())
    .map((pair) => decodeURIComponent(pair.split(':')[1] ?? ''))

describe('the app that exchanges tokens', () => {
  test('proves itself with what is in the directory, and where that is not known yet with the one before', async () => {
    hub.app(confidentialAppId).clientSecret = first
    await put('client-secret', second)
    await put('client-secret-previous', first)
    const credentials = await open({
      exchange: { clientId: confidentialAppId, secretFile: folder },
      env: {},
    })
    expect((await askWith(credentials, ['read-repos']))?.token).toMatch(/^hf_oauth_/)
    expect(sent()).toEqual([second, first])
    expect(sink.events).toMatchObject([
      { type: 'io.hfauth.secret.fallback', resource: { kind: 'secret', id: 'exchange app' } },
    ])
    hub.app(confidentialAppId).clientSecret = second
    await askWith(credentials, ['openid'])
    expect(sent()).toEqual([second, first, second])
  })

  test('is refused after two tries where neither is known, and shows none of them', async () => {
    hub.app(confidentialAppId).clientSecret = 'something-else-altogether'
    await put('app', second)
    await put('app-previous', first)
    const env = {
      HF_EXCHANGE_CLIENT_ID: confidentialAppId,
      HF_EXCHANGE_CLIENT_SECRET_FILE: join(folder, 'app'),
    }
    const credentials = await open({ exchange: undefined, env })
    const error = await askWith(credentials, ['read-repos']).catch((thrown: Error) => thrown)
    expect(error).toMatchObject({ code: 'HFAUTH_EXCHANGE_REFUSED' })
    expect(sent()).toEqual([second, first])
    const shown = `${String(error)} ${JSON.stringify([error, sink.events])}`
    for (const secret of [first, second]) expect(shown).not.toContain(secret)
  })

  test('may have its secret in the environment, in one version', async () => {
    hub.app(confidentialAppId).clientSecret = first
    const env = { HF_EXCHANGE_CLIENT_ID: confidentialAppId, HF_EXCHANGE_CLIENT_SECRET: first }
    expect((await askWith(await open({ exchange: undefined, env }), ['read-repos']))?.exchanged).toBe(true)
  })

  test.each<[string, Pick<Options, 'exchange' | 'env'>, string]>([
    ['no secret', { exchange: { clientId: 'app-1' }, env: {} }, 'HFAUTH_CONFIG_INVALID'],
    ['no secret', { exchange: undefined, env: { HF_EXCHANGE_CLIENT_ID: 'app-1' } }, 'HFAUTH_CONFIG_INVALID'],
    [
      'a file that is not there',
      { exchange: { clientId: 'app-1', secretFile: '/nowhere/secret' }, env: {} },
      'HFAUTH_SECRET_UNAVAILABLE',
    ],
  ])('does not start with %s', async (_, options, code) => {
    await expect(open(options)).rejects.toMatchObject({ code })
  })

  test('is not needed: then nobody’s address is exchanged', async () => {
    expect(await askWith(await open({ exchange: undefined, env: {} }), ['read-repos'])).toBeUndefined()
    expect(sent()).toEqual([])
  })
})
