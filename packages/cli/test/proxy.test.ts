/**
 * `hfauth proxy`, as somebody runs it: with a policy file, against a Hugging Face on this machine.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { verifySegments } from '@hfauth/node'
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { outputFolder, rememberSecrets } from '../../../test/support/output.ts'
import { run } from '../src/run.ts'

let hub: Hub
const folder = outputFolder('audit-cli')
const policy = join(folder, 'hfauth.policy.yaml')
const audit = join(folder, 'audit.jsonl')

beforeAll(async () => {
  hub = await startHub()
  writeFileSync(
    policy,
    `version: 1
name: acme
issuers: { hf: { preset: huggingface, issuer: "\${env.ISSUER}", audience: ${publicAppId} } }
environments: { production: {} }
roles: { viewer: { allow: [{ actions: [read], on: ["model:acme/*"] }] } }
bindings: [{ roles: [viewer], to: { issuer: hf, org: acme } }]
`,
  )
})

afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
})

/** Starts the command; resolves to its first line, and to a way to end it. */
async function start(...args: string[]) {
  return startWith({}, ...args)
}

async function startWith(env: Record<string, string>, ...args: string[]) {
  const stop = new AbortController()
  const lines: string[] = []
  const errors: string[] = []
  let said = () => {}
  const spoken = new Promise<void>((resolve) => {
    said = resolve
  })
  const ended = run(['proxy', '--policy', policy, '--port', '0', ...args], {
    out: (line) => {
      lines.push(line)
      said()
    },
    error: (line) => errors.push(line),
    env: { ISSUER: hub.url, ...env },
    signal: stop.signal,
  })
  await Promise.race([spoken, ended])
  return { lines, errors, ended, stop: () => stop.abort() }
}

test('forwards what the policy allows, refuses the rest, records both, and ends when told to', async () => {
  const command = await start(
    '--environment',
    'production',
    '--audit',
    audit,
    '--hub',
    hub.url,
    '--router',
    hub.url,
  )
  const url = /HF_ENDPOINT=(\S+)$/.exec(command.lines[0] ?? '')?.[1]
  const token = await hub.tokenFor({
    username: 'ben',
    clientId: publicAppId,
    scopes: ['openid', 'profile', 'read-repos'],
    orgs: ['acme'],
  })
  const headers = { authorization: `Bearer ${token}` }

  expect((await fetch(`${url}/api/models/acme/vision-large`, { headers })).status).toBe(200)
  expect((await fetch(`${url}/api/models/other/model`, { headers })).status).toBe(403)
  expect((await fetch(`${url}/api/models/acme/vision-large`)).status).toBe(401)

  command.stop()
  expect(await command.ended).toBe(0)
  const decisions = readFileSync(audit, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'io.hfauth.decision')
  expect(decisions.map(({ decision }) => decision.reason)).toEqual([
    'allowed',
    'no_matching_rule',
    'authentication_required',
  ])
})

test('keeps its record in signed segments when it has a key for them', async () => {
  const directory = join(folder, 'segments')
  const command = await start(
    '--environment',
    'production',
    '--audit',
    directory,
    '--audit-key',
    join(folder, 'key.pem'),
    '--hub',
    hub.url,
    '--router',
    hub.url,
  )
  const url = /HF_ENDPOINT=(\S+)$/.exec(command.lines[0] ?? '')?.[1]
  expect((await fetch(`${url}/api/models/acme/vision-large`)).status).toBe(401)
  command.stop()
  expect(await command.ended).toBe(0)
  // The policy that was loaded, and the refusal.
  expect(await verifySegments(directory)).toMatchObject({ ok: true, events: 2, heads: 1, uncovered: 0 })
  rmSync(join(folder, 'key.pem'))
})

