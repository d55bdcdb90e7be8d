/**
 * The tokens: ID tokens as a company's provider issues them, of one key for each algorithm.
 */
import {
  createHmac,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
  randomUUID,
  sign,
} from 'node:crypto'

export const algorithms = ['RS256', 'ES256', 'EdDSA'] as const
export type Algorithm = (typeof algorithms)[number]

export const audience = '0oa1b2c3d4e5f6g7h8i9'

export interface Signer {
  readonly algorithm: Algorithm
  readonly publicKey: KeyObject
  readonly jwk: JsonWebKey & { readonly kid: string }
  sign(input: string): Buffer
  /** The same in the form that OpenSSL prefers: ECDSA in DER. */
  signNatively(input: string): Buffer
}

export function createSigner(algorithm: Algorithm): Signer {
  const { publicKey, privateKey } = {
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  }[algorithm]()
  const hash = algorithm === 'EdDSA' ? null : 'sha256'
  return {
    algorithm,
    publicKey,
    jwk: {
      ...publicKey.export({ format: 'jwk' }),

      kid: `${algorithm}-1`,
      alg: algorithm,
      use: 'sig',
    },
    sign: (input) => sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }),
    signNatively: (input) => sign(hash, Buffer.from(input), privateKey),
  }
}

export function claimsOf(issuer: string, more: object = {}): object {
  const now = Math.floor(Date.now() / 1000)
  return {
    iss: issuer,
    aud: audience,
    sub: '00u1a2b3c4d5e6f7g8h9',
    iat: now - 5,
    exp: now + 3600,
    auth_time: now - 600,
    jti: `ID.${randomUUID()}`,
    amr: ['pwd', 'mfa'],
    name: 'Dana Example',
    preferred_username: 'dana',
    email: 'dana@acme.example',
    email_verified: true,
    groups: ['everyone', 'engineering', 'ml-research'],
    ...more,
  }
}

export function tokenOf(signer: Signer, claims: object, header: object = {}): string {
  const input = `${part({ alg: signer.algorithm, kid: signer.jwk.kid, typ: 'JWT', ...header })}.${part(claims)}`
  return `${input}.${signer.sign(input).toString('base64url')}`
}

/** Tokens that nobody may accept, by what is wrong with them. */
export function badTokens(signer: Signer, issuer: string): Readonly<Record<string, string>> {
  const good = tokenOf(signer, claimsOf(issuer))
  const [head = '', body = '', signature = ''] = good.split('.')
  const secret = signer.publicKey.export({ format: 'pem', type: 'spki' })
  const withSecret = (input: string) => createHmac('sha256', secret).update(input).digest()
  return {
    'a changed payload': `${head}.${part(claimsOf(issuer, { sub: 'eve' }))}.${signature}`,
    'a changed signature': `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
    'no signature': `${part({ alg: 'none' })}.${body}.`,
    'the public key as a secret': tokenOf({ ...signer, sign: withSecret }, claimsOf(issuer), {
      alg: 'HS256',
    }),
    'the key of another': tokenOf({ ...createSigner(signer.algorithm), jwk: signer.jwk }, claimsOf(issuer)),
    'another audience': tokenOf(signer, claimsOf(issuer, { aud: 'elsewhere' })),
    'another issuer': tokenOf(signer, claimsOf('https://evil.example')),
    'an end in the past': tokenOf(signer, claimsOf(issuer, { exp: 1_700_000_000 })),
  }
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
