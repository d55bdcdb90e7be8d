/**
 * A proxy's configuration, once it has been read.
 *
 * Types only; {@link file://./schema.ts} says what each member means.
 *
 * @module
 */
import type {
  AuditLogOptions,
  LimitRule,
  ProxyLimits,
  ProxyOptions,
  StreamWatchOptions,
  Transmitter,
} from '@hfauth/node'

export type TransmitterConfig = Pick<Transmitter, 'issuer' | 'jwksUri' | 'legacy'> & {
  readonly audience: string
  readonly watch?: WatchConfig
}

export type WatchConfig = Pick<
  StreamWatchOptions,
  'streamId' | 'verificationEndpoint' | 'configurationEndpoint'
> & {
  readonly tokenEnv?: string
  readonly everySeconds?: number
  readonly answerWithinSeconds?: number
}

export interface ProxyConfig
  extends Pick<
    ProxyOptions,
    | 'publicUrl'
    | 'allowedHosts'
    | 'trustedProxies'
    | 'allowedRedirectHosts'
    | 'corsOrigins'
    | 'mode'
    | 'atExpiry'
    | 'signedUrls'
    | 'billTo'
    | 'hosts'
    | 'allowedUrlHosts'
  > {
  readonly policy?: string
  readonly policyEverySeconds?: number
  readonly policyTokenEnv?: string
  readonly environment?: string
  readonly audit?: string
  readonly auditKey?: string
  readonly auditWrites?: Pick<
    AuditLogOptions,
    'durability' | 'lossPolicy' | 'timeoutMs' | 'flushMs' | 'maxBehindMs'
  >
  readonly listen?: {
    readonly host?: string
    readonly port?: number
    readonly connectionsPerAddress?: number
    readonly tls?: { readonly cert: string; readonly key: string }
  }
  readonly upstream?: Partial<ProxyOptions['upstream']>
  readonly requests?: ProxyLimits
  readonly clients?: Readonly<Record<string, { readonly id: string; readonly secretFile?: string }>>
  readonly exchange?: { readonly clientId: string; readonly secretFile?: string }
  readonly limits?: {
    readonly rules: readonly LimitRule[]
    readonly store?: 'memory' | 'redis'
    readonly whenUnavailable?: 'refuse' | 'allow'
  }
  readonly revocations?: {
    readonly store?: 'memory' | 'redis'
    readonly key?: string
    readonly lifeSeconds?: number
    readonly onUnavailable?: 'refuse' | 'continue'
    readonly doors?: {
      readonly host?: string
      readonly port: number
      readonly backChannelLogout?: boolean
      readonly admin?: { readonly action: string; readonly resource: string }
      readonly events?: readonly (TransmitterConfig & { readonly name: string })[]
    }
    readonly polls?: readonly (TransmitterConfig & {
      readonly name?: string
      readonly endpoint: string
      readonly tokenEnv: string
    })[]
    readonly whenStreamSilent?: 'warn' | 'unready'
  }
  readonly drain?: { readonly noticeSeconds?: number; readonly timeoutSeconds?: number }
  readonly telemetry?: boolean
}
