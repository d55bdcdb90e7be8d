/**
 * Clock: which time a token answer is judged by, since the clock of a device may be wrong by hours.
 *
 * network → **clock** → oauth. The local clock counts while the ID token agrees with it. When it does not, the time in
 * the `Date` of that very answer counts, for up to a day: whoever could forge one could forge the other.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { readTokenPart } from './bytes.ts'
import { attemptLifetimeMs } from './lifetime.ts'

export interface AnswerClock {
  /** Epoch seconds to judge the answer by. */
  readonly seconds: number
  /** Set when nothing but the ID token itself tells the time: it is judged by that, and then not used. */
  readonly wrong?: HfAuthError
}

/** A clock that is further off is somebody's to set right. */
const longestSkewSeconds = 86_400

/** @param localSeconds - By the clock of the device, in the moment when the answer came. */
export async function readClock(
  answer: Response,
  localSeconds: number,
  toleranceSeconds: number,
): Promise<AnswerClock> {
  const local = { seconds: localSeconds }
  const issued = await issuedAt(answer.clone())
  if (issued === undefined) return local
  const earliest = localSeconds - attemptLifetimeMs / 1000 - toleranceSeconds
  if (issued >= earliest && issued <= localSeconds + toleranceSeconds) return local
  // Pages see it only where the provider exposes it.
  const told = Date.parse(answer.headers.get('date') ?? '') / 1000
  if (Math.abs(told - localSeconds) <= longestSkewSeconds) return { seconds: told }
  return { seconds: issued, wrong: clockWrong(localSeconds - issued) }
}

/** `iat` of the ID token in an answer, in seconds; read before the token is judged, and only as a clock. */
export async function issuedAt(response: Response): Promise<number | undefined> {
  try {
    const { id_token: token } = await response.json()
    const { iat } = readTokenPart(token.split('.')[1])
    return Number.isFinite(iat) ? iat : undefined
  } catch {
    return undefined
  }
}

const units = [
  ['days', 86_400],
  ['hours', 3600],
  ['minutes', 60],
] as const

function clockWrong(aheadSeconds: number): HfAuthError {
  const off = Math.abs(aheadSeconds)
  const [unit, seconds] = units.find(([, size]) => off >= 2 * size) ?? ['seconds', 1]
  const way = aheadSeconds > 0 ? 'ahead of' : 'behind'
  return new HfAuthError(
    'HFAUTH_CLOCK_WRONG',
    `the clock of this device is about ${Math.round(off / seconds)} ${unit} ${way} the provider's: set it right and sign in again`,
  )
}
