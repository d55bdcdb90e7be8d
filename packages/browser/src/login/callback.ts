/**
 * Callback: takes the answer out of the address and makes a session of it.
 *
 * answer, attempts, vault → **callback** → session. Everything that must not happen twice happens before the
 * first wait: the attempt is deleted and the address is clean when the token request is sent.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import type { Settings } from '../options.ts'
import type { Page } from '../page.ts'
import { buildSession, type Session } from '../session/session.ts'
import type { Vault } from '../vault/vault.ts'
import { type Answer, readAnswer } from './answer.ts'
import type { Attempt, Attempts } from './attempts.ts'
import { safeReturnTo } from './return-address.ts'

export interface SignInResult {
  readonly session: Session
  /** Path on this origin; the address bar shows it already. */
  readonly returnTo: string
  /** Asked for and not granted. */
  readonly missingScopes: readonly string[]
}

export interface CallbackParts {
  readonly settings: Settings
  readonly vault: Pick<Vault, 'redeem'>
  readonly attempts: Attempts
  readonly session: () => Session | undefined
}

/**
 * Handles the answer in the address of `page`, if there is one for this client.
 *
 * @returns `undefined` when there is none: the address is left as it is.
 * @throws HfAuthError inside the promise, never at the call.
 */
export function startCallback(parts: CallbackParts, page: Page): Promise<SignInResult> | undefined {
  const { attempts, settings } = parts
  const answer = readAnswer(page.location.href)
  if (answer === undefined) return undefined
  const attempt = attempts.find(answer.state)
  if (!isOurs(answer, attempt, page, settings)) return undefined

  const removed = attempts.remove(answer.state)
  page.history.replaceState(page.history.state, '', answer.cleaned)
  return finish(parts, page, answer, removed ? attempt : undefined)
}

async function finish(
  parts: CallbackParts,
  page: Page,
  answer: Answer,
  attempt: Attempt | undefined,
): Promise<SignInResult> {
  const result = await redeemAnswer(parts, answer, attempt)
  // Not when the application has moved on meanwhile.
  if (page.location.href === answer.cleaned) {
    page.history.replaceState(page.history.state, '', result.returnTo)
  }
  return result
}

/**
 * Turns an answer into a session. The caller has made sure that it comes here once.
 *
 * @param attempt - What the answer is compared with; `undefined` when nothing is known of it.
 */
export async function redeemAnswer(
  { settings, vault, session: current }: Omit<CallbackParts, 'attempts'>,
  { fault, parameters, state: answerState }: Answer,
  attempt: Attempt | undefined,
): Promise<SignInResult> {
  if (attempt === undefined) {
    throw new HfAuthError(
      'HFAUTH_SIGNIN_STATE',
      'the answer belongs to no sign-in under way in this tab, or came too late; start again',
    )
  }
  if (fault !== undefined) {
    throw new HfAuthError('HFAUTH_SIGNIN_INVALID', `the answer of the provider cannot be used: ${fault}`)
  }
  const holding = await vault.redeem(parameters, { ...attempt, state: answerState })
  const session = current() ?? buildSession(holding)
  const returnTo = safeReturnTo(attempt.returnTo, settings.redirectUri)
  const missingScopes = attempt.scope.split(' ').filter((scope) => !session.scopes.includes(scope))
  return Object.freeze({ session, returnTo, missingScopes })
}

/** An attempt says whose answer it is. Without one, only what came to our own address is taken for a late answer. */
function isOurs(answer: Answer, attempt: Attempt | undefined, page: Page, settings: Settings): boolean {
  if (attempt) return attempt.issuer === settings.issuer && attempt.clientId === settings.clientId
  const here = new URL(page.location.href)
  const registered = new URL(settings.redirectUri)
  return !answer.inFragment && here.origin === registered.origin && here.pathname === registered.pathname
}
