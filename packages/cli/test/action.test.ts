/**
 * The composite action: its file keeps to what GitHub documents and to our own rules, and its steps do what they
 * say in an environment like a runner's.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import {
  binary,
  type Environment,
  findSecrets,
  type Jobs,
  program,
  type Ran,
  runProcess,
  startJobs,
} from './ci-job.ts'

const actionPath = join(import.meta.dirname, '../action')
const { version } = JSON.parse(readFileSync(join(actionPath, '../package.json'), 'utf8'))

interface Step {
  readonly id?: string
  readonly name?: string
  readonly if?: string
  readonly shell?: string
  readonly run?: string
  readonly uses?: string
  readonly with?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

interface Action {
  readonly name: string
  readonly inputs: Readonly<Record<string, { description: string; required?: boolean; default?: string }>>
  readonly outputs: Readonly<Record<string, { description: string; value: string }>>
  readonly runs: { readonly using: string; readonly steps: readonly Step[] }
}

const action: Action = parse(readFileSync(join(actionPath, 'action.yml'), 'utf8'), {
  strict: true,
  uniqueKeys: true,
})

/** What is wrong with an action, by GitHub's metadata syntax and by our rules on secrets. */
function faultsOf({ name, inputs, outputs, runs, ...more }: Action): string[] {
  const faults: string[] = []
  const known = (what: string, object: object, keys: readonly string[]) =>
    faults.push(
      ...Object.keys(object)
        .filter((key) => !keys.includes(key))
        .map((key) => `${what}: unknown \`${key}\``),
    )
  known('action', more, ['description', 'author', 'branding'])
  if (name === '' || !('description' in more)) faults.push('action: no name or description')
  if (runs.using !== 'composite') faults.push('runs: not composite')
  for (const [id, input] of Object.entries(inputs)) {
    known(`input ${id}`, input, ['description', 'required', 'default', 'deprecationMessage'])
    if (typeof input.description !== 'string') faults.push(`input ${id}: no description`)
    if (input.required !== true && typeof input.default !== 'string')
      faults.push(`input ${id}: no default text`)
  }
  const ids = runs.steps.flatMap(({ id }) => id ?? [])
  for (const [id, output] of Object.entries(outputs)) {
    known(`output ${id}`, output, ['description', 'value'])
    const step = /^\$\{\{ steps\.([\w-]+)\.outputs\.[\w-]+ \}\}$/.exec(output.value)?.[1]
    if (step === undefined || !ids.includes(step)) faults.push(`output ${id}: from no step`)
  }
  for (const step of runs.steps) {
    known('step', step, ['id', 'name', 'if', 'shell', 'run', 'uses', 'with', 'env', 'working-directory'])
    if ((step.run === undefined) === (step.uses === undefined))
      faults.push('step: neither or both of `run` and `uses`')
    if (step.run !== undefined && step.shell === undefined) faults.push('step: `run` without `shell`')
    // An input that is pasted into a script is a script.
    if (step.run?.includes('${{')) faults.push('step: an expression in `run`')
    if (step.uses !== undefined && !/@[0-9a-f]{40}$/.test(step.uses))
      faults.push('step: `uses` is not pinned to a commit')
    for (const value of Object.values(step.env ?? {})) {
      const input = /inputs\.([\w-]+)/.exec(value)?.[1]
      if (input !== undefined && !(input in inputs)) faults.push(`step: no input \`${input}\``)
    }
    const unread = Object.keys(step.env ?? {}).filter((variable) => !step.run?.includes(variable))
    faults.push(...unread.map((variable) => `step: \`${variable}\` is not read`))
  }
  const read = JSON.stringify(runs.steps)
  faults.push(
    ...Object.keys(inputs)
      .filter((id) => !read.includes(`inputs.${id} }}`))
      .map((id) => `input ${id}: not read`),
  )
  return faults
}

describe('action.yml', () => {
  test('keeps to the rules', () => {
    expect(faultsOf(action)).toEqual([])
  })

  test.each<[string, Partial<Action> | { runs: Partial<Action['runs']> }, string]>([
    [
      'an expression in a script',
      { runs: { steps: [{ shell: 'bash', run: 'echo ${{ inputs.resource }}' }] } },
      'in `run`',
    ],
    ['another action by its tag', { runs: { steps: [{ uses: 'actions/setup-node@v6' }] } }, 'not pinned'],
    ['a script without a shell', { runs: { steps: [{ run: 'true' }] } }, 'without `shell`'],
    [
      'an output of no step',
      { outputs: { x: { description: '', value: '${{ steps.none.outputs.x }}' } } },
      'from no step',
    ],
    [
      'an input that nobody reads',
      { inputs: { more: { description: '', default: '' } } },
      'input more: not read',
    ],
  ])('%s would be found', (_, change, fault) => {
    const changed = {
      ...action,
      ...change,
      runs: { ...action.runs, ...(change.runs ?? {}) },
      inputs: { ...action.inputs, ...('inputs' in change ? change.inputs : {}) },
    } as Action
    expect(faultsOf(changed).join('\n')).toContain(fault)
  })

  test('is part of what is published', () => {
    const { files } = JSON.parse(readFileSync(join(actionPath, '../package.json'), 'utf8'))
    expect(files).toContain('action')
  })
})

let jobs: Jobs
let folder: string

beforeAll(async () => {
  jobs = await startJobs()
})
afterAll(() => jobs.close())
beforeEach(() => {
  folder = jobs.folder()
  mkdirSync(join(folder, 'temp'))
})