test.each([
  ['without an environment', ['--audit', audit], 2, /`--environment` is missing/],
  ['without a place for the record', ['--environment', 'production'], 2, /`--audit` is missing/],
  [
    'in an environment that the policy does not have',
    ['--environment', 'prod', '--audit', audit],
    1,
    /HFAUTH_ENVIRONMENT_UNKNOWN/,
  ],
  [
    'with a hub that is not reached by https',
    ['--environment', 'production', '--audit', audit, '--hub', 'http://hub.example'],
    1,
    /HFAUTH_CONFIG_INVALID/,
  ],
  [
    'with a record that cannot be written',
    ['--environment', 'production', '--audit', join(folder, 'none', 'audit.jsonl')],
    1,
    /HFAUTH_CONFIG_INVALID/,
  ],
])('does not start %s', async (_, args, code, message) => {
  const { ended, errors } = await start(...args)
  expect(await ended).toBe(code)
  expect(errors.join('\n')).toMatch(message)
})

test('J08 does not start where certificates are not looked at', async () => {
  const errors: string[] = []
  const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
  const io = { out: () => {}, error: (line: string) => errors.push(line), env, signal: AbortSignal.abort() }
  expect(await run(['proxy', '--environment', 'production', '--audit', audit], io)).toBe(2)
  expect(errors.join('\n')).toMatch(/`NODE_TLS_REJECT_UNAUTHORIZED` is 0/)
})

