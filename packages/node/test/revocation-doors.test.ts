import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createAdminRevocation,
  createAuditLog,
  createBackChannelLogout,
  createGlobalTokenRevocation,
  createRevocationIntake,
  createRevocations,
  createSetPush,
  type Door,
  type FindSubjects,
  type GlobalTokenRevocationOptions,
  type MemorySink,
  memorySink,
  type RevocationFeed,
  type RevocationIntake,
  type RevocationSet,
  type SetPushOptions,
} from '../src/index.ts'
import {
  createClock,
  ecKey,
  type LoopbackIssuer,
  policyWith,
  rsaKey,
  signed,
  startIssuer,
} from './loopback-issuer.ts'

let idp: LoopbackIssuer
let clock: ReturnType<typeof createClock>
let revocations: RevocationSet
let sink: MemorySink
let intake: RevocationIntake
let nextId = 0

beforeAll(async () => {
  idp = await startIssuer()
})
afterAll(() => idp.close())
beforeEach(() => {
  clock = createClock()
  const now = () => clock.now()
  revocations = createRevocations({ now, clockToleranceSeconds: 0 })
  sink = memorySink()
  const audit = createAuditLog({ sink, environment: 'production', service: 'test', now })
  intake = createRevocationIntake({ revocations, audit, now })
})

const uniqueId = () => `id-${++nextId}`
const secevent = 'https://schemas.openid.net/secevent/'
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'
const isRevoked = (identity: object) => revocations.isRevoked({ issuer: idp.url, ...identity })

/** A feed that cannot be written to. */
const deadFeed: RevocationFeed = {
  append: () => Promise.reject(new Error('down')),
  read: async () => ({ records: [], restarted: false, more: false }),
}

/** An intake whose revocations cannot be shared. */
function shutIntake() {
  revocations = createRevocations({ feed: deadFeed })
  const audit = createAuditLog({ sink, environment: 'production', service: 'test' })
  return createRevocationIntake({ revocations, audit })
}

