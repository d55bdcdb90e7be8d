/**
 * One first verification; prints what it took, in milliseconds of processor time.
 */
import { claimsOf, createSigner, tokenOf } from './tokens.ts'

const issuer = 'https://idp.example'
const signer = createSigner('RS256')
const token = tokenOf(signer, claimsOf(issuer))

const ms = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000
const start = process.cpuUsage()
const { hfauth, policyFor } = await import('./hfauth.ts')
const policy = policyFor(issuer, [signer.jwk])
const load = process.cpuUsage(start)
const loaded = process.cpuUsage()
await hfauth(issuer, { policy, cacheSeconds: 0 })(token)
console.log(JSON.stringify({ loadMs: ms(load), firstMs: ms(process.cpuUsage(loaded)) }))
