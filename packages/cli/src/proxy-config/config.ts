/**
 * A proxy's configuration, once it has been read.
 *
 * Types only; {@link file://./schema.ts} says what each member means.
 *
 * @module
 */
import type { LimitRule, ProxyOptions } from '@hfauth/node'

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
  > {
  readonly policy?: string
  readonly policyEverySeconds?: number
  readonly policyTokenEnv?: string
  readonly environment?: string
  readonly audit?: string
  readonly auditKey?: string
  readonly listen?: {
    readonly host?: string
    readonly port?: number
    readonly tls?: { readonly cert: string; readonly key: string }
  }
  readonly upstream?: Partial<ProxyOptions['upstream']>
  readonly limits?: {
    readonly rules: readonly LimitRule[]
    readonly store?: 'memory' | 'redis'
    readonly whenUnavailable?: 'refuse' | 'allow'
  }
  readonly drain?: { readonly noticeSeconds?: number; readonly timeoutSeconds?: number }
  readonly telemetry?: boolean
}
