/**
 * Required token: a credential that the configuration names by its variable, and never holds.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { CommandIo } from '../command.ts'

/**
 * @param what - What needs it, for messages.
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when there is none.
 */
export function requiredToken(name: string | undefined, env: CommandIo['env'], what: string): string {
  const token = name === undefined ? undefined : env[name]
  if (token !== undefined && token !== '') return token
  const place = name === undefined ? 'in the variable that its `tokenEnv` names' : `in ${name}`
  throw new HfAuthError('HFAUTH_CONFIG_INVALID', `${what} needs a token ${place}`)
}