describe('back-channel logout', () => {
  function door(): Door {
    const { issuers } = policyWith({ idp: { preset: 'oidc', issuer: idp.url } })
    return createBackChannelLogout({ intake, issuers: issuers.values(), now: () => clock.now() })
  }

  function logoutClaims(changes: object = {}) {
    const claims = {
      iss: idp.url,
      aud: 'app-1',
      iat: clock.seconds,
      exp: clock.seconds + 120,
      jti: uniqueId(),
      sub: 'ana',
      sid: 's1',
      events: { [logoutEvent]: {} },
      ...changes,
    }
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  }

  function post(
    token: string,
    body = new URLSearchParams({ logout_token: token }).toString(),
    type?: string,
  ) {
    return new Request('https://app.example/logout', {
      method: 'POST',
      headers: { 'content-type': type ?? 'application/x-www-form-urlencoded' },
      body,
    })
  }

  const logoutToken = (changes: object = {}, header: object = { typ: 'logout+jwt' }) =>
    signed(logoutClaims(changes), undefined, header)

  test('ends a session, answers 200 and is not kept by anybody', async () => {
    const response = await door()(post(logoutToken()))
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(isRevoked({ sessionId: 's1', issuedAt: clock.seconds })).toBe(true)
    expect(isRevoked({ sessionId: 's2', subject: 'ana', issuedAt: clock.seconds })).toBe(false)
  })

  test('without `sid` ends all that the subject was given until then, and nothing later', async () => {
    await door()(post(logoutToken({ sid: undefined })))
    expect(isRevoked({ subject: 'ana', sessionId: 's7', issuedAt: clock.seconds })).toBe(true)
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds + 1 })).toBe(false)
  })

  test('is on record with who, what, where from and how long it took', async () => {
    const jti = uniqueId()
    const token = logoutToken({ jti })
    clock.ms += 1500
    await door()(post(token))
    expect(sink.events).toMatchObject([
      {
        type: 'io.hfauth.revocation.received',
        actor: { kind: 'workload', id: idp.url },
        revocation: {
          door: 'back-channel-logout',
          by: 'session',
          issuer: idp.url,
          target: 's1',
          event: 'backchannel-logout',
          eventId: jti,
          latencyMs: 1500,
        },
      },
    ])
  })

  test.each<[string, () => string]>([
    ['a wrong signature', () => signed(logoutClaims(), rsaKey('rsa-1'), { typ: 'logout+jwt' })],
    ['a key that is not the issuer’s', () => signed(logoutClaims(), ecKey('other'), { typ: 'logout+jwt' })],
    ['no signature', () => logoutToken({}, { typ: 'logout+jwt', alg: 'none' })],
    ['the type of a security event', () => logoutToken({}, { typ: 'secevent+jwt' })],
    ['the type of an access token', () => logoutToken({}, { typ: 'at+jwt' })],
    ['a key in its header', () => logoutToken({}, { typ: 'logout+jwt', jwk: rsaKey('x').jwk })],
    ['another issuer', () => logoutToken({ iss: 'https://other.example' })],
    ['another audience', () => logoutToken({ aud: 'app-2' })],
    ['no audience', () => logoutToken({ aud: undefined })],
    ['a nonce', () => logoutToken({ nonce: 'n' })],
    ['no events', () => logoutToken({ events: undefined })],
    ['another event', () => logoutToken({ events: { 'https://other.example/event': {} } })],
    ['an event that is no object', () => logoutToken({ events: { [logoutEvent]: true } })],
    ['neither `sub` nor `sid`', () => logoutToken({ sub: undefined, sid: undefined })],
    ['a `sub` that is no text', () => logoutToken({ sub: 7 })],
    ['no `jti`', () => logoutToken({ jti: undefined })],
    ['no `iat`', () => logoutToken({ iat: undefined })],
    ['an `iat` to come', () => logoutToken({ iat: clock.seconds + 60 })],
    ['an `exp` gone by', () => logoutToken({ exp: clock.seconds - 31 })],
    ['no `exp` and an old `iat`', () => logoutToken({ exp: undefined, iat: clock.seconds - 151 })],
    ['nothing in it', () => ''],
    ['something that is no JWT', () => 'a.b'],
  ])('refuses a token with %s, and revokes nothing', async (_, token) => {
    const response = await door()(post(token()))
    expect(response.status).toBe(400)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await response.json()).toMatchObject({ error: 'invalid_request' })
    expect(revocations.list()).toEqual([])
    expect(sink.events).toEqual([])
  })

  test('takes a fresh token of an older provider that writes neither `exp` nor `typ`', async () => {
    expect((await door()(post(logoutToken({ exp: undefined }, { typ: undefined })))).status).toBe(200)
  })

  test('refuses a token that it has seen', async () => {
    const [one, token] = [door(), logoutToken()]
    expect((await one(post(token))).status).toBe(200)
    expect((await one(post(token))).status).toBe(400)
    expect(sink.events).toHaveLength(1)
  })

  test.each<[string, (token: string) => Request]>([
    ['another content type', (token) => post(token, undefined, 'text/plain')],
    ['two tokens', (token) => post('', `logout_token=${token}&logout_token=${token}`)],
    ['a body without end', (token) => post('', `logout_token=${token}&x=${'x'.repeat(70_000)}`)],
  ])('refuses %s', async (_, request) => {
    expect((await door()(request(logoutToken()))).status).toBe(400)
    expect(revocations.list()).toEqual([])
  })

  test('answers 405 to anything but POST', async () => {
    expect((await door()(new Request('https://app.example/logout'))).status).toBe(405)
  })

  test('that could not be shared is in force here, answers 400, and is taken when it comes again', async () => {
    const shut = shutIntake()
    clock.ms = Date.now()
    const { issuers } = policyWith({ idp: { preset: 'oidc', issuer: idp.url } })
    const one = createBackChannelLogout({ intake: shut, issuers: issuers.values() })
    const token = logoutToken({ sid: undefined })
    expect((await one(post(token))).status).toBe(400)
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds })).toBe(true)
    expect(sink.events).toMatchObject([{ error: 'HFAUTH_REVOCATION_UNAVAILABLE' }])
    const description = ((await (await one(post(token))).json()) as { error_description: string })
      .error_description
    expect(description).toBe('the logout could not be completed; try again')
    revocations.close()
  })
})

