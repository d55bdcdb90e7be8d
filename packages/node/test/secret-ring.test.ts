import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  createAuditLog,
  createSecretRing,
  createTokenExchange,
  InvalidClientError,
  memorySink,
  readSecret,
  Secret,
  type SecretRingOptions,
  type SecretVersion,
  secretFunction,
  withClientSecret,
} from '../src/index.ts'
import { createClock, json, paths, refusalOf, startIssuer } from './loopback-issuer.ts'

const day = 86_400

/** A ring over a list that the test changes. */
async function ringWith(options: Partial<SecretRingOptions> = {}) {
  const clock = createClock()
  const sink = memorySink()
  const audit = createAuditLog({ sink, environment: 'production', service: 'test' })
  const held: { versions: SecretVersion[]; fault?: Error } = { versions: [] }
  const version = (value: string, more: Partial<SecretVersion> = {}): SecretVersion => ({
    id: `v-${value}`,
    secret: new Secret(value),
    notBefore: clock.now(),
    ...more,
  })
  held.versions = [version('one')]
  const source = {
    async load() {
      if (held.fault !== undefined) throw held.fault
      return held.versions
    },
  }
  const ring = await createSecretRing({ name: 'okta', source, audit, now: () => clock.now(), ...options })
  const values = () => ring.candidates().map(({ secret }) => secret.reveal())
  const events = () => sink.events.map(({ type, resource, error }) => [type, resource?.revision, error])
  return { clock, held, ring, values, events, version }
}

describe('a secret', () => {
  const value = 'correct-horse-battery-staple'

  test('shows itself to nobody who does not ask for it', () => {
    const secret = new Secret(value)
    const texts = [
      String(secret),
      `${secret}`,
      JSON.stringify({ secret }),
      inspect({ secret }, { showHidden: true, depth: 9 }),
    ]
    for (const text of texts) {
      expect(text).toContain('[secret]')
      expect(text).not.toContain(value)
    }
    expect(Object.keys(secret)).toEqual([])
    expect(secret.reveal()).toBe(value)
  })

  test('equals the same text only', () => {
    const secret = new Secret(value)
    expect(secret.equals(value)).toBe(true)
    for (const other of ['', value.slice(1), `${value}x`, value.toUpperCase()])
      expect(secret.equals(other)).toBe(false)
  })

  test.each([
    ['as it is', 's3cret', 's3cret'],
    ['without the line break at its end', 's3cret\n', 's3cret'],
    ['without the line break of Windows', 's3cret\r\n', 's3cret'],
    ['with a space in it', 'two words', 'two words'],
  ])('is read %s', (_, text, expected) => {
    expect(readSecret(text).reveal()).toBe(expected)
  })

  test.each([
    '',
    '\n',
    ' s3cret',
    's3cret ',
    's3cret\n\n',
    'a\u0000b',
    'line\nline',
    '\ufeffs3cret',
    'x'.repeat(8193),
  ])('is not %j', async (text) => {
    const refusal = await refusalOf(
      Promise.resolve().then(() => readSecret(text)),
      text,
    )
    expect(refusal.code).toBe('HFAUTH_SECRET_UNAVAILABLE')
  })
})

