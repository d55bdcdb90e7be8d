/**
 * `hfauth ci token`, as a job runs it: a process of its own, with the variables its provider sets.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findSecrets, type Jobs, program, startJobs } from './ci-job.ts'

let jobs: Jobs
let folder: string

beforeAll(async () => {
  jobs = await startJobs()
})
afterAll(() => jobs.close())
beforeEach(() => {
  folder = jobs.folder()
  Object.assign(jobs.service.state, { failures: 0, asked: 0, claims: {} })
})

const resource = ['--resource', 'acme/vision-large']

/** Whether a token is one that the Hub made for the repository. */
async function canWrite(token: string, id = 'acme/vision-large', type = 'models'): Promise<boolean> {
  const headers = { authorization: `Bearer ${token}` }
  const response = await fetch(`${jobs.hub.url}/api/${type}/${id}`, { headers })
  return response.status === 200
}

const secretsIn = (ran: Parameters<typeof findSecrets>[1]) => findSecrets(jobs.secrets(), ran, folder)
const masked = ['stderr: ::add-mask::…', 'stderr: ::add-mask::…']

describe('on GitHub Actions', () => {
  test('the token goes into a file that nobody else can read, masked, and nowhere else', async () => {
    writeFileSync(join(folder, 'token'), 'older', { mode: 0o644 })
    const ran = await jobs.run(folder, jobs.github(folder), [...resource, '--out', 'token'])
    expect(ran).toMatchObject({ code: 0, stdout: '' })
    expect(await canWrite(readFileSync(join(folder, 'token'), 'utf8').trim())).toBe(true)
    expect(statSync(join(folder, 'token')).mode & 0o777).toBe(0o600)
    expect(secretsIn(ran)).toEqual([...masked, 'token: …'])
    expect(ran.stderr).toMatch(/a token for `acme\/vision-large` until \d{4}-\S+Z is in the file `token`/)
  })

  test.each<[string, string[], ...string[]]>([
    ['a file of variables', ['--dotenv', '.env'], '.env: HF_TOKEN=…'],
    ['a file of variables by another name', ['--dotenv', '.env', '--variable', 'HUB_KEY'], '.env: HUB_KEY=…'],
    ['the variables of later steps', ['--github-env'], 'env: HF_TOKEN=…'],
    ['the outputs of the step', ['--github-output'], 'output: token=…'],
    [
      'two places that were both named',
      ['--github-env', '--github-output'],
      'env: HF_TOKEN=…',
      'output: token=…',
    ],
    ['a file in the format `env`', ['--out', 'x', '--format', 'env'], 'x: HF_TOKEN=…'],
  ])('the token goes into %s, and nowhere else', async (_, args, ...places) => {
    const ran = await jobs.run(folder, jobs.github(folder), [...resource, ...args])
    expect(ran).toMatchObject({ code: 0, stdout: '' })
    expect(secretsIn(ran)).toEqual([...masked, ...places])
  })

  test('standard output has the token alone, when it was asked for there', async () => {
    const ran = await jobs.run(folder, jobs.github(folder), [...resource, '--stdout'])
    expect(await canWrite(ran.stdout.trim())).toBe(true)
    expect(secretsIn(ran)).toEqual(['stdout: …', ...masked])
  })

  test('JSON says until when, and for what', async () => {
    const ran = await jobs.run(folder, jobs.github(folder), [...resource, '--stdout', '--format', 'json'])
    const { access_token, expires_at, resource: about } = JSON.parse(ran.stdout)
    expect(await canWrite(access_token)).toBe(true)
    expect(Date.parse(expires_at) - Date.now()).toBeGreaterThan(3_500_000)
    expect(about).toBe('acme/vision-large')
  })

  test('the token is for the one repository that was named', async () => {
    const args = ['--resource', 'datasets/acme/vision-labels', '--stdout']
    const token = (await jobs.run(folder, jobs.github(folder), args)).stdout.trim()
    expect(await canWrite(token, 'acme/vision-labels', 'datasets')).toBe(true)
    expect(await canWrite(token)).toBe(false)
  })

  test('a token service that fails for a moment is asked again', async () => {
    jobs.service.state.failures = 2
    const ran = await jobs.run(folder, jobs.github(folder), [...resource, '--out', 'token'])
    expect(ran.code).toBe(0)
    expect(jobs.service.state.asked).toBe(3)
  })

  test('without the permission, the error says which', async () => {
    const {
      ACTIONS_ID_TOKEN_REQUEST_URL: _,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: __,
      ...env
    } = jobs.github(folder)
    const ran = await jobs.run(folder, env, [...resource, '--out', 'token'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('permissions: { id-token: write')
    expect(ran.stderr).toContain('HFAUTH_CI_TOKEN_UNAVAILABLE')
  })

  test('a pull request from a fork is told as what it is', async () => {
    const event = join(folder, 'event.json')
    writeFileSync(
      event,
      JSON.stringify({ pull_request: { head: { repo: { full_name: 'mallory/vision' } } } }),
    )
    const {
      ACTIONS_ID_TOKEN_REQUEST_URL: _,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: __,
      ...env
    } = jobs.github(folder)
    const ran = await jobs.run(folder, { ...env, GITHUB_EVENT_PATH: event }, [...resource, '--out', 'token'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('a pull request from a fork')

    writeFileSync(event, JSON.stringify({ pull_request: { head: { repo: { full_name: 'Acme/Vision' } } } }))
    const own = await jobs.run(folder, { ...env, GITHUB_EVENT_PATH: event }, [...resource, '--out', 'token'])
    expect(own.stderr).toContain('id-token: write')
  })

  test('a job that is no publisher is shown its claims, and no token', async () => {
    jobs.service.state.claims = { ref: 'refs/heads/feature', environment: '##[set-env name=X]y' }
    const ran = await jobs.run(folder, jobs.github(folder), [...resource, '--out', 'token'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('register a trusted publisher of `acme/vision-large`')
    expect(ran.stderr).toContain('  repository: acme/vision\n')
    expect(ran.stderr).toContain('  ref: refs/heads/feature\n')
    expect(ran.stderr).toContain('HFAUTH_EXCHANGE_REFUSED')
    expect(ran.stderr).not.toContain('##[')
    expect(secretsIn(ran)).toEqual(['stderr: ::add-mask::…'])
  })

  test('an address that is not https is not asked', async () => {
    const env = { ...jobs.github(folder), ACTIONS_ID_TOKEN_REQUEST_URL: 'http://runner.example/token?a=b' }
    const ran = await jobs.run(folder, env, [...resource, '--out', 'token'])
    expect(ran.stderr).toContain('HFAUTH_CI_TOKEN_UNAVAILABLE')
    expect(secretsIn(ran)).toEqual([])
  })
})

describe('on GitLab', () => {
  test('the declared variable is exchanged, and nothing is printed', async () => {
    const env = { GITLAB_CI: 'true', HF_OIDC_ID_TOKEN: await jobs.token() }
    const ran = await jobs.run(folder, env, [...resource, '--out', 'token'])
    expect(ran.code).toBe(0)
    expect(secretsIn(ran)).toEqual(['token: …'])
  })

  test('without it, the error says what to add to the job', async () => {
    const ran = await jobs.run(folder, { GITLAB_CI: 'true' }, [...resource, '--out', 'token'])
    expect(ran.stderr).toContain(`\`id_tokens: { HF_OIDC_ID_TOKEN: { aud: "${jobs.hub.url}" } }\``)
  })

  test('a merge request of another project is told as what it is', async () => {
    const env = {
      GITLAB_CI: 'true',
      CI_MERGE_REQUEST_SOURCE_PROJECT_ID: '2',
      CI_MERGE_REQUEST_PROJECT_ID: '1',
    }
    const ran = await jobs.run(folder, env, [...resource, '--out', 'token'])
    expect(ran.stderr).toContain('from a fork')
  })
})

describe('on CircleCI', () => {
  test('the variable is exchanged when it is for the Hub', async () => {
    const env = { CIRCLECI: 'true', CIRCLE_OIDC_TOKEN_V2: await jobs.token() }
    const ran = await jobs.run(folder, env, [...resource, '--out', 'token'])
    expect(ran.code).toBe(0)
    expect(secretsIn(ran)).toEqual(['token: …'])
  })

  test('the provider’s own tool is asked first, which can be told the audience', async () => {
    writeFileSync(join(folder, 'id-token'), await jobs.token())
    const PATH = program(folder, 'circleci', `echo "$@" > args; cat id-token`)
    const env = { CIRCLECI: 'true', PATH, CIRCLE_OIDC_TOKEN_V2: 'for.somebody.else' }
    const ran = await jobs.run(folder, env, [...resource, '--out', 'token'])
    expect(ran.code).toBe(0)
    expect(readFileSync(join(folder, 'args'), 'utf8')).toBe(
      `run oidc get --claims {"aud":"${jobs.hub.url}"}\n`,
    )
  })

  test('a token for somebody else is shown to nobody', async () => {
    const env = { CIRCLECI: 'true', CIRCLE_OIDC_TOKEN_V2: await jobs.token({ audience: 'org-uuid' }) }
    const before = jobs.hub.requests.length
    const ran = await jobs.run(folder, env, [...resource, '--out', 'token'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain(`the ID token is not for \`${jobs.hub.url}\``)
    expect(jobs.hub.requests.length).toBe(before)
    expect(secretsIn(ran)).toEqual([])
  })

  test('a build of a fork is told as what it is', async () => {
    const ran = await jobs.run(folder, { CIRCLECI: 'true', CIRCLE_PR_USERNAME: 'mallory' }, [
      ...resource,
      '--stdout',
    ])
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toContain('from a fork')
  })
})

describe('on Buildkite', () => {
  test('the agent makes the token, and is told both to keep them out of the log', async () => {
    writeFileSync(join(folder, 'id-token'), await jobs.token())
    const script =
      'echo "$@" >> args; case "$1" in oidc) cat id-token;; redactor) cat >> redacted; echo >> redacted;; esac'
    const PATH = program(folder, 'buildkite-agent', script)
    const ran = await jobs.run(folder, { BUILDKITE: 'true', PATH }, [...resource, '--out', 'token'])
    expect(ran.code).toBe(0)
    expect(readFileSync(join(folder, 'args'), 'utf8').split('\n').slice(0, 3)).toEqual([
      `oidc request-token --audience ${jobs.hub.url}`,
      'redactor add',
      'redactor add',
    ])
    expect(secretsIn(ran).sort()).toEqual(['id-token: …', 'redacted: …', 'redacted: …', 'token: …'])
  })

  test('without the agent, the error says so', async () => {
    const ran = await jobs.run(folder, { BUILDKITE: 'true' }, [...resource, '--out', 'token'])
    expect(ran.stderr).toContain('`buildkite-agent` is not on the path')
  })

  test('a build of a fork is told as what it is', async () => {
    const env = {
      BUILDKITE: 'true',
      BUILDKITE_REPO: 'git@github.com:acme/vision.git',
      BUILDKITE_PULL_REQUEST_REPO: 'https://github.com/mallory/vision',
    }
    const ran = await jobs.run(folder, env, [...resource, '--out', 'token'])
    expect(ran.stderr).toContain('from a fork')
  })
})

describe('anywhere else', () => {
  test('the ID token comes on standard input', async () => {
    const ran = await jobs.run(
      folder,
      {},
      [...resource, '--token-stdin', '--out', 'token'],
      `${await jobs.token()}\n`,
    )
    expect(ran.code).toBe(0)
    expect(secretsIn(ran)).toEqual(['token: …'])
  })

  test('or in a variable that is named', async () => {
    const env = { MY_TOKEN: await jobs.token() }
    const ran = await jobs.run(folder, env, [...resource, '--token-env', 'MY_TOKEN', '--out', 'token'])
    expect(ran.code).toBe(0)
  })

  test('for another audience, when the publisher expects one', async () => {
    const ran = await jobs.run(folder, { MY_TOKEN: await jobs.token({ audience: 'https://else.example' }) }, [
      ...resource,
      '--token-env',
      'MY_TOKEN',
      '--audience',
      'https://else.example',
      '--out',
      'token',
    ])
    // The Hub of this test expects its own address, so that it is the one who refuses.
    expect(ran.stderr).toContain('HFAUTH_EXCHANGE_REFUSED')
  })

  test.each<[string, string, number, RegExp]>([
    ['nothing at all', '', 1, /is not an ID token/],
    ['a Hugging Face token', 'hf_personal', 1, /is not an ID token/],
    ['three parts that say nothing', 'a.b.c', 1, /cannot be read/],
    ['more than any token', 'x'.repeat(70_000), 2, /longer than/],
  ])('%s on standard input is refused', async (_, input, code, message) => {
    const ran = await jobs.run(folder, {}, [...resource, '--token-stdin', '--out', 'token'], input)
    expect(ran.code).toBe(code)
    expect(ran.stderr).toMatch(message)
  })

  test('without any of them, the error says what to do', async () => {
    const ran = await jobs.run(folder, {}, [...resource, '--out', 'token'])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('no CI job that is known')
  })

  test('a Hub that is down is told as such', async () => {
    jobs.hub.faults.tokenEndpoint = { status: 503 }
    const ran = await jobs.run(folder, { T: await jobs.token() }, [
      ...resource,
      '--token-env',
      'T',
      '--out',
      'token',
    ])
    delete jobs.hub.faults.tokenEndpoint
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('HFAUTH_ISSUER_UNAVAILABLE')
    expect(ran.stderr).not.toContain('register')
  })

  test('a file that cannot be written leaves nothing behind', async () => {
    const ran = await jobs.run(folder, { T: await jobs.token() }, [
      ...resource,
      '--token-env',
      'T',
      '--out',
      'no/token',
    ])
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('the file `no/token` cannot be written')
    expect(secretsIn(ran)).toEqual([])
  })
})

test.each<[string, string[], RegExp]>([
  ['no resource', ['--stdout'], /`--resource` is missing/],
  ['nowhere to put the token', resource, /say where the token goes/],
  ['a format that is none', [...resource, '--stdout', '--format', 'yaml'], /is not a format/],
  ['a format where there is none', [...resource, '--github-env', '--format', 'json'], /`--format` goes with/],
  [
    'a variable with a line break',
    [...resource, '--stdout', '--variable', 'A\nB'],
    /is not the name of a variable/,
  ],
  ['two sources', [...resource, '--stdout', '--token-stdin', '--token-env', 'X'], /exclude each other/],
  ['`--github-env` outside of GitHub', [...resource, '--github-env'], /`GITHUB_ENV` is not set/],
  ['an option that there is not', [...resource, '--stdout', '--tokn', 'x'], /--tokn/],
])('%s is a misunderstanding, told with the usage', async (_, args, message) => {
  const ran = await jobs.run(folder, {}, args)
  expect(ran.code).toBe(2)
  expect(ran.stderr).toMatch(message)
  expect(ran.stderr).toContain('usage: hfauth ci token')
})
