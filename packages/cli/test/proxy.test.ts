/**
 * `hfauth proxy`, as somebody runs it: with a policy file, against a Hugging Face on this machine.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Hub, publicAppId, startHub } from '@hfauth/testkit'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { outputFolder, rememberSecrets } from '../../../test/support/output.ts'
import { run } from '../src/run.ts'

let hub: Hub
const folder = outputFolder('audit-cli')
const policy = join(folder, 'hfauth.policy.yaml')
const audit = join(folder, 'audit.jsonl')

beforeAll(async () => {
  hub = await startHub()
  writeFileSync(
    policy,
    `version: 1
name: acme
issuers: { hf: { preset: huggingface, issuer: "\${env.ISSUER}", audience: ${publicAppId} } }
environments: { production: {} }
roles: { viewer: { allow: [{ actions: [read], on: ["model:acme/*"] }] } }
bindings: [{ roles: [viewer], to: { issuer: hf, org: acme } }]
`,
  )
})

afterAll(async () => {
  rememberSecrets(hub.issued)
  await hub.close()
})

/** Starts the command; resolves to its first line, and to a way to end it. */
async function start(...args: string[]) {
  const stop = new AbortController()
  const lines: string[] = []
  const errors: string[] = []
  let said = () => {}
  const spoken = new Promise<void>((resolve) => {
    said = resolve
  })
  const ended = run(['proxy', '--policy', policy, '--port', '0', ...args], {
    out: (line) => {
      lines.push(line)
      said()
    },
    error: (line) => errors.push(line),
    env: { ISSUER: hub.url },
    signal: stop.signal,
  })
  await Promise.race([spoken, ended])
  return { lines, errors, ended, stop: () => stop.abort() }
}

test('forwards what the policy allows, refuses the rest, records both, and ends when told to', async () => {
  const command = await start(
    '--environment',
    'production',
    '--audit',
    audit,
    '--hub',
    hub.url,
    '--router',
    hub.url,
  )
  const url = /HF_ENDPOINT=(\S+)$/.exec(command.lines[0] ?? '')?.[1]
  const token = await hub.tokenFor({
    username: 'ben',
    clientId: publicAppId,
    scopes: ['openid', 'profile', 'read-repos'],
    orgs: ['acme'],
  })
  const headers = { authorization: `Bearer ${token}` }

  expect((await fetch(`${url}/api/models/acme/vision-large`, { headers })).status).toBe(200)
  expect((await fetch(`${url}/api/models/other/model`, { headers })).status).toBe(403)
  expect((await fetch(`${url}/api/models/acme/vision-large`)).status).toBe(401)

  command.stop()
  expect(await command.ended).toBe(0)
  const decisions = readFileSync(audit, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'io.hfauth.decision')
  expect(decisions.map(({ decision }) => decision.reason)).toEqual([
    'allowed',
    'no_matching_rule',
    'authentication_required',
  ])
})

test.each([
  ['without an environment', ['--audit', audit], 2, /`--environment` is missing/],
  ['without a place for the record', ['--environment', 'production'], 2, /`--audit` is missing/],
  [
    'in an environment that the policy does not have',
    ['--environment', 'prod', '--audit', audit],
    1,
    /HFAUTH_ENVIRONMENT_UNKNOWN/,
  ],
  [
    'with a hub that is not reached by https',
    ['--environment', 'production', '--audit', audit, '--hub', 'http://hub.example'],
    1,
    /HFAUTH_CONFIG_INVALID/,
  ],
  [
    'with a record that cannot be written',
    ['--environment', 'production', '--audit', join(folder, 'none', 'audit.jsonl')],
    1,
    /HFAUTH_CONFIG_INVALID/,
  ],
])('does not start %s', async (_, args, code, message) => {
  const { ended, errors } = await start(...args)
  expect(await ended).toBe(code)
  expect(errors.join('\n')).toMatch(message)
})
