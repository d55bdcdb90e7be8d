/**
 * Guarded fetch: `fetch` with the access token, for listed addresses and no other.
 *
 * vault, renewal → **guarded fetch** → APIs. Bodies stream through, and a redirect is left to the browser, which
 * drops the `Authorization` header on the way to another origin (Fetch, HTTP-redirect fetch). An answer that calls
 * the token invalid, or too weak, is followed by one repeat at most.
 *
 * @module
 */
import type { Settings } from '../options.ts'
import { assertAllowed } from '../vault/allow-list.ts'
import { signedOut } from '../vault/grant.ts'
import type { Vault } from '../vault/vault.ts'
import type { StepUpWay } from './challenge.ts'
import type { Renewal } from './renewal.ts'
import type { SessionState } from './session-state.ts'

export interface GuardedFetchParts {
  readonly settings: Settings
  readonly vault: Pick<Vault, 'send'>
  readonly state: SessionState
  readonly renewal: Renewal
  readonly stepUp: StepUpWay | undefined
}

/**
 * @throws HfAuthError inside the promise: `HFAUTH_ORIGIN_REFUSED` before anything is sent, `HFAUTH_SIGNED_OUT`, and
 *   what a renewal throws when the token has ended.
 * @see RFC 6750 §2.1, §3.1, §5.3
 */
export function createGuardedFetch(parts: GuardedFetchParts): typeof globalThis.fetch {
  const { settings, vault, state, renewal, stepUp } = parts
  const { page, now } = settings

  /** Whether there is a newer token of the same sign-in. */
  async function renewed(id: string, version: number): Promise<boolean> {
    try {
      await renewal.renew(version)
    } catch {
      // The caller gets the answer of the API, which says more than ours would.
      return false
    }
    return state.holding?.id === id && state.holding.version > version
  }

  return async (input, init) => {
    const from = page()
    const home = from?.location.href
    const given = input instanceof Request ? input.url : input
    const url = assertAllowed(settings, given, home, from?.document?.baseURI ?? home)
    // What was checked is what is sent: the address is not resolved a second time.
    const request = new Request(input instanceof Request ? input : url, init)
    // A stream is read once. Anything else can be sent again: made a second time where that can be, since a clone
    // turns the body into two streams, which take a third longer to send.
    const again = () => (input instanceof Request ? request.clone() : new Request(url, init))
    const repeat = init?.body instanceof ReadableStream ? undefined : again()

    const before = state.snapshot().session && state.holding
    if (before === undefined) throw signedOut('nobody is signed in, or no longer')
    if (now() >= before.expiresAt) await renewal.renew(before.version)
    const { id, version } = state.holding ?? before
    if (id !== before.id) throw signedOut('another person is signed in now')

    const response = await vault.send(request)
    if (response.status !== 401 && response.status !== 403) return response
    const worthIt = stepUp?.(response, state.emit) ?? (callsTokenInvalid(response) && renewed(id, version))
    if (!(await worthIt) || repeat === undefined) return response
    repeat.signal.throwIfAborted()
    await response.body?.cancel()
    return vault.send(repeat)
  }
}

/** A 401 that says so, or whose header nobody here can see. @see RFC 6750 §3.1 */
function callsTokenInvalid({ status, headers }: Response): boolean {
  return (
    status === 401 &&
    /\berror="?invalid_token\b/i.test(headers.get('www-authenticate') ?? 'error=invalid_token')
  )
}
