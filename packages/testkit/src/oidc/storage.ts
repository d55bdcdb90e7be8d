/**
 * Storage: the provider's tables in memory, and the apps of the world as its clients.
 *
 * world → **storage** → provider. Also where the testkit's clock enters: the provider
 * reads the system clock only, so expiry times are moved by the difference on the way out.
 *
 * @module
 */

import type { Adapter, AdapterPayload } from 'oidc-provider'
import { findApp } from '../world/find.ts'
import type { App, World } from '../world/world.ts'
import { findDocumentedApp } from './client-document.ts'
import { deviceCodeGrant, tokenExchangeGrant } from './metadata.ts'

/** The testkit's clock minus the system clock, in whole seconds. */
export type SkewSeconds = () => number

export interface StorageOptions {
  readonly world: World
  readonly skewSeconds: SkewSeconds
  /** Told about every secret that is stored. */
  readonly onSecret: (value: string) => void
}

/** Tables whose ids are secrets: tokens, codes and cookie values. */
const secretTables = new Set([
  'AccessToken',
  'RefreshToken',
  'AuthorizationCode',
  'DeviceCode',
  'Session',
  'Interaction',
])

export function createStorage(options: StorageOptions): (table: string) => Adapter {
  const tables = new Map<string, Adapter>()
  return (table) => {
    const existing = tables.get(table)
    if (existing) return existing
    const created = table === 'Client' ? createClientTable(options.world) : createTable(table, options)
    tables.set(table, created)
    return created
  }
}

function createTable(table: string, { skewSeconds, onSecret }: StorageOptions): Adapter {
  const rows = new Map<string, { payload: AdapterPayload; skew: number }>()

  function read(row: { payload: AdapterPayload; skew: number } | undefined): AdapterPayload | undefined {
    if (row === undefined) return undefined
    const { exp } = row.payload
    return exp === undefined ? row.payload : { ...row.payload, exp: exp + row.skew - skewSeconds() }
  }

  function findBy(member: 'uid' | 'userCode', value: string): AdapterPayload | undefined {
    for (const row of rows.values()) if (row.payload[member] === value) return read(row)
    return undefined
  }

  return {
    async upsert(id, payload) {
      if (secretTables.has(table)) onSecret(id)
      rows.set(id, { payload, skew: skewSeconds() })
    },
    async find(id) {
      return read(rows.get(id))
    },
    async findByUid(uid) {
      return findBy('uid', uid)
    },
    async findByUserCode(userCode) {
      return findBy('userCode', userCode)
    },
    async consume(id) {
      const row = rows.get(id)
      if (row) row.payload.consumed = Math.floor(Date.now() / 1000)
    },
    async destroy(id) {
      rows.delete(id)
    },
    async revokeByGrantId(grantId) {
      for (const [id, row] of rows) if (row.payload.grantId === grantId) rows.delete(id)
    },
  }
}

function createClientTable(world: World): Adapter {
  return {
    async find(id) {
      const app = findApp(world, id) ?? (await findDocumentedApp(world, id))
      return app && toClient(app)
    },
    async upsert() {},
    async findByUid() {},
    async findByUserCode() {},
    async consume() {},
    async destroy() {},
    async revokeByGrantId() {},
  }
}

function toClient(app: App): AdapterPayload {
  const hasCustomScheme = app.redirectUris.some((uri) => !/^https?:/.test(uri))
  return {
    client_id: app.clientId,
    client_name: app.name,
    redirect_uris: app.redirectUris,
    // The provider refuses custom schemes on `web` clients and plain http hosts on `native` ones.
    application_type: hasCustomScheme ? 'native' : 'web',
    grant_types: ['authorization_code', 'refresh_token', deviceCodeGrant, tokenExchangeGrant],
    response_types: ['code'],
    response_modes: ['query'],
    scope: app.scopes.join(' '),
    id_token_signed_response_alg: 'RS256',
    ...(app.kind === 'public'
      ? { token_endpoint_auth_method: 'none' as const }
      : {
          token_endpoint_auth_method: 'client_secret_basic' as const,
          client_secret: app.clientSecret ?? '',
        }),
  }
}
