/**
 * `pnpm fuzz`: the laws for longer. A million questions by default, many more to Cedar than in the suite, and
 * everything that reads text fed with what is almost right; each outcome is an answer or a typed error.
 *
 * `--seed N` repeats a run, `--questions N` makes it longer or shorter. The seed stands in the first line.
 */
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { standingOf } from '../src/decide/access.ts'
import { snapshotOf } from '../src/decide/snapshot.ts'
import {
  canonicalId,
  createEngine,
  HfAuthError,
  loadSnapshot,
  PolicyError,
  parsePolicy,
} from '../src/index.ts'
import { matchGlob, parseGlob } from '../src/internal/glob.ts'
import { parseJson } from '../src/json.ts'
import { parsePolicy as parseYaml } from '../src/yaml.ts'
import { askAround, type Seen } from './agreement.ts'
import { Dice, rollPrincipal, rollQuestion, world, worldPolicy } from './generators.ts'
import { mutate } from './mutations.ts'
import { type Comparison, compareWithCedar } from './oracle-cedar.ts'
import { now } from './support.ts'

const { values } = parseArgs({
  options: { seed: { type: 'string' }, questions: { type: 'string', default: '1000000' } },
})
const seed = Number(values.seed ?? Date.now() % 2_147_483_648)
const questions = Number(values.questions)
if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(questions) || questions < 1) {
  console.error('usage: pnpm fuzz [--seed N] [--questions N]')
  process.exit(2)
}
console.log(`seed ${seed}`)

const started = performance.now()
timed('agreement', agreement)
timed('Cedar', cedar)
timed('texts', texts)
timed('snapshots', snapshots)
timed('ids and globs', idsAndGlobs)
console.log(`no disagreement, no untyped error; ${Math.round((performance.now() - started) / 1000)} s`)

function timed(name: string, run: () => string): void {
  const start = performance.now()
  const said = run()
  console.log(`${name}: ${said} (${((performance.now() - start) / 1000).toFixed(1)} s)`)
}

/** All ways of asking against the obvious evaluator; a failure comes out shrunk. */
function agreement(): string {
  const each = { principals: 4, questions: 28 }
  const seen: Seen = new Map()
  const policies = Math.ceil(questions / (each.principals * each.questions))
  fc.assert(
    fc.property(world, fc.nat(), (document, diceSeed) => {
      askAround(worldPolicy(document), diceSeed, each, seen)
    }),
    { seed, numRuns: policies },
  )
  const total = [...seen.values()].reduce((sum, count) => sum + count, 0)
  const reasons = [...seen].sort(([, a], [, b]) => b - a).map(([reason, count]) => `${reason} ${count}`)
  return `${total} questions on ${policies} policies: ${reasons.join(', ')}`
}

function cedar(): string {
  const total: Comparison = { questions: 0, allowed: 0, denied: 0 }
  const policies = Math.ceil(questions / 500)
  for (let i = 0; i < policies; i++) compareWithCedar(seed + i, 25, total)
  return `${total.questions} questions, ${total.allowed} allowed by both, ${total.denied} denied by both`
}

function texts(): string {
  const dice = new Dice(seed)
  const yaml = readFileSync(new URL('./example.policy.yaml', import.meta.url), 'utf8')
  const options = { variables: { HF_CLIENT_ID: 'app' } }
  const json = JSON.stringify(parseYaml(yaml, options).document)
  const count = { read: 0, refused: 0 }
  for (let i = 0; i < questions / 50; i++) {
    outcome(count, () => parseYaml(mutate(yaml, dice), options), PolicyError)
    outcome(count, () => parsePolicy(mutate(json, dice)), PolicyError)
    const text = mutate(json.slice(dice.below(json.length)), dice)
    // What our reader takes, every reader takes, as the same value.
    const value = outcome(count, () => parseJson(text), HfAuthError)
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(JSON.parse(text)))
      throw new Error(`read differently: ${JSON.stringify(text)}`)
  }
  return `${count.read} read, ${count.refused} refused with a typed error`
}

/** Snapshots from somebody else's hands are refused, or answer. */
function snapshots(): string {
  const count = { read: 0, refused: 0 }
  const dice = new Dice(seed + 1)
  const documents = fc.sample(world, { seed, numRuns: Math.ceil(questions / 1000) })
  for (const document of documents) {
    const engine = createEngine(worldPolicy(document), { environment: 'production', now: () => now })
    for (let i = 0; i < 20; i++) {
      const text = mutate(JSON.stringify(engine.for(rollPrincipal(dice)).snapshot()), dice)
      const access = outcome(count, () => loadSnapshot(text, { now: () => now }), HfAuthError)
      if (access === undefined) continue
      for (let j = 0; j < 5; j++) {
        const question = rollQuestion(dice)
        const { allowed } = access.decide(question)
        const { action, resource, context, environment } = question
        const asked = environment === undefined && access.can(action, resource, context) !== allowed
        if (asked) throw new Error(`can and decide differ on ${text}`)
        access.likelihood(action, resource, context)
      }
      access.scopes()
      snapshotOf(standingOf(access).standing)
    }
  }
  return `${count.read} loaded and asked, ${count.refused} refused with a typed error`
}

function idsAndGlobs(): string {
  const dice = new Dice(seed + 2)
  let canonical = 0
  let matched = 0
  const rounds = Math.ceil(questions / 10)
  for (let i = 0; i < rounds; i++) {
    const id = mutate(dice.of(['acme/x', 'ACME/%56ision', 'a/b/c', '%E2%82%AC/x', 'e\u0301/x']), dice)
    const found = canonicalId(dice.of(['model', 'prompt']), id)
    if (found !== undefined) {
      canonical += 1
      // Its own canonical form: nothing in it is decoded, composed or left out a second time.
      if (canonicalId('prompt', found) !== found) throw new Error(`not canonical: ${JSON.stringify(id)}`)
    }
    const letters = ['a', 'b', '/', '*', '**', 'a*']
    const pattern = Array.from({ length: dice.below(7) }, () => dice.of(letters)).join('')
    const text = Array.from({ length: dice.below(9) }, () => dice.of(['a', 'b', '/'])).join('')
    const obvious = pattern.replaceAll(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '[^]*'))
    const match = matchGlob(parseGlob(pattern), text)
    if (match !== new RegExp(`^${obvious}$`).test(text)) throw new Error(`glob ${pattern} on ${text}`)
    if (match) matched += 1
  }
  return `${rounds} of each; ${canonical} canonical, ${matched} matched`
}

function outcome<T>(
  count: { read: number; refused: number },
  run: () => T,
  kind: new (...args: never[]) => HfAuthError,
): T | undefined {
  try {
    const value = run()
    count.read += 1
    return value
  } catch (error) {
    if (!(error instanceof kind)) throw error
    count.refused += 1
    return undefined
  }
}
