/** Git LFS, unmodified, against the proxy: a large file up and down, with signed addresses streamed through; and locks. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { needsProgram } from './needs-program.ts'
import { type Fixture, startFixture } from './proxy-fixture.ts'

const it = needsProgram('git-lfs', 'version')
const content = Buffer.alloc(300_000, 'large ')
const oid = createHash('sha256').update(content).digest('hex')
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`
const signed = 'https://us.aws.cdn.hf.co/x?X-Amz-Signature=SECRET'

/** Where uploads go: the file store, which the client reaches by itself. */
const stored: { body: Buffer; authorization: string | undefined }[] = []
const store = createServer((req, res) => {
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => {
    stored.push({ body: Buffer.concat(chunks), authorization: req.headers.authorization })
    res.end()
  })
})

/** Locks as a Hub would keep them that has them. */
const locks = new Map<string, { id: string; path: string; locked_at: string; owner: { name: string } }>()
const lockRequests: { line: string; ref: unknown; authorization: string | null }[] = []

async function answerLock(id: string | undefined, init: RequestInit = {}): Promise<Response> {
  const { method = 'GET', headers } = init
  const sent = await new Response(init.body).text()
  const body = sent === '' ? undefined : (JSON.parse(sent) as { path: string; ref?: { name: string } })
  const authorization = new Headers(headers).get('authorization')
  lockRequests.push({ line: `${method} ${id ?? ''}`, ref: body?.ref?.name, authorization })
  const all = [...locks.values()]
  if (method === 'GET') return Response.json({ locks: all })
  if (id === 'verify') return Response.json({ ours: all, theirs: [] })
  if (id !== undefined) {
    const lock = locks.get(id)
    locks.delete(id)
    return Response.json({ lock })
  }
  const made = {
    id: String(locks.size + 1),
    path: body?.path ?? '',
    locked_at: '2026-11-25T08:00:00Z',
    owner: { name: 'ana' },
  }
  locks.set(made.id, made)
  return Response.json({ lock: made }, { status: 201 })
}

let world: Fixture
let folder: string
let batches: string[]
beforeEach(async () => {
  await once(store.listen(0, '127.0.0.1'), 'listening')
  const storeUrl = `http://127.0.0.1:${(store.address() as AddressInfo).port}/x?X-Amz-Signature=UP`
  batches = []
  stored.length = 0
  locks.clear()
  lockRequests.length = 0
  folder = await mkdtemp(join(tmpdir(), 'proxy-lfs-'))
  world = await startFixture({
    signedUrls: 'through',
    async fetch(input, init) {
      if (String(input) === signed) return new Response(content)
      const lock = /\/info\/lfs\/locks(?:\/(\w+)(?:\/unlock)?)?(?:\?|$)/.exec(String(input))
      if (lock !== null) return answerLock(lock[1], init)
      if (!String(input).endsWith('/info/lfs/objects/batch')) return fetch(input, init)
      const { operation } = JSON.parse(String(init?.body)) as { operation: 'upload' | 'download' }
      batches.push(operation)
      const href = operation === 'upload' ? storeUrl : signed
      const objects = [{ oid, size: content.length, actions: { [operation]: { href } } }]
      return Response.json({ transfer: 'basic', objects, hash_algo: 'sha256' })
    },
  })
})
afterEach(async () => {
  await world.close()
  store.closeAllConnections()
  await new Promise((resolve) => store.close(resolve))
  await rm(folder, { recursive: true, force: true })
})

