/**
 * Who is measured: each checks signature, issuer, audience and times of one token, and throws when it is
 * not to be accepted.
 */
import { verify as verifySignature } from 'node:crypto'
import { JwtVerifier } from 'aws-jwt-verify'
import { createVerifier as createFastVerifier } from 'fast-jwt'
import { createRemoteJWKSet, importJWK, jwtVerify } from 'jose'
import jsonwebtoken from 'jsonwebtoken'
import { type Check, hfauth, policyFor } from './hfauth.ts'
import type { LoopbackIssuer } from './issuer.ts'
import { audience, type Signer } from './tokens.ts'

/** Keys in hand: nobody is asked for them. */
export async function localChecks(signer: Signer, issuer: string): Promise<Record<string, Check>> {
  const { algorithm, jwk, publicKey } = signer
  const pem = publicKey.export({ format: 'pem', type: 'spki' }) as string
  const josKey = await importJWK(jwk, algorithm)
  const expected = { issuer, audience, algorithms: [algorithm], clockTolerance: 30 }
  return {
    hfauth: hfauth(issuer, { cacheSeconds: 0, policy: policyFor(issuer, [jwk]) }),
    jose: (token) => jwtVerify(token, josKey, expected),
    'fast-jwt': fastJwt(pem, algorithm, issuer, false),
    'aws-jwt-verify': awsJwtVerify(signer, issuer),
    ...(algorithm === 'EdDSA'
      ? {}
      : {
          jsonwebtoken: (token: string) =>
            jsonwebtoken.verify(token, pem, { issuer, audience, algorithms: [algorithm] }),
        }),
  }
}

/** Keys from the issuer's key set. */
export function remoteChecks({ algorithm }: Signer, { url, jwksUri }: LoopbackIssuer): Record<string, Check> {
  const keySet = createRemoteJWKSet(new URL(jwksUri))
  const expected = { issuer: url, audience, algorithms: [algorithm], clockTolerance: 30 }
  return {
    'hfauth, remote': hfauth(url, { cacheSeconds: 0 }),
    'jose, remote': (token) => jwtVerify(token, keySet, expected),
  }
}

export function fastJwt(pem: string, algorithm: Signer['algorithm'], issuer: string, cache: boolean): Check {
  return createFastVerifier({
    key: pem,
    algorithms: [algorithm],
    allowedIss: issuer,
    allowedAud: audience,
    clockTolerance: 30_000,
    cache: cache ? 10_000 : false,
  })
}

/** Takes key sets over https only, so that it gets its keys beforehand. */
function awsJwtVerify({ jwk }: Signer, issuer: string): Check {
  const verifier = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/jwks`, graceSeconds: 30 })
  verifier.cacheJwks(JSON.parse(JSON.stringify({ keys: [jwk] })))
  return (token) => verifier.verifySync(token)
}

/** The signature and nothing else, on bytes that are ready. */
export function rawSignatures(signer: Signer, tokens: readonly string[]): Record<string, () => boolean> {
  const { algorithm, publicKey } = signer
  const hash = algorithm === 'EdDSA' ? null : 'sha256'
  const ready = tokens.map((token) => {
    const dot = token.lastIndexOf('.')
    const text = token.slice(0, dot)
    const signature = Buffer.from(token.slice(dot + 1), 'base64url')
    return { input: Buffer.from(text), signature, native: signer.signNatively(text) }
  })
  let next = 0
  const one = () => ready[next++ % ready.length] as (typeof ready)[number]
  const natively = () => {
    const { input, native } = one()
    return verifySignature(hash, input, publicKey, native)
  }
  if (algorithm !== 'ES256') return { 'crypto.verify': natively }
  const plain = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  return {
    'crypto.verify': () => {
      const { input, signature } = one()
      return verifySignature(hash, input, plain, signature)
    },
    // A JWS has no such signatures; somebody has to convert them first.
    'crypto.verify, DER': natively,
  }
}
