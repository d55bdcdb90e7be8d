/**
 * The policy file a command works on.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { HfAuthError, type Policy } from '@hfauth/core'
import { parsePolicy } from '@hfauth/core/yaml'
import type { CommandIo } from './command.ts'

export const defaultPolicyFile = 'hfauth.policy.yaml'

/**
 * Reads and checks a policy; `${env.NAME}` under `issuers` comes from the command's environment.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when there is no such file; PolicyError with every fault.
 */
export async function readPolicyFile(file: string, io: Pick<CommandIo, 'env'>): Promise<Policy> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `cannot read the policy \`${file}\``, { cause: error })
  }
  return parsePolicy(text, { file, variables: io.env })
}
