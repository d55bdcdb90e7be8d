/**
 * The part `verify`: tokens, beside peers and the signature alone, in one run, by processor time.
 *
 * All have to accept and refuse the same tokens before any of them is timed.
 */
import { hash } from 'node:crypto'
import { formatTime, type Medians } from '../measure.ts'
import { type CpuContestant, measureCpu } from '../measure-cpu.ts'
import { measureFirst } from './first.ts'
import { type Check, hfauth } from './hfauth.ts'
import { type LoopbackIssuer, startIssuer } from './issuer.ts'
import { measureOutage } from './outage.ts'
import { algorithms, badTokens, claimsOf, createSigner, type Signer, tokenOf } from './tokens.ts'
import { fastJwt, localChecks, rawSignatures, remoteChecks } from './verifiers.ts'

const signers = algorithms.map(createSigner)
const issuer = await startIssuer(signers.map(({ jwk }) => jwk))
try {
  for (const signer of signers) await fresh(signer, issuer)
  await again(signers[0] as Signer, issuer)
  await measureOutage()
  await measureFirst()
} finally {
  issuer.close()
}

/** Tokens that were not seen before, as far as anybody remembers. */
async function fresh(signer: Signer, at: LoopbackIssuer): Promise<void> {
  const tokens = Array.from({ length: 64 }, () => tokenOf(signer, claimsOf(at.url)))
  const checks = { ...(await localChecks(signer, at.url)), ...remoteChecks(signer, at) }
  console.log(`\n═══ ${signer.algorithm}`)
  await agree(checks, tokens, badTokens(signer, at.url))
  const medians = await measureCpu([
    ...Object.entries(rawSignatures(signer, tokens)).map(([name, verify]) => ({
      name,
      run(count: number) {
        for (let i = 0; i < count; i++) verify()
      },
    })),
    ...Object.entries(checks).map(([name, check]) => contestant(name, check, tokens)),
  ])
  print(
    'one verification',
    medians,
    'crypto.verify',
    (ns, base) => `${(base / ns).toFixed(2)} of crypto.verify`,
  )
}

/** The same thousand tokens again and again. */
async function again(signer: Signer, at: LoopbackIssuer): Promise<void> {
  const tokens = Array.from({ length: 1000 }, () => tokenOf(signer, claimsOf(at.url)))
  const pem = signer.publicKey.export({ format: 'pem', type: 'spki' }) as string
  const seen = new Map(tokens.map((token) => [hash('sha256', token, 'hex'), true]))
  const checks = {
    hfauth: hfauth(at.url, { cacheSeconds: 3600 }),
    'fast-jwt': fastJwt(pem, signer.algorithm, at.url, true),
  }
  console.log('\n═══ tokens that are remembered')
  await agree(checks, tokens.slice(0, 20), badTokens(signer, at.url))
  const medians = await measureCpu([
    ...Object.entries(checks).map(([name, check]) => contestant(name, check, tokens)),
    contestant('a map', (token) => seen.get(hash('sha256', token, 'hex')), tokens),
  ])
  print(
    'one verification',
    medians,
    'fast-jwt',
    (ns, base) => `${(base / ns).toFixed(2)} × as fast as fast-jwt`,
  )
}

async function agree(
  checks: Readonly<Record<string, Check>>,
  good: readonly string[],
  bad: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, check] of Object.entries(checks)) {
    for (const token of good) {
      if (!(await accepts(check, token))) throw new Error(`${name} refuses a good token`)
    }
    for (const [fault, token] of Object.entries(bad)) {
      if (await accepts(check, token)) throw new Error(`${name} accepts a token with ${fault}`)
    }
  }
  const names = Object.keys(checks).join(', ')
  console.log(`agreed: ${names} on ${good.length} good and ${Object.keys(bad).length} bad tokens`)
}

async function accepts(check: Check, token: string): Promise<boolean> {
  try {
    await check(token)
    return true
  } catch {
    return false
  }
}

/** What answers at once is not made to wait. */
function contestant(name: string, check: Check, tokens: readonly string[]): CpuContestant {
  let next = 0
  return {
    name,
    async run(count) {
      for (let i = 0; i < count; i++) {
        const answer = check(tokens[next++ % tokens.length] as string)
        if (answer instanceof Promise) await answer
      }
    },
  }
}

function print(
  title: string,
  medians: Medians,
  base: string,
  ratio: (ns: number, base: number) => string,
): void {
  const baseNs = medians.get(base) ?? 0
  console.log(`\n${title}`)
  for (const [name, ns] of [...medians].sort((a, b) => a[1] - b[1])) {
    console.log(
      `  ${name.padEnd(16)} ${formatTime(ns).padStart(10)}${name === base ? '' : `  ${ratio(ns, baseNs)}`}`,
    )
  }
}
