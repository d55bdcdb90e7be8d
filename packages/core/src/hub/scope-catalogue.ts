/**
 * Every OAuth scope of Hugging Face: what it grants, what it contains, and where that is said. Data.
 *
 * `documented` stands in Hugging Face's own list; `inferred` is read from the wording of the scopes;
 * `seen` is used by Hugging Face's own applications without standing in the list.
 *
 * @see huggingface.co/docs/hub/oauth, "Currently supported scopes" (18 scopes, August 2026)
 * @module
 */
import { scopeImplications } from './scope-implications.ts'

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

type Listed = Omit<HubScope, 'implies'>

const listed: readonly Listed[] = [
  { name: 'openid', grants: 'an ID token', source: docs },
  { name: 'profile', grants: 'username, name and picture', source: docs },
  { name: 'email', grants: 'the e-mail address', source: docs },
  { name: 'read-billing', grants: 'whether a payment method is on file', source: docs },
  { name: 'read-memberships', grants: 'organisations and the role in each', source: docs },
  { name: 'read-repos', grants: 'repositories, private ones included', source: docs },
  { name: 'gated-repos', grants: 'public gated repositories one was admitted to', source: docs },
  {
    name: 'contribute-repos',
    grants: 'making repositories, and using those the app made',
    source: docs,
  },
  {
    name: 'write-repos',
    grants: 'reading and changing repositories',
    source: docs,
    implicationSource: 'documented',
  },
  {
    name: 'manage-repos',
    grants: 'full control of repositories, making and deleting included',
    source: docs,
    implicationSource: 'inferred',
  },
  { name: 'read-collections', grants: 'collections', source: docs },
  {
    name: 'write-collections',
    grants: 'making, changing and deleting collections',
    source: docs,
    implicationSource: 'documented',
  },
  { name: 'inference-api', grants: 'Inference Providers in one’s name', source: docs },
  { name: 'read-endpoints', grants: 'seeing and calling Inference Endpoints', source: docs },
  {
    name: 'write-endpoints',
    grants: 'making, changing and deleting Inference Endpoints',
    source: docs,
    implicationSource: 'documented',
  },
  { name: 'jobs', grants: 'running jobs', source: docs },
  { name: 'webhooks', grants: 'managing webhooks', source: docs },
  {
    name: 'write-discussions',
    grants: 'opening and answering discussions and pull requests',
    source: docs,
  },
  { name: 'read-mcp', grants: 'Hugging Face’s MCP server', source: 'seen' },
]

export const hubScopes: readonly HubScope[] = /* @__PURE__ */ listed.map((scope) => ({
  ...scope,
  implies: scopeImplications.get(scope.name) ?? [],
}))
