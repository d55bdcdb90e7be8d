/**
 * Token shapes: makes the provider's tokens look like Hugging Face's.
 *
 * provider → **token shapes** → outside. The provider asks each model for its id and hands
 * that id out as the token, so giving this one provider's models an id of another form needs
 * no translation table. The Ed25519 key stays in here: Hugging Face publishes none either.
 *
 * @module
 */

import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type Provider from 'oidc-provider'
import { randomText } from '../world/random-text.ts'
import { readHeader, readPayload, signCompact } from './compact-jwt.ts'
import type { SkewSeconds } from './storage.ts'

type AccessToken = InstanceType<Provider['AccessToken']>

export interface TokenShapeOptions {
  readonly skewSeconds: SkewSeconds
  /** RS256 key of the ID tokens. */
  readonly idTokenKey: KeyObject
  readonly onSecret: (value: string) => void
}

/**
 * Changes how `provider` writes tokens:
 * access tokens become `hf_oauth_` + EdDSA JWT, refresh tokens `hf_oauth__refresh_` + 34
 * characters, and ID tokens carry the testkit's time.
 */
export function shapeTokens(
  provider: Provider,
  { skewSeconds, idTokenKey, onSecret }: TokenShapeOptions,
): void {
  const { privateKey } = generateKeyPairSync('ed25519')
  const header = { alg: 'EdDSA', kid: randomText(16) }

  const accessTokens = provider.AccessToken.prototype as AccessToken & { generateTokenId(): string }
  const generateTokenId = accessTokens.generateTokenId
  Object.assign(accessTokens, {
    generateTokenId(this: AccessToken): string {
      // Also settles the token's storage format, so it has to run.
      const jti = generateTokenId.call(this)
      const iat = Math.floor(Date.now() / 1000) + skewSeconds()
      const claims = {
        scope: [...this.scopes],
        aud: provider.issuer,
        iss: provider.issuer,
        sub: this.accountId,
        client_id: this.clientId,
        // Same for all tokens that descend from one sign-in.
        sessionId: createHash('sha256').update(this.grantId).digest('hex').slice(0, 24),
        iat,
        exp: iat + this.expiration,
        jti,
      }
      return `hf_oauth_${signCompact(header, claims, privateKey)}`
    },
  })

  Object.assign(provider.RefreshToken.prototype, {
    generateTokenId: () => `hf_oauth__refresh_${randomText(34)}`,
  })

  const { prototype } = provider.IdToken
  const issue = prototype.issue
  prototype.issue = async function (context) {
    const token = await issue.call(this, context)
    const skew = skewSeconds()
    const redated = skew === 0 ? token : redate(token, skew, idTokenKey)
    onSecret(redated)
    return redated
  }
}

function redate(token: string, skew: number, key: KeyObject): string {
  const payload: Record<string, unknown> = { ...readPayload(token) }
  for (const claim of ['iat', 'exp', 'auth_time']) {
    const value = payload[claim]
    if (typeof value === 'number') payload[claim] = value + skew
  }
  return signCompact(readHeader(token) ?? {}, payload, key)
}
