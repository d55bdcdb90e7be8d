/** What a refusal looks like to parsers that others wrote, whatever comes to stand in it. */
import { readFileSync } from 'node:fs'
import { type Decision, HfAuthError, type HfAuthErrorCode } from '@hfauth/core'
import fc from 'fast-check'
import {
  allowInsecureRequests,
  customFetch,
  protectedResourceRequest,
  WWWAuthenticateChallengeError,
} from 'oauth4webapi'
import { describe, expect, test } from 'vitest'
import {
  assertMetadataUrl,
  buildRefusal,
  type Challenge,
  problemType,
  refusalOfDecision,
  refusalOfError,
} from '../src/guard/refusal.ts'
import { readTraceContext } from '../src/guard/trace-context.ts'

const refusal = { status: 401, reason: 'token_invalid', detail: 'No.' }
const options = { requestId: 'r1' }

/** The challenges of a response, as a client's library reads them. */
async function challengesOf(response: Response) {
  const asked = protectedResourceRequest('token', 'GET', new URL('http://a.test/'), undefined, undefined, {
    [customFetch]: async () => response,
    [allowInsecureRequests]: true,
  })
  const error = await asked.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof WWWAuthenticateChallengeError) return error.cause
  throw new Error('the library sees no challenge')
}

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom(
    'a"b',
    'a\\',
    '", error="x',
    'a\r\nSet-Cookie: x=1',
    '\u0000',
    'é',
    ',',
    'a, Basic realm="x',
    '',
    ' ',
  ),
)
const token = /^[\x21\x23-\x5b\x5d-\x7e]+$/

describe('a challenge', () => {
  test('is one Bearer challenge with exactly the values that may stand in it, whatever texts it is built from', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          error: fc.constantFrom('insufficient_scope', 'insufficient_user_authentication'),
          scope: fc.array(anyText, { maxLength: 4 }),
          acrValues: fc.array(anyText, { maxLength: 4 }),
          maxAgeSeconds: fc.oneof(fc.nat(), fc.constantFrom(Number.NaN, 1.5, Number.POSITIVE_INFINITY)),
        }),
        async (challenge) => {
          const response = buildRefusal({ ...refusal, challenge: challenge as Challenge }, options)
          const fit = (values: readonly string[]) => values.filter((value) => token.test(value)).join(' ')
          const expected = {
            error: challenge.error,
            scope: fit(challenge.scope),
            acr_values: fit(challenge.acrValues),
            max_age: Number.isSafeInteger(challenge.maxAgeSeconds) ? String(challenge.maxAgeSeconds) : '',
          }
          expect(await challengesOf(response)).toEqual([
            {
              scheme: 'bearer',
              parameters: Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== '')),
            },
          ])
        },
      ),
    )
  })

  test('points to the metadata, and an address that cannot stand in a header is refused when it is configured', async () => {
    const resourceMetadataUrl = 'https://api.acme.dev/.well-known/oauth-protected-resource/v1?x=a%22b'
    expect(() => assertMetadataUrl(resourceMetadataUrl)).not.toThrow()
    const response = buildRefusal({ ...refusal, challenge: {} }, { ...options, resourceMetadataUrl })
    expect(await challengesOf(response)).toEqual([
      { scheme: 'bearer', parameters: { resource_metadata: resourceMetadataUrl } },
    ])
    for (const address of ['https://a/"', 'https://a/\r\nx', 'https://a/ b', 'no address', 'https://a/\\']) {
      expect(() => assertMetadataUrl(address), address).toThrow(
        expect.objectContaining({ code: 'HFAUTH_CONFIG_INVALID' }),
      )
    }
  })

  test('without a credential says nothing of errors', () => {
    const response = buildRefusal({ ...refusal, challenge: {} }, options)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
  })
})

describe('a problem', () => {
  test('is JSON of its length, named by a stable URI, and never stored', async () => {
    const response = buildRefusal(
      { ...refusal, status: 503, retryAfterSeconds: 5, detail: 'Später.' },
      options,
    )
    expect(Object.fromEntries(response.headers)).toEqual({
      'cache-control': 'no-store',
      'content-length': String(Buffer.byteLength(await response.clone().text())),
      'content-type': 'application/problem+json',
      'retry-after': '5',
      'x-content-type-options': 'nosniff',
      'x-request-id': 'r1',
    })
    expect(await response.json()).toEqual({
      type: 'urn:hfauth:problem:token_invalid',
      title: 'Service Unavailable',
      status: 503,
      detail: 'Später.',
      reason: 'token_invalid',
      requestId: 'r1',
      retryable: true,
    })
    expect(URL.canParse(problemType('token_invalid'))).toBe(true)
  })
})

describe('the trace of a request', () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const spanId = '00f067aa0ba902b7'

  test.each([
    ['of the first version', `00-${traceId}-${spanId}-01`],
    ['of a later version that says more', `cc-${traceId}-${spanId}-01-what-comes`],
  ])('%s is read', (_, header) => {
    expect(readTraceContext(header)).toEqual({ traceId, spanId })
  })

  test.each([
    ['absent', null],
    ['of version ff', `ff-${traceId}-${spanId}-01`],
    ['of the first version with more behind it', `00-${traceId}-${spanId}-01-x`],
    ['in capitals', `00-${traceId.toUpperCase()}-${spanId}-01`],
    ['of zeros', `00-${'0'.repeat(32)}-${spanId}-01`],
    ['of a span of zeros', `00-${traceId}-${'0'.repeat(16)}-01`],
    ['too short', `00-${traceId.slice(1)}-${spanId}-01`],
    ['sent twice', `00-${traceId}-${spanId}-01, 00-${traceId}-${spanId}-01`],
  ])('%s is none', (_, header) => {
    expect(readTraceContext(header)).toBeUndefined()
  })
})

test('the page on refusals lists every reason with its status', () => {
  const page = readFileSync(new URL('../../../docs/guide/frameworks.md', import.meta.url), 'utf8')
  const listed = [...page.matchAll(/^\| `(\w+)` \| (\d{3})/gm)].map(
    ([, reason, status]) => `${status} ${reason}`,
  )
  const decision = { stepUp: { missing: [] }, scopes: [] }
  const told = [
    ...decisionReasons.map((reason) => refusalOfDecision({ ...decision, reason } as unknown as Decision)),
    ...errorCodes.map((code) => refusalOfError(new HfAuthError(code, 'x'))),
  ].map(({ status, reason }) => `${status} ${reason}`)
  const ofTheGuard = ['404 route_unknown', '400 path_ambiguous', '414 target_too_long']
  expect([...listed].sort()).toEqual([...new Set([...told, ...ofTheGuard])].sort())
})

const decisionReasons = [
  'authentication_required',
  'token_too_old',
  'step_up_required',
  'insufficient_scope',
  'environment_ceiling',
  'explicit_deny',
  'no_matching_rule',
  'condition_unknown',
  'invalid_resource',
]
const errorCodes: readonly HfAuthErrorCode[] = [
  'HFAUTH_REQUEST_INVALID',
  'HFAUTH_TOKEN_UNSUPPORTED',
  'HFAUTH_TOKEN_INVALID',
  'HFAUTH_TOKEN_EXPIRED',
  'HFAUTH_TOKEN_AUDIENCE',
  'HFAUTH_CLAIMS_INVALID',
  'HFAUTH_ISSUER_UNAVAILABLE',
  'HFAUTH_AUDIT_UNAVAILABLE',
  'HFAUTH_CONFIG_INVALID',
]
