import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type CiIssuer, startCiIssuer } from '../src/index.ts'

let ci: CiIssuer
beforeEach(async () => {
  ci = await startCiIssuer()
})
afterEach(() => ci.close())

const job = { audience: 'https://guard.example', repository: 'acme/trainer' }

async function verify(token: string) {
  const discovery = (await (await fetch(`${ci.url}/.well-known/openid-configuration`)).json()) as {
    jwks_uri: string
  }
  return jwtVerify(token, createRemoteJWKSet(new URL(discovery.jwks_uri)), {
    issuer: ci.url,
    audience: job.audience,
  })
}

describe('CI issuer', () => {
  test('signs tokens that verify and carry the claims of a job', async () => {
    const { payload, protectedHeader } = await verify(await ci.token(job))
    expect(protectedHeader).toMatchObject({ alg: 'RS256', typ: 'JWT' })
    expect(payload).toMatchObject({
      repository: 'acme/trainer',
      repository_owner: 'acme',
      ref: 'refs/heads/main',
      ref_type: 'branch',
      event_name: 'push',
      job_workflow_ref: 'acme/trainer/.github/workflows/release.yml@refs/heads/main',
      runner_environment: 'github-hosted',
    })
    const { iat = 0, nbf, exp } = payload
    expect({ nbf, exp }).toEqual({ nbf: iat - 600, exp: iat + 300 })
  })

  test.each([
    ['a branch', {}, 'ref:refs/heads/main'],
    ['a tag', { ref: 'refs/tags/v1' }, 'ref:refs/tags/v1'],
    ['a pull request', { event_name: 'pull_request' }, 'pull_request'],
    ['an environment', { environment: 'prod:eu', event_name: 'pull_request' }, 'environment:prod%3Aeu'],
  ])('writes the subject of %s in both forms', async (_, overrides, context) => {
    const legacy = decodeJwt(await ci.token({ ...job, ...overrides, subject: 'legacy' }))
    expect(legacy.sub).toBe(`repo:acme/trainer:${context}`)
    const immutable = decodeJwt(await ci.token({ ...job, ...overrides }))
    const { repository_id: id, repository_owner_id: owner } = immutable
    expect(immutable.sub).toBe(`repo:acme@${owner}/trainer@${id}:${context}`)
  })

  test('replaces and removes claims', async () => {
    const claims = decodeJwt(await ci.token({ ...job, actor: 'mallory', run_id: undefined }))
    expect(claims.actor).toBe('mallory')
    expect(claims).not.toHaveProperty('run_id')
  })

  test('keeps or drops the old key when it rotates', async () => {
    const old = await ci.token(job)
    ci.rotateKey()
    await expect(verify(old)).resolves.toBeDefined()
    await expect(verify(await ci.token(job))).resolves.toBeDefined()
    ci.rotateKey({ keepPrevious: false })
    await expect(verify(old)).rejects.toThrow()
    await expect(verify(await ci.token(job))).resolves.toBeDefined()
  })

  test('can break its key set', async () => {
    ci.faults.jwks = { status: 500 }
    await expect(verify(await ci.token(job))).rejects.toThrow()
  })

  test('signs nothing when the header says none', async () => {
    const token = await ci.token({ ...job, header: { alg: 'none' } })
    expect(token.endsWith('.')).toBe(true)
    expect(ci.issued).toContain(token)
  })
})