/** Runs the steps as a runner would: expressions filled in, the script in a file, outputs read back. */
async function runAction(
  inputs: Record<string, string>,
  env: Environment,
): Promise<Ran & { outputs: Record<string, string> }> {
  const given = Object.fromEntries(
    Object.entries(action.inputs).map(([id, input]) => [id, inputs[id] ?? input.default ?? '']),
  )
  const fill = (text: string, outputs: Record<string, string> = {}) =>
    text.replace(/\$\{\{ ([\w.-]+) \}\}/g, (_, path: string) => {
      const name = path.slice(path.lastIndexOf('.') + 1)
      return (
        (path === 'github.action_path'
          ? actionPath
          : path.startsWith('inputs.')
            ? given[name]
            : outputs[name]) ?? ''
      )
    })
  // The registry's part: the package by its exact name and version is this one.
  const npx = `echo "$@" > '${join(folder, 'npx-args')}'; pwd > '${join(folder, 'npx-cwd')}'; shift 2; exec '${process.execPath}' '${binary}' "$@"`
  const PATH = program(folder, 'npx', npx)
  const ran = { code: 0 as number | null, stdout: '', stderr: '' }
  for (const step of action.runs.steps) {
    const own = Object.fromEntries(Object.entries(step.env ?? {}).map(([name, value]) => [name, fill(value)]))
    const result = await runProcess(
      'bash',
      ['--noprofile', '--norc', '-e', '-o', 'pipefail', '-c', step.run ?? ''],
      {
        folder,
        env: { RUNNER_TEMP: join(folder, 'temp'), ...env, ...own, PATH },
      },
    )
    ran.stdout += result.stdout
    ran.stderr += result.stderr
    ran.code = result.code
    if (result.code !== 0) break
  }
  const lines = existsSync(join(folder, 'output'))
    ? readFileSync(join(folder, 'output'), 'utf8').split('\n')
    : []
  const said = Object.fromEntries(
    lines.flatMap((line) => {
      const at = line.indexOf('=')
      return at < 0 ? [] : [[line.slice(0, at), line.slice(at + 1)]]
    }),
  )
  const outputs = Object.fromEntries(
    Object.entries(action.outputs).map(([id, { value }]) => [id, fill(value, said)]),
  )
  return { ...ran, outputs }
}

const masked = ['stderr: ::add-mask::…', 'stderr: ::add-mask::…']

describe('the action in a job', () => {
  test('gives the token as a masked output, and leaves nothing else behind', async () => {
    const ran = await runAction({ resource: 'acme/vision-large', hub: jobs.hub.url }, jobs.github(folder))
    expect(ran).toMatchObject({ code: 0, stdout: '' })
    const { token, 'expires-at': expiresAt } = ran.outputs
    const headers = { authorization: `Bearer ${token}` }
    expect((await fetch(`${jobs.hub.url}/api/models/acme/vision-large`, { headers })).status).toBe(200)
    expect(Date.parse(expiresAt ?? '')).toBeGreaterThan(Date.now())
    expect(findSecrets(jobs.secrets(), ran, folder)).toEqual([...masked, 'output: token=…'])
    expect(readdirSync(join(folder, 'temp'))).toEqual([])
  })

  test('runs the command line of its own version, away from the checkout', async () => {
    await runAction({ resource: 'acme/vision-large', hub: jobs.hub.url }, jobs.github(folder))
    expect(readFileSync(join(folder, 'npx-args'), 'utf8')).toMatch(
      new RegExp(`^--yes @hfauth/cli@${version} ci token `),
    )
    expect(readFileSync(join(folder, 'npx-cwd'), 'utf8')).toContain(join(folder, 'temp', 'hfauth.'))
  })

  test('sets a variable only when told to', async () => {
    const inputs = { resource: 'acme/vision-large', hub: jobs.hub.url, export: 'true', variable: 'HUB_KEY' }
    const ran = await runAction(inputs, jobs.github(folder))
    expect(findSecrets(jobs.secrets(), ran, folder)).toEqual([...masked, 'env: HUB_KEY=…', 'output: token=…'])
  })

  test('passes the audience on', async () => {
    const inputs = { resource: 'acme/vision-large', hub: jobs.hub.url, audience: 'https://else.example' }
    const ran = await runAction(inputs, jobs.github(folder))
    // The Hub of this test takes tokens for its own address only.
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('  aud: https://else.example')
  })

  test.each([
    ['a resource that is a command', { resource: '$(touch pwned)`touch pwned`; touch pwned' }, 1],
    ['an `export` that is neither', { resource: 'acme/vision-large', export: 'yes; touch pwned' }, 2],
    ['a variable that is two lines', { resource: 'acme/vision-large', variable: 'A=1\nB' }, 2],
  ])('%s fails, runs nothing, and leaves nothing behind', async (_, inputs, code) => {
    const ran = await runAction({ hub: jobs.hub.url, ...inputs }, jobs.github(folder))
    expect(ran.code).toBe(code)
    expect(ran.outputs).toEqual({ token: '', 'expires-at': '' })
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    expect(names.filter((name) => name.endsWith('pwned'))).toEqual([])
    expect(readdirSync(join(folder, 'temp'))).toEqual([])
  })

  test('without the permission, it says which', async () => {
    const env = { ...jobs.github(folder), ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' }
    const ran = await runAction({ resource: 'acme/vision-large', hub: jobs.hub.url }, env)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('id-token: write')
    expect(readdirSync(join(folder, 'temp'))).toEqual([])
  })
})
