/** Checklist section 3: the answer in the address, before its code is used. */
import { describe, expect, test } from 'vitest'
import { readCode } from '../src/provider/code.ts'

const issuer = 'https://hub.example'
const request = { clientId: 'app', redirectUri: 'https://app.example/callback', scope: 'openid' }
const read = (answer: string, promised = false) =>
  readCode(
    new URLSearchParams(answer),
    {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      authorization_response_iss_parameter_supported: promised,
    },
    's',
    request,
  )
const iss = `iss=${encodeURIComponent(issuer)}`

describe('an answer gives its code', () => {
  test.each([
    ['from a provider that says who it is', `code=c&state=s&${iss}`, true],
    ['from one that need not say it', 'code=c&state=s', false],
    ['from one that says it unasked', `code=c&state=s&${iss}`, false],
    ['with what else providers add', 'code=c&state=s&session_state=x&scope=openid', false],
  ])('%s', (_, answer, promised) => {
    expect(read(answer, promised)).toBe('c')
  })
})

describe('an answer is refused', () => {
  test.each([
    ['of another sign-in', 'code=c&state=t', false, 'another `state`'],
    ['without a state', 'code=c', false, 'another `state`'],
    ['with two states', 'code=c&state=s&state=s', false, '`state` twice'],
    ['of another provider', 'code=c&state=s&iss=https%3A%2F%2Fevil.example', false, 'another `iss`'],
    ['with an empty iss', 'code=c&state=s&iss=', false, 'another `iss`'],
    ['with an iss that differs by a slash', `code=c&state=s&${iss}%2F`, true, 'another `iss`'],
    ['with two iss', `code=c&state=s&${iss}&iss=x`, true, '`iss` twice'],
    ['without the iss that was promised', 'code=c&state=s', true, 'another `iss`'],
    ['without a code', 'state=s', false, 'no code'],
    ['with an empty code', 'code=&state=s', false, 'no code'],
    ['with two codes', 'code=c&code=d&state=s', false, '`code` twice'],
    ['with two errors', 'error=a&error=b&state=s', false, '`error` twice'],
  ])('%s', (_, answer, promised, message) => {
    expect(() => read(answer, promised)).toThrow(
      expect.objectContaining({
        code: 'HFAUTH_SIGNIN_INVALID',
        message: expect.stringContaining(message),
      }),
    )
  })

  test('as the refusal that it is, also when it has a code beside it', () => {
    for (const answer of ['error=access_denied&state=s', 'error=access_denied&code=c&state=s'])
      expect(() => read(answer)).toThrow(
        expect.objectContaining({ code: 'HFAUTH_SIGNIN_REFUSED', reason: 'access_denied' }),
      )
  })

  test('and an error of another provider is not believed', () => {
    for (const answer of [
      'error=access_denied&state=s&iss=https%3A%2F%2Fevil.example',
      'error=access_denied',
    ])
      expect(() => read(answer)).toThrow(expect.objectContaining({ code: 'HFAUTH_SIGNIN_INVALID' }))
  })
})
