/**
 * `hfauth policy diff`: what one version of a policy says that another does not, for whoever reviews a change.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { createEngine, type Policy } from '@hfauth/core'
import { policyDiff } from '@hfauth/node'
import { type Command, UsageError } from '../command.ts'
import { readPolicyAnywhere } from '../policy-file.ts'

/** What a sign-in has to ask for in one environment before and after; no member where there is no such environment. */
interface ScopesChange {
  readonly environment: string
  readonly before?: readonly string[]
  readonly after?: readonly string[]
}

export const policyDiffCommand: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  const [oldFile, newFile] = positionals
  if (oldFile === undefined || newFile === undefined || positionals.length > 2)
    throw new UsageError('two policies are compared: the one before and the one after')
  const [before, after] = await Promise.all([readPolicyAnywhere(oldFile), readPolicyAnywhere(newFile)])
  const diff = policyDiff(before, after)
  const scopes = scopesChanges(before, after)
  if (values.json) {
    io.out(JSON.stringify({ before: before.reference, after: after.reference, ...diff, scopes }))
  } else {
    for (const line of diff.removed) io.out(`- ${line}`)
    for (const line of diff.added) io.out(`+ ${line}`)
    for (const { environment, before: old, after: now } of scopes)
      io.out(`scopes in ${environment}: ${listed(old)} → ${listed(now)}`)
  }
  return diff.removed.length + diff.added.length === 0 ? 0 : 1
}

function scopesChanges(before: Policy, after: Policy): ScopesChange[] {
  const names = new Set([...before.environments.keys(), ...after.environments.keys()])
  return [...names].sort().flatMap((environment) => {
    const [old, now] = [scopesIn(before, environment), scopesIn(after, environment)]
    if (old?.join(' ') === now?.join(' ')) return []
    return [{ environment, ...(old && { before: old }), ...(now && { after: now }) }]
  })
}

function scopesIn(policy: Policy, environment: string): readonly string[] | undefined {
  return policy.environments.has(environment) ? createEngine(policy, { environment }).scopes() : undefined
}

function listed(scopes: readonly string[] | undefined): string {
  if (scopes === undefined) return 'no such environment'
  return scopes.length === 0 ? 'none' : scopes.join(' ')
}
