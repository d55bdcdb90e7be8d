/**
 * The first verification in the life of a process: loading the package, importing keys and checking one
 * token, each time in a process of its own.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median } from '../measure.ts'

export async function measureFirst(): Promise<void> {
  const script = fileURLToPath(new URL('first-process.ts', import.meta.url))
  const runs = Array.from({ length: 9 }, () => {
    const { stdout, status } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
    if (status !== 0) throw new Error('the first verification failed')
    return JSON.parse(stdout) as { loadMs: number; firstMs: number }
  })
  const ms = (name: 'loadMs' | 'firstMs') => median(runs.map((run) => run[name])).toFixed(1)
  console.log(`\n═══ the first token of a process`)
  console.log(
    `loading the package and a policy ${ms('loadMs')} ms; key import and first verification ${ms('firstMs')} ms`,
  )
}
