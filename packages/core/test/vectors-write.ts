/**
 * Writes `vectors/*.json`: `node packages/core/test/vectors-write.ts`. Decisions come from the reference evaluator,
 * snapshots from the engine; a reason that was written by hand and differs stops everything.
 */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import {
  anonymous,
  createEngine,
  digestOf,
  type Json,
  type Policy,
  type Principal,
  parsePolicy,
  presets,
  principalFromClaims,
} from '../src/index.ts'
import { referenceDecision } from './reference-decision.ts'
import { now } from './support.ts'
import type { VectorCase, VectorFile, VectorPrincipal, VectorQuestion } from './vectors-run.ts'
import { type SourceCase, sourceFiles } from './vectors-source.ts'

const folder = new URL('../vectors/', import.meta.url)
const environment = 'production'

/** The files as they should stand, by name. */
export function vectorFiles(): Map<string, string> {
  return new Map(
    sourceFiles().map(({ file, section, cases }) => [
      `${file}.json`,
      textOf({ section, cases: cases.map(toCase) }),
    ]),
  )
}

function toCase({ name, policy: document, now: at = now, principals, asked }: SourceCase): VectorCase {
  // As text, so that the places of statements are part of what is compared.
  const policy = parsePolicy(JSON.stringify(document))
  const people = new Map(Object.entries(principals).map(([who, principal]) => [who, issue(principal)]))
  const engine = createEngine(policy, { environment, now: () => at })
  const questions = asked.map(([who, question, written]): VectorQuestion => {
    const principal = people.get(who)
    if (principal === undefined) throw new Error(`${name}: nobody is called ${who}`)
    const decision = referenceDecision(policy as Policy, principal, environment, question, at)
    if (written !== undefined && written !== decision.reason)
      throw new Error(`${name}: ${JSON.stringify([who, question])} is ${decision.reason}, not ${written}`)
    return {
      principal: who,
      question,
      reason: decision.reason,
      statements: decision.statements.map(({ id }) => id),
      roles: decision.roles,
      scopes: decision.scopes,
      missing: decision.missingAttributes,
      digest: digestOf(decision as unknown as Json),
    }
  })
  const snapshots = [...people].map(([who, principal]) => [who, engine.for(principal).snapshot().digest])
  return {
    name,
    policy: document,
    environment,
    now: at,
    principals,
    snapshots: Object.fromEntries(snapshots),
    questions,
  }
}

function issue(principal: VectorPrincipal | 'anonymous'): Principal {
  if (principal === 'anonymous') return anonymous
  return principalFromClaims({ ...principal, preset: presets.get(principal.preset) } as never)
}

/** One line for each question, so that a drift is one line of a diff. */
function textOf({ section, cases }: VectorFile): string {
  const shown = cases.map(({ questions, ...rest }) => {
    const members = Object.entries(rest).map(
      ([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`,
    )
    const lines = questions.map((question) => `    ${JSON.stringify(question)}`)
    return `  {\n   ${members.join(',\n   ')},\n   "questions": [\n${lines.join(',\n')}\n   ]\n  }`
  })
  return `{\n "section": ${JSON.stringify(section)},\n "cases": [\n${shown.join(',\n')}\n ]\n}\n`
}

if (import.meta.main) {
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(folder)) rmSync(new URL(name, folder))
  for (const [name, text] of vectorFiles()) writeFileSync(new URL(name, folder), text)
}
