/**
 * `hfauth policy build`: the policy as JSON, for a page or a service that reads no YAML and has no environment.
 *
 * Checked, with its variables filled in, and otherwise all that was written: it has the digest of the file, so that
 * decisions by either are on record under the same one.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import type { Command } from '../command.ts'
import { deliver } from '../generated-file.ts'
import { defaultPolicyFile, readPolicyFile } from '../policy-file.ts'

export const policyBuild: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { out: { type: 'string' }, check: { type: 'boolean', default: false } },
  })
  const file = positionals[0] ?? defaultPolicyFile
  const { document } = await readPolicyFile(file, io)
  const text = `${JSON.stringify(document, undefined, 2)}\n`
  return deliver({ ...values, text, command: `hfauth policy build ${file}` }, io)
}
