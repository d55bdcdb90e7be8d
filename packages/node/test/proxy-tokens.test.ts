/**
 * Attacks by token on the proxy: one request for a file, and in it a credential that somebody has made, copied,
 * cut or stretched. Whatever is wrong with it, the answer is a challenge, the upstream sees nothing, and one event
 * tells of it.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  compact,
  ecKey,
  hs256,
  type LoopbackIssuer,
  paths,
  rsaKey,
  startIssuer,
  unsigned,
} from './loopback-issuer.ts'
import { hfToken, lines, startThreatWorld, type ThreatWorld } from './threat-world.ts'

const k1 = rsaKey('k1')
const stranger = rsaKey('k1')
const elliptic = ecKey('k1')
const header = { alg: 'RS256', typ: 'at+jwt', kid: 'k1' }
const now = Math.floor(Date.now() / 1000)

let idp: LoopbackIssuer
let other: LoopbackIssuer
let world: ThreatWorld
beforeAll(async () => {
  idp = await startIssuer()
  other = await startIssuer()
  idp.keys = [k1.jwk]
  other.keys = [stranger.jwk]
  const okta = { preset: 'okta', issuer: idp.url, audience: 'hfauth' } as const
  world = await startThreatWorld({
    policy: {
      issuers: { idp: okta, other: { ...okta, issuer: other.url } },
      roles: { 'ml-dev': { allow: [{ actions: ['read'], on: ['model:acme/open'] }] } },
      bindings: [
        { roles: ['ml-dev'], to: { issuer: 'idp', group: 'ml-dev' } },
        { roles: ['ml-dev'], to: { issuer: 'idp', email: 'a@acme.test' } },
      ],
    },
  })
})
afterAll(async () => {
  await world.close()
  await Promise.all([idp.close(), other.close()])
})
beforeEach(() => {
  world.reset()
  idp.requests.length = 0
})

/** What the provider says of alice; `uid` is how this one names its people. */
const claims = (more: object = {}) => ({
  iss: idp.url,
  aud: 'hfauth',
  sub: 'alice',
  uid: 'alice',
  groups: ['ml-dev'],
  iat: now,
  exp: now + 300,
  jti: crypto.randomUUID(),
  ...more,
})
const token = (more: object = {}, head: object = {}) => compact({ ...header, ...head }, claims(more), k1.sign)
const ask = (bearer: string) =>
  world.send(
    lines(
      'GET /acme/open/resolve/main/config.json HTTP/1.1',
      'Host: hub.gw.test',
      `Authorization: Bearer ${bearer}`,
      '',
      '',
    ),
  )
const publicPem = () => k1.publicKey.export({ format: 'pem', type: 'spki' }) as string
/** A good one that the proxy remembers. */
let known = ''
beforeAll(async () => {
  known = token()
  expect((await ask(known)).statuses).toEqual([200, 200])
})
const raw = (payload: string, head: object | string = header) => compact(head, payload, k1.sign)
const payload = () => JSON.stringify(claims()).slice(1)

test('a good one is let in, and stays here', async () => {
  expect(await ask(token())).toMatchObject({ statuses: [200, 200], reasons: ['allowed'] })
  expect(world.arrived[0]?.rawHeaders).toContain(`Bearer ${hfToken}`)
})