describe('a token that only its issuer can judge', () => {
  const token = 'an-opaque-token-0123456789'
  // The secret is nowhere near what the tests leave behind to be read.
  const files = {
    policy: join(folder, 'opaque.policy.yaml'),
    secret: join(mkdtempSync(join(tmpdir(), 'hfauth-client-')), 'secret'),
  }
  let asked: (string | undefined)[] = []
  /** The one `Authorization` that the issuer takes, unless it takes all. */
  let known: string | undefined
  let issuer: Server
  const basic = (secret: string) => `Basic ${Buffer.from(`app-1:${secret}`).toString('base64')}`

  beforeAll(async () => {
    issuer = createServer((request, response) => {
      const { port } = issuer.address() as AddressInfo
      const url = `http://127.0.0.1:${port}`
      if (request.url?.startsWith('/.well-known') === false) asked.push(request.headers.authorization)
      const document = { issuer: url, jwks_uri: `${url}/jwks`, introspection_endpoint: `${url}/introspect` }
      const answer = {
        active: true,
        iss: url,
        sub: 'ana',
        client_id: 'app-1',
        aud: 'app-1',
        token_type: 'Bearer',
      }
      const isRefused =
        request.url === '/introspect' && ![undefined, request.headers.authorization].includes(known)
      response.writeHead(isRefused ? 401 : 200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(request.url === '/introspect' ? answer : document))
    })
    await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve))
    const { port } = issuer.address() as AddressInfo
    writeFileSync(
      files.policy,
      `version: 1
name: acme
issuers: { id: { preset: oidc, issuer: "http://127.0.0.1:${port}", audience: app-1 } }
environments: { production: {} }
roles: { viewer: { allow: [{ actions: [read], on: ["model:acme/*"] }] } }
bindings: [{ roles: [viewer], to: { issuer: id, claims: { sub: ana } } }]
`,
    )
  })
  beforeEach(() => {
    asked = []
    known = undefined
  })
  afterAll(() => {
    issuer.close()
    rmSync(dirname(files.secret), { recursive: true, force: true })
  })

  const args = () => {
    const places = ['--policy', files.policy, '--audit', audit, '--hub', hub.url, '--router', hub.url]
    return ['--environment', 'production', ...places, '--client', 'id=app-1']
  }
  const askWith = async (command: Awaited<ReturnType<typeof start>>) => {
    const url = /HF_ENDPOINT=(\S+)$/.exec(command.lines[0] ?? '')?.[1]
    const response = await fetch(`${url}/api/whoami-v2`, { headers: { authorization: `Bearer ${token}` } })
    command.stop()
    expect(await command.ended).toBe(0)
    return response.status
  }

  test('is judged for the client whose secret is in a file, or in the environment', async () => {
    writeFileSync(files.secret, 'secret-of-the-file-0123456789')
    expect(await askWith(await start(...args(), '--client-secret', `id=${files.secret}`))).toBe(200)
    const env = { HFAUTH_CLIENT_SECRET_ID: 'secret-of-the-environment' }
    expect(await askWith(await startWith(env, ...args()))).toBe(200)
    expect(asked).toEqual([basic('secret-of-the-file-0123456789'), basic('secret-of-the-environment')])
    rememberSecrets([token, 'secret-of-the-file-0123456789', 'secret-of-the-environment'])
  })

  const [newer, older] = ['secret-of-today-0123456789', 'secret-of-yesterday-0123456789']

  test.each<[string, (place: string) => string]>([
    [
      'a directory',
      (place) => {
        writeFileSync(join(place, 'client-secret'), newer)
        writeFileSync(join(place, 'client-secret-previous'), older)
        return place
      },
    ],
    [
      'a directory as Kubernetes mounts it',
      (place) => {
        mkdirSync(join(place, '..1'))
        symlinkSync('..1', join(place, '..data'))
        writeFileSync(join(place, '..1', 'client-secret'), newer)
        writeFileSync(join(place, '..1', 'client-secret-previous'), older)
        return place
      },
    ],
    [
      'a file and the one beside it',
      (place) => {
        writeFileSync(join(place, 'okta'), newer)
        writeFileSync(join(place, 'okta-previous'), older)
        return join(place, 'okta')
      },
    ],
    [
      'JSON with versions',
      (place) => {
        const began = (hoursAgo: number) => new Date(Date.now() - hoursAgo * 3_600_000).toISOString()
        const secrets = [
          { id: '2', value: newer, notBefore: began(1) },
          { id: '1', value: older, notBefore: began(24) },
        ]
        writeFileSync(join(place, 'okta.json'), JSON.stringify({ secrets }))
        return join(place, 'okta.json')
      },
    ],
  ])(
    'is judged by the secret before, once, while the issuer does not know the new one: %s',
    async (_, write) => {
      const place = mkdtempSync(join(dirname(files.secret), 'rotated-'))
      known = basic(older)
      const record = () => readFileSync(audit, 'utf8').split('io.hfauth.secret.fallback').length
      const before = record()
      expect(await askWith(await start(...args(), '--client-secret', `id=${write(place)}`))).toBe(200)
      expect(asked).toEqual([basic(newer), basic(older)])
      expect(record()).toBe(before + 1)
      rememberSecrets([newer, older])
    },
  )

  test('is not judged by a secret that was replaced long ago', async () => {
    const place = mkdtempSync(join(dirname(files.secret), 'rotated-'))
    const file = join(place, 'client-secret')
    writeFileSync(file, newer)
    writeFileSync(`${file}-previous`, older)
    const fourDaysAgo = Date.now() / 1000 - 4 * 86_400
    utimesSync(file, fourDaysAgo, fourDaysAgo)
    known = basic(older)
    expect(await askWith(await start(...args(), '--client-secret', `id=${place}`))).toBe(503)
    expect(asked).toEqual([basic(newer)])
  })

  test.each<[string, () => string[], number, RegExp]>([
    ['without its secret', args, 1, /HFAUTH_CLIENT_SECRET_ID/],
    ['with a secret of nobody', () => [...args(), '--client-secret', 'other=x'], 2, /has no `--client`/],
    [
      'with a file that is not there',
      () => [...args(), '--client-secret', 'id=/nowhere'],
      1,
      /HFAUTH_SECRET_/,
    ],
    [
      'with a directory that holds none',
      () => [...args(), '--client-secret', `id=${folder}`],
      1,
      /HFAUTH_SECRET_/,
    ],
    ['twice', () => [...args(), '--client', 'id=app-2'], 2, /twice/],
    [
      'for an issuer that is not in the policy',
      () => [...args().slice(0, -1), 'no=x'],
      1,
      /HFAUTH_CLIENT_SECRET_NO/,
    ],
    ['in another form', () => [...args(), '--client-secret', 'hunter2'], 2, /takes ALIAS=FILE/],
  ])('does not let the proxy start %s', async (_, make, code, message) => {
    const { ended, errors } = await start(...make())
    expect(await ended).toBe(code)
    expect(errors.join('\n')).toMatch(message)
    expect(errors.join('\n')).not.toContain('hunter2')
  })
})
