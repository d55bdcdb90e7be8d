/**
 * `pnpm demo`: starts everything on this machine; with `--once` makes the journey without a person.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runJourney } from './journey.ts'
import { type Demo, startDemo } from './start-demo.ts'
import { formatTable } from './table.ts'

const { values } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    port: { type: 'string', default: '4300' },
  },
})

if (values.once) await once()
else await serve()

async function once(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hfauth-demo-'))
  // Nobody is there to sign in, so this is always the Hugging Face on this machine.
  const demo = await startDemo({ env: {}, port: 0, folder })
  try {
    const results = await runJourney(demo)
    const rows = results.map(({ environment, who, what, decided, why, holds }) => [
      environment,
      who,
      what,
      decided,
      why,
      holds ? 'ok' : 'NOT AS EXPECTED',
    ])
    console.log(formatTable(['environment', 'who', 'tried to', 'decided', 'why', ''], rows))
    const wrong = results.filter(({ holds }) => !holds).length
    const recorded = demo.deployments.reduce((sum, { events }) => sum + events.length, 0)
    console.log(`\n${results.length - wrong} of ${results.length} as expected; ${recorded} audit events.`)
    process.exitCode = wrong === 0 ? 0 : 1
  } finally {
    await demo.close()
    await rm(folder, { recursive: true })
  }
}

async function serve(): Promise<void> {
  const folder = join(import.meta.dirname, '../.demo')
  const demo = await startDemo({ env: process.env, port: Number(values.port), folder })
  announce(demo, folder)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void demo.close().then(() => process.exit(0)))
  }
}

function announce({ huggingFace, deployments }: Demo, folder: string): void {
  const { local, issuer } = huggingFace
  console.log(`Hugging Face  ${issuer}${local === undefined ? '' : '  (on this machine)'}`)
  for (const { environment, url, proxyUrl } of deployments) {
    console.log(`${environment.padEnd(12)}  ${url}  (proxy: HF_ENDPOINT=${proxyUrl})`)
  }
  if (local !== undefined) {
    const people = local.hub.world.people.map(({ username }) => username).join(', ')
    console.log(`\nOpen the first address and sign in as one of ${people}.`)
  }
  console.log(`Audit trail: ${folder}. Stop with Ctrl+C.`)
}
