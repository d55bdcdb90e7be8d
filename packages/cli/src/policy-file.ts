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
  return parsePolicy(await readText(file), { file, variables: io.env })
}

/**
 * Reads and checks a policy so that what is made of it does not depend on where that happens: each variable stands
 * for itself. For files that are generated once and used elsewhere, never for a decision.
 *
 * @throws as {@link readPolicyFile} does.
 */
export async function readPolicyAnywhere(file: string): Promise<Policy> {
  return parsePolicy(await readText(file), { file, openVariables: true })
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', `cannot read the policy \`${file}\``, { cause: error })
  }
}