describe('security events by push', () => {
  function door(
    transmitter: Partial<SetPushOptions['transmitter']> = {},
    options: Partial<SetPushOptions> = {},
  ): Door {
    return createSetPush({
      intake,
      transmitter: { issuer: idp.url, audience: 'https://app.example/ssf', ...transmitter },
      now: () => clock.now(),
      ...options,
    })
  }

  const iana = () => ({ format: 'iss_sub', iss: idp.url, sub: 'ana' })
  const sessionRevoked = `${secevent}caep/event-type/session-revoked`

  function eventClaims(changes: object = {}) {
    const claims = {
      iss: idp.url,
      aud: 'https://app.example/ssf',
      iat: clock.seconds,
      jti: uniqueId(),
      sub_id: iana(),
      events: { [sessionRevoked]: { event_timestamp: clock.seconds } },
      ...changes,
    }
    return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
  }

  const eventToken = (changes: object = {}, header: object = { typ: 'secevent+jwt' }) =>
    signed(eventClaims(changes), undefined, header)

  function push(token: string, headers: Record<string, string> = {}) {
    return new Request('https://app.example/ssf', {
      method: 'POST',
      headers: { 'content-type': 'application/secevent+jwt', ...headers },
      body: token,
    })
  }

  test('are acknowledged with an empty 202 and in force', async () => {
    const response = await door()(push(eventToken()))
    expect(response.status).toBe(202)
    expect(await response.text()).toBe('')
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds })).toBe(true)
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds + 1 })).toBe(false)
    expect(isRevoked({ subject: 'bob', issuedAt: clock.seconds })).toBe(false)
  })

  test('take back what was issued up to the time that the event names', async () => {
    await door()(push(eventToken({ events: { [sessionRevoked]: { event_timestamp: clock.seconds - 100 } } })))
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds - 100 })).toBe(true)
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds - 99 })).toBe(false)
  })

  test('that name a time to come do not lock anybody out until then', async () => {
    await door()(
      push(eventToken({ events: { [sessionRevoked]: { event_timestamp: clock.seconds + 86_400 } } })),
    )
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds + 31 })).toBe(false)
  })

  test.each<[string, () => object, object, object]>([
    [
      'a session of a person',
      () => ({ format: 'complex', user: iana(), session: { format: 'opaque', id: 's9' } }),
      { sessionId: 's9' },
      { subject: 'ana', sessionId: 's1' },
    ],
    [
      'a person on a device, which takes the person whole',
      () => ({ format: 'complex', user: iana(), device: { format: 'opaque', id: 'd1' } }),
      { subject: 'ana' },
      { subject: 'bob' },
    ],
    [
      'one token',
      () => ({ format: 'jwt_id', iss: idp.url, jti: 't1' }),
      { tokenId: 't1' },
      { tokenId: 't2' },
    ],
    [
      'aliases, of which one is known',
      () => ({ format: 'aliases', identifiers: [{ format: 'email', email: 'a@b.c' }, iana()] }),
      { subject: 'ana' },
      { subject: 'bob' },
    ],
  ])('are about %s', async (_, subject, gone, kept) => {
    await door()(push(eventToken({ sub_id: subject() })))
    expect(isRevoked({ issuedAt: clock.seconds, ...gone })).toBe(true)
    expect(isRevoked({ issuedAt: clock.seconds, ...kept })).toBe(false)
  })

  test('about an e-mail address reach whom the program finds, at this issuer and at no other', async () => {
    const findSubjects: FindSubjects = async (identifier) =>
      identifier.email === 'ana@acme.example' ? [{ subject: 'ana' }] : []
    const sub_id = { format: 'email', email: 'ana@acme.example' }
    await door({}, { findSubjects })(push(eventToken({ sub_id })))
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds })).toBe(true)
    expect(revocations.isRevoked({ issuer: 'https://other.example', subject: 'ana' })).toBe(false)
  })

  test.each<[string, object]>([
    ['somebody whom nobody here knows', { sub_id: { format: 'email', email: 'x@y.z' } }],
    [
      'a subject of another issuer',
      { sub_id: { format: 'iss_sub', iss: 'https://other.example', sub: 'ana' } },
    ],
  ])('about %s are acknowledged and on record, and revoke nothing', async (_, changes) => {
    expect((await door()(push(eventToken(changes)))).status).toBe(202)
    expect(revocations.list()).toEqual([])
    expect(sink.events).toMatchObject([
      { error: 'subject_unknown', revocation: { door: 'set-push', event: 'session-revoked' } },
    ])
  })

  test.each<[string, string, object, boolean]>([
    [
      'a changed password',
      'caep/event-type/credential-change',
      { credential_type: 'password', change_type: 'update' },
      true,
    ],
    [
      'an added passkey',
      'caep/event-type/credential-change',
      { credential_type: 'fido2-platform', change_type: 'create' },
      false,
    ],
    ['changed claims', 'caep/event-type/token-claims-change', { claims: {} }, true],
    ['a disabled account', 'risc/event-type/account-disabled', {}, true],
    ['a purged account', 'risc/event-type/account-purged', {}, true],
    ['an enabled account', 'risc/event-type/account-enabled', {}, false],
    ['a session that began', 'caep/event-type/session-established', {}, false],
    ['a verification of the stream', 'ssf/event-type/verification', { state: 'x' }, false],
    ['something unheard of', 'caep/event-type/brand-new', {}, false],
  ])('of %s are on record; they revoke only what ends something', async (_, type, members, revokes) => {
    expect((await door()(push(eventToken({ events: { [secevent + type]: members } })))).status).toBe(202)
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds })).toBe(revokes)
    expect(sink.events).toHaveLength(1)
  })

  test('with the same `jti` count once', async () => {
    const [one, token] = [door(), eventToken()]
    expect((await one(push(token))).status).toBe(202)
    expect((await one(push(token))).status).toBe(202)
    expect(sink.events).toHaveLength(1)
  })

  test.each<[string, string, () => string]>([
    [
      'invalid_key',
      'a wrong signature',
      () => signed(eventClaims(), rsaKey('rsa-1'), { typ: 'secevent+jwt' }),
    ],
    ['invalid_key', 'an unknown key', () => eventToken({}, { typ: 'secevent+jwt', kid: 'other' })],
    ['invalid_key', 'no signature', () => eventToken({}, { typ: 'secevent+jwt', alg: 'none' })],
    ['invalid_key', 'a symmetric algorithm', () => eventToken({}, { typ: 'secevent+jwt', alg: 'HS256' })],
    ['invalid_issuer', 'another issuer', () => eventToken({ iss: `${idp.url}/` })],
    ['invalid_audience', 'another audience', () => eventToken({ aud: 'https://other.example' })],
    ['invalid_request', 'the type of an ID token', () => eventToken({}, { typ: 'JWT' })],
    ['invalid_request', 'the type of a logout token', () => eventToken({}, { typ: 'logout+jwt' })],
    ['invalid_request', 'a `sub`', () => eventToken({ sub: 'ana' })],
    ['invalid_request', 'an `exp`', () => eventToken({ exp: clock.seconds + 60 })],
    ['invalid_request', 'no `sub_id`', () => eventToken({ sub_id: undefined })],
    [
      'invalid_request',
      'its subject inside the event only',
      () => eventToken({ sub_id: undefined, events: { [sessionRevoked]: { subject: iana() } } }),
    ],
    ['invalid_request', 'no `jti`', () => eventToken({ jti: undefined })],
    ['invalid_request', 'no event', () => eventToken({ events: {} })],
    [
      'invalid_request',
      'more events than there can be',
      () => eventToken({ events: Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`e:${i}`, {}])) }),
    ],
    [
      'invalid_request',
      'a time in milliseconds',
      () => eventToken({ events: { [sessionRevoked]: { event_timestamp: clock.ms } } }),
    ],
    ['invalid_request', 'an `iat` to come', () => eventToken({ iat: clock.seconds + 60 })],
    ['invalid_request', 'no JWT in it', () => 'hello'],
    ['invalid_request', 'no end', () => 'x'.repeat(70_000)],
  ])('are refused as %s for %s', async (err, _, token) => {
    const response = await door()(push(token()))
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ err, description: expect.any(String) })
    expect(revocations.list()).toEqual([])
  })

  test('are refused when the agreed authorization is missing; the new and the previous one are taken', async () => {
    const one = door({}, { authorization: { matches: (text) => text === 'new' || text === 'previous' } })
    expect(await (await one(push(eventToken()))).json()).toMatchObject({ err: 'authentication_failed' })
    expect((await one(push(eventToken(), { authorization: 'new' }))).status).toBe(202)
    expect((await one(push(eventToken(), { authorization: 'previous' }))).status).toBe(202)
  })

  test('of another content type are refused', async () => {
    const request = push(eventToken(), { 'content-type': 'application/jwt' })
    expect((await door()(request)).status).toBe(400)
  })

  test('that cannot be shared are not acknowledged: 503, and they are taken when they come again', async () => {
    clock.ms = Date.now()
    const one = door({}, { intake: shutIntake() })
    const token = eventToken()
    expect((await one(push(token))).status).toBe(503)
    expect((await one(push(token))).status).toBe(503)
    expect(revocations.list()).toHaveLength(1)
    revocations.close()
  })

  test('signed with a key that the issuer has just begun to publish are taken', async () => {
    const [one, next] = [door(), rsaKey('rsa-2')]
    expect((await one(push(eventToken()))).status).toBe(202)
    const before = idp.keys
    idp.keys = [...before, next.jwk]
    clock.forward(2)
    expect((await one(push(signed(eventClaims(), next, { typ: 'secevent+jwt' })))).status).toBe(202)
    idp.keys = before
  })

  test('are checked with the keys of the transmitter where it has its own', async () => {
    const own = ecKey('ssf-1')
    idp.answers.set('/ssf/jwks', (_, response) => response.end(JSON.stringify({ keys: [own.jwk] })))
    const one = door({ jwksUri: `${idp.url}/ssf/jwks` })
    expect((await one(push(signed(eventClaims(), own, { typ: 'secevent+jwt' })))).status).toBe(202)
    expect((await one(push(eventToken()))).status).toBe(400)
  })

  describe('of Google', () => {
    const google = () => door({ legacy: 'google', audience: ['client-1'] })
    const riscToken = (type: string, members: object, changes: object = {}) =>
      signed(
        {
          iss: `${idp.url}/`,
          aud: 'client-1',
          iat: clock.seconds,
          jti: uniqueId(),
          events: { [secevent + type]: members },
          ...changes,
        },
        undefined,
        { typ: undefined },
      )
    const subject = (issuer: string) => ({ subject_type: 'iss-sub', iss: issuer, sub: 'ana' })

    test.each([
      ['risc/event-type/sessions-revoked', {}],
      ['oauth/event-type/tokens-revoked', {}],
      ['risc/event-type/account-disabled', { reason: 'hijacking' }],
      ['risc/event-type/account-disabled', { reason: 'bulk-account' }],
    ])('%s %o ends all that the person has', async (type, members) => {
      const token = riscToken(type, { subject: subject(`${idp.url}/`), ...members })
      expect((await google()(push(token))).status).toBe(202)
      expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds })).toBe(true)
    })

    test('a subject may be that of the ID token, with the slash or without', async () => {
      const own = { subject_type: 'id_token_claims', iss: idp.url, sub: 'ana', email: 'ana@acme.example' }
      await google()(push(riscToken('risc/event-type/sessions-revoked', { subject: own })))
      expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds })).toBe(true)
    })

    test('an event has no age: one with an `exp` gone by counts', async () => {
      const token = riscToken(
        'risc/event-type/sessions-revoked',
        { subject: subject(idp.url) },
        { exp: 1000 },
      )
      expect((await google()(push(token))).status).toBe(202)
      expect(revocations.list()).toHaveLength(1)
    })

    test('a refresh token is looked up by what Google tells of it', async () => {
      const asked: object[] = []
      const findSubjects: FindSubjects = async (identifier) => {
        asked.push(identifier)
        return [{ sessionId: 's4' }]
      }
      const oauthToken = {
        subject_type: 'oauth-token',
        token_type: 'refresh_token',
        token_identifier_alg: 'prefix',
        token: '1//0abc',
      }
      const one = door({ legacy: 'google', audience: ['client-1'] }, { findSubjects })
      await one(push(riscToken('oauth/event-type/token-revoked', { subject: oauthToken })))
      expect(asked).toMatchObject([{ format: 'oauth_token', token: '1//0abc' }])
      expect(isRevoked({ sessionId: 's4', issuedAt: clock.seconds })).toBe(true)
    })

    test('the issuer without its slash is another', async () => {
      const token = riscToken(
        'risc/event-type/sessions-revoked',
        { subject: subject(idp.url) },
        { iss: idp.url },
      )
      expect(await (await google()(push(token))).json()).toMatchObject({ err: 'invalid_issuer' })
    })

    test('an ID token of the same issuer and audience is no event', async () => {
      const idToken = signed({
        iss: `${idp.url}/`,
        aud: 'client-1',
        sub: 'ana',
        iat: clock.seconds,
        jti: 'x',
      })
      expect((await google()(push(idToken))).status).toBe(400)
    })
  })

  describe('of Okta', () => {
    test('have their subject inside the event and their time in milliseconds', async () => {
      const members = { event_timestamp: clock.ms - 50_000, subject: { user: iana() } }
      const token = eventToken({ sub_id: undefined, events: { [sessionRevoked]: members } })
      expect((await door({ legacy: 'okta' })(push(token))).status).toBe(202)
      expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds - 50 })).toBe(true)
      expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds - 49 })).toBe(false)
    })
  })
})

