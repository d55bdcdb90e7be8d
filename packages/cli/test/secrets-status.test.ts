import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../src/run.ts'

let folder: string
const value = 'correct-horse-battery-staple'

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hfauth-cli-secrets-'))
})
afterAll(() => rm(folder, { recursive: true }))

async function fileOf(name: string, text: string, ageDays: number) {
  const path = join(folder, name)
  await writeFile(path, text)
  const then = new Date(Date.now() - ageDays * 86_400_000 - 60_000)
  await utimes(path, then, then)
  return path
}

async function status(...args: string[]) {
  const out: string[] = []
  const errors: string[] = []
  const code = await run(['secrets', 'status', ...args], {
    out: (line) => void out.push(line),
    error: (line) => void errors.push(line),
    env: {},
    signal: new AbortController().signal,
  })
  expect([...out, ...errors].join('\n')).not.toContain(value)
  return { code, out, errors }
}

describe('hfauth secrets status', () => {
  test('tells name, age and the day by which to replace, and exits 0 while all are fresh', async () => {
    const { code, out } = await status(`okta=${await fileOf('fresh', value, 10)}`)
    expect(code).toBe(0)
    expect(out).toHaveLength(1)
    expect(out[0]).toMatch(
      /^okta: fresh, 10 days old, replace before \d{4}-\d\d-\d\dT\d\d:\d\dZ, version fresh@\d{4}-/,
    )
  })

  test('exits 1 when one is due or expired, and still tells of the others', async () => {
    const [fresh, due, expired] = [
      await fileOf('a', value, 1),
      await fileOf('b', value, 80),
      await fileOf('c', value, 95),
    ]
    const one = await status(`a=${fresh}`, `b=${due}`, `c=${expired}`)
    expect(one.code).toBe(1)
    expect(one.out.map((line) => line.split(',', 1)[0])).toEqual(['a: fresh', 'b: due', 'c: expired'])
    expect((await status(`b=${due}`, '--max-days', '180', '--warn-days', '100')).code).toBe(0)
  })

  test('reads files of JSON with the times of their versions', async () => {
    const time = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
    const secrets = [
      { id: 'new', value, notBefore: time(-1) },
      { id: 'old', value: `${value}-before`, notBefore: time(-50) },
    ]
    const { code, out } = await status(`okta=${await fileOf('s.json', JSON.stringify({ secrets }), 0)}`)
    expect(code).toBe(0)
    expect(out[0]).toMatch(/version new, previous old until /)
  })

  test('reads a directory as Kubernetes mounts it, with the version before', async () => {
    const mounted = join(folder, 'mounted')
    const data = join(mounted, '..2026_09_01')
    await mkdir(data, { recursive: true })
    await symlink('..2026_09_01', join(mounted, '..data'))
    await fileOf('mounted/..2026_09_01/client-secret', value, 1)
    await fileOf('mounted/..2026_09_01/client-secret-previous', `${value}-before`, 30)
    for (const name of ['client-secret', 'client-secret-previous']) {
      await symlink(`..data/${name}`, join(mounted, name))
    }
    for (const path of [mounted, join(mounted, 'client-secret')]) {
      const { code, out } = await status(`okta=${path}`)
      expect(code).toBe(0)
      expect(out[0]).toMatch(
        /^okta: fresh, 1 day old, .* version client-secret@\S+, previous client-secret-previous@\S+ until /,
      )
    }
  })

  test('tells of all secrets that a proxy’s configuration names, found from where it is', async () => {
    await mkdir(join(folder, 'conf'), { recursive: true })
    await fileOf('conf/okta-secret', value, 3)
    await fileOf('conf/app-secret', value, 95)
    const config = await fileOf(
      'conf/proxy.yaml',
      `clients: { okta: { id: 0oa1, secretFile: okta-secret }, gh: { id: Iv1 } }
exchange: { clientId: app-1, secretFile: app-secret }
`,
      0,
    )
    const { code, out } = await status('--config', config, `more=${await fileOf('more', value, 1)}`)
    expect(code).toBe(1)
    expect(out.map((line) => line.split(',', 1)[0])).toEqual([
      'client of okta: fresh',
      'client of gh: in the environment',
      'exchange app: expired',
      'more: fresh',
    ])
  })

  test.each([
    ['not there', async () => join(folder, 'missing')],
    ['empty', () => fileOf('empty', '', 1)],
    ['cut off', () => fileOf('cut.json', `{"secrets":[{"value":"${value}`, 1)],
  ])('exits 1 for a file that is %s', async (_, file) => {
    const { code, errors } = await status(`okta=${await file()}`)
    expect(code).toBe(1)
    expect(errors[0]).toMatch(/^okta: unusable: .*HFAUTH_SECRET_UNAVAILABLE/)
  })

  test.each([[[]], [[value]], [['=x']], [['a=b', '--max-days', '0']], [['a=b', '--warn-days', '91']]])(
    'exits 2 when it is asked %j, without repeating it',
    async (args) => {
      expect((await status(...args)).code).toBe(2)
    },
  )
})
