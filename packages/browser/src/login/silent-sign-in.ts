/**
 * Silent sign-in: the authorization request without the person, for a way that can show it to itself.
 *
 * sign-in address, answer, vault → **silent sign-in** → create auth. Its attempt is kept in memory and nowhere else, and
 * what goes wrong is no error: the person may still sign in.
 *
 * @module
 */
import type { AttemptStorage } from '../page.ts'
import type { RenewalTools } from '../session/renewal.ts'
import { readAnswer } from './answer.ts'
import { createAttempts } from './attempts.ts'
import { buildSignInUrl } from './sign-in-url.ts'

/**
 * @param show - Goes to the address by itself and gives back the one with the answer, or `undefined`.
 * @returns False when there was no answer, a refusal, or another person's session.
 */
export async function signInSilently(
  { settings, provider, vault, state }: RenewalTools,
  show: (url: string) => Promise<string | undefined>,
): Promise<boolean> {
  const memory = inMemory()
  const attempts = createAttempts({ ...settings, storage: () => memory })
  const { holding } = state
  if (holding === undefined) return false
  const { scopes, id: renews } = holding
  const url = await buildSignInUrl(settings, provider, attempts, { prompt: 'none', scopes, returnTo: '/' })
  const answer = readAnswer((await show(url)) ?? settings.redirectUri)
  const attempt = answer && attempts.find(answer.state)
  if (!answer || !attempt || answer.fault !== undefined) return false
  try {
    await vault.redeem(answer.parameters, { ...attempt, state: answer.state, renews })
    return true
  } catch {
    return false
  }
}

function inMemory(): AttemptStorage {
  const entries = new Map<string, string>()
  return {
    get length() {
      return entries.size
    },
    key: (index) => [...entries.keys()][index] ?? null,
    getItem: (key) => entries.get(key) ?? null,
    setItem: (key, value) => void entries.set(key, value),
    removeItem: (key) => void entries.delete(key),
  }
}
