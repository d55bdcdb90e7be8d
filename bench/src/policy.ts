/**
 * The part `policy`: checks, filters and loading, beside peers, on one workload, in one run.
 *
 * All engines have to give the same answers before any of them is timed.
 */
import { createEngine, parsePolicy } from '@hfauth/core'
import type { Engine } from './engine.ts'
import { accesscontrol } from './engines/accesscontrol.ts'
import { prepareCasbin } from './engines/casbin.ts'
import { casl } from './engines/casl.ts'
import { cedarWasm } from './engines/cedar.ts'
import { handWritten } from './engines/hand-written.ts'
import { hfauth, principalOf, toDocument } from './engines/hfauth.ts'
import { formatTime, type Medians, measure } from './measure.ts'
import { createWorkload, type Question, sizes, type Workload } from './workload.ts'

const ours = new Map<number, number>()

for (const size of sizes) {
  const workload = createWorkload(size)
  const engines = [
    hfauth,
    handWritten,
    casl,
    accesscontrol,
    cedarWasm,
    ...(size <= 1_000 ? [await prepareCasbin(workload)] : []),
  ].filter(({ largest }) => size <= largest)
  console.log(`\n═══ ${size} statements, ${size} bindings`)
  agree(engines, workload)
  warm(engines, workload)
  if (size === 1_000) request(engines, workload)
  filter(engines, workload)
}
load()
heap()

/** Every engine, the same principals, the same questions, the same answers; or nothing is timed. */
function agree(engines: readonly Engine[], workload: Workload): void {
  const loaded = engines.map((engine) => ({ name: engine.name, engine: engine.load(workload) }))
  let allowed = 0
  let asked = 0
  for (const groups of workload.principals.slice(0, 20)) {
    const answers = loaded.map(({ name, engine }) => ({ name, can: engine.warm(groups) }))
    for (const question of workload.questions.slice(0, workload.size > 1_000 ? 200 : 100)) {
      const expected = answers[0]?.can(question)
      asked++
      if (expected) allowed++
      for (const { name, can } of answers) {
        if (can(question) !== expected)
          throw new Error(`${name} disagrees about ${JSON.stringify({ groups, question })}`)
      }
    }
  }
  console.log(
    `agreed: ${loaded.map(({ name }) => name).join(', ')} on ${asked} questions, ${allowed} of them allowed`,
  )
}

function warm(engines: readonly Engine[], workload: Workload): void {
  const groups = workload.principals[0] ?? []
  const medians = measure(
    engines.map((engine) => {
      const can = engine.load(workload).warm(groups)
      const { questions } = workload
      let next = 0
      return {
        name: engine.name,
        run(count) {
          let allowed = 0
          for (let i = 0; i < count; i++) {
            if (can(questions[next] as never)) allowed++
            next = next + 1 === questions.length ? 0 : next + 1
          }
          return allowed
        },
      }
    }),
  )
  ours.set(workload.size, medians.get('hfauth') ?? 0)
  print('can, a principal met before', medians)
}

function request(engines: readonly Engine[], workload: Workload): void {
  const { principals, questions } = workload
  const medians = measure(
    engines
      .filter(({ name }) => name !== 'casbin')
      .map((engine) => {
        const loaded = engine.load(workload)
        let serial = 0
        let newcomers: ((question: Question) => boolean)[] = []
        return {
          name: engine.name,
          prepare(count) {
            newcomers = Array.from({ length: count }, () =>
              loaded.newcomer(principals[serial++ % principals.length] as never),
            )
          },
          run(count) {
            let allowed = 0
            for (let i = 0; i < count; i++)
              if (newcomers[i]?.(questions[i % questions.length] as never)) allowed++
            return allowed
          },
        }
      }),
  )
  print(`a new principal and one question, ${principals.length} principals`, medians)
}

function filter(engines: readonly Engine[], workload: Workload): void {
  const groups = workload.principals[0] ?? []
  const resources = workload.questions.map(({ resource }) => resource)
  const contestants = engines.flatMap((engine) => {
    const keep = engine.load(workload).filter?.(groups)
    if (keep === undefined) return []
    return [
      {
        name: engine.name,
        run(count: number) {
          let kept = 0
          for (let i = 0; i < count; i++) kept += keep('read', resources)
          return kept
        },
      },
    ]
  })
  print(`filter ${resources.length} resources`, measure(contestants))
}

/** Load: text to a ready engine, and what it leaves on the heap. */
function load(): void {
  console.log('\n═══ loading')
  let before: { size: number; ms: number } | undefined
  for (const size of sizes) {
    const document = toDocument(createWorkload(size))
    const times: number[] = []
    let bytes = 0
    for (let round = 0; round < 3; round++) {
      globalThis.gc?.()
      const heap = process.memoryUsage().heapUsed
      const start = performance.now()
      const engine = createEngine(parsePolicy(document), { environment: 'production' })
      for (const groups of createWorkload(size).principals.slice(0, 50))
        engine.for(principalOf(groups)).can('read', 'model:org1/vision-1')
      times.push(performance.now() - start)
      globalThis.gc?.()
      bytes = Math.max(bytes, process.memoryUsage().heapUsed - heap)
      if (engine.scopes === undefined) throw new Error('kept alive until here')
    }
    const ms = times.sort((a, b) => a - b)[1] ?? 0
    const growth =
      before === undefined ? '' : `, ×${(ms / before.ms).toFixed(1)} for ×${size / before.size} statements`
    console.log(
      `${String(size).padStart(6)} statements: parse and compile ${ms.toFixed(0)} ms${growth}; heap ${(bytes / 1_048_576).toFixed(1)} MiB`,
    )
    before = { size, ms }
  }
}

function heap(): void {
  const workload = createWorkload(1_000)
  const can = hfauth.load(workload).warm(workload.principals[0] ?? [])
  const ask = (count: number) => {
    for (let i = 0; i < count; i++) can(workload.questions[i % workload.questions.length] as never)
  }
  ask(100_000)
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  ask(1_000_000)
  const grown = process.memoryUsage().heapUsed - before
  console.log(
    `\nheap growth over 1,000,000 warm questions: ${(grown / 1024).toFixed(0)} KiB (${(grown / 1_000_000).toFixed(2)} bytes each)`,
  )
  const [small, large] = [ours.get(10) ?? 0, ours.get(10_000) ?? 0]
  console.log(`warm question at 10,000 statements: ×${(large / small).toFixed(2)} of that at 10`)
}

function print(title: string, medians: Medians): void {
  const base = medians.get('hfauth') ?? 0
  console.log(`\n${title}`)
  for (const [name, ns] of [...medians].sort((a, b) => a[1] - b[1])) {
    const ratio = name === 'hfauth' ? '' : `  ${(ns / base).toFixed(2)} × hfauth`
    console.log(`  ${name.padEnd(14)} ${formatTime(ns).padStart(10)}${ratio}`)
  }
}
