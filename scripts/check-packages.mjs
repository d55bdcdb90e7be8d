/**
 * Packs each published package and looks at it as its users will: `publint` for the manifest, `attw`
 * for the types.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'hfauth-pack-'))
let failed = false

function run(command, args, cwd) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status === 0) return true
  console.error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)
  return false
}

for (const name of readdirSync(join(root, 'packages'))) {
  const cwd = join(root, 'packages', name)
  const manifest = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
  const packed = run('pnpm', ['pack', '--pack-destination', folder], cwd)
  const tarball = join(folder, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`)
  // ESM only: what CommonJS would see is not a question we answer. A package of one command has no types.
  const sound =
    packed &&
    run('publint', ['run', tarball, '--strict'], root) &&
    (manifest.exports['.'] === undefined || run('attw', [tarball, '--profile', 'esm-only'], root))
  console.log(`${manifest.name}: ${sound ? 'sound' : 'NOT SOUND'}`)
  failed ||= !sound
}

rmSync(folder, { recursive: true })
process.exitCode = failed ? 1 : 0
