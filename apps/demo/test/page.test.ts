/**
 * The page in a real Chromium, signed in through the real redirect; and what it hides, asked for directly.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { listModels } from '@huggingface/hub'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from '../../../packages/browser/test/chromium.ts'
import { outputFolder, rememberSecrets } from '../../../test/support/output.ts'
import type { Deployment } from '../server/deployment.ts'
import { signIn as signInWithoutBrowser } from '../server/people.ts'
import { type Demo, startDemo } from '../server/start-demo.ts'

const folder = outputFolder('audit-demo-page')
let demo: Demo
let browser: Browser
let development: Deployment
let production: Deployment

beforeAll(async () => {
  demo = await startDemo({ env: {}, port: 0, folder })
  const [first, second] = demo.deployments
  if (first === undefined || second === undefined) throw new Error('two deployments are expected')
  development = first
  production = second
  browser = await launchChromium()
})

afterAll(async () => {
  await browser?.close()
  rememberSecrets(demo.huggingFace.local?.hub.issued ?? [])
  await demo?.close()
})

interface Visit {
  readonly context: BrowserContext
  readonly page: Page
  /** What the page wrote to its console, errors and policy violations included. */
  readonly console: string[]
}

async function signedIn(username: string, deployment = development): Promise<Visit> {
  // Hugging Face asks for consent once; here everyone comes for the first time.
  const { local, clientId } = demo.huggingFace
  local?.hub.forgetConsent(username, clientId)
  const context = await browser.newContext()
  const page = await context.newPage()
  const console: string[] = []
  page.on('console', (message) => console.push(message.text()))
  page.on('pageerror', (error) => console.push(error.message))
  await page.goto(deployment.url)
  await page.getByRole('button', { name: 'Sign in with Hugging Face' }).click()
  await page.locator(`button[name=username][value=${username}]`).click()
  await page.getByRole('button', { name: 'Allow' }).click()
  await page.locator('#who').waitFor()
  await page.locator('ul.models').waitFor()
  return { context, page, console }
}

const buttons = (page: Page) =>
  page.locator('.actions button').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('aria-label')))

describe('two people with different roles', () => {
  test('each see and can do what the policy lets them, by keyboard as by mouse', async () => {
    const { context, page, console } = await signedIn('ana')
    expect(await page.locator('#who').textContent()).toBe('ana')
    expect(new URL(page.url()).search).toBe('')
    expect(await buttons(page)).toEqual([
      ...['Card', 'Chat', 'Edit'].map((name) => `${name} acme/vision-large`),
      ...['Card', 'Chat', 'Edit'].map((name) => `${name} acme/vision-small`),
      ...['Card', 'Chat', 'Edit'].map((name) => `${name} acme/text-chat`),
      ...['Card', 'Edit'].map((name) => `${name} acme/vision-gated`),
    ])

    // A chat, without a mouse: the form opens with the cursor in it.
    await page.getByRole('button', { name: 'Chat acme/text-chat' }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('ControlOrMeta+a')
    await page.keyboard.type('What is a leaf?')
    await page.keyboard.press('Enter')
    await page.locator('#answer[data-state=complete]').waitFor()
    expect(await page.locator('#answer').textContent()).toContain('What is a leaf?')

    // A change, committed through the proxy.
    await page.getByRole('button', { name: 'Edit acme/vision-small' }).click()
    await page.locator('#card-text').fill('# Small, and edited by Ana')
    await page.getByRole('button', { name: 'Commit' }).click()
    await page.getByText('Small, and edited by Ana').waitFor()

    // The trail filled meanwhile.
    const row = page.locator('#trail tr', { hasText: 'inference.completed' })
    await row.first().waitFor()
    expect(
      await page
        .locator('#trail tr', { hasText: 'model:acme/vision-small' })
        .filter({ hasText: 'write' })
        .count(),
    ).toBeGreaterThan(0)
    expect(console).toEqual([])
    await context.close()
  })

  test('a reader has cards to read and nothing else', async () => {
    const { context, page, console } = await signedIn('ben')
    const names = ['vision-large', 'vision-small', 'text-chat', 'vision-gated']
    expect(await buttons(page)).toEqual(names.map((name) => `Card acme/${name}`))
    await page.getByRole('button', { name: 'Card acme/vision-large' }).click()
    await page.getByRole('heading', { name: 'Card of acme/vision-large' }).waitFor()
    expect(console).toEqual([])
    await context.close()
  })

  test('an engineer has no Edit in production, and an administrator no Delete', async () => {
    const ana = await signedIn('ana', production)
    expect((await buttons(ana.page)).filter((name) => name?.startsWith('Edit'))).toEqual([])
    await ana.context.close()
    const cleo = await signedIn('cleo', production)
    expect((await buttons(cleo.page)).filter((name) => name?.startsWith('Delete'))).toEqual([])
    await cleo.context.close()
    const atHome = await signedIn('cleo')
    expect((await buttons(atHome.page)).filter((name) => name?.startsWith('Delete'))).toHaveLength(4)
    await atHome.context.close()
  })
})

describe('what the page hides', () => {
  const ask = async (token: string | undefined, method: string, path: string) => {
    const response = await fetch(`${development.url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(method === 'GET' ? {} : { body: '{"text":"x","prompt":"x"}' }),
    })
    const { reason } = await response.json()
    return { status: response.status, reason, challenge: response.headers.get('www-authenticate') }
  }

  test('the API refuses when asked directly, and the proxy too', async () => {
    const ben = await signInWithoutBrowser(demo.huggingFace, 'ben', [
      'inference-api',
      'manage-repos',
      'read-memberships',
    ])
    expect(await ask(ben.token, 'POST', '/api/models/acme/text-chat/chat')).toMatchObject({ status: 403 })
    expect(await ask(ben.token, 'PUT', '/api/models/acme/vision-small/card')).toMatchObject({ status: 403 })
    expect(await ask(ben.token, 'DELETE', '/api/models/acme/vision-small')).toMatchObject({ status: 403 })

    const before = demo.huggingFace.local?.hub.requests.length
    const direct = await fetch(`${development.proxyUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ben.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'acme/text-chat', messages: [{ role: 'user', content: 'x' }] }),
    })
    expect(direct.status).toBe(403)
    const reached = demo.huggingFace.local?.hub.requests.slice(before).map(({ path }) => path)
    expect(reached).not.toContain('/v1/chat/completions')
  })

  test('needs a credential, and a good one', async () => {
    expect(await ask(undefined, 'GET', '/api/models')).toMatchObject({
      status: 401,
      challenge: expect.stringMatching(/^Bearer/),
    })
    expect(await ask('hf_not_a_token_of_anyone', 'GET', '/api/models')).toMatchObject({ status: 401 })
    expect(await ask(undefined, 'GET', '/api/audit')).toMatchObject({ status: 401 })
  })

  test('a list through the proxy shows each caller what the policy lets them see', async () => {
    const seen = async (username: string) => {
      const { token } = await signInWithoutBrowser(demo.huggingFace, username, [
        'read-repos',
        'read-memberships',
      ])
      const names: string[] = []
      const search = { owner: 'acme' }
      for await (const { name } of listModels({
        search,
        hubUrl: development.proxyUrl,
        accessToken: token ?? '',
      }))
        names.push(name)
      return names
    }
    expect(await seen('ben')).toEqual([
      'acme/vision-large',
      'acme/vision-small',
      'acme/text-chat',
      'acme/vision-gated',
    ])
    expect(await seen('dan')).toEqual([])
  })
})

