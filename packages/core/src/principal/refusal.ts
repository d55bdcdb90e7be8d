/**
 * Refusal: why claims that the issuer did sign are still not taken.
 *
 * verified claims → **refusal** → principal. Signature, audience and times have been checked; here the
 * preset says what such a token does not prove: another tenant's, another kind of identity, a run that
 * strangers can start.
 *
 * @module
 */
import { type Claims, own, textClaim } from './claims.ts'
import { normalClaims } from './normal-claims.ts'
import type { Preset, TokenCredential } from './preset.ts'

/** What a policy says of an issuer that bears on its claims. */
export interface IssuerLimits {
  /** The policy's own name for it. */
  readonly alias: string
  readonly preset: Preset
  /** The tenants that are let in; empty where the policy does not restrict them. */
  readonly tenants: readonly string[]
  /** Values of the preset's `gate` that a binding asks for by name. */
  readonly gatesOpened: readonly string[]
}

/**
 * Says why the token is refused, without repeating anything from it; `undefined` when it is not.
 *
 * @param issuer - As the policy has it.
 * @param tenant - The tenant whose address `iss` is, where each tenant has its own.
 */
export function refusalOfClaims(
  issuer: IssuerLimits,
  credential: TokenCredential,
  claims: Claims,
  tenant?: string,
): string | undefined {
  const { preset, tenants } = issuer
  const normal = normalClaims(preset, claims)
  const reason = preset.refuse?.(normal, credential)
  if (reason !== undefined) return reason
  const missing = preset.requires?.find((name) => [undefined, null, ''].includes(own(normal, name) as null))
  if (missing !== undefined)
    return `the token has no \`${missing}\`, which a \`${preset.name}\` token must have`
  if (preset.tenant !== undefined && (tenants.length > 0 || tenant !== undefined)) {
    const told = textClaim(normal, preset.tenant.claim)
    if (told === undefined || (tenants.length > 0 && !tenants.includes(told))) {
      return `the token is of no tenant that issuer \`${issuer.alias}\` lists (\`${preset.tenant.claim}\`)`
    }
    if (tenant !== undefined && told !== tenant) {
      return `\`iss\` of the token is of another tenant than its \`${preset.tenant.claim}\``
    }
  }
  const { gate } = preset
  const gated = gate && textClaim(normal, gate.claim)
  if (gate && gated !== undefined && gate.values.includes(gated) && !issuer.gatesOpened.includes(gated)) {
    return `\`${gate.claim}\` is \`${gated}\`: such runs are refused unless a binding asks for them by name`
  }
  return undefined
}
