/**
 * Chromium: finds a browser for tests that need a real one.
 *
 * One on the machine first (`CHROMIUM_PATH`, then the usual places), otherwise the one that `@sparticuz/chromium`
 * carries. Copy this file to use it elsewhere: it needs `playwright-core` and `@sparticuz/chromium`.
 *
 * @module
 */
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { type Browser, chromium, type LaunchOptions } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'microsoft-edge']
const applications = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** No sandbox, since containers often run as root; and nothing that talks to anyone on its own. */
const args = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

/** Starts a headless browser. Close it when done: `await browser.close()`. */
export async function launchChromium(options: LaunchOptions = {}): Promise<Browser> {
  const executablePath = installedChromium() ?? (await packagedChromium())
  return chromium.launch({ executablePath, ...options, args: [...args, ...(options.args ?? [])] })
}

/** @throws Error when `CHROMIUM_PATH` is set and nothing is there. */
export function installedChromium(): string | undefined {
  const named = process.env.CHROMIUM_PATH
  if (named) {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH names \`${named}\`, where there is no file`)
    return named
  }
  const folders = (process.env.PATH ?? '').split(delimiter)
  const places = folders.flatMap((folder) => names.map((name) => join(folder, name)))
  return [...places, ...applications].find((place) => existsSync(place))
}

/**
 * Unpacks the packaged browser into the temporary folder, once for each of its versions.
 *
 * Two test files may start at once. Each unpacks into a folder of its own, and the first to finish gives its
 * folder the shared name in one step; so nobody ever starts a browser that is only half there.
 */
export async function packagedChromium(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium')
  const { version } = JSON.parse(await readFile(join(dirname(entry), '..', 'package.json'), 'utf8'))
  const home = join(tmpdir(), `hfauth-chromium-${version}`)
  const executable = join(home, 'chromium')
  if (existsSync(executable)) return executable

  const { default: packaged } = await import('@sparticuz/chromium')
  const own = await mkdtemp(`${home}-`)
  const before = process.env.TMPDIR
  try {
    // The package unpacks to the temporary folder and cannot be told otherwise.
    process.env.TMPDIR = own
    await packaged.executablePath()
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
  // Fails when another process was faster; its folder is as good as ours.
  await rename(own, home).catch(() => rm(own, { recursive: true, force: true }))
  return executable
}
