import { describe, expect, test } from 'vitest'
import { createVerifier } from '../src/index.ts'
import { policyWith, refusalOf } from './loopback-issuer.ts'

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGH'
const verifier = createVerifier({
  policy: policyWith({
    hf: { preset: 'huggingface', issuer: 'https://huggingface.co' },
    ci: { preset: 'github-actions', issuer: 'https://token.actions.githubusercontent.com' },
  }),
  fetch: async () => expect.unreachable('nothing may be asked about such a credential'),
})

describe('a credential of a kind that is not taken', () => {
  test.each([
    ['a personal token', `hf_${letters}`, 'user access token'],
    ['a personal token behind our prefix', `hf_oidc_hf_${letters}`, 'user access token'],
    ['a refresh token', `hf_oauth__refresh_${letters}`, 'refresh token'],
    ['a repository token', `hf_jwt_${letters}.${letters}.${letters}`, 'repository token'],
    ['an S3 session', `hf_s3_${letters}.${letters}.${letters}`, 'S3 session'],
    ['an app token', `hf_app_${letters}`, 'app token'],
    ['a client secret', `oauth_app_secret_${letters}`, 'client secret'],
    ['an organisation token', `api_org_${letters}`, 'organisation token'],
    ['an encrypted JWT', `${letters}.${letters}.${letters}.${letters}.${letters}`, 'encrypted JWT'],
    ['two parts', `${letters}.${letters}`, 'not a JWT'],
    ['four parts', `${letters}.${letters}.${letters}.${letters}`, 'not a JWT'],
    ['some text', letters, 'not a JWT'],
  ])('%s is named, never repeated, and told from a wrong one', async (_, token, words) => {
    const refusal = await refusalOf(verifier.verify(token), token)
    expect(refusal).toMatchObject({ code: 'HFAUTH_TOKEN_UNSUPPORTED', retryable: false })
    expect(refusal.message).toContain(words)
  })

  test.each([
    ['nothing', ''],
    ['spaces', `${letters} ${letters}`],
    ['a header injected', `${letters}\r\nx-admin: 1`],
    ['other alphabets', 'токен-токен-токен'],
    ['a NUL', `${letters}\0`],
    ['a megabyte', 'a'.repeat(1_000_000)],
    ['no text at all', undefined as unknown as string],
    ['an object', { length: 1 } as unknown as string],
  ])('%s is malformed', async (_, token) => {
    const secrets = typeof token === 'string' ? [token] : []
    expect((await refusalOf(verifier.verify(token), ...secrets)).code).toBe('HFAUTH_TOKEN_INVALID')
  })
})
