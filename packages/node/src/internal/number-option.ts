/**
 * Number options: a duration that is NaN or negative would switch a protection off without a word.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'

/**
 * @param bounds - Both ends belong to the range; `max` defaults to 2^31 − 1, the longest timer there is.
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` unless `value` is a finite number within `bounds`.
 */
export function numberOption(
  name: string,
  value: number,
  { min = 0, max = 2_147_483_647 }: { readonly min?: number; readonly max?: number } = {},
): number {
  if (!Number.isFinite(value) || value < min || value > max) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `\`${name}\` must be a number from ${min} to ${max}`)
  }
  return value
}
