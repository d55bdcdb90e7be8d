/**
 * `hfauth who-can`: the bindings through which somebody could be allowed something, from the policy alone.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { createEngine, formatLocation, type Holder } from '@hfauth/core'
import type { Command } from '../command.ts'
import { defaultPolicyFile, readPolicyFile } from '../policy-file.ts'
import { questionOptions, readQuestion } from '../question.ts'

export const whoCan: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...questionOptions,
      policy: { type: 'string', default: defaultPolicyFile },
      json: { type: 'boolean', default: false },
    },
  })
  const { environment, ...question } = readQuestion(positionals, values)
  const policy = await readPolicyFile(values.policy, io)
  const holders = createEngine(policy, { environment }).whoCan(question)
  if (values.json) io.out(JSON.stringify({ policy: policy.reference, environment, holders }))
  else if (holders.length === 0) io.out('nobody')
  else for (const holder of holders) io.out(describe(holder))
  return holders.length === 0 ? 1 : 0
}

function describe({ binding, to, roles, certainty }: Holder): string {
  const place = binding.location === undefined ? '' : ` at ${formatLocation(binding.location)}`
  const when = certainty === 'certain' ? 'everyone with' : 'some with'
  return `${when} ${JSON.stringify(to)}, as ${roles.join(', ')}: ${binding.id}${place}`
}
