/**
 * Scopes: the OAuth scopes a Hugging Face app can hold, and what each one brings along.
 *
 * world → **scopes** → oidc, hub. The implications are expanded when a token is
 * used, never when it is issued: the provider does not spell them out.
 *
 * @module
 */

/** Description of each scope, as the consent page words it. */
export const scopeDescriptions: Readonly<Record<string, string>> = {
  openid: 'Sign you in',
  profile: 'See your username, name and picture',
  email: 'See your e-mail address',
  'read-billing': 'See whether you have a payment method',
  'read-memberships': 'See your organisations and your role in each',
  'read-repos': 'Read your repositories, private ones included',
  'gated-repos': 'Read gated repositories you were admitted to',
  'contribute-repos': 'Create repositories and work with those it created',
  'write-repos': 'Read and write your repositories',
  'manage-repos': 'Create, change and delete your repositories',
  'read-collections': 'Read your collections',
  'write-collections': 'Change your collections',
  'inference-api': 'Call models in your name',
  'read-endpoints': 'See and call your Inference Endpoints',
  'write-endpoints': 'Manage your Inference Endpoints',
  jobs: 'Run jobs in your name',
  webhooks: 'Manage your webhooks',
  'write-discussions': 'Open discussions and pull requests in your name',
  'read-mcp': 'Use the MCP server in your name',
}

export const knownScopes: readonly string[] = Object.keys(scopeDescriptions)

const implied: Readonly<Record<string, readonly string[]>> = {
  'write-repos': ['read-repos'],
  'manage-repos': ['write-repos', 'contribute-repos'],
  'write-collections': ['read-collections'],
  'write-endpoints': ['read-endpoints'],
}

/** The given scopes with everything they imply. */
export function expandScopes(scopes: Iterable<string>): Set<string> {
  const expanded = new Set<string>()
  const pending = [...scopes]
  for (let scope = pending.pop(); scope !== undefined; scope = pending.pop()) {
    if (expanded.has(scope)) continue
    expanded.add(scope)
    pending.push(...(implied[scope] ?? []))
  }
  return expanded
}
