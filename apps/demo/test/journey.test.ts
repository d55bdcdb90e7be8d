import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { outputFolder, rememberSecrets } from '../../../test/support/output.ts'
import { runJourney, type StepResult } from '../server/journey.ts'
import { type Demo, startDemo } from '../server/start-demo.ts'

let demo: Demo
let results: readonly StepResult[]

beforeAll(async () => {
  demo = await startDemo({ env: {}, port: 0, folder: outputFolder('audit-demo-journey') })
  results = await runJourney(demo)
})

afterAll(async () => {
  rememberSecrets([
    ...(demo.huggingFace.local?.hub.issued ?? []),
    ...(demo.huggingFace.local?.ci.issued ?? []),
  ])
  await demo.close()
})

describe('the journey of `pnpm demo --once`', () => {
  test('every step comes out as expected, in the client and on the record', () => {
    expect(results.filter(({ holds }) => !holds)).toEqual([])
    expect(results.length).toBeGreaterThanOrEqual(20)
  })

  test('a CI job got a short-lived token for its one repository, and no secret was involved', () => {
    const production = demo.deployments.find(({ environment }) => environment === 'production')
    const exchanged = production?.events.filter(({ type }) => type === 'io.hfauth.token.exchanged') ?? []
    expect(exchanged.length).toBeGreaterThan(0)
    expect(exchanged.every(({ actor }) => actor.kind === 'workload')).toBe(true)
    const exchanges =
      demo.huggingFace.local?.hub.requests.filter(
        ({ path, body }) => path === '/oauth/token' && body.includes('token-exchange'),
      ) ?? []
    expect(exchanges.length).toBeGreaterThan(0)
    for (const { headers, body } of exchanges) {
      expect(headers.authorization).toBeUndefined()
      expect(body).not.toContain('secret')
    }
  })

  test('what reached the Hub carried a credential of Hugging Face, and never the job’s own', () => {
    const requests = demo.huggingFace.local?.hub.requests ?? []
    const credentials = requests.flatMap(({ headers }) => headers.authorization ?? [])
    expect(credentials.length).toBeGreaterThan(0)
    expect(credentials.filter((credential) => !/^Bearer hf_(oauth|jwt)_/.test(String(credential)))).toEqual(
      [],
    )
  })
})
