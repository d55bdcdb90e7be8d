/**
 * A process of its own that asks servers by TLS, since what it trusts is decided when it starts. Argument:
 * {@link TlsClientSettings} as JSON. Prints {@link TlsClientAnswers} as JSON.
 */
import { createEngine, HfAuthError, parsePolicy } from '@hfauth/core'
import { createAuditLog, createProxy, createVerifier, memorySink } from '../src/index.ts'
import { instrumentFetch } from '../src/otel.ts'

export interface TlsClientSettings {
  /** Origins that are upstreams in turn. */
  readonly upstreams: readonly string[]
  readonly issuer: string
  readonly token: string
}

export interface TlsClientAnswers {
  /** Of the proxy, for each upstream. */
  readonly statuses: readonly number[]
  /** What comes of a token by the global `fetch`, by one that measures it, and by one that was passed in. */
  readonly codes: readonly string[]
}

const { upstreams, issuer, token } = JSON.parse(process.argv[2] ?? '{}') as TlsClientSettings
const environment = 'production'
const policy = parsePolicy({
  version: 1,
  name: 'tls',
  issuers: { idp: { preset: 'oidc', issuer, audience: 'api://models' } },
  environments: { production: {} },
  roles: { reader: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } },
  bindings: [{ roles: ['reader'], to: { anonymous: true } }],
})

async function statusFrom(hub: string): Promise<number> {
  const proxy = createProxy({
    engine: createEngine(policy, { environment }),
    verifier: createVerifier({ policy }),
    audit: createAuditLog({ sink: memorySink(), environment, service: 'tls' }),
    upstream: { hub, router: hub },
    credentials: async () => ({ token: 'hf_service_secret' }),
  })
  const response = await proxy.fetch(new Request('http://proxy/acme/open/resolve/main/config.json'))
  await response.text()
  return response.status
}

async function codeBy(fetch?: typeof globalThis.fetch): Promise<string> {
  const verifier = createVerifier({ policy, ...(fetch === undefined ? {} : { fetch }) })
  return verifier.verify(token).then(
    () => 'verified',
    (error) => (error instanceof HfAuthError ? error.code : String(error)),
  )
}

const statuses: number[] = []
for (const upstream of upstreams) statuses.push(await statusFrom(upstream))
const codes = [
  await codeBy(),
  await codeBy(instrumentFetch(globalThis.fetch, { purpose: 'issuer' })),
  await codeBy((...asked) => fetch(...asked)),
]
console.log(JSON.stringify({ statuses, codes } satisfies TlsClientAnswers))
process.exit()