describe('global token revocation', () => {
  const endpoint = 'https://app.example/universal-logout'

  function door(options: Partial<GlobalTokenRevocationOptions> = {}): Door {
    return createGlobalTokenRevocation({
      intake,
      issuer: idp.url,
      clientId: 'client-1',
      endpoint,
      now: () => clock.now(),
      clockToleranceSeconds: 30,
      findSubjects: async ({ email }) => (email === 'ana@acme.example' ? [{ subject: 'ana' }] : []),
      ...options,
    })
  }

  function orderToken(changes: object = {}, header: object = { typ: 'global-token-revocation+jwt' }) {
    const claims = {
      iss: idp.url,
      sub: 'client-1',
      aud: endpoint,
      jti: uniqueId(),
      iat: clock.seconds,
      nbf: clock.seconds - 300,
      exp: clock.seconds + 300,
      ...changes,
    }
    return signed(claims, undefined, header)
  }

  function order(
    token: string | undefined,
    body: unknown = { sub_id: { format: 'email', email: 'ana@acme.example' } },
  ) {
    return new Request(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  }

  test('ends all that a person has, found by e-mail or by `iss` and `sub`', async () => {
    expect((await door()(order(orderToken()))).status).toBe(204)
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds })).toBe(true)
    const bob = { sub_id: { format: 'iss_sub', iss: idp.url, sub: 'bob' } }
    expect((await door()(order(orderToken(), bob))).status).toBe(204)
    expect(isRevoked({ subject: 'bob', issuedAt: clock.seconds })).toBe(true)
    expect(sink.events).toMatchObject([
      { revocation: { door: 'global-token-revocation', by: 'subject', target: 'ana' } },
      { revocation: { door: 'global-token-revocation', by: 'subject', target: 'bob' } },
    ])
  })

  test.each<[string, () => string | undefined]>([
    ['no token', () => undefined],
    ['an ID token', () => orderToken({}, { typ: 'JWT' })],
    ['a token without type', () => orderToken({}, { typ: undefined })],
    ['a token of another client', () => orderToken({ sub: 'client-2' })],
    ['a token for another endpoint', () => orderToken({ aud: 'https://other.example/universal-logout' })],
    ['a token of another issuer', () => orderToken({ iss: 'https://other.example' })],
    ['a token that is over', () => orderToken({ exp: clock.seconds - 31 })],
    ['a token without end', () => orderToken({ exp: undefined })],
    ['a token that lives for a day', () => orderToken({ exp: clock.seconds + 86_400 })],
    ['a token without `jti`', () => orderToken({ jti: undefined })],
    [
      'a token with another key',
      () => signed({ iss: idp.url }, rsaKey('rsa-1'), { typ: 'global-token-revocation+jwt' }),
    ],
  ])('is refused with 401 for %s', async (_, token) => {
    expect((await door()(order(token()))).status).toBe(401)
    expect(revocations.list()).toEqual([])
  })

  test('takes each token once', async () => {
    const [one, token] = [door(), orderToken()]
    expect((await one(order(token))).status).toBe(204)
    expect((await one(order(token))).status).toBe(401)
  })

  test.each<[number, string, unknown]>([
    [400, 'a body that is no JSON', '{'],
    [400, 'no subject', {}],
    [400, 'a subject without format', { sub_id: { email: 'ana@acme.example' } }],
    [404, 'somebody unknown', { sub_id: { format: 'email', email: 'x@y.z' } }],
    [
      404,
      'a subject of another issuer',
      { sub_id: { format: 'iss_sub', iss: 'https://other.example', sub: 'ana' } },
    ],
  ])('answers %i to %s', async (status, _, body) => {
    expect((await door()(order(orderToken(), body))).status).toBe(status)
    expect(revocations.list()).toEqual([])
  })
})

