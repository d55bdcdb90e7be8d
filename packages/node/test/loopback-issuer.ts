/**
 * Loopback issuer: an OpenID Connect provider that says exactly what a test wants it to say.
 *
 * @module
 */

import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { HfAuthError, type Policy, parsePolicy } from '@hfauth/core'
import { expect } from 'vitest'
import { report } from '../../../test/support/output.ts'

export type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

export interface LoopbackIssuer {
  readonly url: string
  /** Paths asked for, in order. */
  readonly requests: string[]
  /** What each path answers; replace or delete an entry at any time. */
  readonly answers: Map<string, Answer>
  /** What the JWKS endpoint publishes; replace its content at any time. */
  keys: object[]
  /** Headers of the JWKS answer. */
  keyHeaders: Record<string, string>
  close(): Promise<void>
}

export const paths = {
  discovery: '/.well-known/openid-configuration',
  keys: '/jwks',
  userinfo: '/oauth/userinfo',
  token: '/oauth/token',
} as const

export async function startIssuer(): Promise<LoopbackIssuer> {
  const requests: string[] = []
  const answers = new Map<string, Answer>()
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      body += chunk
    })
    request.on('end', () => {
      const path = request.url ?? ''
      requests.push(path)
      const answer = answers.get(path)
      if (answer === undefined) response.writeHead(404).end()
      else answer(request, response, body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer: LoopbackIssuer = {
    url,
    requests,
    answers,
    keys: [rsa.jwk],
    keyHeaders: {},
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  answers.set(
    paths.discovery,
    json({ issuer: url, jwks_uri: `${url}/jwks`, userinfo_endpoint: `${url}/oauth/userinfo` }),
  )
  answers.set(paths.keys, (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', ...issuer.keyHeaders })
    response.end(JSON.stringify({ keys: issuer.keys }))
  })
  return issuer
}

export function json(value: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(typeof value === 'string' ? value : JSON.stringify(value))
  }
}

/** One part of a JWT; an object is written as JSON, a text is taken as it is. */
export function part(value: object | string | Uint8Array): string {
  const bytes =
    value instanceof Uint8Array
      ? value
      : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  return Buffer.from(bytes).toString('base64url')
}

export type Signer = (input: string) => Uint8Array

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly jwk: Record<string, unknown>
  readonly publicKey: KeyObject
  readonly sign: Signer
}

/** A compact JWT; header and payload may be raw texts. */
export function compact(header: object | string, payload: object | string, signer: Signer): string {
  const input = `${part(header)}.${part(payload)}`
  return `${input}.${part(signer(input))}`
}

export function signed(claims: object, key: SigningKey = rsa, header: object = {}): string {
  return compact({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header }, claims, key.sign)
}

export const unsigned: Signer = () => new Uint8Array()

export function hs256(secret: string | Uint8Array): Signer {
  return (input) => createHmac('sha256', secret).update(input).digest()
}

export function rsaKey(kid: string, modulusLength = 2048): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'RS256', use: 'sig' }
  return {
    kid,
    alg: 'RS256',
    jwk,
    publicKey,
    sign: (input) => sign('sha256', Buffer.from(input), privateKey),
  }
}

export function ecKey(kid: string): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' }
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' as const }
  return { kid, alg: 'ES256', jwk, publicKey, sign: (input) => sign('sha256', Buffer.from(input), key) }
}

export function edKey(kid: string): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' }
  return { kid, alg: 'EdDSA', jwk, publicKey, sign: (input) => sign(null, Buffer.from(input), privateKey) }
}

/** The key that an issuer publishes unless a test says otherwise. */
export const rsa = rsaKey('rsa-1')

/** A policy with these issuers, each with audience `app-1` unless it says otherwise. */
export function policyWith(
  issuers: Record<string, { preset: string; issuer: string; audience?: string | string[] }>,
): Policy {
  const entries = Object.entries(issuers).map(([alias, issuer]) => [alias, { audience: 'app-1', ...issuer }])
  return parsePolicy({
    version: 1,
    name: 'test',
    issuers: Object.fromEntries(entries),
    environments: { production: {} },
    roles: {},
    bindings: [],
  })
}

/** A clock that moves only when told to. */
export function createClock(start = Date.parse('2026-09-01T12:00:00Z')) {
  return {
    ms: start,
    now() {
      return this.ms
    },
    get seconds() {
      return Math.floor(this.ms / 1000)
    },
    forward(seconds: number) {
      this.ms += seconds * 1000
    },
  }
}

/**
 * The refusal in which `promise` ends. Whatever is on the error is searched for `secrets`, whole and by
 * their parts, so that every test of a refusal is one of silence too.
 */
export async function refusalOf(promise: Promise<unknown>, ...secrets: readonly string[]) {
  const error = await promise.then(
    () => expect.unreachable('it was not refused'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(HfAuthError)
  const everything = inspect(report(error), {
    depth: Number.POSITIVE_INFINITY,
    showHidden: true,
    maxStringLength: null,
  })
  for (const secret of secrets) {
    for (const piece of [secret, ...secret.split('.')].filter(({ length }) => length > 7)) {
      expect(everything.includes(piece), `the error repeats \`${piece.slice(0, 12)}…\``).toBe(false)
    }
  }
  const { code, retryable, message } = error as HfAuthError
  return { code, retryable, message }
}
