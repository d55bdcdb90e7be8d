/**
 * `hfauth explain`: a decision for supposed claims, with every statement that was considered.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import {
  type Atom,
  anonymous,
  type Change,
  createEngine,
  type Explanation,
  formatLocation,
  issuerAtAddress,
  type Policy,
  type Principal,
  principalFromClaims,
} from '@hfauth/core'
import { type Command, UsageError } from '../command.ts'
import { defaultPolicyFile, readPolicyFile } from '../policy-file.ts'
import { questionOptions, readMapping, readQuestion } from '../question.ts'

export const explain: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...questionOptions,
      policy: { type: 'string', default: defaultPolicyFile },
      issuer: { type: 'string' },
      claims: { type: 'string' },
      'access-token': { type: 'boolean', default: false },
      anonymous: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const { environment, ...question } = readQuestion(positionals, values)
  const policy = await readPolicyFile(values.policy, io)
  const principal = values.anonymous ? anonymous : supposedPrincipal(policy, values)
  const explanation = createEngine(policy, { environment })
    .for(principal)
    // Whoever runs this has the policy file.
    .explain(question, { audience: 'administrator' })
  if (values.json) io.out(JSON.stringify(explanation))
  else for (const line of describe(explanation)) io.out(line)
  return explanation.decision.allowed ? 0 : 1
}

interface SupposedValues {
  readonly issuer?: string | undefined
  readonly claims?: string | undefined
  readonly 'access-token': boolean
}

/** A principal as a verifier would make it of these claims; the token is fresh unless they say otherwise. */
function supposedPrincipal(policy: Policy, values: SupposedValues): Principal {
  const issuer = policy.issuers.get(values.issuer ?? '')
  if (issuer === undefined) {
    const known = [...policy.issuers.keys()].map((alias) => `\`${alias}\``).join(', ')
    throw new UsageError(`\`--issuer\` must be one of ${known}, or say \`--anonymous\``)
  }
  const seconds = Math.floor(Date.now() / 1000)
  return principalFromClaims({
    issuer: issuer.alias,
    preset: issuer.preset,
    credential: values['access-token'] ? 'access_token' : 'id_token',
    claims: { iat: seconds, exp: seconds + 3600, ...readMapping('claims', values.claims ?? '{}') },
    issuerAt: issuerAtAddress(policy.issuers.values()),
  })
}

function* describe({ decision, considered, remedies }: Explanation): Iterable<string> {
  yield `${decision.allowed ? 'ALLOW' : 'DENY'} ${decision.action} ${decision.resource} in ${decision.environment}: ${decision.reason}`
  yield `  principal  ${decision.principal}, roles ${list(decision.roles)}`
  if (decision.delegation !== undefined) {
    const { chain, refused } = decision.delegation
    yield `  acting     ${chain.slice(1).join(' for ')} for ${chain[0]}${refused === undefined ? '' : `; refused is ${refused}`}`
  }
  for (const { id, roles, location } of decision.bindings) {
    yield `  binding    ${id} gives ${list(roles)}${location === undefined ? '' : ` at ${formatLocation(location)}`}`
  }
  for (const { id, effect, reason, location } of decision.statements) {
    yield `  decided by ${id} (${effect})${location === undefined ? '' : ` at ${formatLocation(location)}`}${reason === undefined ? '' : `: ${reason}`}`
  }
  if (decision.missingAttributes.length > 0) yield `  missing    ${list(decision.missingAttributes)}`
  if (decision.stepUp !== undefined) yield `  step-up    ${JSON.stringify(decision.stepUp)}`
  if (decision.scopes.length > 0) yield `  scopes     ${list(decision.scopes)}`
  for (const { statement, effect, pattern, matchesId, outcome, missing, atoms, location } of considered) {
    const place = location === undefined ? '' : ` at ${formatLocation(location)}`
    const came = matchesId ? outcome : 'pattern does not match'
    yield `  considered ${statement} (${effect}) on ${pattern}: ${came}${missing.length === 0 ? '' : `, for want of ${list(missing)}`}${place}`
    for (const atom of atoms) yield `    ${describeAtom(atom)}`
  }
  if (remedies !== undefined) {
    for (const set of remedies.sets) yield `  remedy     ${set.map(describeChange).join(', and ')}`
    if (remedies.sets.length === 0) yield '  remedy     none was found'
    if (!remedies.complete) yield '             there may be others: not every set of changes was tried'
  }
  yield `  policy     ${decision.policy.name} ${decision.policy.digest}`
}

function describeAtom({ fact, operator, operand, reference, value, outcome, negated }: Atom): string {
  const to = reference === undefined ? shown(operand) : `${reference} (${shown(operand)})`
  const test = operator === undefined ? fact : `${fact} ${operator} ${to}`
  return `${negated ? 'not: ' : ''}${test}: ${outcome}, ${value === undefined ? 'it was not told' : `it is ${shown(value)}`}`
}

function describeChange(change: Change): string {
  switch (change.kind) {
    case 'sign_in':
      return `sign in with ${change.issuer}`
    case 'role':
      return `be bound to role ${change.role ?? '(not told)'}`
    case 'scope':
      return `a token with ${list(change.scopes)}`
    case 'environment':
      return `in ${change.environment}`
    case 'fresher_token':
      return `a fresher token${change.maxAgeSeconds === undefined ? '' : `, at most ${change.maxAgeSeconds} s old`}`
    case 'step_up':
      return `sign in again with ${list(change.missing)}`
    case 'attribute': {
      const verb = change.told ? 'were' : 'were known to be'
      return change.not === undefined
        ? `if ${change.fact} ${verb} ${shown(change.is)}`
        : `if ${change.fact} ${verb} other than ${shown(change.not)}`
    }
  }
}

function shown(value: unknown): string {
  return value === undefined ? 'not told' : JSON.stringify(value)
}

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ')
}
