/**
 * Ways: how a credential of some kind is checked, given the issuers and clients there are.
 *
 * kind → **ways** → JWT, userinfo, introspection, GitHub, ALB. The preset says which; a token whose issuer
 * cannot be told without showing it to several is refused, because each of them could then play it back.
 *
 * @module
 */
import { type Claims, HfAuthError, type Issuer } from '@hfauth/core'
import type { Fetch } from '../internal/request.ts'
import type { IssuerClient } from '../keys/issuer-client.ts'
import { claim } from '../token/claims.ts'
import { readJwtPart } from '../token/compact-jwt.ts'
import { sendInstead, type TokenKind } from '../token/kind.ts'
import { createAlbVerifier } from './alb.ts'
import { isAccessTokenType } from './check-header.ts'
import { hasAccessMark } from './choose-issuer.ts'
import type { ClientCredentials, VerifierClients } from './clients.ts'
import { verifyByGithub } from './github.ts'
import { verifyByIntrospection } from './introspection.ts'
import { type AcceptedToken, type VerifyJwtOptions, verifyJwt } from './jwt.ts'
import { verifyByUserinfo } from './userinfo.ts'

export interface WaysOptions extends VerifyJwtOptions {
  readonly clients: VerifierClients
  readonly fetch: Fetch
  /** Current time in epoch milliseconds. */
  readonly now: () => number
  readonly timeoutMs: number
  readonly acceptUnbound: boolean
  clientOf(issuer: Pick<Issuer, 'alias'>, url: string): IssuerClient
}

export interface Way {
  /** Whether each check asks the issuer, so that a refusal is worth remembering for a moment. */
  readonly asks: boolean
  /** At once where nobody has to be waited for; then what it finds wrong is thrown at once as well. */
  check(): AcceptedToken | Promise<AcceptedToken>
}

type Asked = readonly [Issuer, ClientCredentials]

/** The function that finds the way for one credential; it throws `HFAUTH_TOKEN_UNSUPPORTED` when there is none. */
export function createWays(options: WaysOptions): (token: string, kind: TokenKind) => Way {
  const { issuers, clients } = options
  const asked = (by: 'introspection' | 'github'): readonly Asked[] =>
    issuers.flatMap((issuer): Asked[] => {
      const client = Object.hasOwn(clients, issuer.alias) ? clients[issuer.alias] : undefined
      return client !== undefined && issuer.preset.accessTokens === by ? [[issuer, client]] : []
    })
  const introspected = asked('introspection')
  const githubs = asked('github')
  const alb = createAlbVerifier(options)
  const hasBalancer = issuers.some(({ preset }) => preset.keys === 'pem-per-kid')

  const introspect = (token: string, [issuer, client]: Asked): Way => ({
    asks: true,
    check: () => verifyByIntrospection(token, issuer, client, options),
  })

  function wayOfJwt(jwt: string): Way {
    // Most policies have neither, and then nothing is read twice.
    if (hasBalancer || introspected.length > 0) {
      const [header, payload] = jwt.split('.', 2).map((part) => readJwtPart(part))
      if (alb.takes(header)) return { asks: false, check: () => alb.verify(jwt) }
      const answerer = introspected.find(([issuer]) => isAccessTokenOf(issuer, header, payload))
      if (answerer !== undefined) return introspect(jwt, answerer)
    }
    return { asks: false, check: () => verifyJwt(jwt, options) }
  }

  return (token, kind) => {
    switch (kind.kind) {
      case 'jwt':
        return wayOfJwt(kind.jwt)
      case 'padded-jwt':
        if (hasBalancer) return { asks: false, check: () => alb.verify(token) }
        throw new HfAuthError('HFAUTH_TOKEN_INVALID', 'the parts of the token are padded, which is no JWT')
      case 'huggingface':
        return { asks: true, check: () => verifyByUserinfo(token, kind.payload, options) }
      case 'github': {
        const [issuer, client] = theOnly(
          githubs,
          'the policy has no `github` issuer, so a GitHub token is not taken',
        )
        return { asks: true, check: () => verifyByGithub(token, issuer, client, options) }
      }
      case 'opaque':
        return introspect(token, theOnly(introspected, `the credential is not a JWT: ${sendInstead}`))
      case 'unsupported':
        throw unsupported(kind.reason)
    }
  }
}

function isAccessTokenOf({ addresses, preset }: Issuer, header?: Claims, payload?: Claims): boolean {
  if (header === undefined || payload === undefined) return false
  const iss = claim(payload, 'iss')
  if (!addresses.some((address) => address.iss === iss)) return false
  try {
    return isAccessTokenType(claim(header, 'typ'), preset) || hasAccessMark(payload, preset)
  } catch {
    return false
  }
}

function theOnly(answerers: readonly Asked[], none: string): Asked {
  const [first, second] = answerers
  if (first === undefined) throw unsupported(none)
  if (second === undefined) return first
  throw unsupported(
    'several issuers in the policy could have made such a token, and it may be shown to its own only',
  )
}

function unsupported(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_TOKEN_UNSUPPORTED', reason)
}
