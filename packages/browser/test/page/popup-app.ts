/**
 * Pop-up app: the smallest page that signs in through another window. Bundled for the browser tests alone.
 *
 * Says in text what happened, so that a test sees what a person would see.
 *
 * @module
 */
import type { HfAuthError } from '@hfauth/core'
import {
  continueSignIn,
  createAuth,
  directSignInUrl,
  PopupBlockedError,
  type SignInResult,
  signInWays,
  signInWithPopup,
} from '../../src/index.ts'

declare const CONFIG: { readonly clientId: string }

const { searchParams } = new URL(location.href)
const auth = createAuth({
  clientId: CONFIG.clientId,
  // A test says which provider. No page should take it from its address.
  issuer: searchParams.get('issuer') ?? 'https://nobody.invalid',
  redirectUri: `${location.origin}/callback?issuer=${encodeURIComponent(searchParams.get('issuer') ?? '')}`,
  allowLoopbackHttp: true,
})

function show(id: string, text: string): void {
  const element = document.getElementById(id)
  if (element) element.textContent = text
}

function codeOf(error: unknown): string {
  return (error as HfAuthError).code ?? String(error)
}

function popup(outcome: string): Promise<void> {
  return signInWithPopup(auth, {
    redirectUri: `${location.origin}/popup`,
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
const direct = document.getElementById('direct') as HTMLAnchorElement
direct.href = directSignInUrl()
void auth
  .handleCallback()
  .catch((error: unknown) => show('outcome-1', codeOf(error)))
  .then(() => continueSignIn(auth))
  .then(render)
