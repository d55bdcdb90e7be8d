/**
 * Elsewhere: a sign-in that happens in another window, while this page stays where it is.
 *
 * sign-in address → **elsewhere** → pop-up. The record of the attempt stays in this page's memory, so that it works
 * where storage is partitioned or blocked; only the answer has to travel.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { readRedirectUri } from '../options.ts'
import { partsOf } from '../parts.ts'
import { attemptLifetimeMs } from '../provider/lifetime.ts'
import { readAnswer } from './answer.ts'
import { redeemAnswer, type SignInResult } from './callback.ts'
import { besideHeld, prepareSignIn, type SignInOptions } from './sign-in-url.ts'

export interface ElsewhereOptions extends SignInOptions {
  /** Another registered address than the configured one, such as that of a page that only hands the answer over. */
  readonly redirectUri?: string
}

/** A sign-in under way in a window that is not this page's. */
export interface SignInElsewhere {
  /** Where the other window has to go. */
  readonly url: string
  /** Random, and in the answer too: whoever brings the answer can be told by it. */
  readonly state: string
  /**
   * Takes the address the other window came back to, once.
   *
   * @throws HfAuthError as `handleCallback` does; `HFAUTH_SIGNIN_STATE` for a second answer, one of another sign-in,
   *   one that came after ten minutes, and one that came after a sign-out.
   */
  complete(answerUrl: string): Promise<SignInResult>
}

/**
 * Begins a sign-in in another window, which is the caller's to open. `signInWithPopup` is made of it.
 *
 * @param auth - From `createAuth`; it is signed in when the sign-in is complete.
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID`, `HFAUTH_ISSUER_UNAVAILABLE`.
 */
export async function beginElsewhere(auth: object, options: ElsewhereOptions = {}): Promise<SignInElsewhere> {
  const parts = partsOf(auth)
  const { settings, provider, vault, state: held, elsewhere } = parts
  const { allowLoopbackHttp, now } = settings
  const redirectUri = readRedirectUri(options.redirectUri ?? settings.redirectUri, allowLoopbackHttp)
  const { url, state, attempt } = await prepareSignIn(
    settings,
    provider,
    besideHeld(held, options),
    redirectUri,
  )
  const begun: SignInElsewhere = Object.freeze({
    url,
    state,
    async complete(answerUrl: string) {
      const answer = readAnswer(answerUrl)
      if (answer?.state !== state) {
        throw new HfAuthError('HFAUTH_SIGNIN_STATE', 'the answer belongs to another sign-in')
      }
      const current = elsewhere.delete(begun) && now() - attempt.createdAt < attemptLifetimeMs
      const session = () => held.snapshot().session
      return redeemAnswer({ settings, vault, session }, answer, current ? attempt : undefined)
    },
  })
  elsewhere.add(begun)
  return begun
}
