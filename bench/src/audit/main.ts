/**
 * The part `audit`: events to the disk, beside pino, in one run.
 *
 * hfauth tells a caller that its event is on record after the fdatasync that covers it, with hashes, tree and
 * signed heads. pino is measured as it is used, which is not durable, and with its `fsync`. Contestants take turns;
 * what is printed are medians over the rounds, by the clock and by the processor's time of the whole process.
 */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type AuditEntry,
  auditKey,
  createAuditLog,
  jsonLinesSink,
  segmentSink,
  verifySegments,
} from '@hfauth/node'
import pino from 'pino'
import { median } from '../measure.ts'

const events = 40_000
/** Callers that wait at the same time. */
const callers = 2000
const rounds = 5

const entry = (i: number): AuditEntry => ({
  type: 'io.hfauth.decision',
  requestId: `0199b0a2-7c1e-7000-8000-${String(i).padStart(12, '0')}`,
  actor: {
    kind: 'user',
    id: `hf|64a1f0c2e4b0a1d2c3${i % 1000}`,
    issuer: 'hf',
    name: `person-${i % 1000}`,
    roles: ['engineer', 'viewer'],
  },
  client: { ip: `192.0.2.${i % 250}`, userAgent: 'huggingface_hub/1.3; python/3.12' },
  trace: { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' },
  action: 'read',
  resource: { kind: 'model', id: `acme/vision-${i % 100}`, revision: 'main', path: 'model.safetensors' },
  http: { method: 'GET', route: '/{namespace}/{name}/resolve/{revision}/{path}', status: 200 },
  decision: {
    effect: 'allow',
    reason: 'rule',
    statements: ['roles.viewer.allow#1'],
    policy: 'sha256:1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014',
  },
  durationMs: 3,
})

interface Contestant {
  readonly name: string
  /** Fewer where each one takes long. */
  readonly events: number
  /** Writes all events to a new place, and resolves when it is done with the last one. */
  run(directory: string): Promise<void>
}

/** Asks as a server would: so many callers at a time, each waiting for its own event. */
async function ask(record: (entry: AuditEntry) => Promise<unknown>): Promise<void> {
  let next = 0
  const caller = async () => {
    while (next < events) await record(entry(next++))
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

const key = auditKey(generateKeyPairSync('ed25519').privateKey)
const settings = { environment: 'production', service: 'bench', timeoutMs: 60_000 }

async function withPino(directory: string, count: number, options: object): Promise<void> {
  const destination = pino.destination({ dest: join(directory, 'log'), ...options })
  const logger = pino(destination)
  for (let i = 0; i < count; i++) {
    logger.info(entry(i))
    // Its buffer empties while nobody is busy.
    if (i % callers === callers - 1) await new Promise(setImmediate)
  }
  await new Promise<void>((resolve, reject) =>
    destination.flush((error) => (error ? reject(error) : resolve())),
  )
  destination.end()
}

const contestants: readonly Contestant[] = [
  {
    name: 'hfauth, signed segments, durable',
    events,
    async run(directory) {
      const sink = await segmentSink({ directory: join(directory, 'log'), key, compress: false })
      const log = createAuditLog({ sink, ...settings })
      await ask(log.record)
      await log.close()
    },
  },
  {
    name: 'hfauth, plain lines, durable',
    events,
    async run(directory) {
      const log = createAuditLog({ sink: await jsonLinesSink({ path: join(directory, 'log') }), ...settings })
      await ask(log.record)
      await log.close()
    },
  },
  {
    name: 'pino, not durable',
    events,
    run: (directory) => withPino(directory, events, { sync: false, minLength: 4096 }),
  },
  {
    name: 'pino, `fsync` after each write',
    events: 2000,
    run: (directory) =>
      withPino(directory, 2000, { sync: false, minLength: 262_144, maxWrite: 1_048_576, fsync: true }),
  },
]

const clock = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
const processor = new Map<string, number[]>(contestants.map(({ name }) => [name, []]))
for (let round = -1; round < rounds; round++) {
  for (let i = 0; i < contestants.length; i++) {
    // Another order each time, so that nobody always comes after the same neighbour.
    const {
      name,
      events: count,
      run,
    } = contestants[(i + round + contestants.length) % contestants.length] as Contestant
    const directory = mkdtempSync(join(process.cwd(), '.bench-audit-'))
    globalThis.gc?.()
    const cpu = process.cpuUsage()
    const start = performance.now()
    await run(directory)
    const seconds = (performance.now() - start) / 1000
    const { user, system } = process.cpuUsage(cpu)
    if (round < 0 && name.includes('segments')) await check(join(directory, 'log'))
    rmSync(directory, { recursive: true })
    // The first round only warms up.
    if (round < 0) continue
    clock.get(name)?.push(count / seconds)
    processor.get(name)?.push((count * 1e6) / (user + system))
  }
}

console.log(`\n${events} events, ${callers} callers at a time, median of ${rounds} rounds`)
console.log(
  `  ${''.padEnd(34)} ${'events a second'.padStart(16)} ${'for a second of processor'.padStart(26)}`,
)
for (const { name } of contestants) {
  const [byClock, byProcessor] = [clock, processor].map((times) =>
    Math.round(median(times.get(name) ?? [])).toLocaleString('en'),
  )
  console.log(`  ${name.padEnd(34)} ${byClock?.padStart(16)} ${byProcessor?.padStart(26)}`)
}

/** What is fast has to be right, too. */
async function check(directory: string): Promise<void> {
  const report = await verifySegments(directory)
  if (!report.ok || report.events !== events) throw new Error('the log is not what was recorded')
}
