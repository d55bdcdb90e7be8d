/**
 * Clients: as whom the verifier asks an issuer about a token. Ids and secrets are the program's, never the policy's.
 *
 * @module
 */
import { HfAuthError, type Issuer } from '@hfauth/core'
import { basicAuthorization } from '../internal/basic-authorization.ts'

export interface ClientCredentials {
  readonly id: string
  /** A function is asked anew for every request, so that a secret can change while the program runs. */
  readonly secret: string | (() => string | Promise<string>)
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
    if (typeof id !== 'string' || id === '' || (typeof secret !== 'function' && typeof secret !== 'string')) {
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

/** The `Authorization` header of one request. */
export async function authorizationOf({ id, secret }: ClientCredentials): Promise<string> {
  return basicAuthorization({ id, secret: typeof secret === 'function' ? await secret() : secret })
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', message)
}