describe('a ring', () => {
  test('gives the newest first, and the one before for the overlap', async () => {
    const { clock, held, ring, values, version, events } = await ringWith({ overlapSeconds: 3600 })
    held.versions = [version('two')]
    await ring.reload()
    expect(values()).toEqual(['two', 'one'])
    expect(ring.status().previous).toEqual({ id: 'v-one', until: clock.now() + 3_600_000 })
    clock.forward(3599)
    await ring.reload()
    expect(values()).toEqual(['two', 'one'])
    clock.forward(1)
    expect(values()).toEqual(['two'])
    expect(events()).toEqual([['io.hfauth.secret.rotated', 'v-two', undefined]])
    ring.close()
  })

  test('takes a version that is to come when its time has come', async () => {
    const { clock, held, ring, values, version, events } = await ringWith()
    held.versions = [version('two', { notBefore: clock.now() + 60_000 }), version('one')]
    await ring.reload()
    expect(values()).toEqual(['one'])
    clock.forward(60)
    expect(values()).toEqual(['two', 'one'])
    await ring.reload()
    expect(events()).toEqual([['io.hfauth.secret.rotated', 'v-two', undefined]])
    ring.close()
  })

  test.each<[string, (held: Awaited<ReturnType<typeof ringWith>>['held']) => void]>([
    ['no version at all', (held) => (held.versions = [])],
    ['an error', (held) => (held.fault = new Error('s3cret-in-message'))],
  ])('that finds %s keeps what it has, says so once, and recovers', async (_, breakIt) => {
    const { held, ring, values, version, events } = await ringWith()
    breakIt(held)
    await ring.reload()
    await ring.reload()
    expect(values()).toEqual(['one'])
    expect(ring.status().fault).toEqual(expect.any(String))
    expect(JSON.stringify(ring.status())).not.toContain('s3cret')
    expect(events()).toEqual([['io.hfauth.secret.rejected', undefined, 'HFAUTH_SECRET_UNAVAILABLE']])
    delete held.fault
    held.versions = [version('two')]
    await ring.reload()
    expect(values()).toEqual(['two', 'one'])
    expect(ring.status().fault).toBeUndefined()
    ring.close()
  })

  test('does not begin without a usable version', async () => {
    const source = secretFunction(async () => '')
    expect(await refusalOf(createSecretRing({ name: 'okta', source }))).toMatchObject({
      code: 'HFAUTH_SECRET_UNAVAILABLE',
      retryable: true,
    })
  })

  test('does not begin with versions that are all to come', async () => {
    const later = { id: '1', secret: new Secret('one'), notBefore: Date.now() + 60_000 }
    const begins = createSecretRing({ name: 'okta', source: { load: async () => [later] } })
    expect(await refusalOf(begins)).toMatchObject({ code: 'HFAUTH_SECRET_UNAVAILABLE' })
  })

  test('that waits for a source in vain goes on with what it has', async () => {
    const answers = [Promise.resolve('one'), new Promise<string>(() => {}), Promise.resolve('two')]
    const source = secretFunction(() => answers.shift() ?? Promise.reject(new Error('no more')))
    const ring = await createSecretRing({ name: 'okta', source, loadTimeoutMs: 20 })
    await ring.reload()
    expect(ring.status().fault).toContain('no answer within 20 ms')
    await ring.reload()
    expect(ring.candidates().map(({ secret }) => secret.reveal())).toEqual(['two', 'one'])
    ring.close()
  })

  test('ends the overlap at once for a version that others know, though its source still has it', async () => {
    const { held, ring, values, version } = await ringWith()
    held.versions = [version('two'), version('one')]
    await ring.reload()
    expect(values()).toEqual(['two', 'one'])
    ring.dropPrevious()
    expect(values()).toEqual(['two'])
    expect(ring.matches('one')).toBe(false)
    await ring.reload()
    expect(values()).toEqual(['two'])
    ring.close()
  })

  test('warns every day from the warning age on, and refuses from the limit on', async () => {
    const { clock, ring, values, events } = await ringWith({
      warnAfterSeconds: 75 * day,
      maxAgeSeconds: 90 * day,
    })
    const aging = (error?: string) => ['io.hfauth.secret.aging', 'v-one', error]
    clock.forward(75 * day - 1)
    await ring.reload()
    expect(ring.status().age).toBe('fresh')
    expect(events()).toEqual([])
    clock.forward(1)
    await ring.reload()
    await ring.reload()
    expect(ring.status().age).toBe('due')
    expect(events()).toEqual([aging()])
    clock.forward(day)
    await ring.reload()
    expect(events()).toEqual([aging(), aging()])
    clock.forward(14 * day - 1)
    expect(values()).toEqual(['one'])
    clock.forward(1)
    expect(() => values()).toThrow(
      expect.objectContaining({ code: 'HFAUTH_SECRET_EXPIRED', retryable: false }),
    )
    expect(ring.matches('one')).toBe(false)
    await ring.reload()
    expect(events().at(-1)).toEqual(aging('HFAUTH_SECRET_EXPIRED'))
    ring.close()
  })

  test('refuses a version past its own end, however young', async () => {
    const { clock, held, ring, values, version } = await ringWith()
    held.versions = [version('two', { notAfter: clock.now() + 1000 })]
    await ring.reload()
    expect(values()).toEqual(['two', 'one'])
    clock.forward(1)
    expect(() => values()).toThrow(expect.objectContaining({ code: 'HFAUTH_SECRET_EXPIRED' }))
    ring.close()
  })

  test('does not grow young by being written again', async () => {
    const { clock, held, ring, version } = await ringWith()
    clock.forward(10 * day)
    held.versions = [{ ...version('one'), id: 'touched' }]
    await ring.reload()
    expect(ring.status()).toMatchObject({ id: 'v-one', ageSeconds: 10 * day })
    ring.close()
  })

  test('matches what a caller shows with the new and the previous version', async () => {
    const { clock, held, ring, version } = await ringWith({ overlapSeconds: 60 })
    held.versions = [version('two')]
    await ring.reload()
    expect(['one', 'two', 'three', ''].map((text) => ring.matches(text))).toEqual([true, true, false, false])
    clock.forward(60)
    expect(ring.matches('one')).toBe(false)
    ring.close()
  })

  test('gives nothing away when it is printed', async () => {
    const { ring } = await ringWith()
    expect(inspect(ring.candidates(), { depth: 9, showHidden: true })).not.toContain("'one'")
    expect(JSON.stringify([ring, ring.candidates(), ring.status()])).not.toContain('"one"')
    ring.close()
  })
})

