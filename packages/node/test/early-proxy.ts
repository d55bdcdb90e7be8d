/** A proxy that is killed: tells its address, and answers. Argument: {@link EarlyProxySettings} as JSON. */
import { createEngine, parsePolicy } from '@hfauth/core'
import { createAuditLog, createProxy, createVerifier, jsonLinesSink, serviceToken } from '../src/index.ts'

export interface EarlyProxySettings {
  readonly audit: string
  readonly hub: string
  readonly issuer: string
}

const { audit, hub, issuer } = JSON.parse(process.argv[2] ?? '{}') as EarlyProxySettings
const environment = 'production'
const policy = parsePolicy({
  version: 1,
  name: 'early',
  issuers: { ci: { preset: 'github-actions', issuer, audience: 'api://models' } },
  environments: { production: {} },
  roles: { reader: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } },
  bindings: [{ roles: ['reader'], to: { issuer: 'ci', claims: { repository: 'acme/vision' } } }],
})
const proxy = createProxy({
  engine: createEngine(policy, { environment }),
  verifier: createVerifier({ policy }),
  audit: createAuditLog({
    sink: jsonLinesSink({ path: audit }),
    environment,
    service: 'early',
    timeoutMs: 60_000,
  }),
  upstream: { hub, router: hub },
  credentials: serviceToken(() => 'hf_early'),
})
const { url } = await proxy.listen({ port: 0 })
console.log(url)