describe('the page keeps its secrets', () => {
  test('no token, code or cookie is in the page, its storage, its address or its history', async () => {
    const { context, page } = await signedIn('ana')
    const secrets = demo.huggingFace.local?.hub.issued ?? []
    const within = await page.evaluate(() =>
      JSON.stringify([
        document.documentElement.outerHTML,
        document.cookie,
        Object.entries(localStorage),
        Object.entries(sessionStorage),
        history.state,
        location.href,
        performance
          .getEntries()
          .map((entry) => entry.name)
          .filter((name) => !name.includes('/callback?')),
      ]),
    )
    expect(secrets.length).toBeGreaterThan(3)
    expect(secrets.filter((secret) => within.includes(secret))).toEqual([])
    await context.close()
  })

  test('the panel opens at a click, under the policy of the page, and closes at the next', async () => {
    const { context, page, console } = await signedIn('ana')
    await page.getByRole('button', { name: 'Inspect' }).click()
    const panel = page.getByRole('complementary', { name: 'Signed in as ana' })
    await panel.waitFor()
    await panel.getByLabel('action').fill('delete')
    await panel.getByLabel('resource').fill('model:acme/vision-large')
    await panel.getByRole('button', { name: 'Ask' }).click()
    await panel.getByText('what helps').waitFor()
    await page.screenshot({ path: join(outputFolder('screens'), 'demo-panel.png') })
    await page.getByRole('button', { name: 'Inspect' }).click()
    await panel.waitFor({ state: 'detached' })
    expect(console).toEqual([])
    await context.close()
  })

  test('after signing out nothing is left to see, and the way in is there', async () => {
    const { context, page } = await signedIn('ana')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: 'Sign in with Hugging Face' }).waitFor()
    expect(await page.locator('#models').count()).toBe(0)
    await context.close()
  })
})

test('the trail on disk has every decision as a line of JSON, with who, what, where and why', () => {
  const lines = readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').trim().split('\n'))
    .map((line) => JSON.parse(line))
  expect(lines.filter(({ type }) => type === 'io.hfauth.decision').length).toBeGreaterThan(10)
  for (const event of lines) {
    expect(event).toMatchObject({
      v: 1,
      actor: expect.any(Object),
      environment: expect.any(String),
      service: expect.stringMatching(/^(api|proxy)$/),
    })
  }
})
