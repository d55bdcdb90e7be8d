/** Git, unmodified, against the proxy: what it may fetch, and what it may push where. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { needsProgram } from './needs-program.ts'
import { effectsOf, type Fixture, sendRaw, startFixture } from './proxy-fixture.ts'

const run = promisify(execFile)
const it = needsProgram('git')

let world: Fixture
let folder: string
beforeEach(async () => {
  world = await startFixture()
  folder = await mkdtemp(join(tmpdir(), 'proxy-git-'))
})
afterEach(async () => {
  await world.close()
  await rm(folder, { recursive: true, force: true })
})

/** Git with nothing of this machine's configuration, and nobody to ask. */
async function git(...args: string[]): Promise<{ status: number; text: string }> {
  const env = {
    PATH: process.env.PATH,
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@acme.example',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@acme.example',
  } as unknown as NodeJS.ProcessEnv
  try {
    const { stdout, stderr } = await run('git', args, { cwd: folder, env })
    return { status: 0, text: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { status: code, text: stdout + stderr }
  }
}

const address = (token: string, path: string) =>
  `${world.url.replace('http://', `http://anybody:${token}@`)}/${path}`

/** A clone with a commit of its own, to be pushed with a credential that may be another. */
async function cloneAndCommit(token: string, pushToken = token): Promise<void> {
  const path = 'acme/vision-large'
  expect(await git('clone', '--quiet', address(token, path), 'work')).toMatchObject({ status: 0 })
  await git('-C', 'work', 'remote', 'set-url', 'origin', address(pushToken, path))
  await writeFile(join(folder, 'work', 'notes.md'), 'hello')
  await git('-C', 'work', 'add', 'notes.md')
  await git('-C', 'work', 'commit', '--quiet', '-m', 'notes')
}

const decisions = () =>
  world.events
    .filter(({ type }) => type === 'io.hfauth.decision')
    .map(({ action, resource, decision }) => [
      action,
      `${resource?.id}@${resource?.revision ?? ''}`,
      decision?.reason,
    ])

describe('git clone', () => {
  it('gets what its token may read, and the token goes upstream as a password', async () => {
    const token = await world.tokenOf('ben')
    expect(await git('clone', '--quiet', address(token, 'acme/vision-large'), 'work')).toMatchObject({
      status: 0,
    })
    expect(await readFile(join(folder, 'work', 'config.json'), 'utf8')).toContain('vit')
    const sent = world.hub.requests.filter(({ path }) => path.endsWith('/git-upload-pack'))
    expect(sent[0]?.rawHeaders).toContain(`Basic ${Buffer.from(`token:${token}`).toString('base64')}`)
    expect(sent[0]?.headers['git-protocol']).toBe('version=2')
    expect(await world.eventOf('io.hfauth.model.load')).toMatchObject({
      resource: { id: 'acme/vision-large' },
      http: { route: '/{repo}/git-upload-pack', status: 200 },
    })
    expect(JSON.stringify(world.events)).not.toContain(token)
  })

  it('takes the suffix `.git`, a dataset, and a credential in a header', async () => {
    const token = await world.tokenOf('ben')
    const url = `${world.url}/datasets/acme/vision-labels.git`
    const header = `http.extraHeader=Authorization: Bearer ${token}`
    expect(await git('-c', header, 'clone', '--quiet', url, 'work')).toMatchObject({ status: 0 })
  })

  it('gets nothing without a credential, and is asked for one in the only words it knows', async () => {
    const { status, text } = await git('clone', '--quiet', `${world.url}/acme/vision-large`, 'work')
    expect(status).not.toBe(0)
    expect(text).toContain('could not read Username')
    const target = '/acme/vision-large/info/refs?service=git-upload-pack'
    const { head } = await sendRaw(
      world.url,
      `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    expect(head).toMatch(/www-authenticate: Bearer, Basic realm="hfauth"/i)
    expect(effectsOf(world.hub)).toEqual([])
  })

  it('gets nothing of what its token may not read', async () => {
    const { status } = await git('clone', '--quiet', address(await world.tokenOf('ben'), 'other/secret'), 'x')
    expect(status).not.toBe(0)
    expect(effectsOf(world.hub)).toEqual([])
  })
})

describe('git push', () => {
  it('changes what its token may change, ref by ref on record', async () => {
    await cloneAndCommit(await world.tokenOf('ana'))
    expect(await git('-C', 'work', 'push', '--quiet', 'origin', 'main')).toMatchObject({ status: 0 })
    const { files } = world.hub.repo('acme/vision-large')
    expect(Buffer.from(files['notes.md'] ?? '').toString()).toBe('hello')
    expect(await world.eventOf('io.hfauth.repo.write')).toMatchObject({
      action: 'write',
      resource: { id: 'acme/vision-large', revision: 'main' },
      http: { status: 200 },
    })
  })

  it('is turned away for whoever may only read', async () => {
    await cloneAndCommit(await world.tokenOf('ben'))
    const { status, text } = await git('-C', 'work', 'push', '--quiet', 'origin', 'main')
    expect(status).not.toBe(0)
    expect(text).toContain('403')
    expect(effectsOf(world.hub).filter((line) => line.includes('receive-pack'))).toEqual([])
  })

  it('reaches the branch that a rule names, and no other', async () => {
    await cloneAndCommit(await world.tokenOf('ben'), await world.ciToken())
    expect(await git('-C', 'work', 'push', '--quiet', 'origin', 'main')).toMatchObject({ status: 0 })
    expect((await git('-C', 'work', 'push', '--quiet', 'origin', 'main:dev')).status).not.toBe(0)
    const writes = decisions().filter(
      ([action, , reason]) => action === 'write' && reason !== 'authentication_required',
    )
    expect(writes).toEqual([
      ['write', 'acme/vision-large@', 'discovery'],
      ['write', 'acme/vision-large@main', 'allowed'],
      ['write', 'acme/vision-large@', 'discovery'],
      ['write', 'acme/vision-large@dev', 'no_matching_rule'],
    ])
  })

  it('F20 of two refs of which one is denied changes none', async () => {
    await cloneAndCommit(await world.tokenOf('ben'), await world.ciToken())
    world.hub.requests.clear()
    expect((await git('-C', 'work', 'push', '--quiet', 'origin', 'main', 'main:dev')).status).not.toBe(0)
    expect(effectsOf(world.hub).filter((line) => line.includes('/git-receive-pack'))).toEqual([])
  })

  it('of more than Git sends at once asks first, and then goes through', async () => {
    await cloneAndCommit(await world.tokenOf('ben'), await world.ciToken())
    await writeFile(
      join(folder, 'work', 'large.bin'),
      Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 2_654_435_761) >>> 24)),
    )
    await git('-C', 'work', 'add', 'large.bin')
    await git('-C', 'work', 'commit', '--quiet', '-m', 'large')
    const pushed = await git('-C', 'work', '-c', 'http.postBuffer=2000', 'push', '--quiet', 'origin', 'main')
    expect(pushed).toMatchObject({ status: 0 })
    const sent = world.hub.requests.filter(({ path }) => path.endsWith('/git-receive-pack'))
    expect(sent.map(({ body }) => body.length === 4)).toEqual([true, false])
  })
})

describe('a body that is no push', () => {
  test.each([
    ['no commands', 'PACK'],
    ['a length that is none', 'zzzz'],
    ['a length too short for itself', '0003'],
    ['a command without a ref', '0010push-cert\0x\n'],
    ['commands without an end', `0067${'0'.repeat(40)} ${'1'.repeat(40)} refs/heads/x`],
  ])('is refused before anything goes on: %s', async (_, body) => {
    const response = await fetch(`${world.url}/acme/vision-large.git/git-receive-pack`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await world.tokenOf('ana')}` },
      body,
    })
    expect(await response.json()).toMatchObject({ status: 400, reason: 'body_invalid' })
    expect(effectsOf(world.hub)).toEqual([])
  })
})
