/** Git LFS, unmodified, against the proxy: a large file up and down, with signed addresses streamed through. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
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

let world: Fixture
let folder: string
let batches: string[]
beforeEach(async () => {
  await once(store.listen(0, '127.0.0.1'), 'listening')
  const storeUrl = `http://127.0.0.1:${(store.address() as AddressInfo).port}/x?X-Amz-Signature=UP`
  batches = []
  stored.length = 0
  folder = await mkdtemp(join(tmpdir(), 'proxy-lfs-'))
  world = await startFixture({
    signedUrls: 'through',
    async fetch(input, init) {
      if (String(input) === signed) return new Response(content)
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
  await git(['init', '--quiet'])
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
