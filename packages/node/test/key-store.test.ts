import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createVerifier, directoryKeyStore, type KeyStore } from '../src/index.ts'
import {
  createClock,
  json,
  type LoopbackIssuer,
  paths,
  policyWith,
  refusalOf,
  rsa,
  rsaKey,
  signed,
  startIssuer,
} from './loopback-issuer.ts'

const second = rsaKey('rsa-2')
let issuer: LoopbackIssuer
let clock: ReturnType<typeof createClock>
let folder: string

beforeEach(async () => {
  issuer = await startIssuer()
  clock = createClock()
  folder = await mkdtemp(join(tmpdir(), 'hfauth-keys-'))
})
afterEach(async () => {
  await issuer.close()
  // A key that was fetched in the background may still be on its way to the disk.
  await rm(folder, { recursive: true, maxRetries: 5, retryDelay: 50 })
})

function verifierWith(keyStore: KeyStore) {
  const policy = policyWith({ idp: { preset: 'oidc', issuer: issuer.url } })
  return createVerifier({ policy, now: () => clock.ms, cacheSeconds: 0, keyStore, timeoutMs: 200 })
}

const token = (key = rsa) =>
  signed({ iss: issuer.url, aud: 'app-1', sub: 'ada', exp: clock.seconds + 300 }, key)

async function keptBy(store: KeyStore) {
  await verifierWith(store).verify(token())
  await vi.waitFor(async () => expect(await store.load(issuer.url).catch(() => undefined)).toBeDefined())
}

function outage() {
  issuer.answers.set(paths.keys, json({}, 503))
  issuer.answers.set(paths.discovery, json({}, 503))
}

describe('keys that were kept', () => {
  test('serve a process that starts while the issuer is out of reach, for a day and not longer', async () => {
    const store = directoryKeyStore(join(folder, 'keys'))
    await keptBy(store)
    outage()
    await expect(verifierWith(store).verify(token())).resolves.toBeDefined()
    clock.forward(600 + 86_399)
    await expect(verifierWith(store).verify(token())).resolves.toBeDefined()
    clock.forward(1)
    expect((await refusalOf(verifierWith(store).verify(token()))).code).toBe('HFAUTH_ISSUER_UNAVAILABLE')
  })

  test('are fresh for what is left of their age, and no longer', async () => {
    const store = directoryKeyStore(folder)
    await keptBy(store)
    issuer.requests.length = 0
    await verifierWith(store).verify(token())
    expect(issuer.requests).toEqual([])
    issuer.keys = [second.jwk]
    clock.forward(600)
    expect((await refusalOf(verifierWith(store).verify(token()))).code).toBe('HFAUTH_TOKEN_INVALID')
  })

  test('are in files that nobody else may read, one for each issuer, and no drafts stay', async () => {
    await keptBy(directoryKeyStore(folder))
    const [name, ...others] = await readdir(folder)
    expect(others).toEqual([])
    expect((await stat(join(folder, name ?? ''))).mode & 0o777).toBe(0o600)
  })

  const broken: [string, (text: string) => string][] = [
    ['are of another issuer', (text) => text.replace(issuer.url, 'https://other.example')],
    ['come from the future', (text) => text.replace(/"loadedMs":\d+/, `"loadedMs":${clock.ms + 1000}`)],
    ['have no date', (text) => text.replace(/"loadedMs":\d+,/, '')],
    ['are no JSON', (text) => text.slice(0, -5)],
    ['hold no usable key', (text) => text.replace('sig', 'enc')],
    ['are empty', () => ''],
  ]
  test.each(broken)('and %s are not believed', async (_, change) => {
    const store = directoryKeyStore(folder)
    await keptBy(store)
    const [name = ''] = await readdir(folder)
    await writeFile(join(folder, name), change(await readFile(join(folder, name), 'utf8')))
    outage()
    expect((await refusalOf(verifierWith(store).verify(token()))).code).toBe('HFAUTH_ISSUER_UNAVAILABLE')
  })

  test('that claim to be fresh for ever are fresh for ten minutes', async () => {
    const store = directoryKeyStore(folder)
    await keptBy(store)
    const [name = ''] = await readdir(folder)
    const text = await readFile(join(folder, name), 'utf8')
    await writeFile(join(folder, name), text.replace(/"ageMs":\d+/, '"ageMs":9999999999999'))
    issuer.keys = [second.jwk]
    clock.forward(600)
    expect((await refusalOf(verifierWith(store).verify(token()))).code).toBe('HFAUTH_TOKEN_INVALID')
  })

  test('by a store that fails or hangs make no difference', async () => {
    const failing: KeyStore = {
      load: async () => Promise.reject(new Error('broken')),
      save() {
        throw new Error('broken')
      },
    }
    await expect(verifierWith(failing).verify(token())).resolves.toBeDefined()
    const hanging: KeyStore = { load: () => new Promise(() => {}), save: () => new Promise(() => {}) }
    await expect(verifierWith(hanging).verify(token())).resolves.toBeDefined()
  })
})
