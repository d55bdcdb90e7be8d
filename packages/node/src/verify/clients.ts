/**
 * Clients: as whom the verifier asks an issuer about a token. Ids and secrets are the program's, never the policy's.
 *
 * @module
 */
import { HfAuthError, type Issuer } from '@hfauth/core'
import { parseJsonObject } from '../internal/json-object.ts'
import { type BoundedResponse, unavailable } from '../internal/request.ts'
import { type ClientSecret, InvalidClientError } from '../secrets/client-secret.ts'

export interface ClientCredentials {
  readonly id: string
  /** A ring's previous version is tried once where the newest is refused; a function is asked for every request. */
  readonly secret: ClientSecret
}

/** By the alias of the issuer in the policy. */
export type VerifierClients = Readonly<Record<string, ClientCredentials>>

/**
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when a client is for no issuer that is asked about tokens, when
 * it is not the app that the policy names, or when an issuer that cannot do without has none.
 */
export function checkClients(clients: VerifierClients, issuers: ReadonlyMap<string, Issuer>): void {
  for (const [alias, { id, secret }] of Object.entries(clients)) {
    const issuer = issuers.get(alias)
    const asks = issuer?.preset.accessTokens
    if (issuer === undefined || (asks !== 'introspection' && asks !== 'github')) {
      throw invalid(
        `\`clients\` has \`${alias}\`, which is no issuer in the policy that is asked about tokens`,
      )
    }
    if (typeof id !== 'string' || id === '' || !isClientSecret(secret)) {
      throw invalid(`\`clients.${alias}\` must have an \`id\` and a \`secret\``)
    }
    if (asks === 'github' && !issuer.audience.includes(id)) {
      throw invalid(
        `\`clients.${alias}.id\` must be an \`audience\` of issuer \`${alias}\`: GitHub tells an app of its own tokens only`,
      )
    }
  }
  for (const { alias, preset } of issuers.values()) {
    if (preset.accessTokens === 'github' && !Object.hasOwn(clients, alias)) {
      throw invalid(`issuer \`${alias}\` cannot be asked about tokens without \`clients.${alias}\``)
    }
  }
}

function isClientSecret(secret: unknown): secret is ClientSecret {
  if (typeof secret === 'object') return secret !== null && 'candidates' in secret
  return typeof secret === 'function' || typeof secret === 'string'
}

/**
 * An issuer's answer to us says nothing of the token when it is about us.
 *
 * @throws HfAuthError `HFAUTH_ISSUER_UNAVAILABLE` (retryable); an `InvalidClientError` when it is our secret that
 * was not taken, and another one may be.
 */
export function assertClientAccepted({ status, text }: BoundedResponse, subject: string): void {
  const refused = 'it does not accept our client'
  if (status === 401 || (status === 400 && parseJsonObject(text)?.error === 'invalid_client')) {
    const { code, message, retryable } = unavailable(subject, refused)
    throw new InvalidClientError(code, message, { retryable })
  }
  if (status === 403) throw unavailable(subject, refused)
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', message)
}
