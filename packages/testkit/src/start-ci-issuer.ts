/**
 * Start CI issuer: signs ID tokens shaped like those of GitHub Actions.
 *
 * **CI issuer** → a verifier under test, or the hub's publisher exchange. Any claim and any
 * header member can be replaced, because a verifier is judged by what it refuses.
 *
 * @module
 */

import { createHash, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { sendJson } from './http/exchange.ts'
import { applyFault, type Fault } from './http/faults.ts'
import { listenOnLoopback } from './http/listen.ts'
import { RequestLog } from './http/request-log.ts'
import { createRoutes } from './http/routes.ts'
import { signCompact } from './oidc/compact-jwt.ts'
import { randomText } from './world/random-text.ts'

export interface CiIssuerOptions {
  /** Port on 127.0.0.1. Default 0, which picks a free one. */
  readonly port?: number
  /** Current time in epoch milliseconds. Default `Date.now`. */
  readonly now?: () => number
}

export interface CiTokenOptions {
  readonly audience: string
  /** `owner/name`. */
  readonly repository: string
  /** Default `refs/heads/main`. */
  readonly ref?: string
  /** Default `push`. */
  readonly event_name?: string
  /** Name of the job's deployment environment. Takes precedence in `sub`. */
  readonly environment?: string
  /** Form of `sub`: with owner and repository ids, or the older one without. Default `immutable`. */
  readonly subject?: 'immutable' | 'legacy'
  /** Replaces or adds header members. `alg: 'none'` also drops the signature. */
  readonly header?: Readonly<Record<string, unknown>>
  /** Replaces or adds claims. `undefined` removes one. */
  readonly [claim: string]: unknown
}

export interface CiFaults {
  discovery?: Fault
  jwks?: Fault
}

export interface CiIssuer {
  readonly url: string
  readonly faults: CiFaults
  readonly requests: RequestLog
  /** Every token signed so far. */
  readonly issued: readonly string[]
  token(options: CiTokenOptions): Promise<string>
  /** Signs with a new key from now on. The old one stays published unless `keepPrevious` is false. */
  rotateKey(options?: { readonly keepPrevious?: boolean }): void
  close(): Promise<void>
}

interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly jwk: Readonly<Record<string, unknown>>
}

export async function startCiIssuer({ port = 0, now = Date.now }: CiIssuerOptions = {}): Promise<CiIssuer> {
  const server = await listenOnLoopback(port)
  const { url } = server
  const requests = new RequestLog()
  const faults: CiFaults = {}
  const issued: string[] = []
  let current = createSigningKey()
  let published = [current]

  const routes = createRoutes()
  routes.on('GET,HEAD', '/.well-known/openid-configuration', async (exchange) => {
    if (!(await applyFault(exchange, faults.discovery))) sendJson(exchange, 200, buildDiscovery(url))
  })
  routes.on('GET,HEAD', '/.well-known/jwks', async (exchange) => {
    if (!(await applyFault(exchange, faults.jwks)))
      sendJson(exchange, 200, { keys: published.map(({ jwk }) => jwk) })
  })
  server.serve(async (exchange) => {
    requests.record(exchange)
    if (!(await routes.dispatch(exchange))) sendJson(exchange, 404, { error: 'Not found' })
  })

  return {
    url,
    faults,
    requests,
    issued,
    async token(options) {
      const header = { typ: 'JWT', alg: 'RS256', x5t: current.kid, kid: current.kid, ...options.header }
      const unsigned = options.header?.alg === 'none'
      const token = signCompact(
        header,
        buildCiClaims(url, now(), options),
        unsigned ? undefined : current.privateKey,
      )
      issued.push(token)
      return token
    },
    rotateKey({ keepPrevious = true } = {}) {
      current = createSigningKey()
      published = keepPrevious ? [...published, current] : [current]
    },
    close: () => server.close(),
  }
}

/** The claims of one job's token. Times in epoch seconds: `nbf` 600 before `iat`, `exp` 300 after. */
function buildCiClaims(url: string, nowMs: number, options: CiTokenOptions): Record<string, unknown> {
  const { audience, repository, subject = 'immutable', header: _header, ...overrides } = options
  const ref = options.ref ?? 'refs/heads/main'
  const eventName = options.event_name ?? 'push'
  const [owner = '', name = ''] = repository.split('/')
  const ownerId = numericId(owner)
  const repositoryId = numericId(repository)
  const iat = Math.floor(nowMs / 1000)
  const sha = createHash('sha1').update(`${repository} ${ref}`).digest('hex')
  const workflowRef = `${repository}/.github/workflows/release.yml@${ref}`
  const place = subject === 'legacy' ? repository : `${owner}@${ownerId}/${name}@${repositoryId}`
  return {
    jti: randomUUID(),
    sub: `repo:${place}:${buildContext(options.environment, eventName, ref)}`,
    aud: audience,
    ref,
    sha,
    repository,
    repository_owner: owner,
    repository_owner_id: ownerId,
    repository_id: repositoryId,
    repository_visibility: 'private',
    run_id: numericId(`${repository} ${iat}`),
    run_number: '12',
    run_attempt: '1',
    check_run_id: numericId(`${repository} ${iat} check`),
    actor: 'ana',
    actor_id: numericId('ana'),
    workflow: 'release',
    workflow_ref: workflowRef,
    workflow_sha: sha,
    job_workflow_ref: workflowRef,
    job_workflow_sha: sha,
    head_ref: '',
    base_ref: '',
    event_name: eventName,
    ref_protected: 'true',
    ref_type: ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    runner_environment: 'github-hosted',
    iss: url,
    nbf: iat - 600,
    exp: iat + 300,
    iat,
    ...overrides,
  }
}

/** The last part of `sub`: the environment wins over the event, the event over the ref. */
function buildContext(environment: string | undefined, eventName: string, ref: string): string {
  if (environment !== undefined) return `environment:${environment.replaceAll(':', '%3A')}`
  return eventName === 'pull_request' ? 'pull_request' : `ref:${ref.replaceAll(':', '%3A')}`
}

/** An id that stays the same for a name. */
function numericId(name: string): string {
  return String(createHash('sha256').update(name).digest().readUInt32BE(0))
}

function createSigningKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const kid = randomText(27)
  return {
    kid,
    privateKey,
    jwk: { ...publicKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid },
  }
}

function buildDiscovery(url: string) {
  return {
    issuer: url,
    jwks_uri: `${url}/.well-known/jwks`,
    subject_types_supported: ['public', 'pairwise'],
    response_types_supported: ['id_token'],
    claims_supported: Object.keys(buildCiClaims(url, 0, { audience: url, repository: 'owner/name' })),
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid'],
  }
}
