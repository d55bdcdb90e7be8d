/**
 * Issuer addresses: every text of `iss` that is taken, spelt out.
 *
 * A preset's `{tenant}` is filled in with each tenant of the policy, so that a verifier only ever compares
 * whole texts; nothing that a token says takes part in it.
 *
 * @module
 */
import type { JsonPath } from '../json.ts'
import type { Preset } from '../principal/preset.ts'
import type { IssuerAddress } from './policy.ts'
import type { PolicyReader } from './reader.ts'

const placeholder = '{tenant}'

export function readAddresses(
  reader: PolicyReader,
  alias: string,
  { issuer }: { readonly issuer?: string | readonly string[] | undefined },
  preset: Preset,
  tenants: readonly string[],
): readonly IssuerAddress[] {
  const path: JsonPath = ['issuers', alias]
  const { known, also = [] } = preset.issuer
  const given = [issuer ?? known ?? []].flat()
  if (given.length === 0) {
    reader.fault('malformed_issuer', path, `issuer \`${alias}\` has no \`issuer\` address`)
  }
  if (given.length > 1 && isAskedBlindly(preset)) {
    reader.fault(
      'malformed_issuer',
      path,
      `issuer \`${alias}\` has several addresses, and an access token does not say which may see it: give each an alias`,
    )
  }
  const addresses = given.flatMap((text): IssuerAddress[] => {
    const filled = text.includes(placeholder)
      ? tenants.map((tenant) => ({ iss: text.replace(placeholder, tenant), tenant }))
      : [{ iss: text }]
    const fault =
      filled
        .filter(({ iss }) => !reader.isOpen(iss))
        .map(({ iss }) => addressFault(iss))
        .find((reason) => reason !== undefined) ?? (reader.isOpen(text) ? undefined : formFault(text, preset))
    if (fault !== undefined) reader.fault('malformed_issuer', path, `issuer \`${alias}\` ${fault}`)
    return filled.map((address) => ({ ...address, url: address.iss }))
  })
  // Other spellings belong to the address that the preset knows, not to one that a policy gives instead.
  const spellings = given.includes(known ?? '') ? also.map((iss) => ({ iss, url: known ?? '' })) : []
  return [...addresses, ...spellings]
}

/** Whether its access tokens are sent to it before it is known that they are its own. */
function isAskedBlindly({ accessTokens }: Preset): boolean {
  return accessTokens === 'userinfo' || accessTokens === 'github'
}

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Whether an address is one of this machine's own, which tests and development use. */
export function isOnThisMachine(url: string): boolean {
  return URL.canParse(url) && loopback.has(new URL(url).hostname)
}

/** Issuer identifiers are https addresses without query and fragment (RFC 8414 §2); http only on this machine. */
function addressFault(url: string): string | undefined {
  if (!URL.canParse(url)) return `has \`${url}\`, which is not an address`
  const { protocol, search, hash, username, password } = new URL(url)
  if (protocol !== 'https:' && !(protocol === 'http:' && isOnThisMachine(url)))
    return 'is not reached by https'
  if (search !== '' || hash !== '' || username !== '' || password !== '')
    return 'has an address with more than host and path'
  return undefined
}

function formFault(text: string, { name, issuer: { known, form, example } }: Preset): string | undefined {
  if (text === known || form === undefined || form.test(text)) return undefined
  if (isOnThisMachine(text.replaceAll(placeholder, 'tenant'))) return undefined
  return `has \`${text}\`, which is no address of preset \`${name}\`: they look like \`${example ?? known}\``
}
