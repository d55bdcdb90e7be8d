/** Checklist C9: which key may have signed an ID token, and how it is found. */
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Settings } from '../src/options.ts'
import { assertSignature } from '../src/provider/signature.ts'

const jwksUri = 'https://hub.example/jwks'
const [own, other, short] = [2048, 2048, 1024].map(rsaKey) as [RsaKey, RsaKey, RsaKey]

type RsaKey = ReturnType<typeof rsaKey>

function rsaKey(modulusLength: number) {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength })
  return { privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'k1' } as Record<string, unknown> }
}

function tokenOf({ privateKey }: RsaKey, header: object = { alg: 'RS256', kid: 'k1' }): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part(header)}.${part({ sub: 'user-1' })}`
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
}

/** A provider that publishes these, one list after the other; the last one stays. */
function publishing(...lists: unknown[]) {
  const caches: (string | undefined)[] = []
  const asked: string[] = []
  const fetch = (async (url: unknown, init?: RequestInit) => {
    asked.push(String(url))
    caches.push(init?.cache)
    return Response.json(lists[Math.min(caches.length, lists.length) - 1])
  }) as typeof globalThis.fetch
  return { settings: { fetch, requestTimeoutMs: 1_000, now: Date.now } as Settings, caches, asked }
}

const fits = (keys: unknown, token = tokenOf(own)) =>
  assertSignature(publishing({ keys }).settings, jwksUri, token)

const refusal = { code: 'HFAUTH_SIGNIN_INVALID' }

describe('the signature of an ID token', () => {
  test.each([
    ['by the one key of that name', [{ ...own.jwk, alg: 'RS256', use: 'sig', key_ops: ['verify'] }]],
    ['by a key of which nothing more is said', [own.jwk]],
    ['by one of several', [{ ...other.jwk, kid: 'k2' }, own.jwk]],
    ['beside keys of kinds we do not know', [null, { kty: 'AKP', kid: 'k1' }, own.jwk]],
  ])('is taken %s (C9)', async (_, keys) => {
    await expect(fits(keys)).resolves.toBeUndefined()
  })

  test('is taken without a name when there is one key, and refused when there are two (C9)', async () => {
    const token = tokenOf(own, { alg: 'RS256' })
    await expect(fits([own.jwk], token)).resolves.toBeUndefined()
    await expect(fits([own.jwk, { ...other.jwk, kid: 'k2' }], token)).rejects.toMatchObject(refusal)
  })

  test.each([
    ['of another name', [{ ...own.jwk, kid: 'k2' }]],
    ['without a name', [{ ...own.jwk, kid: undefined }]],
    ['for encryption', [{ ...own.jwk, use: 'enc' }]],
    ['for another algorithm', [{ ...own.jwk, alg: 'PS256' }]],
    ['that may not verify', [{ ...own.jwk, key_ops: ['encrypt'] }]],
    ['of another kind', [{ ...own.jwk, kty: 'EC' }]],
    ['that shares its name with another', [own.jwk, other.jwk]],
    ['that is another', [other.jwk]],
    ['that is broken', [{ ...own.jwk, n: 7 }]],
    ['whose name is a number', [{ ...own.jwk, kid: 1 }]],
    ['that is a secret', [{ kty: 'oct', kid: 'k1', k: own.jwk.n }]],
    [
      'on a curve',
      [
        {
          ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }),
          kid: 'k1',
        },
      ],
    ],
    ['that is listed twice', [own.jwk, own.jwk]],
  ])('is refused when the provider publishes a key %s (C9)', async (_, keys) => {
    await expect(fits(keys)).rejects.toBeDefined()
  })

  test.each([
    ['is the key that signed', { jwk: other.jwk }],
    ['tells where that key is', { jku: 'https://evil.example/jwks', x5u: 'https://evil.example/x509' }],
    ['holds its certificate', { x5c: ['AAAA'], x5t: 'AAAA' }],
  ])('is refused by another key, although its header %s (C9)', async (_, members) => {
    const token = tokenOf(other, { alg: 'RS256', kid: 'k1', ...members })
    const { settings, asked } = publishing({ keys: [own.jwk] })
    await expect(assertSignature(settings, jwksUri, token)).rejects.toMatchObject(refusal)
    expect(new Set(asked)).toEqual(new Set([jwksUri]))
  })

  test.each([1, null, ['k1'], { k1: 'k1' }, '', '__proto__'])(
    'is refused when its header names the key %j (C9)',
    async (kid) => {
      await expect(fits([own.jwk], tokenOf(own, { alg: 'RS256', kid }))).rejects.toMatchObject(refusal)
    },
  )

  test('is checked by the public half alone where the provider publishes the whole key (C9)', async () => {
    const whole = { ...own.privateKey.export({ format: 'jwk' }), kid: 'k1' }
    await expect(fits([whole])).resolves.toBeUndefined()
  })

  test.each([
    ['padding', (text: string) => `${text}==`],
    ['a space', (text: string) => `${text.slice(0, 9)} ${text.slice(9)}`],
    ['a line end', (text: string) => `${text}\n`],
    ['the other alphabet', (text: string) => text.replace(/-/g, '+').replace(/_/g, '/')],
    // 256 bytes leave four bits of the last letter over, which have to be nought.
    [
      'bits left over',
      (text: string) => text.replace(/.$/, (last) => ({ A: 'B', Q: 'R', g: 'h', w: 'x' })[last] ?? ''),
    ],
    ['one letter less', (text: string) => text.slice(0, -1)],
    ['nothing in it', () => ''],
  ])('is refused when the same bytes are written with %s (C9)', async (_, write) => {
    // One that has letters in which the two alphabets differ.
    const tokens = Array.from({ length: 20 }, (_, n) => tokenOf(own, { alg: 'RS256', kid: 'k1', n }))
    const token = tokens.find((each) => /[-_]/.test(each.split('.')[2] ?? '')) ?? expect.unreachable()
    const [header, payload, signature = ''] = token.split('.')
    await expect(fits([own.jwk], token)).resolves.toBeUndefined()
    await expect(fits([own.jwk], `${header}.${payload}.${write(signature)}`)).rejects.toBeDefined()
  })

  test('is refused when the key is shorter than 2048 bits, however well it fits (C9)', async () => {
    await expect(fits([short.jwk], tokenOf(short))).rejects.toMatchObject(refusal)
  })

  test.each([
    ['no list', {}],
    ['a text for a list', { keys: 'none' }],
  ])('is refused when what the provider publishes holds %s (C9)', async (_, answer) => {
    await expect(assertSignature(publishing(answer).settings, jwksUri, tokenOf(own))).rejects.toMatchObject(
      refusal,
    )
  })

  test('is refused when one letter of what it is for was changed (C9)', async () => {
    const [header, , signature] = tokenOf(own).split('.')
    const changed = Buffer.from('{"sub":"user-2"}').toString('base64url')
    await expect(fits([own.jwk], `${header}.${changed}.${signature}`)).rejects.toMatchObject(refusal)
  })

  test.each([
    ['a page', new Response('<html>', { headers: { 'content-type': 'text/html' } }), false],
    ['a redirect', Response.redirect('https://evil.example/jwks'), false],
    ['a failure', new Response(null, { status: 503 }), true],
  ])('is refused when %s stands where the keys should be (C9)', async (_, answer, retryable) => {
    const settings = {
      fetch: async () => answer,
      requestTimeoutMs: 1_000,
      now: Date.now,
    } as unknown as Settings
    await expect(assertSignature(settings, jwksUri, tokenOf(own))).rejects.toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable,
    })
  })

  test('is refused when the keys do not come in time (C9)', async () => {
    const fetch = (_: unknown, init?: RequestInit) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      })
    const settings = { fetch, requestTimeoutMs: 20, now: Date.now } as unknown as Settings
    await expect(assertSignature(settings, jwksUri, tokenOf(own))).rejects.toMatchObject({
      code: 'HFAUTH_ISSUER_UNAVAILABLE',
      retryable: true,
    })
  })

  test('by a key that took the place of another is taken, and one by the old key is not any more (C9)', async () => {
    const rotated = publishing({ keys: [own.jwk] }, { keys: [{ ...other.jwk, kid: 'k2' }] })
    await assertSignature(rotated.settings, jwksUri, tokenOf(own))
    await assertSignature(rotated.settings, jwksUri, tokenOf(other, { alg: 'RS256', kid: 'k2' }))
    await expect(assertSignature(rotated.settings, jwksUri, tokenOf(own))).rejects.toMatchObject(refusal)
  })

  test('by a key that the browser has not heard of yet is looked for at the provider itself, once (C9)', async () => {
    const late = publishing({ keys: [] }, { keys: [own.jwk] })
    await assertSignature(late.settings, jwksUri, tokenOf(own))
    expect(late.caches).toEqual(['default', 'no-store'])
    const never = publishing({ keys: [] })
    await expect(assertSignature(never.settings, jwksUri, tokenOf(own))).rejects.toMatchObject(refusal)
    expect(never.caches).toEqual(['default', 'no-store'])
  })
})
