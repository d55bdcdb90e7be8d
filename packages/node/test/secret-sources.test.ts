import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createSecretRing,
  type SecretRing,
  type SecretSource,
  secretDirectory,
  secretFile,
} from '../src/index.ts'
import { refusalOf } from './loopback-issuer.ts'

let folder: string
let rings: SecretRing[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hfauth-secrets-'))
  rings = []
})
afterEach(async () => {
  for (const ring of rings) ring.close()
  await rm(folder, { recursive: true })
})

/** Read again by hint only, unless told otherwise. */
async function ringOf(source: SecretSource, reloadEveryMs = 3_600_000) {
  const ring = await createSecretRing({ name: 'app', source, reloadEveryMs })
  rings.push(ring)
  return ring
}
const values = (ring: SecretRing) => ring.candidates().map(({ secret }) => secret.reveal())
const becomes = (ring: SecretRing, expected: string[]) =>
  expect.poll(() => values(ring), { timeout: 10_000, interval: 20 }).toEqual(expected)

/** Writes beside and renames, as deployments do; old enough to count as settled. */
async function replace(path: string, text: string) {
  await writeFile(`${path}.new`, text)
  const past = new Date(Date.now() - 60_000)
  await utimes(`${path}.new`, past, past)
  await rename(`${path}.new`, path)
}

/** A new version of a mounted Secret, put in place as the kubelet does it: one rename of a link. */
async function mount(version: string, files: Record<string, string>) {
  await mkdir(join(folder, `..${version}`))
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, `..${version}`, name), text)
    await symlink(join('..data', name), join(folder, name)).catch(() => {})
  }
  await symlink(`..${version}`, join(folder, '..data_tmp'))
  await rename(join(folder, '..data_tmp'), join(folder, '..data'))
}

describe('a file', () => {
  test('that is replaced is read without anybody asking', async () => {
    const path = join(folder, 'secret')
    await replace(path, 'one\n')
    const ring = await ringOf(secretFile(path))
    expect(values(ring)).toEqual(['one'])
    await replace(path, 'two\n')
    await becomes(ring, ['two', 'one'])
  })

  test('that is replaced is read at the next interval where the system gives no hint', async () => {
    const path = join(folder, 'secret')
    await replace(path, 'one\n')
    const { load } = secretFile(path)
    const ring = await ringOf({ load }, 20)
    await replace(path, 'two\n')
    await becomes(ring, ['two', 'one'])
  })

  test('that is written in pieces is taken when it is whole', async () => {
    const path = join(folder, 'secret')
    await replace(path, 'one')
    const ring = await ringOf(secretFile(path))
    const seen = new Set<string>()
    const watching = setInterval(() => seen.add(values(ring)[0] ?? ''), 5)
    await writeFile(path, '')
    for (const piece of ['tw', 'o-', 'who', 'le']) {
      await writeFile(path, piece, { flag: 'a' })
      await new Promise((resolve) => setTimeout(resolve, 60))
    }
    await becomes(ring, ['two-whole', 'one'])
    clearInterval(watching)
    expect([...seen].filter((value) => value !== 'one' && value !== 'two-whole')).toEqual([])
  })

  test.each<[string, (path: string) => Promise<void>]>([
    ['empty', (path) => replace(path, '')],
    ['a blank line', (path) => replace(path, '\n')],
    ['two lines', (path) => replace(path, 'two\nthree\n')],
    ['not text', (path) => replace(path, 'two\u0000')],
    ['far too long', (path) => replace(path, 'x'.repeat(100_000))],
    ['gone', (path) => rm(path)],
  ])('that is %s never replaces a good one', async (_, spoil) => {
    const path = join(folder, 'secret')
    await replace(path, 'one')
    const ring = await ringOf(secretFile(path))
    await spoil(path)
    await ring.reload()
    expect(values(ring)).toEqual(['one'])
    expect(ring.status().fault).toEqual(expect.any(String))
    await replace(path, 'two')
    await ring.reload()
    expect(values(ring)).toEqual(['two', 'one'])
  })

  test('has the age of its last change', async () => {
    const path = join(folder, 'secret')
    await writeFile(path, 'one')
    const past = new Date(Date.now() - 10 * 86_400_000)
    await utimes(path, past, past)
    expect((await ringOf(secretFile(path))).status().ageSeconds).toBeGreaterThanOrEqual(10 * 86_400 - 1)
  })

  test('whose time is ahead of the clock is used all the same', async () => {
    const path = join(folder, 'secret')
    await writeFile(path, 'one')
    const ahead = new Date(Date.now() + 3_600_000)
    await utimes(path, ahead, ahead)
    expect(values(await ringOf(secretFile(path)))).toEqual(['one'])
  })

  test('of JSON tells versions with their times', async () => {
    const path = join(folder, 'secrets.json')
    const time = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
    const secrets = [
      { id: '2026-08', value: 'one', notBefore: time(-40) },
      { id: '2026-10', value: 'three', notBefore: time(20) },
      { id: '2026-09', value: 'two', notBefore: time(-1), notAfter: time(60) },
    ]
    await replace(path, JSON.stringify({ secrets }))
    const ring = await ringOf(secretFile(path))
    expect(values(ring)).toEqual(['two', 'one'])
    expect(ring.status().rotateBefore).toBe(Date.parse(secrets[2]?.notAfter ?? ''))
  })

  test.each([
    ['cut off', '{"secrets":[{"id":"1","value":"s3cret-va'],
    ['no version', '{"secrets":[]}'],
    ['no time', '{"secrets":[{"id":"1","value":"s3cret-value"}]}'],
    ['a time that is none', '{"secrets":[{"id":"1","value":"s3cret-value","notBefore":"soon"}]}'],
    [
      'an unknown member',
      '{"secrets":[{"id":"1","value":"s3cret-value","notBefore":"2026-01-01T00:00:00Z","x":1}]}',
    ],
    [
      'one name twice',
      `{"secrets":[${Array(2).fill('{"id":"1","value":"s3cret-value","notBefore":"2026-01-01T00:00:00Z"}')}]}`,
    ],
  ])('of JSON with %s is refused, and its content is not repeated', async (_, text) => {
    const path = join(folder, 'secrets.json')
    await replace(path, text)
    const refused = createSecretRing({ name: 'app', source: secretFile(path) })
    expect(await refusalOf(refused, 's3cret-value', 's3cret-va')).toMatchObject({
      code: 'HFAUTH_SECRET_UNAVAILABLE',
    })
  })
})

