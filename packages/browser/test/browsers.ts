/**
 * Browsers: those that the smoke tests run in, and what to say of one that the machine does not have.
 *
 * Firefox is driven as it is installed, over WebDriver BiDi; none is brought along.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, firefox } from 'playwright-core'
import { launchChromium } from './chromium.ts'

export interface BrowserKind {
  readonly name: string
  /** `undefined` when the machine has none. */
  readonly launch: (() => Promise<Browser>) | undefined
}

const firefoxPath = installedFirefox()

export const browsers: readonly BrowserKind[] = [
  { name: 'Chromium', launch: () => launchChromium() },
  {
    name: 'Firefox',
    launch:
      firefoxPath === undefined
        ? undefined
        : () => firefox.launch({ channel: 'moz-firefox', executablePath: firefoxPath }),
  },
]

/** @throws Error when `FIREFOX_PATH` is set and nothing is there. */
function installedFirefox(): string | undefined {
  const named = process.env.FIREFOX_PATH || undefined
  if (named && !existsSync(named)) throw new Error(`FIREFOX_PATH names \`${named}\`, where there is no file`)
  const folders = (process.env.PATH ?? '').split(delimiter)
  const places = folders.flatMap((folder) => ['firefox-esr', 'firefox'].map((file) => join(folder, file)))
  return named ?? places.find((place) => existsSync(place))
}
