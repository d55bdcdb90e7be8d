/**
 * Arguments of `hfauth proxy`: what its configuration file says, and over it what the command line says.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { HfAuthError } from '@hfauth/core'
import type { CommandIo } from '../command.ts'
import { defaultPolicyFile } from '../policy-file.ts'
import { readPort } from '../port.ts'
import type { ProxyConfig } from './config.ts'
import { readProxyConfig } from './read-config.ts'
import { proxyConfigSchema } from './schema.ts'

export interface ProxyArguments {
  readonly config: ProxyConfig
  readonly clients: { readonly ids: readonly string[]; readonly files: readonly string[] }
}

/** What the file says, and over it what the arguments say; `undefined` when only the schema was asked for. */
export async function readProxyArguments(
  args: readonly string[],
  io: CommandIo,
): Promise<ProxyArguments | undefined> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      config: { type: 'string' },
      schema: { type: 'boolean' },
      policy: { type: 'string' },
      environment: { type: 'string' },
      audit: { type: 'string' },
      'audit-key': { type: 'string' },
      port: { type: 'string' },
      host: { type: 'string' },
      hub: { type: 'string' },
      router: { type: 'string' },
      endpoints: { type: 'string' },
      viewer: { type: 'string' },
      'public-url': { type: 'string' },
      'dry-run': { type: 'boolean' },
      client: { type: 'string', multiple: true, default: [] },
      'client-secret': { type: 'string', multiple: true, default: [] },
    },
  })
  if (values.schema === true) {
    io.text(JSON.stringify(proxyConfigSchema, null, 2))
    return undefined
  }
  const {
    policy,
    environment,
    audit,
    host,
    hub,
    router,
    endpoints,
    viewer,
    'public-url': publicUrl,
    'audit-key': auditKey,
  } = values
  const port = values.port === undefined ? undefined : readPort(values.port)
  const file = values.config === undefined ? {} : await readConfigFile(values.config)
  const mode = values['dry-run'] === true ? 'dry-run' : undefined
  const config: ProxyConfig = {
    ...file,
    ...present({ policy, environment, audit, auditKey, publicUrl, mode }),
    listen: { ...file.listen, ...present({ host, port }) },
    upstream: { ...file.upstream, ...present({ hub, router, endpoints, viewer }) },
  }
  return { config, clients: { ids: values.client, files: values['client-secret'] } }
}

export function present<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}

/** Files that the configuration names are beside it. */
export async function readConfigFile(path: string): Promise<ProxyConfig> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `cannot read the configuration \`${path}\``)
  })
  const config = readProxyConfig(text, path)
  const beside = (file: string) => resolve(dirname(path), file)
  const { policy = defaultPolicyFile, audit, auditKey, listen, clients, exchange } = config
  const placed = <T extends { readonly secretFile?: string }>(client: T): T =>
    client.secretFile === undefined ? client : { ...client, secretFile: beside(client.secretFile) }
  return {
    ...config,
    policy: isAddress(policy) ? policy : beside(policy),
    ...(audit === undefined ? {} : { audit: beside(audit) }),
    ...(auditKey === undefined ? {} : { auditKey: beside(auditKey) }),
    ...(clients === undefined
      ? {}
      : {
          clients: Object.fromEntries(
            Object.entries(clients).map(([alias, client]) => [alias, placed(client)]),
          ),
        }),
    ...(exchange === undefined ? {} : { exchange: placed(exchange) }),
    ...(listen?.tls === undefined
      ? {}
      : { listen: { ...listen, tls: { cert: beside(listen.tls.cert), key: beside(listen.tls.key) } } }),
  }
}

export function isAddress(policy: string): boolean {
  return /^https?:\/\//.test(policy)
}