/** Git with nothing of this machine's configuration, nobody to ask, and an empty repository to stand in. */
async function git(
  args: readonly string[],
  input: string | Buffer = '',
): Promise<{ status: number; out: Buffer }> {
  const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' }
  return new Promise((resolve) => {
    const child = execFile(
      'git',
      args,
      { cwd: folder, env: env as unknown as NodeJS.ProcessEnv, encoding: 'buffer', maxBuffer: 10_000_000 },
      (error, stdout, stderr) =>
        resolve({
          status: error === null ? 0 : 1,
          out: error === null ? stdout : Buffer.concat([stdout, stderr]),
        }),
    )
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

async function repository(username: string): Promise<void> {
  const token = await world.tokenOf(username)
  const url = `${world.url.replace('http://', `http://anybody:${token}@`)}/acme/vision-large.git`
  await git(['init', '--quiet', '--initial-branch', 'main'])
  await git(['remote', 'add', 'origin', url])
}

it('downloads a file by an address of the proxy, whose load is on record', async () => {
  await repository('ben')
  const { status, out } = await git(['lfs', 'smudge'], pointer)
  expect([status, out.equals(content)]).toEqual([0, true])
  // Once for the client, whose address is the proxy's, and once for the file itself.
  expect(batches).toEqual(['download', 'download'])
  expect(await world.eventOf('io.hfauth.model.load')).toMatchObject({
    resource: { kind: 'model', id: 'acme/vision-large' },
    http: { route: '/{repo}.git/info/lfs/objects/{x}', status: 200, bytesOut: content.length },
  })
  expect(JSON.stringify(world.events)).not.toContain('SECRET')
})

it('uploads a file once its token may write, to the store and without a credential', async () => {
  await repository('ana')
  expect((await git(['lfs', 'clean'], content)).out.toString()).toBe(pointer)
  const { status, out } = await git(['lfs', 'push', '--object-id', 'origin', oid])
  expect([status, out.toString()]).toEqual([0, expect.any(String)])
  expect(batches).toEqual(['upload'])
  expect(stored.map(({ body, authorization }) => [body.equals(content), authorization])).toEqual([
    [true, undefined],
  ])
})

it('gets no signed address for what its token may not do', async () => {
  await repository('ben')
  await git(['lfs', 'clean'], content)
  expect((await git(['lfs', 'push', '--object-id', 'origin', oid])).status).toBe(1)
  expect([batches, stored]).toEqual([[], []])
})

const decisions = () =>
  world.events
    .filter(({ type, http }) => type === 'io.hfauth.decision' && http?.route.includes('/locks'))
    .map(({ action, resource, decision }) => [action, resource, decision?.effect])
const model = { kind: 'model', id: 'acme/vision-large' }

/** A file of a commit: one that was not committed is not unlocked. */
async function committed(name: string): Promise<void> {
  await writeFile(join(folder, name), content)
  await git(['add', name])
  const author = ['-c', 'user.name=ana', '-c', 'user.email=ana@acme.dev']
  expect((await git([...author, 'commit', '--quiet', '--message', 'begin'])).status).toBe(0)
}

it('locks a file, lists it, asks before a push, and unlocks it, each as what it is', async () => {
  await repository('ana')
  await committed('weights.bin')
  expect(await git(['lfs', 'lock', 'weights.bin'])).toMatchObject({ status: 0 })
  expect((await git(['lfs', 'locks'])).out.toString()).toMatch(/weights\.bin\s+ana/)
  await git(['lfs', 'clean'], content)
  expect((await git(['lfs', 'push', '--object-id', 'origin', oid])).status).toBe(0)
  expect((await git(['lfs', 'locks', '--verify'])).status).toBe(0)
  expect((await git(['lfs', 'unlock', 'weights.bin'])).status).toBe(0)
  expect(locks.size).toBe(0)
  const revision = 'main'
  expect(decisions()).toEqual(
    expect.arrayContaining([
      ['write', { ...model, revision, path: 'weights.bin' }, 'allow'],
      ['read', model, 'allow'],
      ['write', model, 'allow'],
      ['write', { ...model, revision }, 'allow'],
    ]),
  )
  expect(lockRequests.map(({ line }) => line)).toEqual(
    expect.arrayContaining(['POST ', 'GET ', 'POST verify', 'POST 1']),
  )
  for (const { authorization } of lockRequests) expect(authorization).toMatch(/^Bearer hf_/)
  expect(await world.eventOf('io.hfauth.repo.write')).toMatchObject({
    resource: model,
    http: { status: 201 },
  })
})

it('locks nothing for whoever may only read, and lists all the same', async () => {
  await repository('ben')
  await committed('weights.bin')
  locks.set('7', { id: '7', path: 'weights.bin', locked_at: '2026-11-25T08:00:00Z', owner: { name: 'ana' } })
  expect((await git(['lfs', 'lock', 'weights.bin'])).status).toBe(1)
  expect((await git(['lfs', 'unlock', '--force', '--id', '7'])).status).toBe(1)
  expect((await git(['lfs', 'locks'])).out.toString()).toMatch(/weights\.bin/)
  expect([...locks.keys()]).toEqual(['7'])
  expect(new Set(lockRequests.map(({ line }) => line))).toEqual(new Set(['GET ']))
})