describe('an admin', () => {
  const question = { action: 'manage', resource: 'org:acme' }
  const principal = { kind: 'user', id: 'idp|root', issuer: 'idp', username: 'root' }
  const asked: object[] = []
  const guard = {
    async check(request: Request, about: object) {
      asked.push(about)
      return request.headers.get('authorization') === 'Bearer root'
        ? {
            allowed: true as const,
            principal: principal as never,
            access: { roles: () => ['admin'] },
            requestId: 'r-1',
          }
        : { allowed: false as const, response: new Response(null, { status: 403 }) }
    },
  }
  const call = (body: string, headers: Record<string, string> = {}) =>
    createAdminRevocation({ intake, guard, question })(
      new Request('https://app.example/admin/revocations', {
        method: 'POST',
        headers: { authorization: 'Bearer root', 'content-type': 'application/json', ...headers },
        body,
      }),
    )
  const body = () => JSON.stringify({ by: 'subject', issuer: idp.url, subject: 'ana' })

  test('whom the policy allows takes something back, in their own name on record', async () => {
    expect((await call(body())).status).toBe(204)
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds })).toBe(true)
    expect(asked.at(-1)).toMatchObject(question)
    expect(sink.events).toMatchObject([
      {
        requestId: 'r-1',
        actor: { id: 'idp|root', name: 'root', roles: ['admin'] },
        revocation: { door: 'admin', by: 'subject', target: 'ana' },
      },
    ])
  })

  test('whom the policy does not allow gets the guard’s answer and nothing happens', async () => {
    expect((await call(body(), { authorization: 'Bearer eve' })).status).toBe(403)
    expect(revocations.list()).toEqual([])
  })

  test.each([
    ['no JSON', 'x', {}],
    ['another content type', '{}', { 'content-type': 'text/plain' }],
    ['nothing named', '{"by":"subject"}', {}],
    ['a misspelt member', '{"by":"subject","issuer":"https://a","subject":"ana","befor":1}', {}],
  ])('who sends %s is told so', async (_, text, headers) => {
    expect((await call(text, headers)).status).toBe(400)
    expect(revocations.list()).toEqual([])
  })

  test('whose act cannot be put on record has it done all the same, and is told to try again', async () => {
    const audit = createAuditLog({
      sink: { write: () => Promise.reject(new Error('full')) },
      environment: 'production',
      service: 'test',
    })
    intake = createRevocationIntake({ revocations, audit })
    expect((await call(body())).status).toBe(503)
    expect(isRevoked({ subject: 'ana', issuedAt: clock.seconds })).toBe(true)
  })
})
