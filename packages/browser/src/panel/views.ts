/**
 * Views: what the panel says of a session and of permissions, each part made anew when something changes.
 *
 * states → **views** → mount. Pure but for the elements they make.
 *
 * @module
 */
import type { PermissionsState } from '../access/permissions.ts'
import type { AuthState } from '../session/session-state.ts'
import { chips, element, pairs } from './dom.ts'
import { safeValue } from './safe-value.ts'

export function identityView({ status, session }: AuthState, now: number): Node[] {
  if (session === undefined) return [element('p', { class: 'soft' }, statusText(status))]
  const { sub, username, name, scopes, expiresAt } = session
  return [
    pairs([
      ['user', username ?? name ?? sub],
      ...(name === undefined ? [] : ([['name', name]] as const)),
      ['sub', sub],
      ['issuer', safeValue('iss', session.claims.iss)],
      ['token', `ends ${clockText(expiresAt)}, ${spanText(expiresAt - now)}`],
    ]),
    element('p', { class: 'soft' }, 'scopes granted'),
    chips(scopes, 'none'),
  ]
}

export function claimsView({ session }: AuthState): Node[] {
  if (session === undefined) return [element('p', { class: 'soft' }, 'nobody is signed in')]
  return [
    pairs(Object.entries(session.claims).map(([name, value]) => [name, safeValue(name, value)] as const)),
  ]
}

export function rulesView({ status, access, error }: PermissionsState): Node[] {
  const trouble =
    error === undefined ? [] : [element('p', { class: 'bad' }, `${error.code}: ${error.message}`)]
  if (access === undefined) return [element('p', { class: 'soft' }, rulesText[status]), ...trouble]
  return [
    pairs([
      ['environment', access.environment],
      ['principal', access.principal],
      ['version', access.digest.slice(0, 19)],
    ]),
    element('p', { class: 'soft' }, 'roles held'),
    chips(access.roles(), 'none'),
    ...trouble,
  ]
}

const rulesText: Readonly<Record<PermissionsState['status'], string>> = {
  empty: 'no rules are loaded: nothing is allowed',
  loading: 'loading the rules',
  ready: 'ready',
  failed: 'the rules could not be loaded: nothing is allowed',
}

export function statusText(status: AuthState['status']): string {
  return status === 'unknown' ? 'not known yet' : status.replace('-', ' ')
}

export function clockText(time: number): string {
  return new Date(time).toTimeString().slice(0, 8)
}

/** `in 7 min`, or `42 s ago`. */
export function spanText(milliseconds: number): string {
  const seconds = Math.round(Math.abs(milliseconds) / 1000)
  const text =
    seconds < 90
      ? `${seconds} s`
      : seconds < 5400
        ? `${Math.round(seconds / 60)} min`
        : `${Math.round(seconds / 3600)} h`
  return milliseconds < 0 ? `${text} ago` : `in ${text}`
}