test.each<[string, () => string]>([
  ['G01 `none`', () => compact({ ...header, alg: 'none' }, claims(), unsigned)],
  ['G01 `None`', () => compact({ ...header, alg: 'None' }, claims(), unsigned)],
  ['G01 `nOnE`', () => compact({ ...header, alg: 'nOnE' }, claims(), unsigned)],
  ['G01 nothing but `none`', () => compact({ alg: 'none' }, claims(), unsigned)],
  ['G01 an empty signature', () => compact(header, claims(), unsigned)],
  ['G01 two parts', () => token().split('.').slice(0, 2).join('.')],
  ['G01 four parts', () => `${token()}.AA`],
  ['G02 HS256 by the public key', () => compact({ ...header, alg: 'HS256' }, claims(), hs256(publicPem()))],
  [
    'G02 ES256 under the name of an RSA key',
    () => compact({ ...header, alg: 'ES256' }, claims(), elliptic.sign),
  ],
  [
    'G02 an algorithm that the issuer does not use',
    () => compact({ ...header, alg: 'PS512' }, claims(), k1.sign),
  ],
  ['G03 our keys in the name of another issuer', () => token({ iss: other.url })],
  ['G03 another issuer’s keys in our name', () => compact(header, claims(), stranger.sign)],
  ['G03 a slash behind the issuer', () => token({ iss: `${idp.url}/` })],
  ['G03 the issuer in other case', () => token({ iss: idp.url.toUpperCase() })],
  ['G03 a host that begins like the issuer’s', () => token({ iss: `${idp.url}.evil.test` })],
  ['G03 the issuer as user-info', () => token({ iss: `${idp.url}@evil.test` })],
  ['G04 another audience', () => token({ aud: 'elsewhere' })],
  ['G04 ours and another', () => token({ aud: ['hfauth', 'elsewhere'] })],
  ['G04 no audience', () => token({ aud: undefined })],
  ['G04 a number as audience', () => token({ aud: 1 })],
  ['G04 an ID token, made for a client', () => token({ aud: 'client-1', nonce: 'n' }, { typ: 'JWT' })],
  ['G06 a path as `kid`', () => token({}, { kid: '../../etc/passwd' })],
  ['G06 SQL as `kid`', () => token({}, { kid: "' OR 1=1" })],
  ['G06 ten kilobytes of `kid`', () => token({}, { kid: 'k'.repeat(10_000) })],
  ['G06 an unknown `kid`', () => token({}, { kid: 'k2' })],
  ['G06 `jku`', () => compact({ ...header, jku: `${other.url}/jwks` }, claims(), stranger.sign)],
  ['G06 `x5u`', () => compact({ ...header, x5u: `${other.url}/x5u` }, claims(), stranger.sign)],
  ['G06 `jwk`', () => compact({ ...header, jwk: stranger.jwk }, claims(), stranger.sign)],
  ['G06 `x5c`', () => compact({ ...header, x5c: ['MIIB'] }, claims(), stranger.sign)],
  ['G09 one that begins like a good one', () => `${token().slice(0, -8)}AAAAAAAA`],
  // With the good one known already.
  ...[20, 64, 200].map((length): [string, () => string] => [
    `G09 one that has its first ${length} characters of a good one`,
    () => known.slice(0, length) + compact(header, claims(), stranger.sign).slice(length),
  ]),
  [
    'G13 an encrypted one, compressed',
    () => `${raw('{}', { alg: 'dir', enc: 'A256GCM', zip: 'DEF' })}.AA.AA`,
  ],
  ['G13 a password-based one', () => raw('{}', { ...header, alg: 'PBES2-HS256+A128KW', p2c: 1e9 })],
  ['G13 a long `crit`', () => token({}, { crit: Array.from({ length: 500 }, (_, i) => `x${i}`) })],
  ['G13 a token in a token', () => raw(token(), { ...header, cty: 'JWT' })],
  ['G13 a list as payload', () => raw('[]')],
  ['G13 two audiences by two members', () => raw(`{"aud":"x",${payload()}`)],
  ['G13 `__proto__`', () => raw(`{"__proto__":{"groups":["ml-dev"]},${payload()}`)],
  ['G16 one bound to a key of DPoP', () => token({ cnf: { jkt: 'a'.repeat(43) } })],
  ['G16 one bound to a certificate', () => token({ cnf: { 'x5t#S256': 'a'.repeat(43) } })],
  ['G18 a personal token', () => 'hf_abcdefghijklmnopqrstuvwxyzABCDEFGH'],
])('%s is answered with a challenge', async (_, make) => {
  const bearer = make()
  const reply = await ask(bearer)
  expect({ statuses: reply.statuses, lines: reply.lines }).toEqual({ statuses: [401, 200], lines: [] })
  expect(reply.text).toMatch(/www-authenticate: Bearer/i)
  expect(reply.text).toMatch(/content-type: application\/problem\+json/i)
  expect(reply.reasons).toHaveLength(1)
  expect(reply.text.includes(bearer) || JSON.stringify(world.fixture.events).includes(bearer)).toBe(false)
  // What a token says of where keys are is never gone to.
  const known: readonly string[] = [paths.discovery, paths.keys]
  expect([...idp.requests, ...other.requests].filter((path) => !known.includes(path))).toEqual([])
})

test.each<[string, () => string]>([
  ['G14 no groups', () => token({ groups: undefined })],
  ['G14 groups that are elsewhere', () => token({ groups: undefined, _claim_names: { groups: 'src1' } })],
  ['G14 a group that is no list', () => token({ groups: 'ml-dev' })],
  ['G14 groups as JSON in a text', () => token({ groups: '["ml-dev"]' })],
  ['G14 groups with the names of members', () => token({ groups: ['__proto__', 'constructor', 'toString'] })],
  ['G14 groups that are no texts', () => token({ groups: [['ml-dev'], { name: 'ml-dev' }, 1, null] })],
  [
    'G17 an address with two at signs',
    () => token({ groups: [], email: 'a@acme.test@evil.test', email_verified: true }),
  ],
  [
    'G17 the same the other way round',
    () => token({ groups: [], email: 'evil.test@a@acme.test', email_verified: true }),
  ],
  [
    'G17 an address that is not verified',
    () => token({ groups: [], email: 'a@acme.test', email_verified: false }),
  ],
  ['G17 an address of which nobody says so', () => token({ groups: [], email: 'a@acme.test' })],
  [
    'G17 a domain that ends alike',
    () => token({ groups: [], email: 'a@evil-acme.test', email_verified: true }),
  ],
  [
    'G17 the same subject of another issuer',
    () => compact(header, claims({ iss: other.url }), stranger.sign),
  ],
])('%s is somebody who may not read', async (_, make) => {
  expect(await ask(make())).toMatchObject({ statuses: [403, 200], reasons: ['no_matching_rule'], lines: [] })
})

test('G17 the address itself, verified, is let in', async () => {
  const { statuses } = await ask(token({ groups: [], email: 'a@acme.test', email_verified: true }))
  expect(statuses).toEqual([200, 200])
})

test('G14 ten thousand groups are more than a header holds', async () => {
  const groups = Array.from({ length: 10_000 }, (_, i) => `g${i}`)
  expect(await ask(token({ groups }))).toMatchObject({ statuses: [431], lines: [] })
})

test('G07 a hundred unknown names of keys at once share a look at the keys, and a good token passes meanwhile', async () => {
  const unknown = Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      ask(token({}, { kid: `unknown-${i}` })).then(({ statuses }) => statuses),
    ),
  )
  expect((await ask(token())).statuses).toEqual([200, 200])
  expect(new Set((await unknown).map(String))).toEqual(new Set(['401,200']))
  expect(idp.requests.filter((path) => path === paths.keys).length).toBeLessThan(10)
})
