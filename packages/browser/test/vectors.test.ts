/** Core's golden vectors in a real browser, on the build that a page loads: the same bytes as in Node. */
import { readdirSync, readFileSync } from 'node:fs'
import * as core from '@hfauth/core'
import fc from 'fast-check'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as server from '../../core/src/index.ts'
import { Dice, parts, rollPrincipal, rollQuestion, toPolicy } from '../../core/test/generators.ts'
import { now } from '../../core/test/support.ts'
import { runVectors, type VectorResult } from '../../core/test/vectors-run.ts'
import { launchChromium } from './chromium.ts'
import { bundle } from './support/bundle.ts'

const folder = new URL('../../core/vectors/', import.meta.url)
const names = readdirSync(folder)

let browser: Browser
let page: Page

beforeAll(async () => {
  browser = await launchChromium()
  page = await browser.newPage()
  const text = `
    import * as core from '@hfauth/core'
    import { runVectors } from '../core/test/vectors-run.ts'
    globalThis.runVectorText = (text) => runVectors(core, JSON.parse(text))
    globalThis.decideText = (text) => JSON.parse(text).map(({ snapshot, questions, now }) => {
      const access = core.loadSnapshot(snapshot, { now: () => now })
      return questions.map((question) => access.decide(question)).map(({ allowed, reason }) => [allowed, reason])
    })`
  await page.addScriptTag({ content: await bundle({ text }, { format: 'iife' }) })
})
afterAll(() => browser?.close())

test.each(names)('%s is decided in Chromium as in Node, to the byte (R5)', async (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8')
  const inPage: VectorResult = await page.evaluate(
    (given) => (globalThis as unknown as { runVectorText(text: string): VectorResult }).runVectorText(given),
    text,
  )
  expect(inPage.drift).toEqual([])
  expect(inPage).toEqual(runVectors(core, JSON.parse(text)))
})

test('a page decides as the server does, by rules and questions that nobody wrote (R5)', async () => {
  const seed = 20260901
  const dice = new Dice(seed)
  const cases = fc.sample(parts, { numRuns: 150, seed }).map((given) => {
    const engine = server.createEngine(toPolicy(given), { environment: 'production', now: () => now })
    const access = engine.for(rollPrincipal(dice))
    // A snapshot is of one environment, and does not know the others.
    const questions = Array.from({ length: 20 }, () => ({ ...rollQuestion(dice), environment: 'production' }))
    return { access, questions, now, snapshot: JSON.stringify(access.snapshot()) }
  })
  const decisions = cases.flatMap(({ access, questions }) => questions.map((each) => access.decide(each)))
  const inPage: unknown[][] = await page.evaluate(
    (given) => (globalThis as unknown as { decideText(text: string): unknown[][] }).decideText(given),
    JSON.stringify(cases.map(({ access: _, ...rest }) => rest)),
  )
  expect(inPage.flat()).toEqual(decisions.map(({ allowed, reason }) => [allowed, reason]))
  // Many of either kind, so that agreement means something.
  const yes = decisions.filter(({ allowed }) => allowed).length
  expect(Math.min(yes, decisions.length - yes)).toBeGreaterThan(50)
})
