/**
 * Weak subjects: bindings on what someone else may choose, and on what the issuer never says.
 *
 * Warnings only: such a binding does what it says. What a claim is worth stands in the presets.
 *
 * @module
 */
import type { JsonPath } from '../json.ts'
import type { Preset } from '../principal/preset.ts'
import { presets } from '../principal/presets/index.ts'
import type { Json } from '../types.ts'
import { isMapping } from './condition.ts'
import type { PolicyReader } from './reader.ts'
import type { ConditionDocument, SubjectDocument } from './schema.ts'

export function warnOfWeakSubject(reader: PolicyReader, subject: SubjectDocument, path: JsonPath): void {
  const aliases = [subject.issuer ?? []].flat()
  const named = [...new Set(aliases.map((alias) => presetOf(reader, alias)))].filter((it) => it !== undefined)
  if (subject.email !== undefined && aliases.length === 0) {
    const message = 'any issuer could vouch for this address; name the `issuer`'
    reader.warn('claim_chosen_by_attacker', [...path, 'email'], message)
  }
  for (const preset of named) warnOfMembers(reader, subject, preset, path)
  if (subject.claims === undefined) return
  const tests = testsOf(subject.claims, [...path, 'claims'])
  warnOfAnyClaims(reader, subject.claims, tests)
  for (const preset of named) warnOfClaims(reader, preset, tests)
}

function presetOf({ document }: PolicyReader, alias: string): Preset | undefined {
  const issuer = Object.hasOwn(document.issuers, alias) ? document.issuers[alias] : undefined
  return issuer && presets.get(issuer.preset)
}

/** `group`, `username` and `email`, as far as the preset has them. */
function warnOfMembers(
  reader: PolicyReader,
  subject: SubjectDocument,
  { name, reads, weak = {} }: Preset,
  path: JsonPath,
): void {
  const members = [
    ['group', reads.groups, 'groups'],
    ['username', reads.username, 'a user name'],
    ['email', reads.email && 'email', 'an e-mail address'],
  ] as const
  for (const [member, claim, what] of members) {
    if (subject[member] === undefined) continue
    if (claim === undefined) {
      const message = `\`${name}\` tokens never tell ${what}, so this binds nobody`
      reader.warn('claim_of_another_kind', [...path, member], message)
    } else if (weak[claim] !== undefined) {
      reader.warn('claim_chosen_by_attacker', [...path, member], weakness(claim, weak[claim], name))
    }
  }
}

interface ClaimTest {
  readonly name: string
  readonly test: Json
  readonly path: JsonPath
}

/** The tests on claims, those of `$and`, `$or` and `$not` too. */
function testsOf(condition: ConditionDocument, path: JsonPath): ClaimTest[] {
  return Object.entries(condition).flatMap(([name, test]): ClaimTest[] => {
    const here = [...path, name]
    if (!name.startsWith('$')) return [{ name, test, path: here }]
    const parts = Array.isArray(test) ? (test as readonly Json[]) : [test]
    return parts.flatMap((part, i) =>
      isMapping(part) ? testsOf(part, Array.isArray(test) ? [...here, i] : here) : [],
    )
  })
}

/** What is wrong whoever the issuer is. */
function warnOfAnyClaims(reader: PolicyReader, claims: ConditionDocument, tests: readonly ClaimTest[]): void {
  const warn = (path: JsonPath, message: string) => reader.warn('claim_chosen_by_attacker', path, message)
  for (const { name, test, path } of tests) {
    const text = JSON.stringify(test)
    if (name === 'sub' && /"repo:[^/"]*\*/.test(text)) {
      warn(path, 'the wildcard stands before the repository, so anyone can make one that matches')
    } else if (name === 'sub' && isMapping(test) && test.$glob !== undefined) {
      warn(path, 'a wildcard in `sub` takes branches, pull requests and names to come; bind on single claims')
    }
    if (name === 'event_name' && text.includes('pull_request_target')) {
      warn(path, '`pull_request_target` runs can execute a stranger’s code with your rights')
    }
    if (name === 'email' && claims.email_verified === undefined) {
      warn(path, 'the address may be unverified; use `email`, which takes verified ones only')
    }
  }
}

/** What this preset knows of its claims. */
function warnOfClaims(reader: PolicyReader, preset: Preset, tests: readonly ClaimTest[]): void {
  const { name: owner, weak = {}, coerce = {} } = preset
  for (const { name, test, path } of tests) {
    const instead = Object.hasOwn(weak, name) ? weak[name] : undefined
    const hasAnchor = tests.some((other) => other.name === instead)
    // `claims.email` has been warned of already, whoever the issuer is.
    if (instead !== undefined && name !== 'email' && !hasAnchor) {
      reader.warn('claim_chosen_by_attacker', path, weakness(name, instead, owner))
    }
    const literals = literalsOf(test)
    if (coerce.booleans?.includes(name) && literals.some((value) => typeof value === 'string')) {
      const message = `\`${name}\` of \`${owner}\` tokens is read as a boolean: write \`true\` or \`false\` without quotes`
      reader.warn('claim_of_another_kind', path, message)
    }
    if (coerce.texts?.includes(name) && literals.some((value) => typeof value === 'number')) {
      const message = `\`${name}\` of \`${owner}\` tokens is read as a text: put the number in quotes`
      reader.warn('claim_of_another_kind', path, message)
    }
  }
}

/** Values that a claim is compared with. */
function literalsOf(test: Json): readonly Json[] {
  if (!isMapping(test)) return [test].flat()
  return [test.$eq, test.$ne, test.$in, test.$nin].flat().filter((value) => value !== undefined) as Json[]
}

function weakness(claim: string, instead: string, preset: string): string {
  return instead === ''
    ? `\`${claim}\` of a \`${preset}\` token says who or what set off a run, which others can choose; it is for the record only`
    : `\`${claim}\` of a \`${preset}\` token can be changed, or taken over by someone else: bind on \`${instead}\``
}
