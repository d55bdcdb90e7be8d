/**
 * Pop-up app: the smallest page that signs in through another window. Bundled for the browser tests alone.
 *
 * Says in text what happened, so that a test sees what a person would see.
 *
 * @module
 */
import type { HfAuthError } from '@hfauth/core'
import {
  type Auth,
  byChallenge,
  capabilitiesOf,
  continueSignIn,
  createAuth,
  directSignInUrl,
  inSessionStorage,
  PopupBlockedError,
  type SignInResult,
  signInWays,
  signInWithPopup,
} from '../../src/index.ts'

declare const CONFIG: { readonly clientId: string }

const { searchParams } = new URL(location.href)
const popupUri = `${location.origin}/popup`
const auth: Auth = createAuth({
  clientId: CONFIG.clientId,
  // A test says which provider. No page should take it from its address.
  issuer: searchParams.get('issuer') ?? 'https://nobody.invalid',
  redirectUri: `${location.origin}/callback?issuer=${encodeURIComponent(searchParams.get('issuer') ?? '')}`,
  allowLoopbackHttp: true,
  ...(searchParams.has('store') && { tokenStore: inSessionStorage('app') }),
  stepUp: byChallenge(async ({ maxAgeSeconds = 0 }) => {
    await signInWithPopup(auth, { redirectUri: popupUri, maxAgeSeconds })
    return true
  }),
})
// In reach of the tests, which ask what no button here does.
Object.assign(window, { auth, capabilities: () => capabilitiesOf(auth) })

function show(id: string, text: string): void {
  const element = document.getElementById(id)
  if (element) element.textContent = text
}

function codeOf(error: unknown): string {
  return (error as HfAuthError).code ?? String(error)
}

function popup(outcome: string): Promise<void> {
  return signInWithPopup(auth, {
    redirectUri: popupUri,
    relay: searchParams.has('relay'),
    onClosed: () => show('closed', 'looks closed'),
  }).then(
    (result: SignInResult) => show(outcome, `${result.session.sub} ${result.session.scopes.join(' ')}`),
    (error: unknown) => {
      show(outcome, codeOf(error))
      if (!(error instanceof PopupBlockedError)) return
      const link = document.getElementById('link') as HTMLAnchorElement
      link.href = error.url
      link.textContent = 'Sign in'
      void error.result.then((result) => show(outcome, `by link ${result.session.sub}`))
    },
  )
}

let count = 0
document.getElementById('popup')?.addEventListener('click', () => {
  count += 1
  show(`outcome-${count}`, '…')
  void popup(`outcome-${count}`)
})
document.getElementById('redirect')?.addEventListener('click', () => {
  const returnTo = searchParams.get('returnTo')
  void auth
    .signIn(returnTo === null ? {} : { returnTo })
    .catch((error: unknown) => show('outcome-1', codeOf(error)))
})
document.addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) => {
  show('violations', `${violatedDirective} ${blockedURI}`)
})
const render = () => show('status', auth.getSnapshot().status)
auth.subscribe(render)
show('ways', signInWays().join(' '))
for (const id of ['direct', 'full'])
  (document.getElementById(id) as HTMLAnchorElement).href = directSignInUrl()
document.getElementById('call')?.addEventListener('click', () => {
  void auth
    .fetch('/api/strong')
    .then((answer) => answer.text())
    .then((text) => show('outcome-1', text))
})
/**
 * Whether a test wants a page that signs in by itself, as soon as it sees that nobody is. How that ends stands in the address,
 * where a test reads it without touching the page, which would count as a click.
 */
const { byItself = false } = window as { byItself?: boolean }
const signInByItself = async () => {
  if (byItself && auth.session === undefined) await auth.signIn()
}
void auth
  .handleCallback()
  .catch((error: unknown) => show('outcome-1', codeOf(error)))
  .then(() => continueSignIn(auth))
  .then(render)
  .then(signInByItself)
  .catch((error: unknown) => {
    location.hash = codeOf(error)
  })
