/**
 * Metadata: the discovery document, member for member as Hugging Face publishes it.
 *
 * Stands before the provider, whose own document says more than Hugging Face's does
 * (and `none`, which Hugging Face accepts without listing it).
 *
 * @module
 */

export const tokenExchangeGrant = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code'
export const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** The document served at both well-known paths. */
export function buildMetadata(url: string) {
  return {
    issuer: url,
    authorization_endpoint: `${url}/oauth/authorize`,
    token_endpoint: `${url}/oauth/token`,
    userinfo_endpoint: `${url}/oauth/userinfo`,
    jwks_uri: `${url}/oauth/jwks`,
    device_authorization_endpoint: `${url}/oauth/device`,
    registration_endpoint: `${url}/oauth/register`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [tokenExchangeGrant, deviceCodeGrant, 'authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    id_token_signing_alg_values_supported: ['RS256'],
    subject_types_supported: ['public'],
    client_id_metadata_supported: true,
  }
}
