/**
 * Faults and warnings: what is wrong with a policy, where, and what was probably meant.
 *
 * @module
 */
import { HfAuthError } from '../errors.ts'
import type { JsonPath } from '../json.ts'
import type { SourceLocation } from '../types.ts'

export type FaultCode =
  | 'syntax'
  | 'too_large'
  | 'duplicate_key'
  | 'unknown_key'
  | 'missing_key'
  | 'wrong_type'
  | 'unknown_preset'
  | 'unknown_role'
  | 'unknown_issuer'
  | 'unknown_project'
  | 'unknown_environment'
  | 'unknown_action'
  | 'unknown_type'
  | 'unknown_attribute'
  | 'unknown_operator'
  | 'unknown_variable'
  | 'cycle'
  | 'malformed_name'
  | 'malformed_pattern'
  | 'malformed_condition'
  | 'malformed_duration'
  | 'malformed_time'
  | 'malformed_issuer'
  | 'malformed_route'
  | 'missing_audience'
  | 'shared_audience'
  | 'wildcard_audience'
  | 'ambiguous_issuer'
  | 'missing_tenants'
  | 'malformed_tenant'
  | 'missing_keys'
  | 'malformed_keys'
  | 'unreachable_statement'
  | 'duplicate'

export type WarningCode =
  | 'claim_chosen_by_attacker'
  | 'claim_of_another_kind'
  | 'preset_too_general'
  | 'role_without_binding'
  | 'shadowed_by_deny'
  | 'denial_by_group'
  | 'everything_on_everything'

export interface PolicyFault extends SourceLocation {
  readonly code: FaultCode
  /** Where, as keys and indices: `roles.engineer.allow[0].on[1]`. */
  readonly path: string
  readonly message: string
}

export interface PolicyWarning extends SourceLocation {
  readonly code: WarningCode
  readonly path: string
  readonly message: string
}

/** Thrown with every fault the text has, in the order they stand in it. */
export class PolicyError extends HfAuthError {
  readonly faults: readonly PolicyFault[]

  constructor(faults: readonly PolicyFault[]) {
    const lines = faults.map((fault) => `${formatLocation(fault)} ${fault.message} (${fault.code})`)
    super(
      'HFAUTH_POLICY_INVALID',
      `policy has ${faults.length} fault${faults.length === 1 ? '' : 's'}\n${lines.join('\n')}`,
    )
    this.faults = faults
  }
}

/** `policy.yaml:3:5`, as editors and terminals make it a link. */
export function formatLocation(location: SourceLocation): string {
  return `${location.file ?? 'policy'}:${location.line}:${location.column}`
}

export function formatPath(path: JsonPath): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('')
}
