import { rmSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'

const common: Options = {
  format: 'esm',
  target: 'es2023',
  platform: 'neutral',
  dts: true,
  sourcemap: true,
  treeshake: true,
}

// Here and not by each build: they run at the same time, and one would clean up after the other.
rmSync('dist', { recursive: true, force: true })

export default defineConfig([
  { ...common, entry: ['src/index.ts', 'src/policy.ts', 'src/react.ts', 'src/panel.ts'] },
  // On its own, so that it shares no chunk: a page serves this file as it is.
  { ...common, entry: ['src/popup-callback.ts'] },
  // A page starts this file as it is, so everything it needs is in it.
  { ...common, entry: ['src/worker.ts'], noExternal: [/.*/], splitting: false, minify: true },
])
