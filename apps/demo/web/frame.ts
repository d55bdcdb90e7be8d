/**
 * What stands around the content: environments, who is signed in, the way in.
 *
 * @module
 */
import type { Session } from '@hfauth/browser'
import type { DemoConfig } from './config.ts'
import { element } from './dom.ts'

export function environmentLinks({ environments, environment }: DemoConfig): Node[] {
  return environments.map(({ name, url }) => {
    const link = element('a', { href: url }, name)
    if (name === environment) link.setAttribute('aria-current', 'page')
    return link
  })
}

export function accountView(
  session: Session | undefined,
  does: { inspect(): void; signOut(): void },
): Node[] {
  const inspect = element('button', { type: 'button', onclick: does.inspect }, 'Inspect')
  if (session === undefined) return [inspect]
  const name = session.username ?? session.name ?? session.sub
  return [
    element('span', {}, 'signed in as ', element('strong', { id: 'who' }, name)),
    inspect,
    element('button', { type: 'button', onclick: does.signOut }, 'Sign out'),
  ]
}

export function signedOutView({ organisation, environment, issuer }: DemoConfig, signIn: () => void): Node {
  return element(
    'div',
    { className: 'hero' },
    element('h1', {}, 'One policy file. The page, the API and the proxy all keep to it.'),
    element(
      'p',
      {},
      `Sign in to see the models of ${organisation} as the policy lets you in ${environment}: what you may not do has no button, and is refused when asked for directly.`,
    ),
    element('button', { type: 'button', className: 'primary', onclick: signIn }, 'Sign in with Hugging Face'),
    element(
      'p',
      { className: 'soft' },
      'To come back as someone else, ',
      element('a', { href: issuer }, 'sign out at Hugging Face'),
      ' too.',
    ),
  )
}
