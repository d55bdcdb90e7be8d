/**
 * Visit: what each test of a file in a real browser begins and ends with.
 *
 * place, visitor → **visit** → the tests. One Hub, web app and browser for the file, and a new visitor for each test. Every
 * test is one about the policy of the site and about errors that nobody caught, whatever else it shows (O1, O2, O3).
 *
 * @module
 */
import type { BrowserContext, LaunchOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { openPlace, type Place } from './place.ts'
import { createVisitor, type Visitor } from './visitor.ts'
import type { WebAppOptions } from './web-app.ts'

export interface Visit extends Pick<Place, 'hub' | 'app' | 'browser'> {
  /** Of this test alone. */
  readonly context: BrowserContext
  readonly visitor: Visitor
}

/** Registers the hooks. @returns What they fill: read its members inside a test or a later hook. */
export function visitEachTest(
  options: Pick<WebAppOptions, 'trustedTypes'> = {},
  launch: LaunchOptions = {},
): Visit {
  const visit = {} as { -readonly [Name in keyof Visit]: Visit[Name] }
  let place: Place
  let errors: string[]

  beforeAll(async () => {
    place = await openPlace(options, launch)
    const { hub, app, browser } = place
    Object.assign(visit, { hub, app, browser })
  })
  afterAll(() => place?.close())

  beforeEach(async () => {
    const { hub, app, browser } = place
    place.tidy()
    errors = []
    const context = await browser.newContext()
    context.setDefaultTimeout(15_000)
    context.on('weberror', (error) => void errors.push(String(error.error())))
    Object.assign(visit, { context, visitor: createVisitor(context, app, hub) })
  })
  afterEach(async () => {
    const { app, context } = visit
    const ours = context.pages().filter((page) => page.url().startsWith(app.url))
    const noted = await Promise.all(ours.map(violationsIn))
    await context.close()
    // What the pages saw themselves, since a report may still be on its way.
    expect(noted.join('')).toBe('')
    expect(app.violations).toEqual([])
    expect(errors).toEqual([])
  })
  return visit
}

const violationsIn = (page: Page) => page.evaluate(() => document.querySelector('#violations')?.textContent)
