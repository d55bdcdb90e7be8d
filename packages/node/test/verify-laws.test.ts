import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createVerifier, type TokenVerifier } from '../src/index.ts'
import {
  compact,
  createClock,
  json,
  type LoopbackIssuer,
  paths,
  policyWith,
  refusalOf,
  rsa,
  signed,
  startIssuer,
} from './loopback-issuer.ts'

const clock = createClock()
let issuer: LoopbackIssuer
let verifier: TokenVerifier

beforeAll(async () => {
  issuer = await startIssuer()
  issuer.answers.set(paths.userinfo, json({}, 401))
  verifier = createVerifier({
    policy: policyWith({
      idp: { preset: 'oidc', issuer: issuer.url },
      hf: { preset: 'huggingface', issuer: issuer.url, audience: 'app-2' },
    }),
    now: () => clock.ms,
  })
})
afterAll(() => issuer.close())

const claims = () => ({ iss: issuer.url, aud: 'app-1', sub: 'ada', exp: clock.seconds + 300 })

describe('whatever is sent', () => {
  test('a token with any one character changed is refused', async () => {
    const token = signed(claims())
    await expect(verifier.verify(token)).resolves.toBeDefined()
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.='
    for (let at = 0; at < token.length; at++) {
      const other = alphabet[(alphabet.indexOf(token[at] ?? '') + 1 + (at % 60)) % alphabet.length]
      await refusalOf(verifier.verify(token.slice(0, at) + other + token.slice(at + 1)))
      await refusalOf(verifier.verify(token.slice(0, at) + token.slice(at + 1)))
      await refusalOf(verifier.verify(token.slice(0, at)))
    }
  })

  test('a token in which a character is spelt by one with the same low byte is refused', async () => {
    // Node's decoder takes many of them for each other, and what is signed would be the same.
    const token = signed(claims())
    for (let at = 0; at < token.length; at++) {
      const other = String.fromCharCode(token.charCodeAt(at) + 0x100 * (1 + (at % 255)))
      await refusalOf(verifier.verify(token.slice(0, at) + other + token.slice(at + 1)))
    }
  })

  test('any text ends in a refusal with a code', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.stringMatching(/^(hf_[a-z]*_?)?[A-Za-z0-9_.-]{0,80}$/),
      fc.tuple(fc.base64String(), fc.base64String(), fc.base64String()).map((parts) => parts.join('.')),
    )
    await fc.assert(fc.asyncProperty(text, async (token) => void (await refusalOf(verifier.verify(token)))))
  })

  test('any header and any claims, though signed, end in a refusal with a code', async () => {
    const header = fc.oneof(fc.json(), fc.constant(JSON.stringify({ alg: 'RS256', kid: 'rsa-1' })))
    const odd = fc.dictionary(
      fc.constantFrom('aud', 'exp', 'nbf', 'iat', 'azp', 'sub', 'cnf', 'events', 'iss'),
      fc.jsonValue({ maxDepth: 2 }),
      { minKeys: 1 },
    )
    const payload = fc.oneof(
      fc.json(),
      // The audience is wrong, so that no combination may pass.
      odd.map((more) => JSON.stringify({ ...claims(), aud: 'elsewhere', ...more })),
    )
    await fc.assert(
      fc.asyncProperty(header, payload, async (head, body) => {
        const token = compact(head, body, rsa.sign)
        await refusalOf(verifier.verify(token))
      }),
    )
  })
})
