/**
 * The demo's policy as `hfauth policy test` sees it, and the demo against the real Hugging Face, as far as
 * that can be seen without going there.
 */
import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { outputFolder } from '../../../test/support/output.ts'
import { policyFile, startDemo } from '../server/start-demo.ts'

const hfauth = createRequire(import.meta.url)
  .resolve('@hfauth/cli/package.json')
  .replace('package.json', 'bin/hfauth.js')

test('`hfauth policy test` passes on the demo’s own examples', async () => {
  const env = {
    ...process.env,
    HF_ISSUER: 'https://huggingface.co',
    HF_CLIENT_ID: 'app',
    CI_ISSUER: 'https://token.actions.githubusercontent.com',
  }
  const { stdout } = await promisify(execFile)(process.execPath, [hfauth, 'policy', 'test', policyFile], {
    env,
  })
  expect(stdout).toMatch(/^(\d+) passed, 0 failed$/m)
  expect(Number(/^(\d+) passed/m.exec(stdout)?.[1])).toBeGreaterThan(12)
})

test('with `HF_CLIENT_ID` people sign in at the real Hugging Face, with that app', async () => {
  const demo = await startDemo({
    env: { HF_CLIENT_ID: 'your-app', HF_ORG: 'acme' },
    port: 0,
    folder: outputFolder('audit-demo-real'),
  })
  try {
    const page = await fetch(demo.deployments[0]?.url ?? '')
    const config = await (await fetch(`${demo.deployments[0]?.url}/config.json`)).json()
    expect(config).toMatchObject({
      issuer: 'https://huggingface.co',
      clientId: 'your-app',
      organisation: 'acme',
    })
    expect(page.headers.get('content-security-policy')).toContain("connect-src 'self' https://huggingface.co")
  } finally {
    await demo.close()
  }
})
