/**
 * Addresses: which `Host` leads where.
 *
 * inbound → **addresses** → target. Nothing a client says can name an upstream: it names one of the addresses
 * that were configured, letter by letter, or it is turned away.
 *
 * @module
 */
import { HfAuthError, type HubService, type HubType, sharedServices } from '@hfauth/core'
import { originOption } from './origin-option.ts'

/** What one address serves: a part of Hugging Face, or one endpoint or Space that is deployed there. */
export type AddressOption =
  | 'hub'
  | 'router'
  | 'endpoints'
  | 'viewer'
  | {
      /** Its name in the policy, `owner/name`. */
      readonly endpoint: string
      /** Origin it is deployed at. */
      readonly url: string
    }
  | {
      /** Its name in the policy, `owner/name`. */
      readonly space: string
      /** Origin it is deployed at, such as `https://acme-demo.hf.space`. */
      readonly url: string
    }

export interface Address {
  readonly services: readonly HubService[]
  /** The one resource that lives there, when it is no API. */
  readonly deployed?: { readonly type: HubType; readonly id: string; readonly origin: string }
}

/** `undefined` for an address that is not ours. */
export type AddressOf = (host: string) => Address | undefined

const id = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,95}$/

/**
 * @param hosts - Values of `Host`, with their port. Without any, every address leads to all that is shared.
 * @param configured - The services that have an upstream.
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID`.
 */
export function readAddresses(
  hosts: Readonly<Record<string, AddressOption>> | undefined,
  configured: ReadonlySet<HubService>,
): AddressOf {
  const shared: Address = { services: sharedServices.filter((service) => configured.has(service)) }
  if (hosts === undefined) return () => shared
  const known = new Map(
    Object.entries(hosts).map(([host, option]) => [
      host.toLowerCase(),
      readAddress(host, option, configured),
    ]),
  )
  return (host) => known.get(host.toLowerCase())
}

function readAddress(host: string, option: AddressOption, configured: ReadonlySet<HubService>): Address {
  const name = `hosts.${host}`
  if (typeof option === 'string') {
    if (configured.has(option)) return { services: [option] }
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `\`${name}\` leads to an upstream that is not configured`)
  }
  const type = 'space' in option ? 'space' : 'endpoint'
  const named = 'space' in option ? option.space : option.endpoint
  if (!id.test(named)) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `\`${name}\` must name what is there as \`owner/name\``)
  }
  const origin = originOption(`${name}.url`, option.url)
  return { services: [type], deployed: { type, id: named, origin } }
}
