/**
 * `hfauth policy prove`: every invariant in every environment, proved, or broken by a request to look at.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { type Decision, formatLocation, type Policy } from '@hfauth/core'
import { type Counterexample, type Proof, proveInvariants } from '@hfauth/core/analysis'
import type { Command } from '../command.ts'
import { defaultPolicyFile, readPolicyFile } from '../policy-file.ts'

export const policyProve: Command = async (args, io) => {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false } },
  })
  const file = positionals[0] ?? defaultPolicyFile
  const policy = await readPolicyFile(file, io)
  const proofs = proveInvariants(policy, { now: Date.now() })
  const proved = proofs.filter(({ holds }) => holds === true).length
  if (values.json) io.out(JSON.stringify({ policy: policy.reference, proofs }))
  else for (const line of report(file, policy, proofs)) io.out(line)
  if (proofs.length === 0) io.error(`${file}: no invariants; write some under \`invariants\``)
  return proofs.length > 0 && proved === proofs.length ? 0 : 1
}

function report(file: string, policy: Policy, proofs: readonly Proof[]): string[] {
  const lines: string[] = []
  for (const { name } of policy.invariants) {
    lines.push(name)
    for (const proof of proofs) if (proof.invariant === name) lines.push(...describe(proof))
  }
  const count = (holds: Proof['holds']) => proofs.filter((proof) => proof.holds === holds).length
  if (proofs.length > 0)
    lines.push(`${file}: ${count(true)} proved, ${count(false)} broken, ${count('unknown')} unknown`)
  return lines
}

function describe(proof: Proof): string[] {
  const { environment } = proof
  if (proof.holds === true) return [`  proved   ${environment}`]
  if (proof.holds === 'unknown') return [`  unknown  ${environment}: ${proof.reason}`]
  return [
    `  BROKEN   ${environment}: ${proof.counterexample.action} ${proof.counterexample.decision.resource}`,
    ...example(proof.counterexample).map((line) => `             ${line}`),
  ]
}

/** The request, and what allowed it. */
function example({ principal, resource, context, time, decision }: Counterexample): string[] {
  const isEmpty = (members: object) => Object.keys(members).length === 0
  return [
    principal === 'anonymous'
      ? 'principal: anonymous'
      : `principal: issuer ${principal.issuer}, claims ${JSON.stringify(principal.claims)}`,
    ...(isEmpty(resource.attributes) ? [] : [`attributes: ${JSON.stringify(resource.attributes)}`]),
    ...(isEmpty(context) ? [] : [`context: ${JSON.stringify(context)}`]),
    `time: ${new Date(time).toISOString()}`,
    ...allowedBy(decision),
  ]
}

function allowedBy({ statements, bindings }: Decision): string[] {
  const place = ({ id, location }: { id: string; location?: Decision['statements'][number]['location'] }) =>
    location === undefined ? id : `${id} at ${formatLocation(location)}`
  return [`allowed by: ${statements.map(place).join(', ')}`, `through: ${bindings.map(place).join(', ')}`]
}
