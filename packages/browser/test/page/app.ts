/**
 * App: the smallest page that signs in. Bundled for the browser tests, never for anything else.
 *
 * Tests drive it by its buttons and read its text, so that what they see is what a person would see.
 *
 * @module
 */
import type { HfAuthError } from '@hfauth/core'
import {
  byBackend,
  byFrame,
  capabilitiesOf,
  checkOnFocus,
  createAuth,
  createPermissions,
  inSessionStorage,
  inWorker,
} from '../../src/index.ts'

declare global {
  interface Window {
    readonly trustedTypes?: {
      createPolicy(name: string, rules: object): { createScriptURL(url: string): unknown }
    }
  }
}

declare const CONFIG: {
  readonly issuer: string
  readonly clientId: string
  readonly redirectUri: string
  readonly apiOrigins: readonly string[]
}

/** Set by a test before the page starts. */
const {
  mode,
  skewMs = 0,
  requestTimeoutMs,
} = window as {
  mode?: string
  skewMs?: number
  requestTimeoutMs?: number
}
/** Trusted Types want to know that this address is a script. */
function startWorker(shared: boolean): Worker | SharedWorker {
  const policy = window.trustedTypes?.createPolicy('app', { createScriptURL: (url: string) => url })
  const url = (policy?.createScriptURL('/worker.js') ?? '/worker.js') as string
  const worker = shared ? new SharedWorker(url, { type: 'module' }) : new Worker(url, { type: 'module' })
  // Closer than any script could get to it.
  Object.assign(window, { port: 'port' in worker ? worker.port : worker })
  return worker
}
/** The clock of this page can be put forward, as by a night of sleep. */
const tools = { skewMs, heard: [] as string[] }
const auth = createAuth({
  ...CONFIG,
  scopes: ['inference-api'],
  allowLoopbackHttp: true,
  now: () => Date.now() + tools.skewMs,
  ...(requestTimeoutMs && { requestTimeoutMs }),
  ...(mode === 'store' && { tokenStore: inSessionStorage('app') }),
  ...(mode?.endsWith('worker') && { vault: inWorker(startWorker(mode === 'shared-worker')) }),
  ...(mode === 'frame' && { renewal: [byFrame({ timeoutMs: 3000 })] }),
  ...(mode === 'backend' && { renewal: [byBackend({ url: '/session' })] }),
  ...(mode === 'alone' && { shareTabs: false }),
})
if (mode === 'focus') checkOnFocus(auth, { afterSeconds: 600 })
const permissions = createPermissions(auth)
auth.subscribe((event) => void tools.heard.push('by' in event ? `${event.type} by ${event.by}` : event.type))
// In reach of whoever looks for a token on them.
Object.assign(window, { auth, permissions, tools, capabilities: () => capabilitiesOf(auth) })

function element<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T
}

function show(id: string, text: string): void {
  element(id).textContent = text
}

function render(): void {
  const { status, session } = auth.getSnapshot()
  show('status', status)
  show('who', session ? `${session.username} ${session.scopes.join(' ')}` : '')
  show('may', `infer ${permissions.can('infer', 'model:acme/vision-large')}`)
}

async function report(work: Promise<unknown>): Promise<void> {
  show('outcome', '…')
  try {
    show('outcome', String(await work))
  } catch (error) {
    show('outcome', (error as HfAuthError).code ?? String(error))
  }
}

document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => {
  element('violations').append(`${violatedDirective} ${blockedURI} ${sample}\n`)
})
element('sign-in').addEventListener('click', () => void report(auth.signIn()))
element('sign-out').addEventListener('click', () => void report(auth.signOut()))
element('load').addEventListener(
  'click',
  () => void report(permissions.load('/api/access').then(() => 'loaded')),
)
element('call').addEventListener('click', () => {
  const address = element<HTMLInputElement>('address').value
  void report(auth.fetch(address).then((response) => response.text()))
})
auth.subscribe(render)
permissions.subscribe(render)
// Twice, as a framework's strict mode would.
void auth.handleCallback().catch(() => {})
void report(auth.handleCallback().then((result) => `returned to ${result?.returnTo ?? 'nowhere'}`)).then(
  render,
)
