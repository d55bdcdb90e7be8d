/**
 * An outage: how long tokens wait while the issuer of known keys takes questions and gives no answer.
 *
 * By the clock on the wall, since waiting takes no processor time. That nobody waits for the network is for the
 * tests to prove; this is what it comes to beside the same work before the outage.
 */
import { performance } from 'node:perf_hooks'
import { formatTime } from '../measure.ts'
import { type Check, hfauth } from './hfauth.ts'
import { startIssuer } from './issuer.ts'
import { claimsOf, createSigner, tokenOf } from './tokens.ts'

const count = 5000
/** Past the ten minutes for which keys are fresh. */
const pastTheirAgeMs = 601_000

export async function measureOutage(): Promise<void> {
  const signer = createSigner('RS256')
  const issuer = await startIssuer([signer.jwk])
  try {
    let aheadMs = 0
    const now = () => Date.now() + aheadMs
    const check = hfauth(issuer.url, { cacheSeconds: 0, timeoutMs: 60_000, now })
    const tokens = Array.from({ length: count }, () => tokenOf(signer, claimsOf(issuer.url)))
    await waitsOf(check, tokens)
    const before = await waitsOf(check, tokens)
    issuer.stopAnswering()
    aheadMs = pastTheirAgeMs
    const [first = 0] = await waitsOf(check, tokens.slice(0, 1))
    const during = await waitsOf(check, tokens)
    console.log(`\n═══ an outage of the issuer`)
    console.log(`${count} tokens before it: ${describe(before)}`)
    console.log(`the first token after keys grew too old: ${formatTime(first)}`)
    console.log(`${count} tokens after that: ${describe(during)}`)
  } finally {
    issuer.close()
  }
}

/** Nanoseconds that each token waited, one after the other. */
async function waitsOf(check: Check, tokens: readonly string[]): Promise<readonly number[]> {
  const waits: number[] = []
  for (const token of tokens) {
    const start = performance.now()
    await check(token)
    waits.push((performance.now() - start) * 1e6)
  }
  return waits
}

function describe(waits: readonly number[]): string {
  const sorted = [...waits].sort((a, b) => a - b)
  const at = (share: number) => formatTime(sorted[Math.floor((sorted.length - 1) * share)] ?? 0)
  return `half within ${at(0.5)}, 75 % within ${at(0.75)}, 99 % within ${at(0.99)}, the longest ${at(1)}`
}
