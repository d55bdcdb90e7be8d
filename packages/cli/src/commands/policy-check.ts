/**
 * `hfauth policy check`: every fault and warning, each as a line that editors make a link.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { formatLocation, PolicyError } from '@hfauth/core'
import type { Command } from '../command.ts'
import { defaultPolicyFile, readPolicyFile } from '../policy-file.ts'

export const policyCheck: Command = async (args, io) => {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true })
  const file = positionals[0] ?? defaultPolicyFile
  try {
    const policy = await readPolicyFile(file, io)
    for (const warning of policy.warnings) {
      io.out(`${formatLocation(warning)}: warning: ${warning.message} (${warning.code})`)
    }
    const { roles, bindings, environments, reference } = policy
    io.out(
      `${file}: policy \`${reference.name}\` is sound: ${roles.size} roles, ${bindings.length} bindings, ${environments.size} environments, ${reference.digest}`,
    )
    return 0
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    for (const fault of error.faults)
      io.error(`${formatLocation(fault)}: error: ${fault.message} (${fault.code})`)
    return 1
  }
}
