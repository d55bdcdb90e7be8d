/** `hfauth proxy`: addresses of its own, and revocations that come in by doors and by Redis. */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import { createClient } from 'redis'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { outputFolder, rememberSecrets } from '../../../test/support/output.ts'
import { run } from '../src/run.ts'

const folder = outputFolder('audit-proxy-revocations')
let hub: Hub
beforeAll(async () => {
  hub = await startHub()
  writeFileSync(
    join(folder, 'hfauth.policy.yaml'),
    `version: 1
name: acme
issuers: { hf: { preset: huggingface, issuer: "${hub.url}", audience: ${publicAppId} } }
environments: { production: {} }
resources: { credential: { actions: [revoke] } }
roles:
  viewer: { allow: [{ actions: [read], on: ["model:acme/*"] }] }
  revoker: { allow: [{ actions: [revoke], on: ["credential:acme"] }] }
bindings:
  - { roles: [viewer], to: { issuer: hf, org: acme } }
  - { roles: [revoker], to: { issuer: hf, org: acme, orgRole: admin } }
`,
  )
})
afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
})

const stops: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

let count = 0
/** Runs the command by a file; resolves once it serves, or has ended. */
async function start(more: string, env: Record<string, string> = {}, ...args: string[]) {
  const name = `${++count}`
  const config = join(folder, `${name}.yaml`)
  const audit = join(folder, `audit-${name}.jsonl`)
  writeFileSync(
    config,
    `environment: production\naudit: audit-${name}.jsonl\nauditWrites: { durability: strict, timeoutMs: 10000 }\nlisten: { port: 0 }\nupstream: { hub: "${hub.url}", router: "${hub.url}" }\n${more}`,
  )
  const stop = new AbortController()
  const out: string[] = []
  const errors: string[] = []
  let said = () => {}
  const spoken = new Promise<void>((resolve) => {
    said = resolve
  })
  const ended = run(['proxy', '--config', config, ...args], {
    out: (line) => {
      out.push(line)
      said()
    },
    error: (line) => void errors.push(line),
    env,
    signal: stop.signal,
  })
  stops.push(() => {
    stop.abort()
    return ended
  })
  await Promise.race([spoken, ended])
  await new Promise((resolve) => setImmediate(resolve))
  return {
    ended,
    errors,
    url: /HF_ENDPOINT=(\S+)$/.exec(out[0] ?? '')?.[1] ?? '',
    doors: /told to (\S+)$/.exec(out[1] ?? '')?.[1] ?? '',
    events: () =>
      readFileSync(audit, 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
  }
}

const tokenOf = (username: string) =>
  hub.tokenFor({
    username,
    clientId: publicAppId,
    scopes: ['openid', 'profile', 'read-repos'],
    orgs: ['acme'],
  })
const info = '/api/models/acme/vision-small'
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const ask = async (url: string, token: string) => (await fetch(url + info, { headers: bearer(token) })).status
const revoke = (doors: string, token: string, revocation: object) =>
  fetch(`${doors}/admin/revocations`, {
    method: 'POST',
    headers: { ...bearer(token), 'content-type': 'application/json' },
    body: JSON.stringify(revocation),
  })
/** The subject under which somebody is on record. */
const subjectOf = (events: readonly { actor: { id: string; name?: string } }[], name: string) =>
  events.find(({ actor }) => actor.name === name)?.actor.id.replace(/^hf\|/, '') ?? ''

const doorsConfig = (more = '') =>
  `revocations:\n  doors: { port: 0, backChannelLogout: true, admin: { action: revoke, resource: "credential:acme" }${more} }\n`

describe('an event stream that is watched', () => {
  /** A transmitter that has no events, and says nothing about itself. */
  async function startTransmitter() {
    const server = createServer((request, response) => {
      const isPoll = request.url === '/poll'
      response.writeHead(isPoll ? 200 : 404, { 'content-type': 'application/json' })
      response.end(isPoll ? '{"sets":{}}' : '{}')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    stops.push(async () => {
      server.close()
      server.closeAllConnections()
    })
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  const watchedBy = (issuer: string, more = '') => `revocations:
  polls:
    - name: corp
      issuer: ${issuer}
      audience: acme
      endpoint: ${issuer}/poll
      tokenEnv: POLL_TOKEN
      watch: { streamId: s-1, everySeconds: 1, answerWithinSeconds: 1 }
${more}`

  test.each([
    ['stays ready with a warning', '', 200, 'ok'],
    ['is not ready where that is wanted', '  whenStreamSilent: unready\n', 503, 'stream_silent'],
  ])('and is silent: the proxy %s', async (_, more, code, status) => {
    const issuer = await startTransmitter()
    const command = await start(watchedBy(issuer, more), { POLL_TOKEN: 'token-of-the-poll' })
    const look = async () => (await fetch(`${command.url}/readyz`)).json()
    await expect
      .poll(look, { timeout: 10_000 })
      .toMatchObject({ status, warnings: [{ code: 'stream_silent', stream: 'corp' }] })
    expect((await fetch(`${command.url}/readyz`)).status).toBe(code)
    // Told once it is on record, which may be a moment later.
    await expect.poll(() => command.errors).toContain('event stream `corp` is silent')
    expect(command.events().map(({ type }) => type)).toContain('io.hfauth.stream.silent')
    expect(JSON.stringify([command.errors, command.events()])).not.toContain('token-of-the-poll')
  })

  test('has a name that no other has', async () => {
    const issuer = await startTransmitter()
    const watched = watchedBy(issuer)
    const twice = watched + watched.slice(watched.indexOf('    - name'))
    const command = await start(twice, { POLL_TOKEN: 'token-of-the-poll' })
    expect(await command.ended).toBe(1)
    expect(command.errors.join()).toMatch(/two watched event streams have the name `corp`/)
  })

  test('by push needs a token of its own', async () => {
    const event = 'name: idp, issuer: "https://idp.test", audience: acme, watch: { streamId: s-1 }'
    const command = await start(doorsConfig(`, events: [{ ${event} }]`))
    expect(await command.ended).toBe(1)
    expect(command.errors.join()).toMatch(/the watch of `idp` needs a token.*HFAUTH_CONFIG_INVALID/)
  })
})

describe('the doors', () => {
  test('take back what an administrator names, at once, and put it on record', async () => {
    const command = await start(doorsConfig())
    const [cleo, ben] = [await tokenOf('cleo'), await tokenOf('ben')]
    await expect.poll(() => ask(command.url, ben)).toBe(200)
    const subject = subjectOf(command.events(), 'ben')
    const revocation = { by: 'subject', issuer: hub.url, subject }
    expect((await revoke(command.doors, ben, revocation)).status).toBe(403)
    expect(await ask(command.url, ben)).toBe(200)
    expect((await revoke(command.doors, cleo, revocation)).status).toBe(204)
    expect(await ask(command.url, ben)).toBe(401)
    expect(await ask(command.url, cleo)).toBe(200)
    expect(command.events().find(({ type }) => type === 'io.hfauth.revocation.received')).toMatchObject({
      actor: { name: 'cleo' },
      revocation: { door: 'admin', by: 'subject', target: subject },
    })
  })

  test('take logout tokens of the policy’s issuers, and security events of those that are named', async () => {
    const events = ', events: [{ name: idp, issuer: "https://idp.test", audience: acme }]'
    const { doors } = await start(doorsConfig(events))
    const logout = await fetch(`${doors}/logout/back-channel`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'logout_token=none',
    })
    expect([logout.status, await logout.json()]).toMatchObject([400, { error: 'invalid_request' }])
    const pushed = await fetch(`${doors}/events/idp`, {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt' },
      body: 'none',
    })
    expect([pushed.status, await pushed.json()]).toMatchObject([400, { err: 'invalid_request' }])
    for (const path of ['/', '/events/other', info]) expect((await fetch(doors + path)).status).toBe(404)
  })

  test('are those that were asked for', async () => {
    const { doors } = await start('revocations: { doors: { port: 0 } }\n')
    for (const path of ['/logout/back-channel', '/admin/revocations'])
      expect((await fetch(doors + path, { method: 'POST' })).status).toBe(404)
  })

  test('are not on the proxy’s own port', async () => {
    const { url } = await start(doorsConfig())
    expect((await fetch(`${url}/admin/revocations`, { method: 'POST' })).status).toBe(404)
  })
})

test('what is not as it should be ends the command with a word about it, and nothing stays open', async () => {
  const polls =
    'polls: [{ issuer: "https://idp.test", audience: a, endpoint: "https://idp.test/poll", tokenEnv: T }]'
  const noToken = await start(`revocations: { ${polls} }\n`)
  expect([await noToken.ended, noToken.errors.join()]).toEqual([1, expect.stringContaining('a token in T')])
  const noRedis = await start('revocations: { store: redis }\n')
  expect([await noRedis.ended, noRedis.errors.join()]).toEqual([1, expect.stringContaining('REDIS_URL')])
  const port = 42_000 + Math.floor(process.pid % 10_000)
  const noViewer = await start(`hosts: { a.test: viewer }\nrevocations: { doors: { port: ${port} } }\n`)
  expect([await noViewer.ended, noViewer.errors.join()]).toEqual([1, expect.stringContaining('hosts.a.test')])
  const [error] = await once(
    connect(port, '127.0.0.1').on('connect', () => undefined),
    'error',
  )
  expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED')
})

const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
const hasRedis = await new Promise<boolean>((resolve) => {
  const { hostname, port } = new URL(redisUrl)
  const socket = connect(Number(port || 6379), hostname)
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
  socket.once('connect', () => socket.destroy())
})
const redisTest = hasRedis || process.env.CI !== undefined ? test : test.skip

redisTest('what one replica takes back the others refuse too, by Redis', async () => {
  const key = `hfauth-test:${randomBytes(6).toString('hex')}`
  const config = doorsConfig().replace('revocations:\n', `revocations:\n  store: redis\n  key: ${key}\n`)
  const env = { REDIS_URL: redisUrl }
  const [one, two] = [await start(config, env), await start(config, env)]
  const ben = await tokenOf('ben')
  // A disk that is slow for a moment refuses, and so may the first answer.
  for (const { url } of [one, two]) await expect.poll(() => ask(url, ben)).toBe(200)
  const subject = subjectOf(one.events(), 'ben')
  const revocation = { by: 'subject', issuer: hub.url, subject }
  expect((await revoke(one.doors, await tokenOf('cleo'), revocation)).status).toBe(204)
  await expect.poll(() => ask(two.url, ben), { timeout: 5_000 }).toBe(401)
  const client = createClient({ url: redisUrl })
  await client.connect()
  expect(await client.del(key)).toBe(1)
  client.destroy()
})

describe('addresses', () => {
  const statusAt = (url: string, host: string, path: string, token: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(url + path, { headers: { ...bearer(token), host } }, (res) => {
        res.resume()
        resolve(res.statusCode)
      })
        .on('error', reject)
        .end()
    })

  test('lead where the file says, and nowhere else', async () => {
    const { url } = await start(
      `hosts: { hub.test: hub, viewer.test: viewer }\n`,
      {},
      '--viewer',
      hub.url,
      '--endpoints',
      hub.url,
    )
    const ben = await tokenOf('ben')
    expect(await statusAt(url, 'hub.test', info, ben)).toBe(200)
    expect(await statusAt(url, 'viewer.test', info, ben)).toBe(404)
    expect(await statusAt(url, 'elsewhere.test', info, ben)).toBe(421)
    expect(await statusAt(url, 'viewer.test', '/is-valid?dataset=acme/secret', ben)).toBe(403)
  })
})
