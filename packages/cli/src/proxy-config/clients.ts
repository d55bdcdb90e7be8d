/**
 * Proxy clients: as whom `hfauth proxy` asks issuers about tokens that only they can judge.
 *
 * Ids stand in the configuration or the arguments. Secrets never do: they are in files, which are read again when they
 * change, or in the environment. Of a secret in files the one before is tried when an issuer does not know the new one yet.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { type AuditLog, createSecretRing, type SecretRing, type VerifierClients } from '@hfauth/node'
import { type CommandIo, UsageError } from '../command.ts'
import type { ProxyConfig } from './config.ts'
import { secretPlace } from './secret-place.ts'

export interface ProxyClients {
  readonly clients: VerifierClients
  close(): void
}

export interface ProxyClientsOptions {
  /** What the configuration says; the arguments go over it. */
  readonly configured?: ProxyConfig['clients']
  /** `ALIAS=ID` */
  readonly ids: readonly string[]
  /** `ALIAS=FILE`; a directory has it in `client-secret`. */
  readonly files: readonly string[]
  readonly env: CommandIo['env']
  readonly audit: AuditLog
}

/**
 * @throws UsageError for a client that is named twice or without a secret, and a secret without a client;
 * HfAuthError `HFAUTH_SECRET_UNAVAILABLE` when a file holds none.
 */
export async function readProxyClients({
  configured = {},
  ids,
  files,
  env,
  audit,
}: ProxyClientsOptions): Promise<ProxyClients> {
  const fileOf = new Map<string, string>()
  const idOf = new Map<string, string>()
  for (const [alias, { id, secretFile }] of Object.entries(configured)) {
    idOf.set(alias, id)
    if (secretFile !== undefined) fileOf.set(alias, secretFile)
  }
  for (const [alias, file] of pairs('--client-secret', 'FILE', files)) fileOf.set(alias, file)
  for (const [alias, id] of pairs('--client', 'ID', ids)) idOf.set(alias, id)
  const unknown = [...fileOf.keys()].find((alias) => !idOf.has(alias))
  if (unknown !== undefined) throw new UsageError(`\`--client-secret ${unknown}=…\` has no \`--client\``)

  const rings: SecretRing[] = []
  const close = () => {
    for (const ring of rings) ring.close()
  }
  const clients: Record<string, VerifierClients[string]> = {}
  try {
    for (const [alias, id] of idOf) {
      const file = fileOf.get(alias)
      if (file === undefined) {
        clients[alias] = { id, secret: secretInEnvironment(alias, env) }
        continue
      }
      const ring = await createSecretRing({
        name: `client of ${alias}`,
        source: await secretPlace(file),
        audit,
      })
      rings.push(ring)
      clients[alias] = { id, secret: ring }
    }
  } catch (error) {
    close()
    throw error
  }
  return { clients, close }
}

function secretInEnvironment(alias: string, env: CommandIo['env']): string {
  const name = `HFAUTH_CLIENT_SECRET_${alias.toUpperCase().replaceAll('-', '_')}`
  const secret = env[name]
  if (secret !== undefined && secret !== '') return secret
  throw new HfAuthError(
    'HFAUTH_CONFIG_INVALID',
    `the client of issuer \`${alias}\` has no secret: give \`--client-secret ${alias}=FILE\`, or set ${name}`,
  )
}

function pairs(option: string, what: string, texts: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const text of texts) {
    const [, alias, value] = /^([\w.-]{1,64})=(.+)$/.exec(text) ?? []
    // The text is not repeated: it may be a secret, written where its file should be.
    if (alias === undefined || value === undefined) throw new UsageError(`\`${option}\` takes ALIAS=${what}`)
    if (found.has(alias)) throw new UsageError(`\`${option}\` names \`${alias}\` twice`)
    found.set(alias, value)
  }
  return found
}