describe('a directory as Kubernetes mounts it', () => {
  const source = () =>
    secretDirectory(folder, { current: 'client-secret', previous: 'client-secret-previous' })

  test('is read again when its link is swapped, both files together', async () => {
    await mount('v1', { 'client-secret': 'one\n' })
    const ring = await ringOf(source())
    expect(values(ring)).toEqual(['one'])
    await mount('v2', { 'client-secret': 'two', 'client-secret-previous': 'one' })
    await becomes(ring, ['two', 'one'])
  })

  test('is never read half and half, however often it is swapped', async () => {
    await mount('v0', { 'client-secret': 'secret-0', 'client-secret-previous': 'previous-0' })
    const { load } = source()
    let swapping = true
    const swaps = (async () => {
      for (let i = 1; i <= 200; i++) {
        await mount(`v${i}`, { 'client-secret': `secret-${i}`, 'client-secret-previous': `previous-${i}` })
        await rm(join(folder, `..v${i - 1}`), { recursive: true })
      }
      swapping = false
    })()
    const pairs: string[][] = []
    while (swapping) pairs.push((await load()).map(({ secret }) => secret.reveal()))
    await swaps
    pairs.push((await load()).map(({ secret }) => secret.reveal()))
    expect(pairs.length).toBeGreaterThan(20)
    expect(pairs.at(-1)).toEqual(['secret-200', 'previous-200'])
    for (const [current = '', previous = ''] of pairs)
      expect(previous.split('-')[1]).toBe(current.split('-')[1])
  })

  test('with an unusable file keeps what it had', async () => {
    await mount('v1', { 'client-secret': 'one' })
    const ring = await ringOf(source())
    await mount('v2', { 'client-secret': '' })
    await ring.reload()
    expect(values(ring)).toEqual(['one'])
    expect(ring.status().fault).toContain('empty')
  })

  test('may be an ordinary directory as well', async () => {
    await replace(join(folder, 'client-secret'), 'one')
    expect(values(await ringOf(source()))).toEqual(['one'])
  })
})
