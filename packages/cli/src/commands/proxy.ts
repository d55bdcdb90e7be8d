/**
 * `hfauth proxy`: stands between clients and Hugging Face, and holds them to the policy.
 *
 * Upstream goes the caller's own Hugging Face token, or for a CI job one exchanged by its ID token. With
 * `HF_EXCHANGE_CLIENT_ID` and `HF_EXCHANGE_CLIENT_SECRET` or `HF_EXCHANGE_CLIENT_SECRET_FILE` (an organisation's app
 * that may exchange tokens; or `exchange` in the configuration) also people of other providers get one, by their
 * verified e-mail address.
 *
 * Tokens that only their issuer can judge (GitHub's, Okta's org server, opaque ones) need `--client ALIAS=ID` and
 * its secret, in `--client-secret ALIAS=FILE|DIRECTORY` or in `HFAUTH_CLIENT_SECRET_ALIAS`.
 *
 * @module
 */
import { once } from 'node:events'
import { createEngine, type Policy } from '@hfauth/core'
import { parsePolicy } from '@hfauth/core/yaml'
import {
  createAuditLog,
  createProxy,
  createVerifier,
  followPolicy,
  type HubProxy,
  type PolicyParts,
  type PolicySource,
  policyFile,
  policyUrl,
} from '@hfauth/node'
import { type Command, type CommandIo, UsageError } from '../command.ts'
import { defaultPolicyFile } from '../policy-file.ts'
import { isAddress, type ProxyArguments, present, readProxyArguments } from '../proxy-config/arguments.ts'
import { openAudit } from '../proxy-config/audit-sink.ts'
import { followCertificate, readCertificate } from '../proxy-config/certificate.ts'
import { readProxyClients } from '../proxy-config/clients.ts'
import type { ProxyConfig } from '../proxy-config/config.ts'
import { openLimits } from '../proxy-config/limits.ts'
import { openRevocations } from '../proxy-config/revocations.ts'
import { openCredentials } from '../proxy-config/upstream-credentials.ts'

const defaultHub = 'https://huggingface.co'
const defaultRouter = 'https://router.huggingface.co'

export const proxy: Command = async (args, io) => {
  const read = await readProxyArguments(args, io)
  if (read === undefined) return 0
  const { environment, audit } = read.config
  if (environment === undefined) throw new UsageError('`--environment` is missing')
  if (audit === undefined) throw new UsageError('`--audit` is missing: every decision goes on record')
  if (io.env.NODE_TLS_REJECT_UNAUTHORIZED === '0') {
    throw new UsageError(
      '`NODE_TLS_REJECT_UNAUTHORIZED` is 0, so that anybody could answer for an issuer: put an authority of your own into `NODE_EXTRA_CA_CERTS`',
    )
  }
  const opened: Opened = []
  try {
    await serve({ ...read, config: { ...read.config, environment, audit } }, io, opened)
    return 0
  } finally {
    // Whatever was opened last goes first, so that the record is there for all the rest.
    for (const close of opened.reverse()) await close()
  }
}

type Opened = (() => unknown)[]
type Served = ProxyArguments & { readonly config: { readonly environment: string; readonly audit: string } }

