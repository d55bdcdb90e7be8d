/**
 * Issuers: who may vouch for an identity, and for whom their tokens must have been made.
 *
 * @module
 */
import { suggestion } from '../internal/nearest.ts'
import type { JsonPath } from '../json.ts'
import { presets } from '../principal/presets/index.ts'
import type { Issuer } from './policy.ts'
import type { PolicyReader } from './reader.ts'

export function readIssuers(reader: PolicyReader): Map<string, Issuer> {
  const issuers = new Map<string, Issuer>()
  for (const [alias, document] of Object.entries(reader.document.issuers)) {
    const path: JsonPath = ['issuers', alias]
    const preset = presets.get(document.preset)
    if (preset === undefined) {
      const message = `unknown preset \`${document.preset}\`${suggestion(document.preset, presets.keys())}`
      reader.fault('unknown_preset', [...path, 'preset'], message)
      continue
    }
    const audience = [document.audience ?? []].flat().filter((value) => value !== '')
    if (audience.length === 0) {
      reader.fault(
        'missing_audience',
        path,
        `issuer \`${alias}\` has no \`audience\`, so tokens meant for others would be taken`,
      )
    }
    const url = document.issuer ?? preset.issuer
    const fault = url === undefined ? 'has no `issuer` address' : issuerFault(url)
    if (fault !== undefined) reader.fault('malformed_issuer', path, `issuer \`${alias}\` ${fault}`)
    if (url !== undefined) issuers.set(alias, { alias, preset, url, audience })
  }
  return issuers
}

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Issuer identifiers are https addresses without query and fragment (RFC 8414 §2); http only on this machine. */
function issuerFault(url: string): string | undefined {
  if (!URL.canParse(url)) return `has \`${url}\`, which is not an address`
  const { protocol, hostname, search, hash, username, password } = new URL(url)
  if (protocol !== 'https:' && !(protocol === 'http:' && loopback.has(hostname)))
    return 'is not reached by https'
  if (search !== '' || hash !== '' || username !== '' || password !== '')
    return 'has an address with more than host and path'
  return undefined
}
