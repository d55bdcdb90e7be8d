/**
 * Every OAuth scope of Hugging Face: what it grants, what it contains, and where that is said. Data.
 *
 * `documented` stands in Hugging Face's own list; `inferred` is read from the wording of the scopes;
 * `seen` is used by Hugging Face's own applications without standing in the list.
 *
 * @see huggingface.co/docs/hub/oauth, "Currently supported scopes" (18 scopes, August 2026)
 * @module
 */

export interface HubScope {
  readonly name: string
  /** What somebody who reads a consent screen should know. */
  readonly grants: string
  /** Scopes whose rights it has as well, directly. */
  readonly implies: readonly string[]
  readonly source: 'documented' | 'seen'
  /** Where the implication is said, when there is one. */
  readonly implicationSource?: 'documented' | 'inferred'
}

const docs = 'documented' as const

export const hubScopes: readonly HubScope[] = [
  { name: 'openid', grants: 'an ID token', implies: [], source: docs },
  { name: 'profile', grants: 'username, name and picture', implies: [], source: docs },
  { name: 'email', grants: 'the e-mail address', implies: [], source: docs },
  { name: 'read-billing', grants: 'whether a payment method is on file', implies: [], source: docs },
  { name: 'read-memberships', grants: 'organisations and the role in each', implies: [], source: docs },
  { name: 'read-repos', grants: 'repositories, private ones included', implies: [], source: docs },
  { name: 'gated-repos', grants: 'public gated repositories one was admitted to', implies: [], source: docs },
  {
    name: 'contribute-repos',
    grants: 'making repositories, and using those the app made',
    implies: [],
    source: docs,
  },
  {
    name: 'write-repos',
    grants: 'reading and changing repositories',
    implies: ['read-repos'],
    source: docs,
    implicationSource: 'documented',
  },
  {
    name: 'manage-repos',
    grants: 'full control of repositories, making and deleting included',
    implies: ['write-repos', 'contribute-repos'],
    source: docs,
    implicationSource: 'inferred',
  },
  { name: 'read-collections', grants: 'collections', implies: [], source: docs },
  {
    name: 'write-collections',
    grants: 'making, changing and deleting collections',
    implies: ['read-collections'],
    source: docs,
    implicationSource: 'documented',
  },
  { name: 'inference-api', grants: 'Inference Providers in one’s name', implies: [], source: docs },
  { name: 'read-endpoints', grants: 'seeing and calling Inference Endpoints', implies: [], source: docs },
  {
    name: 'write-endpoints',
    grants: 'making, changing and deleting Inference Endpoints',
    implies: ['read-endpoints'],
    source: docs,
    implicationSource: 'documented',
  },
  { name: 'jobs', grants: 'running jobs', implies: [], source: docs },
  { name: 'webhooks', grants: 'managing webhooks', implies: [], source: docs },
  {
    name: 'write-discussions',
    grants: 'opening and answering discussions and pull requests',
    implies: [],
    source: docs,
  },
  { name: 'read-mcp', grants: 'Hugging Face’s MCP server', implies: [], source: 'seen' },
]
