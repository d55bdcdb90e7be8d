import { presets } from '@hfauth/core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ecKey, refusalOf, rsa, rsaKey, signed } from './loopback-issuer.ts'
import { type PresetCase, presetCases, serviceAccountToken } from './preset-cases.ts'
import { type PresetWorld, policyOf, startPresetWorld, verifierIn } from './preset-world.ts'

let world: PresetWorld
beforeAll(async () => {
  world = await startPresetWorld()
})
afterAll(() => world.server.close())
beforeEach(() => {
  world.server.requests.length = 0
})

const times = () => ({ iat: world.clock.seconds - 5, exp: world.clock.seconds + 300 })

function tokenOf({ claims }: PresetCase, more: object = {}, header: object = {}): string {
  return signed({ ...times(), ...claims, ...more }, rsa, header)
}

function verifierFor({ preset, options, issuer }: PresetCase) {
  world.publish(issuer)
  return verifierIn(world, policyOf({ idp: { preset, ...options } }))
}

describe.each(presetCases.map((one): [string, PresetCase] => [one.preset, one]))(
  'a token of `%s`',
  (_, one) => {
    test.each(one.taken.map((taken) => [taken.when, taken] as const))(
      'is taken when %s',
      async (_when, taken) => {
        const credential = await verifierFor(one).verify(tokenOf(one, taken.claims, taken.header))
        expect(credential).toMatchObject({
          kind: taken.kind ?? 'id_token',
          issuer: { alias: 'idp' },
          principal: { issuer: 'idp', ...taken.principal },
        })
        for (const member of taken.unknown ?? []) expect(credential.principal).not.toHaveProperty(member)
      },
    )

    test.each(one.refused.map((refused) => [refused.when, refused] as const))(
      'is refused when %s',
      async (_when, { claims, header, code, says }) => {
        const token = tokenOf(one, claims, header)
        const refusal = await refusalOf(verifierFor(one).verify(token), token)
        expect(refusal).toMatchObject({ code: code ?? 'HFAUTH_TOKEN_INVALID', retryable: false })
        if (says !== undefined) expect(refusal.message).toContain(says)
      },
    )

    test('is refused without an audience, from another key, by another algorithm, too late', async () => {
      const verifier = verifierFor(one)
      const now = world.clock.seconds
      for (const [token, code] of [
        [tokenOf(one, { aud: undefined, azp: undefined }), 'HFAUTH_TOKEN_AUDIENCE'],
        [signed({ ...times(), ...one.claims }, rsaKey('rsa-1')), 'HFAUTH_TOKEN_INVALID'],
        [signed({ ...times(), ...one.claims }, ecKey('rsa-1')), 'HFAUTH_TOKEN_INVALID'],
        [tokenOf(one, { exp: now - 31 }), 'HFAUTH_TOKEN_EXPIRED'],
        [tokenOf(one, {}, { typ: 'logout+jwt' }), 'HFAUTH_TOKEN_INVALID'],
        [tokenOf(one, {}, { typ: 'dpop+jwt' }), 'HFAUTH_TOKEN_INVALID'],
        [tokenOf(one, {}, { typ: 'secevent+jwt' }), 'HFAUTH_TOKEN_INVALID'],
        [tokenOf(one, {}, { typ: 'oauth-id-jag+jwt' }), 'HFAUTH_TOKEN_INVALID'],
      ] as const) {
        expect((await refusalOf(verifier.verify(token), token)).code).toBe(code)
      }
    })
  },
)

test('every preset whose JWTs are checked has its table', () => {
  const tested = new Set(presetCases.map(({ preset }) => preset))
  const others = [...presets.values()].filter(({ name }) => !tested.has(name)).map(({ name }) => name)
  expect(others.sort()).toEqual(['aws-alb', 'github', 'kubernetes'])
})

describe('an issuer with several addresses', () => {
  const okta = {
    preset: 'okta',
    audience: 'api://x',
    issuer: ['https://acme.okta.com/oauth2/x', 'https://id.acme.example/oauth2/x'],
  }
  const claims = (iss: string) => ({ ...times(), iss, aud: 'api://x', uid: '00u1', sub: 'd', scp: ['a'] })

  test('is asked at each of them for its own keys', async () => {
    const second = rsaKey('rsa-2')
    world.publish('https://acme.okta.com/oauth2/x')
    world.publish('https://id.acme.example/oauth2/x', [second.jwk])
    const verifier = verifierIn(world, policyOf({ okta }))
    await expect(verifier.verify(signed(claims('https://acme.okta.com/oauth2/x')))).resolves.toBeDefined()
    const other = signed(claims('https://id.acme.example/oauth2/x'), second)
    await expect(verifier.verify(other)).resolves.toBeDefined()
    const crossed = signed(claims('https://acme.okta.com/oauth2/x'), second)
    expect((await refusalOf(verifier.verify(crossed), crossed)).code).toBe('HFAUTH_TOKEN_INVALID')
  })

  test('of two Google presets, a token goes to the one whose audience it has', async () => {
    world.publish('https://accounts.google.com')
    const verifier = verifierIn(
      world,
      policyOf({
        people: {
          preset: 'google-workspace',
          audience: 'web.apps.googleusercontent.com',
          tenants: ['acme.com'],
        },
        jobs: { preset: 'google-service-account', audience: 'https://hfauth.acme.example' },
      }),
    )
    const account = {
      ...times(),
      iss: 'https://accounts.google.com',
      sub: '1',
      email: 'x@y.iam.gserviceaccount.com',
    }
    const job = await verifier.verify(signed({ ...account, aud: 'https://hfauth.acme.example' }))
    expect(job.issuer.alias).toBe('jobs')
    const posing = signed({ ...account, aud: 'web.apps.googleusercontent.com', hd: 'acme.com' })
    expect((await refusalOf(verifier.verify(posing), posing)).message).toContain('service account')
  })
})

