/**
 * Assertion keys: a client that proves itself with a signature, and whose keys change by themselves.
 *
 * **assertion keys** → token endpoint (`private_key_jwt`), JWKS handler. A new key is published before it
 * signs, for as long as a provider may keep the old set; the old one stays published until nothing that it
 * signed can still be good. jose makes the keys and the signatures.
 *
 * @see RFC 7523 §3; OpenID Connect Core 1.0 §9; draft-ietf-oauth-rfc7523bis (audience, `typ`)
 * @module
 */
import { randomUUID } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
  SignJWT,
} from 'jose'
import type { AuditLog } from '../audit/types.ts'
import { isJsonObject, parseJsonObject } from '../internal/json-object.ts'
import { numberOption } from '../internal/number-option.ts'
import { type ClientKeyStore, memoryClientKeyStore } from './client-key-store.ts'

export interface AssertionKeysOptions {
  readonly clientId: string
  /** `aud`: the provider's issuer identifier; its token endpoint where an older provider insists on that. */
  readonly audience: string
  /** Keeps the private keys between starts and for all replicas. Default this process's memory. */
  readonly store?: ClientKeyStore
  readonly algorithm?: 'ES256' | 'RS256' | 'PS256' | 'EdDSA'
  /** How long a key signs, in seconds. Default 90 days. */
  readonly rotateAfterSeconds?: number
  /** How long a key is published before it signs, in seconds: longer than any provider keeps a set. Default a day, or half of `rotateAfterSeconds`. */
  readonly publishAheadSeconds?: number
  /** Life of one assertion, in seconds, up to 300. Default 60. */
  readonly assertionSeconds?: number
  /** Rotations go here. Default nowhere. */
  readonly audit?: Pick<AuditLog, 'record'>
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

export interface AssertionKeyStatus {
  readonly id: string
  /** `next` is published and does not sign yet; `retired` is published and signs no more. */
  readonly use: 'next' | 'signing' | 'retired'
  /** Epoch milliseconds. */
  readonly signsFrom: number
}

export interface AssertionKeys {
  /** The two parameters of a token request (RFC 7521 §4.2). */
  parameters(): Promise<{ readonly client_assertion_type: string; readonly client_assertion: string }>
  /** The public keys, as the provider fetches them. */
  jwks(): Promise<{ readonly keys: readonly Readonly<Record<string, unknown>>[] }>
  /** Answers `GET` with {@link AssertionKeys.jwks}; mount it at the `jwks_uri` that is registered. */
  handler(request: Request): Promise<Response>
  /**
   * Starts a rotation now. `at-once` is for a key that is known to others: the new key signs from now on,
   * the old ones are no longer published, and the provider refuses us until it fetches the set again.
   */
  rotate(how?: 'published-first' | 'at-once'): Promise<void>
  status(): Promise<readonly AssertionKeyStatus[]>
}

interface StoredKey {
  readonly kid: string
  /** Epoch milliseconds. */
  readonly signsFrom: number
  readonly privateJwk: JWK
}

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** How long what was read from the store is believed, in milliseconds. */
const believeMs = 60_000
/** A provider's clock may be behind by as much, in seconds. */
const clockSeconds = 300
const privateMembers: ReadonlySet<string> = new Set(['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'])

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an option is out of its range. */
export function createAssertionKeys(options: AssertionKeysOptions): AssertionKeys {
  const {
    clientId,
    audience,
    audit,
    algorithm = 'ES256',
    now = Date.now,
    store = memoryClientKeyStore(),
  } = options
  const day = 86_400
  const rotateAfterMs =
    1000 *
    numberOption('rotateAfterSeconds', options.rotateAfterSeconds ?? 90 * day, { min: 60, max: 400 * day })
  const aheadMs =
    1000 *
    numberOption('publishAheadSeconds', options.publishAheadSeconds ?? Math.min(day, rotateAfterMs / 2000), {
      min: 1,
      max: rotateAfterMs / 2000,
    })
  const lifeSeconds = numberOption('assertionSeconds', options.assertionSeconds ?? 60, { min: 5, max: 300 })
  if (clientId === '' || audience === '') {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', '`clientId` and `audience` must not be empty')
  }
  const retainMs = (lifeSeconds + clockSeconds) * 1000
  const imported = new Map<string, CryptoKey>()
  let cached: { readonly keys: readonly StoredKey[]; readonly at: number } | undefined
  let tending: Promise<readonly StoredKey[]> | undefined

  /** The keys, oldest first, after what is due has been done. */
  function tend(): Promise<readonly StoredKey[]> {
    tending ??= change((keys) => {
      const newest = keys.at(-1)
      if (newest === undefined) return 'at-once'
      return now() >= newest.signsFrom + rotateAfterMs - aheadMs ? 'published-first' : undefined
    }).finally(() => {
      tending = undefined
    })
    return tending
  }

  async function change(
    want: (keys: readonly StoredKey[]) => 'published-first' | 'at-once' | undefined,
    fresh = false,
  ): Promise<readonly StoredKey[]> {
    if (
      !fresh &&
      cached !== undefined &&
      Math.abs(now() - cached.at) < believeMs &&
      want(cached.keys) === undefined
    ) {
      return cached.keys
    }
    for (let attempt = 0; attempt < 5; attempt++) {
      const text = await store.load()
      const keys = text === undefined ? [] : readKeys(text)
      const how = want(keys)
      if (how === undefined) return remember(keys)
      const next = [
        ...(how === 'at-once' ? [] : live(keys)),
        await newKey(how === 'at-once' ? now() : now() + aheadMs),
      ]
      if (await store.save(JSON.stringify({ keys: next }), text)) {
        if (keys.length > 0) record(next.at(-1)?.kid)
        return remember(next)
      }
      // Another replica was first: look at what it did.
    }
    throw new HfAuthError('HFAUTH_SECRET_UNAVAILABLE', 'the store of the client keys takes no change', {
      retryable: true,
    })
  }

  function remember(keys: readonly StoredKey[]): readonly StoredKey[] {
    cached = { keys, at: now() }
    return keys
  }

  async function newKey(signsFrom: number): Promise<StoredKey> {
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true })
    const privateJwk = { ...(await exportJWK(privateKey)), alg: algorithm, use: 'sig' }
    return { kid: await calculateJwkThumbprint(privateJwk), signsFrom, privateJwk }
  }

  /** The newest that may sign. */
  function signing(keys: readonly StoredKey[]): StoredKey | undefined {
    return keys.findLast(({ signsFrom }) => signsFrom <= now())
  }

  /** Those to publish: the one that signs, the next one, and one whose last assertion may still be good. */
  function live(keys: readonly StoredKey[]): readonly StoredKey[] {
    return keys.filter((_, i) => {
      const successor = keys[i + 1]
      return successor === undefined || now() < successor.signsFrom + retainMs
    })
  }

  function record(kid: string | undefined): void {
    audit
      ?.record({
        type: 'io.hfauth.secret.rotated',
        requestId: randomUUID(),
        actor: { kind: 'workload', id: 'hfauth', issuer: 'hfauth', roles: [] },
        resource: { kind: 'client-key', id: clientId, ...(kid === undefined ? {} : { revision: kid }) },
      })
      .catch(() => {})
  }

  async function keyOf({ kid, privateJwk }: StoredKey): Promise<CryptoKey> {
    const known = imported.get(kid)
    if (known !== undefined) return known
    const key = await importJWK(privateJwk, algorithm)
    if (key instanceof Uint8Array) throw broken()
    imported.clear()
    imported.set(kid, key)
    return key
  }

  async function jwks() {
    const keys = live(await tend())
    return {
      keys: keys.map(({ kid, privateJwk }) => ({
        ...Object.fromEntries(Object.entries(privateJwk).filter(([name]) => !privateMembers.has(name))),
        kid,
      })),
    }
  }

  return {
    async parameters() {
      const key = signing(await tend())
      if (key === undefined) throw broken()
      const issuedAt = Math.floor(now() / 1000)
      const assertion = await new SignJWT({})
        .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: 'client-authentication+jwt' })
        .setIssuer(clientId)
        .setSubject(clientId)
        .setAudience(audience)
        .setJti(randomUUID())
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifeSeconds)
        .sign(await keyOf(key))
      return { client_assertion_type: assertionType, client_assertion: assertion }
    },
    jwks,
    async handler(request) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        return new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } })
      }
      const maxAge = Math.min(3600, Math.floor(aheadMs / 4000))
      return new Response(request.method === 'HEAD' ? null : JSON.stringify(await jwks()), {
        headers: { 'content-type': 'application/jwk-set+json', 'cache-control': `public, max-age=${maxAge}` },
      })
    },
    async rotate(how = 'published-first') {
      await change((keys) => {
        const isUnderWay = how === 'published-first' && (keys.at(-1)?.signsFrom ?? 0) > now()
        return isUnderWay ? undefined : how
      }, true)
    },
    async status() {
      const keys = await tend()
      const active = signing(keys)
      return live(keys).map((key) => ({
        id: key.kid,
        use: key === active ? 'signing' : key.signsFrom > now() ? 'next' : 'retired',
        signsFrom: key.signsFrom,
      }))
    },
  }
}

function readKeys(text: string): readonly StoredKey[] {
  const keys = parseJsonObject(text)?.keys
  if (!Array.isArray(keys)) throw broken()
  return keys.map((key): StoredKey => {
    if (!isJsonObject(key) || typeof key.kid !== 'string' || !Number.isSafeInteger(key.signsFrom))
      throw broken()
    if (!isJsonObject(key.privateJwk)) throw broken()
    return { kid: key.kid, signsFrom: key.signsFrom as number, privateJwk: key.privateJwk as JWK }
  })
}

function broken(): HfAuthError {
  return new HfAuthError('HFAUTH_SECRET_UNAVAILABLE', 'the store of the client keys holds something else')
}
