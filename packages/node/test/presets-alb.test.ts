import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Answer, ecKey, json, refusalOf, rsaKey, type SigningKey } from './loopback-issuer.ts'
import { type PresetWorld, policyOf, startPresetWorld, verifierIn } from './preset-world.ts'

const kid = '12345678-1234-1234-1234-123456789012'
const signer = 'arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/front/50dc6c495c0c9188'
const keyUrl = (name = kid) => `https://public-keys.auth.elb.eu-west-1.amazonaws.com/${name}`
const balancerKey = ecKey(kid)
const pem =
  (key: SigningKey): Answer =>
  (_, response) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' })
    response.end(key.publicKey.export({ format: 'pem', type: 'spki' }))
  }

let world: PresetWorld
beforeAll(async () => {
  world = await startPresetWorld()
})
afterAll(() => world.server.close())
beforeEach(() => {
  world.server.requests.length = 0
  world.server.answers.clear()
  world.answer(keyUrl(), pem(balancerKey))
})

const policy = policyOf({
  front: { preset: 'aws-alb', issuer: 'https://id.acme.example', audience: 'alb-client', tenants: [signer] },
})
const verifier = () => verifierIn(world, policy)

/** Base64url with padding, as load balancers write it. */
function padded(value: object | Uint8Array): string {
  const bytes = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(JSON.stringify(value))
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_')
}

function data(header: object = {}, payload: object = {}, key: SigningKey = balancerKey): string {
  const head = {
    typ: 'JWT',
    kid,
    alg: 'ES256',
    iss: 'https://id.acme.example',
    client: 'alb-client',
    signer,
    exp: world.clock.seconds + 120,
    ...header,
  }
  const body = {
    sub: '00uDANA',
    name: 'Dana D.',
    email: 'dana@acme.example',
    email_verified: 'true',
    exp: world.clock.seconds + 120,
    iss: 'https://id.acme.example',
    ...payload,
  }
  const input = `${padded(head)}.${padded(body)}`
  return `${input}.${padded(key.sign(input))}`
}

describe('what a load balancer says of a person', () => {
  test('is taken, whatever its padding, with the key of that name', async () => {
    for (const name of ['D', 'Da', 'Dan', 'Dana']) {
      await expect(verifier().verify(data({}, { name }))).resolves.toMatchObject({
        kind: 'id_token',
        expiresAt: world.clock.seconds + 120,
        principal: {
          id: 'front|00uDANA',
          name,
          email: 'dana@acme.example',
          emailVerified: true,
          kind: 'user',
        },
      })
    }
  })

  test('asks for a key once', async () => {
    const one = verifier()
    await Promise.all([one.verify(data()), one.verify(data({}, { name: 'x' }))])
    await one.verify(data({}, { name: 'y' }))
    expect(world.asked).toEqual([`public-keys.auth.elb.eu-west-1.amazonaws.com/${kid}`])
  })

  const evil = signer.replace('123456789012', '666666666666')
  const cases: [string, () => string, string][] = [
    ['another balancer signed it', () => data({ signer: evil }), 'HFAUTH_TOKEN_UNSUPPORTED'],
    [
      'another provider stands behind it',
      () => data({ iss: 'https://evil.example' }),
      'HFAUTH_TOKEN_UNSUPPORTED',
    ],
    ['it was signed for another client', () => data({ client: 'other' }), 'HFAUTH_TOKEN_AUDIENCE'],
    ['it names no client', () => data({ client: undefined }), 'HFAUTH_TOKEN_AUDIENCE'],
    ['it is over', () => data({ exp: world.clock.seconds - 31 }), 'HFAUTH_TOKEN_EXPIRED'],
    ['it has no end', () => data({ exp: undefined }), 'HFAUTH_TOKEN_INVALID'],
    ['the person’s part is over', () => data({}, { exp: world.clock.seconds - 31 }), 'HFAUTH_TOKEN_EXPIRED'],
    ['another key signed it', () => data({}, {}, ecKey(kid)), 'HFAUTH_TOKEN_INVALID'],
    ['it asks for another algorithm', () => data({ alg: 'HS256' }), 'HFAUTH_TOKEN_INVALID'],
    ['it asks for none', () => data({ alg: 'none' }), 'HFAUTH_TOKEN_INVALID'],
    ['its key’s name is a path', () => data({ kid: '../../evil' }), 'HFAUTH_TOKEN_INVALID'],
    ['its key’s name is an address', () => data({ kid: 'https://evil.example/key' }), 'HFAUTH_TOKEN_INVALID'],
    ['it has no subject', () => data({}, { sub: undefined }), 'HFAUTH_TOKEN_INVALID'],
    ['it must understand more', () => data({ crit: ['x'] }), 'HFAUTH_TOKEN_INVALID'],
    [
      'a part was changed',
      () => data().replace(/\.[^.]+\./, `.${padded({ sub: 'eve' })}.`),
      'HFAUTH_TOKEN_INVALID',
    ],
  ]
  test.each(cases)('is refused when %s', async (_, make, code) => {
    const token = make()
    expect((await refusalOf(verifier().verify(token), token)).code).toBe(code)
    expect(
      world.asked.every((path) => path.startsWith('public-keys.auth.elb.eu-west-1.amazonaws.com/')),
    ).toBe(true)
  })

  const keyCases: [string, Answer, string][] = [
    ['does not know the key', json({}, 404), 'HFAUTH_TOKEN_INVALID'],
    ['is down', json({}, 503), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['gives no key', json('hello'), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['gives an RSA key', pem(rsaKey('x')), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['gives too much', json('x'.repeat(10_000)), 'HFAUTH_ISSUER_UNAVAILABLE'],
    ['redirects', json({}, 301, { location: 'https://evil.example' }), 'HFAUTH_ISSUER_UNAVAILABLE'],
  ]
  test.each(keyCases)('is refused when AWS %s', async (_, answer, code) => {
    world.answer(keyUrl(), answer)
    const token = data()
    expect((await refusalOf(verifier().verify(token), token)).code).toBe(code)
  })

  test('has AWS asked for at most ten keys in five seconds, and a known key stays in use meanwhile', async () => {
    const one = verifier()
    await one.verify(data())
    for (let i = 0; i < 200; i++) {
      const name = `${String(i).padStart(8, '0')}-1234-1234-1234-123456789012`
      await refusalOf(one.verify(data({ kid: name })))
    }
    expect(world.asked).toHaveLength(10)
    await expect(one.verify(data({}, { name: 'still' }))).resolves.toBeDefined()
    world.clock.forward(5)
    const next = '99999999-1234-1234-1234-123456789012'
    world.answer(keyUrl(next), pem(balancerKey))
    await expect(one.verify(data({ kid: next }))).resolves.toBeDefined()
  })

  test('is no JWT to a policy without load balancers', async () => {
    const other = verifierIn(
      world,
      policyOf({ id: { preset: 'oidc', issuer: 'https://id.acme.example', audience: 'alb-client' } }),
    )
    const token = data()
    expect((await refusalOf(other.verify(token), token)).retryable).toBe(false)
    expect(world.asked.filter((path) => path.startsWith('public-keys'))).toEqual([])
  })
})