describe('a call with a client secret', () => {
  const invalidClient = () => new InvalidClientError('HFAUTH_EXCHANGE_REFUSED', 'the client is refused')

  async function rotated() {
    const rig = await ringWith()
    rig.held.versions = [rig.version('two')]
    await rig.ring.reload()
    return rig
  }

  test('sends the newest; refused as `invalid_client`, the previous one, once, and it is on record', async () => {
    const { ring, events } = await rotated()
    const sent: string[] = []
    const answer = await withClientSecret(ring, async (secret) => {
      sent.push(secret)
      if (secret === 'two') throw invalidClient()
      return 'token'
    })
    expect(answer).toBe('token')
    expect(sent).toEqual(['two', 'one'])
    expect(ring.status().fallbacks).toBe(1)
    expect(events().at(-1)).toEqual(['io.hfauth.secret.fallback', 'v-one', undefined])
    ring.close()
  })

  test('that is refused with both ends in the first refusal, after two calls', async () => {
    const { ring } = await rotated()
    const refusals = [invalidClient(), invalidClient(), invalidClient()]
    let calls = 0
    await expect(withClientSecret(ring, () => Promise.reject(refusals[calls++]))).rejects.toBe(refusals[0])
    expect(calls).toBe(2)
    expect(ring.status().fallbacks).toBe(0)
    ring.close()
  })

  test('that fails for another reason is not made again', async () => {
    const { ring } = await rotated()
    let calls = 0
    const failing = withClientSecret(ring, async () => {
      calls++
      throw new Error('timeout')
    })
    await expect(failing).rejects.toThrow('timeout')
    expect(calls).toBe(1)
    ring.close()
  })

  test('asks a function each time, and takes nothing unusable from it', async () => {
    const values = ['one\n', 'two', '']
    const call = () =>
      withClientSecret(
        () => values.shift() ?? '',
        async (secret) => secret,
      )
    expect([await call(), await call()]).toEqual(['one', 'two'])
    expect(await refusalOf(call())).toMatchObject({ code: 'HFAUTH_SECRET_UNAVAILABLE' })
  })

  test('is how a token exchange authenticates: a secret that the Hub does not know yet costs one more request', async () => {
    const hub = await startIssuer()
    const seen: string[] = []
    hub.answers.set(paths.token, (request, response, body) => {
      const secret = Buffer.from(request.headers.authorization?.slice(6) ?? '', 'base64').toString()
      seen.push(secret)
      const answer =
        secret === 'app:one'
          ? json({ access_token: 'hf_oauth_x', token_type: 'bearer', expires_in: 600 })
          : json({ error: 'invalid_client' }, 401)
      answer(request, response, body)
    })
    const { ring } = await rotated()
    const exchange = createTokenExchange({ hubUrl: hub.url, client: { id: 'app', secret: ring } })
    await exchange.forMember({ email: 'ana@acme.example', scopes: ['read-repos'] })
    expect(seen).toEqual(['app:two', 'app:one'])
    ring.close()
    await hub.close()
  })
})
