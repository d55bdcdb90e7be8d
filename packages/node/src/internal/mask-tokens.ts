/**
 * Mask tokens: takes what looks like a credential out of a text that goes on record.
 *
 * The second line of defence: no field is meant to hold one, but a path, a user agent or a name comes
 * from whoever sent the request.
 *
 * @module
 */

const tokenShapes = new RegExp(
  [
    // Hugging Face: OAuth, repository, S3 and our own prefix before a JWT; refresh, app and user tokens.
    'hf_[a-z0-9]+_[\\w-]{4,}\\.[\\w-]+\\.[\\w-]*',
    'hf_oauth__refresh_\\w{8,}',
    'hf_app_\\w{16,}',
    'hf_[A-Za-z0-9]{30,}',
    'api_org_\\w{16,}',
    'oauth_app_secret_\\w{8,}',
    // Any JWT: its header begins with `{"`. Load balancers leave the padding in.
    'eyJ[\\w-]{6,}={0,2}\\.[\\w-]{4,}={0,2}(?:\\.[\\w-]*={0,2}){0,3}',
    'gh[a-z]_[A-Za-z0-9]{20,}',
    'github_pat_\\w{20,}',
    'ya29\\.[\\w-]{20,}',
    'xox[a-z]-[\\w-]{10,}',
  ].join('|'),
  'g',
)

export function maskTokens(text: string): string {
  return text.replaceAll(tokenShapes, 'REDACTED')
}
