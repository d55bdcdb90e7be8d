/**
 * Certificates that prove nothing: what upstreams and issuers show, and what a process makes of it that was told
 * to look at none. The client is a process of its own, since what it trusts is decided when it starts.
 */
import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { startCiIssuer } from '@hfauth/testkit'
import { afterAll, beforeAll, expect } from 'vitest'
import { needsProgram } from './needs-program.ts'
import type { TlsClientAnswers, TlsClientSettings } from './tls-client.ts'

const client = fileURLToPath(new URL('./tls-client.ts', import.meta.url))
const openssl = needsProgram('openssl', 'version')

let folder: string
const servers: Server[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hfauth-tls-'))
})
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  rmSync(folder, { recursive: true })
})

const run = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** A certificate for `name`, by the authority that the client trusts. */
function certificate(name: string, days = '1') {
  const [key, request, cert] = [`${name}${days}.key`, `${name}${days}.csr`, `${name}${days}.pem`]
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
  run('req', ...newKey, ...subject, '-keyout', key, '-out', request)
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy']
  run('x509', '-req', '-in', request, ...by, '-days', days, '-out', cert)
  return { key: readFileSync(join(folder, key)), cert: readFileSync(join(folder, cert)) }
}

/** A server that says what it was asked. */
async function serve(options: ServerOptions): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = []
  const server = createServer(options, (req, res) => {
    asked.push(req.url ?? '')
    res.writeHead(req.url?.startsWith('/acme/') ? 200 : 404).end('ok')
  })
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { url: `https://localhost:${(server.address() as AddressInfo).port}`, asked }
}

async function askAs(settings: TlsClientSettings, env: Record<string, string>): Promise<TlsClientAnswers> {
  const { PATH = '' } = process.env
  const trust: NodeJS.ProcessEnv = {
    NODE_ENV: 'test',
    PATH,
    NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
    ...env,
  }
  const { stdout } = await promisify(execFile)(process.execPath, [client, JSON.stringify(settings)], {
    env: trust,
  })
  return JSON.parse(stdout) as TlsClientAnswers
}

openssl(
  'J08 nothing is sent to an upstream or an issuer whose certificate proves nothing, whatever the environment says',
  async () => {
    run('req', '-x509', ...newKey, '-days', '1', '-subj', '/CN=ca', '-keyout', 'ca.key', '-out', 'ca.pem')
    const own = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    run('req', '-x509', ...newKey, '-days', '1', ...own, '-keyout', 'own.key', '-out', 'own.pem')
    const read = (name: string) => readFileSync(join(folder, name))
    const good = await serve(certificate('localhost'))
    const bad = await Promise.all([
      serve(certificate('elsewhere.test')),
      serve(certificate('localhost', '-1')),
      serve({ key: read('own.key'), cert: read('own.pem') }),
      serve({
        ...certificate('localhost', '2'),
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1',
        ciphers: 'DEFAULT:@SECLEVEL=0',
      }),
    ])
    const issuer = await startCiIssuer()
    const claims = { audience: 'api://models', repository: 'none/none', iss: good.url }
    const token = await issuer.token(claims as never)
    await issuer.close()
    const settings = { upstreams: [good.url, ...bad.map(({ url }) => url)], issuer: good.url, token }

    const statuses = [200, 502, 502, 502, 502]
    const file = '/acme/open/resolve/main/config.json'
    const keys = '/.well-known/openid-configuration'
    const unavailable = 'HFAUTH_ISSUER_UNAVAILABLE'
    expect(await askAs(settings, {})).toEqual({ statuses, codes: [unavailable, unavailable, unavailable] })
    expect(good.asked).toEqual([file, keys, keys, keys])

    good.asked.length = 0
    const blind = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    const refused = 'HFAUTH_CONFIG_INVALID'
    // A `fetch` that was passed in is its owner's.
    expect(await askAs(settings, blind)).toEqual({ statuses, codes: [refused, refused, unavailable] })
    expect(good.asked).toEqual([file, keys])
    expect(bad.flatMap(({ asked }) => asked)).toEqual([])
  },
  60_000,
)
