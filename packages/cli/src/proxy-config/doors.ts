/**
 * Doors: where providers and administrators say what is taken back, on a port of their own.
 *
 * provider, administrator → **doors** → revocations. Beside the proxy and not in it: no path of Hugging Face is
 * hidden by them, and who may reach them is for the network to say.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Policy } from '@hfauth/core'
import {
  type AuditLog,
  createAdminRevocation,
  createBackChannelLogout,
  createGuard,
  createSetPush,
  type Door,
  type PolicyParts,
  type RevocationIntake,
} from '@hfauth/node'
import { answer } from '@hfauth/node/http'
import { present } from './arguments.ts'
import type { ProxyConfig } from './config.ts'
import type { StreamWatches } from './stream-watches.ts'
import { transmitterOf } from './transmitter.ts'

type DoorsConfig = NonNullable<NonNullable<ProxyConfig['revocations']>['doors']>

export interface Doors {
  /** `http://HOST:PORT` */
  readonly url: string
  use(policy: Policy, parts: Pick<PolicyParts, 'engine' | 'verifier'>): void
  close(): Promise<void>
}

/** Longest time for one request, in milliseconds. */
const timeoutMs = 10_000

export async function openDoors(
  { host = '127.0.0.1', port, backChannelLogout = false, admin, events = [] }: DoorsConfig,
  {
    intake,
    audit,
    watches,
  }: {
    readonly intake: RevocationIntake
    readonly audit: AuditLog
    readonly watches: Pick<StreamWatches, 'watch'>
  },
): Promise<Doors> {
  const pushed = events.map(
    (transmitter) =>
      [
        `/events/${transmitter.name}`,
        createSetPush({
          intake,
          transmitter: transmitterOf(transmitter),
          ...present({ watch: watches.watch(transmitter.name, transmitter) }),
        }),
      ] as const,
  )
  let doors: ReadonlyMap<string, Door> = new Map(pushed)
  const server = createServer(
    { headersTimeout: timeoutMs, requestTimeout: timeoutMs },
    answer((request) => doors.get(new URL(request.url).pathname)?.(request), {
      origin: 'http://doors.invalid',
    }),
  )
  server.listen({ host, port })
  await once(server, 'listening')
  const { port: bound } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    use(policy, parts) {
      doors = new Map<string, Door>([
        ...pushed,
        ...(backChannelLogout
          ? [
              [
                '/logout/back-channel',
                createBackChannelLogout({ intake, issuers: policy.issuers.values() }),
              ] as const,
            ]
          : []),
        ...(admin === undefined
          ? []
          : [
              [
                '/admin/revocations',
                createAdminRevocation({ intake, guard: createGuard({ ...parts, audit }), question: admin }),
              ] as const,
            ]),
      ])
    },
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
