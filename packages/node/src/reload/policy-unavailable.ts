/**
 * The one error for a policy that cannot be read.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'

export function policyUnavailable(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_POLICY_UNAVAILABLE', `the policy cannot be read: ${reason}`, {
    retryable: true,
  })
}
