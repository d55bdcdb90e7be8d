/**
 * ALB: verifies what an AWS load balancer says of the person whom it signed in (`x-amzn-oidc-data`).
 *
 * kind → **ALB** → principal. It looks like a JWT and is none: the parts keep their padding, and who signed
 * it, for which client and until when stands in the header. There is one key per name at AWS; the region of
 * the address comes from the policy, and only the name of the key from the token.
 *
 * The target must be reachable through the load balancer alone: nothing here says which way a request came.
 *
 * @see docs.aws.amazon.com: Elastic Load Balancing, listener-authenticate-users
 * @module
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { type Claims, HfAuthError, type Issuer } from '@hfauth/core'
import { FlightCache } from '../internal/flight-cache.ts'
import { type Fetch, requestBounded, unavailable } from '../internal/request.ts'
import { claim } from '../token/claims.ts'
import { readJwtPart } from '../token/compact-jwt.ts'
import { checkTimes } from './check-claims.ts'
import { checkIdentity } from './check-identity.ts'
import type { AcceptedToken, VerifyJwtOptions } from './jwt.ts'

export interface AlbVerifierOptions {
  readonly issuers: readonly Issuer[]
  readonly fetch: Fetch
  /** Current time in epoch milliseconds. */
  readonly now: () => number
  /** Longest wait for a key, in milliseconds. */
  readonly timeoutMs: number
  readonly time: VerifyJwtOptions['time']
}

export interface AlbVerifier {
  /** Whether a token with this header comes from a load balancer. */
  takes(header: Claims | undefined): header is Claims
  /**
   * @throws HfAuthError `HFAUTH_TOKEN_UNSUPPORTED` when the policy has no such load balancer;
   * `HFAUTH_TOKEN_INVALID`, `HFAUTH_TOKEN_AUDIENCE`, `HFAUTH_TOKEN_EXPIRED`; `HFAUTH_ISSUER_UNAVAILABLE`.
   */
  verify(token: string): Promise<AcceptedToken>
}

const keyName = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const maxKeyBytes = 4096
const keyAgeMs = 24 * 3_600_000
/** Whoever invents names of keys has us ask AWS at most so often. */
const maxFetches = { count: 10, withinMs: 5000 }

export function createAlbVerifier(options: AlbVerifierOptions): AlbVerifier {
  const { issuers, fetch, now, timeoutMs, time } = options
  const balancers = issuers.filter(({ preset }) => preset.keys === 'pem-per-kid')
  const keys = new FlightCache<KeyObject>({ maxEntries: 100, now })
  let fetches: readonly number[] = []

  function keyFor(region: string, kid: string): KeyObject | Promise<KeyObject> {
    const url = `https://public-keys.auth.elb.${region}.amazonaws.com/${kid}`
    return keys.get(url, async () => {
      const subject = `the key of the load balancers in ${region}`
      const nowMs = now()
      fetches = fetches.filter((at) => at <= nowMs && nowMs - at < maxFetches.withinMs)
      if (fetches.length >= maxFetches.count) throw unavailable(subject, 'it was asked for too many names')
      fetches = [...fetches, nowMs]
      const { status, text } = await requestBounded(url, { subject, fetch, timeoutMs, maxBytes: maxKeyBytes })
      if (status === 403 || status === 404) throw invalid('AWS has no key of the name in the token')
      if (status !== 200) throw unavailable(subject, `status ${status}`)
      const value = readKey(text)
      if (value === undefined) throw unavailable(subject, 'the answer is not a P-256 key')
      return { value, untilMs: nowMs + keyAgeMs }
    })
  }

  return {
    takes: (header): header is Claims =>
      header !== undefined && balancers.length > 0 && Object.hasOwn(header, 'signer'),
    async verify(token) {
      const [head = '', body = '', signature = ''] = token.split('.')
      const [header, payload] = [head, body].map((part) => readJwtPart(withoutPadding(part)))
      if (header === undefined || payload === undefined)
        throw invalid('it is not what a load balancer writes')
      const { issuer, signer } = chooseBalancer(header, balancers)
      const kid = claim(header, 'kid')
      if (claim(header, 'alg') !== 'ES256') throw invalid('`alg` of the token is not ES256')
      if (typeof kid !== 'string' || !keyName.test(kid)) throw invalid('`kid` of the token is not a UUID')
      if (Object.hasOwn(header, 'crit')) throw invalid('a token with `crit` in its header is not taken')
      const key = await keyFor(signer.split(':')[3] ?? '', kid)
      const bytes = Buffer.from(withoutPadding(signature), 'base64url')
      // Over the parts as they were sent, padding and all.
      const signed = Buffer.from(`${head}.${body}`)
      if (!verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, bytes)) {
        throw invalid('the signature of the token is wrong')
      }
      const client = claim(header, 'client')
      if (!issuer.audience.some((audience) => audience === client)) {
        throw new HfAuthError('HFAUTH_TOKEN_AUDIENCE', 'the load balancer signed it for another `client`')
      }
      const expiresAt = checkTimes(header, time(issuer.preset))
      checkTimes(payload, { ...time(issuer.preset), requireExpiry: false })
      const claims = { ...payload, signer }
      checkIdentity(claims, 'id_token', issuer)
      return { issuer, kind: 'id_token', claims, ...(expiresAt === undefined ? {} : { expiresAt }) }
    },
  }
}

/** By `signer` and `iss` of the header, both as the policy has them. */
function chooseBalancer(header: Claims, balancers: readonly Issuer[]): { issuer: Issuer; signer: string } {
  const [signer, iss] = [claim(header, 'signer'), claim(header, 'iss')]
  const issuer = balancers.find(
    ({ tenants, addresses }) =>
      tenants.some((arn) => arn === signer) && addresses.some((it) => it.iss === iss),
  )
  if (issuer !== undefined && typeof signer === 'string') return { issuer, signer }
  throw new HfAuthError(
    'HFAUTH_TOKEN_UNSUPPORTED',
    'no issuer in the policy is the load balancer that the token names, with that provider behind it',
  )
}

/** Padding in the one place where it may be, taken off. */
function withoutPadding(part: string): string {
  return part.length % 4 === 0 ? part.replace(/={1,2}$/, '') : part
}

function readKey(pem: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: pem, format: 'pem', type: 'spki' })
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined
  } catch {
    return undefined
  }
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_TOKEN_INVALID', message)
}
