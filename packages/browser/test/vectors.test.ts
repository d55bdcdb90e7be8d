/** Core's golden vectors in a real browser, on the build that a page loads: the same bytes as in Node. */
import { readdirSync, readFileSync } from 'node:fs'
import * as core from '@hfauth/core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
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
    globalThis.runVectorText = (text) => runVectors(core, JSON.parse(text))`
  await page.addScriptTag({ content: await bundle({ text }, { format: 'iife' }) })
})
afterAll(() => browser?.close())

test.each(names)('%s is decided in Chromium as in Node, to the byte', async (name) => {
  const text = readFileSync(new URL(name, folder), 'utf8')
  const inPage: VectorResult = await page.evaluate(
    (given) => (globalThis as unknown as { runVectorText(text: string): VectorResult }).runVectorText(given),
    text,
  )
  expect(inPage.drift).toEqual([])
  expect(inPage).toEqual(runVectors(core, JSON.parse(text)))
})
