/**
 * `pnpm bench [part]`: hfauth beside its peers, in one run.
 *
 * `policy` (the default): checks, filters and loading. `verify`: tokens. `browser`: a page, in Chromium.
 */
const parts = {
  policy: () => import('./policy.ts'),
  verify: () => import('./verify/main.ts'),
  browser: () => import('./browser/main.ts'),
} as const

const name = process.argv[2] ?? 'policy'
if (!Object.hasOwn(parts, name)) {
  console.error(`there is no part \`${name}\`: ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}
await parts[name as keyof typeof parts]()
