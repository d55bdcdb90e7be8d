/**
 * Browsers: those that the smoke tests run in, and what to say of one that the machine does not have.
 *
 * Firefox is driven as it is installed, over WebDriver BiDi; none is brought along.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type Frame, firefox } from 'playwright-core'
import { launchChromium } from './chromium.ts'

export interface BrowserKind {
  readonly name: string
  /** `undefined` when the machine has none. */
  readonly launch: (() => Promise<Browser>) | undefined
  /** A person's click on a button in a frame, which may be of another site. */
  click(frame: Frame, selector: string): Promise<void>
}

const firefoxPath = installedFirefox()

export const browsers: readonly BrowserKind[] = [
  { name: 'Chromium', launch: () => launchChromium(), click: (frame, selector) => frame.click(selector) },
  {
    name: 'Firefox',
    launch: firefoxPath === undefined ? undefined : () => launchFirefox(firefoxPath),
    click: clickInFirefox,
  },
]

/**
 * Sets the colour scheme of no page. Playwright does so for each new context, with a command that Firefox 153 does not
 * know, and has no switch for it.
 */
async function launchFirefox(executablePath: string): Promise<Browser> {
  const browser = await firefox.launch({ channel: 'moz-firefox', executablePath })
  const session = insideOf(browser)._browserSession
  const send = session.send.bind(session)
  session.send = async (command, parameters) =>
    command === 'emulation.setMediaFeaturesOverride' ? {} : send(command, parameters)
  return browser
}

/** Playwright clicks in the top window, and Firefox passes that on to no frame of another site. */
async function clickInFirefox(frame: Frame, selector: string): Promise<void> {
  const button = frame.locator(selector)
  await button.waitFor()
  const { x, y } = await button.evaluate((element) => {
    const { left, top, width, height } = element.getBoundingClientRect()
    return { x: Math.round(left + width / 2), y: Math.round(top + height / 2) }
  })
  const browser = frame.page().context().browser()
  if (browser === null) throw new Error('the browser is gone')
  await insideOf(browser)._browserSession.send('input.performActions', {
    context: insideOf(frame)._id,
    actions: [
      {
        type: 'pointer',
        id: 'mouse',
        actions: [
          { type: 'pointerMove', x, y },
          { type: 'pointerDown', button: 0 },
          { type: 'pointerUp', button: 0 },
        ],
      },
    ],
  })
}

interface Inside {
  readonly _browserSession: { send(command: string, parameters: object): Promise<unknown> }
  /** Of a frame: its browsing context. */
  readonly _id: string
}

/** What Playwright itself works with: the only way to what WebDriver BiDi can do and Playwright does not offer. */
function insideOf(given: Browser | Frame): Inside {
  const { _connection } = given as unknown as { _connection: { toImpl(given: unknown): Inside } }
  return _connection.toImpl(given)
}

/** @throws Error when `FIREFOX_PATH` is set and nothing is there. */
function installedFirefox(): string | undefined {
  const named = process.env.FIREFOX_PATH || undefined
  if (named && !existsSync(named)) throw new Error(`FIREFOX_PATH names \`${named}\`, where there is no file`)
  const folders = (process.env.PATH ?? '').split(delimiter)
  const places = folders.flatMap((folder) => ['firefox-esr', 'firefox'].map((file) => join(folder, file)))
  return named ?? places.find((place) => existsSync(place))
}
