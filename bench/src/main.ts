/**
 * `pnpm bench [part]`: hfauth beside its peers, in one run.
 *
 * `policy` (the default): checks, filters and loading. `verify`: tokens. `audit`: events to the disk. `proxy`: requests
 * through it. `browser`: a page, in Chromium.
 */
const parts = {
  policy: () => import('./policy.ts'),
  verify: () => import('./verify/main.ts'),
  browser: () => import('./browser/main.ts'),
  audit: () => import('./audit/main.ts'),
  proxy: () => import('./proxy/main.ts'),
} as const

const name = process.argv[2] ?? 'policy'
if (!Object.hasOwn(parts, name)) {
  console.error(`there is no part \`${name}\`: ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}
await parts[name as keyof typeof parts]()