/** Runs until it is told to end, and adds to `opened` what has to be closed then. */
async function serve({ config, clients: named }: Served, io: CommandIo, opened: Opened): Promise<void> {
  const { environment, listen = {} } = config
  const { hub = defaultHub, router = defaultRouter, ...others } = config.upstream ?? {}
  const measured = config.telemetry === true ? await import('@hfauth/node/otel') : undefined
  const log = createAuditLog({
    sink: await openAudit(config.audit, config.auditKey),
    environment,
    service: 'proxy',
    ...config.auditWrites,
  })
  const audit = measured?.instrumentAudit(log) ?? log
  opened.push(() => audit.close())
  const { clients, close: closeClients } = await readProxyClients({
    ...named,
    ...present({ configured: config.clients }),
    env: io.env,
    audit,
  })
  opened.push(closeClients)
  const { credentials, close: closeCredentials } = await openCredentials({
    hubUrl: hub,
    exchange: config.exchange,
    env: io.env,
    audit,
  })
  opened.push(closeCredentials)
  const limits = await openLimits(config.limits, io.env)
  opened.push(limits.close)
  const revocations = await openRevocations(config.revocations, audit, io)
  opened.push(revocations.close)

  const partsOf = (policy: Policy): PolicyParts => {
    const engine = createEngine(policy, { environment })
    const verifier = createVerifier({ policy, clients, ...present({ revocations: revocations.set }) })
    return {
      engine: measured?.instrumentEngine(engine) ?? engine,
      verifier: measured?.instrumentVerifier(verifier) ?? verifier,
      credentials,
    }
  }
  let first: PolicyParts | undefined
  let running: HubProxy | undefined
  const policy = await followPolicy({
    source: sourceOf(config, io),
    parse: (text) => parsePolicy(text, { file: config.policy ?? defaultPolicyFile, variables: io.env }),
    apply(next) {
      const parts = partsOf(next)
      if (running === undefined) first = parts
      else running.use(parts)
      revocations.use(next, parts)
    },
    audit,
    onRejected: (error) => io.error(`${error.message} (${error.code})`),
    everyMs: (config.policyEverySeconds ?? 60) * 1000,
  })
  opened.push(() => policy.close())
  running = createProxy({
    ...optionsOf(config),
    ...(first as PolicyParts),
    audit,
    upstream: { hub, router, ...others },
    streams: revocations.streams,
    ...present({
      limiter: limits.limiter,
      revocations: revocations.set,
      whenStreamSilent: config.revocations?.whenStreamSilent,
    }),
  })
  const { host = '127.0.0.1', port = 8787, connectionsPerAddress, tls } = listen
  const certificate = tls === undefined ? undefined : await readCertificate(tls)
  const listening = await running.listen({
    port,
    host,
    ...present({ tls: certificate, connectionsPerAddress }),
  })
  if (tls !== undefined) opened.push(followCertificate(tls, listening))

  const mode = config.mode === 'dry-run' ? ' (dry run: nothing is refused)' : ''
  io.out(`${policy.policy().reference.name} in ${environment}${mode}: set HF_ENDPOINT=${listening.url}`)
  if (revocations.doorsUrl !== undefined) io.out(`what is taken back is told to ${revocations.doorsUrl}`)
  if (!io.signal.aborted) await once(io.signal, 'abort')
  // What is under way ends by the policy that is in force.
  policy.close()
  const { noticeSeconds = 0, timeoutSeconds = 30 } = config.drain ?? {}
  const { cut } = await listening.drain({ noticeMs: noticeSeconds * 1000, timeoutMs: timeoutSeconds * 1000 })
  if (cut > 0) io.error(`${cut} requests were cut`)
}

function sourceOf(
  { policy = defaultPolicyFile, policyTokenEnv }: ProxyConfig,
  { env }: CommandIo,
): PolicySource {
  if (!isAddress(policy)) return policyFile(policy)
  const token = policyTokenEnv === undefined ? undefined : env[policyTokenEnv]
  return policyUrl(policy, token === undefined ? {} : { token: () => token })
}

/** What of a configuration is an option of the proxy under the same name. */
function optionsOf(config: ProxyConfig) {
  const { publicUrl, hosts, allowedHosts, trustedProxies, corsOrigins } = config
  const { allowedRedirectHosts, allowedUrlHosts, mode, atExpiry, signedUrls, billTo } = config
  const limits = config.requests
  const who = { publicUrl, hosts, allowedHosts, trustedProxies, corsOrigins }
  return present({
    ...who,
    allowedRedirectHosts,
    allowedUrlHosts,
    mode,
    atExpiry,
    signedUrls,
    billTo,
    limits,
  })
}
