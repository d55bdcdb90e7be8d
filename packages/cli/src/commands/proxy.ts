/**
 * `hfauth proxy`: stands between clients and Hugging Face, and holds them to the policy.
 *
 * Upstream goes the caller's own Hugging Face token, or for a CI job one exchanged by its ID token. With
 * `HF_EXCHANGE_CLIENT_ID` and `HF_EXCHANGE_CLIENT_SECRET` (an organisation's app that may exchange tokens)
 * also people of other providers get one, by their verified e-mail address.
 *
 * Tokens that only their issuer can judge (GitHub's, Okta's org server, opaque ones) need `--client ALIAS=ID` and
 * its secret, in `--client-secret ALIAS=FILE|DIRECTORY` or in `HFAUTH_CLIENT_SECRET_ALIAS`.
 *
 * @module
 */
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createEngine, HfAuthError, type Policy } from '@hfauth/core'
import { parsePolicy } from '@hfauth/core/yaml'
import {
  type AuditSink,
  auditKeyFile,
  createAuditLog,
  createProxy,
  createTokenExchange,
  createVerifier,
  exchangeForMember,
  exchangeForPublisher,
  firstOf,
  followPolicy,
  forwardCaller,
  type HubProxy,
  jsonLinesSink,
  type PolicyParts,
  type PolicySource,
  policyFile,
  policyUrl,
  segmentSink,
  type TlsFiles,
} from '@hfauth/node'
import { type Command, type CommandIo, UsageError } from '../command.ts'
import { defaultPolicyFile } from '../policy-file.ts'
import { readProxyClients } from '../proxy-clients.ts'
import { isAddress, present, readProxyArguments } from '../proxy-config/arguments.ts'
import type { ProxyConfig } from '../proxy-config/config.ts'
import { openLimits } from '../proxy-config/limits.ts'

const defaultHub = 'https://huggingface.co'
const defaultRouter = 'https://router.huggingface.co'
const certificateLookMs = 60_000

export const proxy: Command = async (args, io) => {
  const read = await readProxyArguments(args, io)
  if (read === undefined) return 0
  const { config } = read
  const {
    environment,
    audit: path,
    listen = {},
    upstream: { hub = defaultHub, router = defaultRouter, ...others } = {},
  } = config
  if (environment === undefined) throw new UsageError('`--environment` is missing')
  if (path === undefined) throw new UsageError('`--audit` is missing: every decision goes on record')

  const client = exchangeClient(io.env)
  const exchange = createTokenExchange({ hubUrl: hub, ...(client === undefined ? {} : { client }) })
  const credentials = firstOf(
    forwardCaller(),
    exchangeForPublisher(exchange),
    ...(client === undefined ? [] : [exchangeForMember(exchange)]),
  )
  const measured = config.telemetry === true ? await import('@hfauth/node/otel') : undefined
  const log = createAuditLog({ sink: await openAudit(path, config.auditKey), environment, service: 'proxy' })
  const audit = measured?.instrumentAudit(log) ?? log
  const { clients, close: closeClients } = await readProxyClients({ ...read.clients, env: io.env, audit })
  const partsOf = (policy: Policy): PolicyParts => {
    const engine = createEngine(policy, { environment })
    const verifier = createVerifier({ policy, clients })
    return {
      engine: measured?.instrumentEngine(engine) ?? engine,
      verifier: measured?.instrumentVerifier(verifier) ?? verifier,
      credentials,
    }
  }
  const limits = await openLimits(config.limits, io.env)
  let first: PolicyParts | undefined
  let running: HubProxy | undefined
  const policy = await followPolicy({
    source: sourceOf(config, io),
    parse: (text) => parsePolicy(text, { file: config.policy ?? defaultPolicyFile, variables: io.env }),
    apply(next) {
      const parts = partsOf(next)
      if (running === undefined) first = parts
      else running.use(parts)
    },
    audit,
    onRejected: (error) => io.error(`${error.message} (${error.code})`),
    everyMs: (config.policyEverySeconds ?? 60) * 1000,
  })
  running = createProxy({
    ...optionsOf(config),
    ...(first as PolicyParts),
    audit,
    upstream: { hub, router, ...others },
    ...(limits.limiter === undefined ? {} : { limiter: limits.limiter }),
  })
  const { host = '127.0.0.1', port = 8787, tls } = listen
  const certificate = tls === undefined ? undefined : await readTls(tls)
  const listening = await running.listen({
    port,
    host,
    ...(certificate === undefined ? {} : { tls: certificate }),
  })
  const look = setInterval(() => {
    // A certificate that cannot be read leaves the one in use.
    if (tls !== undefined) readTls(tls).then(listening.renewTls, () => undefined)
  }, certificateLookMs)

  const mode = config.mode === 'dry-run' ? ' (dry run: nothing is refused)' : ''
  io.out(`${policy.policy().reference.name} in ${environment}${mode}: set HF_ENDPOINT=${listening.url}`)
  if (!io.signal.aborted) await once(io.signal, 'abort')
  clearInterval(look)
  policy.close()
  const { noticeSeconds = 0, timeoutSeconds = 30 } = config.drain ?? {}
  const { cut } = await listening.drain({ noticeMs: noticeSeconds * 1000, timeoutMs: timeoutSeconds * 1000 })
  if (cut > 0) io.error(`${cut} requests were cut`)
  closeClients()
  await limits.close()
  await audit.close()
  return 0
}

/** Plain lines in a file, or with a key signed segments in a directory. */
async function openAudit(path: string, keyFile: string | undefined): Promise<AuditSink> {
  if (keyFile === undefined) return jsonLinesSink({ path })
  return segmentSink({ directory: path, key: await auditKeyFile(keyFile) })
}

function sourceOf(
  { policy = defaultPolicyFile, policyTokenEnv }: ProxyConfig,
  { env }: CommandIo,
): PolicySource {
  if (!isAddress(policy)) return policyFile(policy)
  const token = policyTokenEnv === undefined ? undefined : env[policyTokenEnv]
  return policyUrl(policy, token === undefined ? {} : { token: () => token })
}

async function readTls({ cert, key }: { readonly cert: string; readonly key: string }): Promise<TlsFiles> {
  try {
    return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
  } catch {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'the certificate or its key cannot be read')
  }
}

/** What of a configuration is an option of the proxy under the same name. */
function optionsOf(config: ProxyConfig) {
  const { publicUrl, allowedHosts, trustedProxies, allowedRedirectHosts, corsOrigins } = config
  const { mode, atExpiry, signedUrls, billTo } = config
  const names = { publicUrl, allowedHosts, trustedProxies, allowedRedirectHosts, corsOrigins }
  return present({ ...names, mode, atExpiry, signedUrls, billTo })
}

function exchangeClient(
  env: Readonly<Record<string, string | undefined>>,
): { id: string; secret: string } | undefined {
  const id = env.HF_EXCHANGE_CLIENT_ID
  const secret = env.HF_EXCHANGE_CLIENT_SECRET
  if (id === undefined || secret === undefined || id === '' || secret === '') return undefined
  return { id, secret }
}