describe('an Entra key that names its issuer', () => {
  const tenant = '11111111-2222-3333-4444-555555555555'
  const iss = `https://login.microsoftonline.com/${tenant}/v2.0`
  const policy = policyOf({ entra: { preset: 'entra', audience: 'app', tenants: [tenant] } })
  const token = () => signed({ ...times(), iss, aud: 'app', sub: 'p', tid: tenant, oid: 'o' })

  test.each([
    ['the template', 'https://login.microsoftonline.com/{tenantid}/v2.0'],
    ['the directory itself', iss],
    ['nothing', undefined],
  ])('fits when it names %s', async (_, issuer) => {
    world.publish(iss, [{ ...rsa.jwk, issuer }])
    await expect(verifierIn(world, policy).verify(token())).resolves.toBeDefined()
  })

  test.each([
    ['another directory', 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0'],
    ['the other version', 'https://sts.windows.net/{tenantid}/'],
  ])('does not when it names %s', async (_, issuer) => {
    world.publish(iss, [{ ...rsa.jwk, issuer }])
    const sent = token()
    expect((await refusalOf(verifierIn(world, policy).verify(sent), sent)).code).toBe('HFAUTH_TOKEN_INVALID')
  })

  test('version 1 is taken where the policy spells it out', async () => {
    const old = `https://sts.windows.net/${tenant}/`
    world.publish(old)
    const both = policyOf({
      entra: {
        preset: 'entra',
        audience: 'app',
        tenants: [tenant],
        issuer: 'https://sts.windows.net/{tenant}/',
      },
    })
    const sent = signed({
      ...times(),
      iss: old,
      aud: 'app',
      sub: 'p',
      tid: tenant,
      oid: 'o',
      scp: 'x',
      appid: 'c',
    })
    await expect(verifierIn(world, both).verify(sent)).resolves.toMatchObject({ kind: 'access_token' })
  })
})

describe('a Kubernetes token', () => {
  const iss = 'https://kubernetes.default.svc.cluster.local'
  const pinned = (keys: object[]) =>
    policyOf({ k8s: { preset: 'kubernetes', audience: 'https://hfauth.acme.example', issuer: iss, keys } })
  const token = (key = rsa) => signed({ ...times(), ...serviceAccountToken(iss) }, key)

  test('of the issuer that all clusters have is checked with the keys in the policy, and nobody is asked', async () => {
    const elliptic = ecKey('ec-1')
    const verifier = verifierIn(world, pinned([rsa.jwk, elliptic.jwk]))
    await expect(verifier.verify(token())).resolves.toMatchObject({
      principal: { subject: 'system:serviceaccount:ml:trainer' },
    })
    await expect(verifier.verify(token(elliptic))).resolves.toBeDefined()
    expect(world.asked).toEqual([])
  })

  test('of another cluster with the same issuer is refused', async () => {
    const sent = token(rsaKey('rsa-1'))
    const unknown = token(rsaKey('other'))
    const verifier = verifierIn(world, pinned([rsa.jwk]))
    expect((await refusalOf(verifier.verify(sent), sent)).code).toBe('HFAUTH_TOKEN_INVALID')
    expect((await refusalOf(verifier.verify(unknown), unknown)).code).toBe('HFAUTH_TOKEN_INVALID')
    expect(world.asked).toEqual([])
  })
})

describe('a run that strangers can set off', () => {
  const ci = { preset: 'github-actions', audience: 'https://hfauth.acme.example' }
  const github = presetCases.find(({ preset }) => preset === 'github-actions') as PresetCase

  test('is taken once a binding asks for it by name, and no other with it', async () => {
    const policy = policyOf(
      { ci },
      {
        roles: { r: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } },
        bindings: [
          { roles: ['r'], to: { issuer: 'ci', claims: { event_name: { $in: ['push', 'workflow_run'] } } } },
        ],
      },
    )
    world.publish(github.issuer)
    const verifier = verifierIn(world, policy)
    await expect(verifier.verify(tokenOf(github, { event_name: 'workflow_run' }))).resolves.toBeDefined()
    const other = tokenOf(github, { event_name: 'pull_request_target' })
    expect((await refusalOf(verifier.verify(other), other)).message).toContain('by name')
  })

  test.each([
    ['GitHub Enterprise Server', 'https://github.acme.example/_services/token'],
    ['a data-residency tenant', 'https://token.actions.acme.ghe.com'],
    ['an enterprise with an issuer of its own', 'https://token.actions.githubusercontent.com/acme-inc'],
  ])('stays refused, and an ordinary run taken, at %s', async (_, issuer) => {
    world.publish(issuer)
    const verifier = verifierIn(world, policyOf({ ci: { ...ci, issuer } }))
    await expect(verifier.verify(tokenOf(github, { iss: issuer }))).resolves.toBeDefined()
    const target = tokenOf(github, { iss: issuer, event_name: 'pull_request_target' })
    expect((await refusalOf(verifier.verify(target), target)).code).toBe('HFAUTH_TOKEN_INVALID')
    const elsewhere = tokenOf(github)
    expect((await refusalOf(verifier.verify(elsewhere), elsewhere)).code).toBe('HFAUTH_TOKEN_UNSUPPORTED')
  })
})
