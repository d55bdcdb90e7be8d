/**
 * Issuers: who may vouch for an identity, and for whom their tokens must have been made.
 *
 * Everything that a preset leaves to the policy is asked for here: what is missing, or would let in more
 * than it says, is a fault.
 *
 * @module
 */
import { suggestion } from '../internal/nearest.ts'
import type { JsonPath } from '../json.ts'
import type { Claims } from '../principal/claims.ts'
import type { Preset } from '../principal/preset.ts'
import { presets } from '../principal/presets/index.ts'
import { openedGates } from './gates.ts'
import { isOnThisMachine, readAddresses } from './issuer-addresses.ts'
import type { Issuer } from './policy.ts'
import type { PolicyReader } from './reader.ts'
import type { PolicyDocument } from './schema.ts'

type IssuerDocument = PolicyDocument['issuers'][string]

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
    const issuer = readIssuer(reader, alias, document, preset)
    if (issuer === undefined) continue
    const twin = [...issuers.values()].find((other) => isAmbiguous(issuer, other))
    if (twin !== undefined) {
      reader.fault(
        'ambiguous_issuer',
        path,
        `issuers \`${twin.alias}\` and \`${alias}\` have an address and an audience in common but not the preset and the keys, so a token could be either’s`,
      )
    }
    issuers.set(alias, issuer)
  }
  return issuers
}

function readIssuer(
  reader: PolicyReader,
  alias: string,
  document: IssuerDocument,
  preset: Preset,
): Issuer | undefined {
  const path: JsonPath = ['issuers', alias]
  const audience = readAudience(reader, alias, document, preset)
  const tenants = readTenants(reader, alias, document, preset)
  const addresses = readAddresses(reader, alias, document, preset, tenants)
  const keys = readKeys(reader, path, document, preset)
  if (keys === undefined && addresses.some(({ iss }) => preset.issuer.shared?.test(iss))) {
    reader.fault(
      'missing_keys',
      path,
      `issuer \`${alias}\` has an address that many clusters have, which proves nothing without \`keys\``,
    )
  }
  warnOfGeneralPreset(reader, path, preset, addresses)
  const [first] = addresses
  if (first === undefined) return undefined
  const gatesOpened = preset.gate === undefined ? [] : openedGates(reader.document, alias, preset.gate)
  return {
    alias,
    preset,
    url: first.url,
    addresses,
    audience,
    tenants,
    gatesOpened,
    ...(keys === undefined ? {} : { keys }),
  }
}

function readAudience(
  reader: PolicyReader,
  alias: string,
  document: IssuerDocument,
  { name, sharedAudience }: Preset,
): string[] {
  const path: JsonPath = ['issuers', alias]
  const audience = [document.audience ?? []].flat().filter((value) => value !== '')
  if (audience.length === 0) {
    reader.fault(
      'missing_audience',
      path,
      `issuer \`${alias}\` has no \`audience\`, so tokens meant for others would be taken`,
    )
  }
  const pattern = audience.find((value) => value.includes('*'))
  if (pattern !== undefined) {
    reader.fault(
      'wildcard_audience',
      [...path, 'audience'],
      `audience \`${pattern}\` would not match others: write every audience out, as tokens have it`,
    )
  }
  const shared = audience.find((value) => sharedAudience?.form.test(value))
  if (sharedAudience !== undefined && shared !== undefined) {
    reader.fault(
      'shared_audience',
      [...path, 'audience'],
      `audience \`${shared}\` is that of ${sharedAudience.what}: give \`${name}\` tokens one of your own`,
    )
  }
  return audience
}

function readTenants(
  reader: PolicyReader,
  alias: string,
  { tenants = [] }: IssuerDocument,
  { name, tenant }: Preset,
): readonly string[] {
  const path: JsonPath = ['issuers', alias]
  if (tenant === undefined) {
    if (tenants.length > 0) {
      const instead = name === 'google' ? ': use `google-workspace`' : ''
      reader.fault('malformed_tenant', [...path, 'tenants'], `preset \`${name}\` has no tenants${instead}`)
    }
    return []
  }
  if (tenants.length === 0 && (tenant.required || reader.document.issuers[alias]?.tenants !== undefined)) {
    reader.fault(
      'missing_tenants',
      path,
      `issuer \`${alias}\` has no \`tenants\`, so everyone’s tokens would be taken: list ${tenant.what}`,
    )
  }
  for (const [i, value] of tenants.entries()) {
    if (!tenant.form.test(value) && !reader.isOpen(value)) {
      reader.fault('malformed_tenant', [...path, 'tenants', i], `\`${value}\` is none of the ${tenant.what}`)
    }
  }
  return tenants
}

const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const

function readKeys(
  reader: PolicyReader,
  path: JsonPath,
  { keys }: IssuerDocument,
  preset: Preset,
): readonly Claims[] | undefined {
  if (keys === undefined) return undefined
  if (keys.length === 0 || preset.keys !== 'discovery') {
    const message = keys.length === 0 ? 'there is no key' : `preset \`${preset.name}\` takes no keys`
    reader.fault('malformed_keys', [...path, 'keys'], message)
  }
  for (const [i, key] of keys.entries()) {
    // A private key in a policy is a leak by itself, and what leaked must not verify anything.
    if (typeof key.kty !== 'string' || secretMembers.some((member) => Object.hasOwn(key, member))) {
      reader.fault('malformed_keys', [...path, 'keys', i], 'this is not a public JSON Web Key')
    }
  }
  return keys
}

/** Tokens whose keys are found in another way cannot be taken for one another. */
function isAmbiguous(one: Issuer, other: Issuer): boolean {
  const sameKeys = JSON.stringify(one.keys) === JSON.stringify(other.keys)
  return (
    (one.preset !== other.preset || !sameKeys) &&
    one.preset.keys === other.preset.keys &&
    one.audience.some((value) => other.audience.includes(value)) &&
    one.addresses.some(({ iss }) => other.addresses.some((address) => address.iss === iss))
  )
}

/** What a preset of its own would check stays unchecked under `oidc`. */
function warnOfGeneralPreset(
  reader: PolicyReader,
  path: JsonPath,
  preset: Preset,
  addresses: Issuer['addresses'],
): void {
  if (preset.name !== 'oidc') return
  for (const { iss } of addresses) {
    const better = [...presets.values()].find(
      ({ issuer: { known, also = [], form, distinctive, shared } }) =>
        [known, ...also].includes(iss) ||
        shared?.test(iss) === true ||
        (distinctive === true && form?.test(templateOf(iss)) === true),
    )
    if (better !== undefined && !isOnThisMachine(iss)) {
      reader.warn(
        'preset_too_general',
        [...path, 'preset'],
        `\`oidc\` leaves unchecked what \`${better.name}\` checks of \`${iss}\``,
      )
    }
  }
}

/** An address with its tenant taken out, as forms have it. */
function templateOf(iss: string): string {
  return iss.replace(/(?<=\/)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=\/|$)/, '{tenant}')
}
