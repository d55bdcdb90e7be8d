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

/**
 * Reads and checks a policy so that what is made of it does not depend on where that happens: each variable stands
 * for itself. For files that are generated once and used elsewhere, never for a decision.
 *
 * @throws as {@link readPolicyFile} does.
 */
export async function readPolicyAnywhere(file: string): Promise<Policy> {
  // A file that cannot be read is reported by whoever reads the policy.
  const text = await readFile(file, 'utf8').catch(() => '')
  const names = [...text.matchAll(/\$\{env\.([A-Za-z_]\w*)\}/g)].map((match) => match[1] ?? '')
  const env = Object.fromEntries(
    names.map((name) => [name, `https://${name.toLowerCase().replaceAll('_', '-')}.invalid`]),
  )
  return readPolicyFile(file, { env })
}
