import { defineConfig, type Options } from 'tsup'

const common: Options = {
  format: 'esm',
  target: 'es2023',
  platform: 'neutral',
  dts: true,
  sourcemap: true,
  treeshake: true,
}

export default defineConfig([
  { ...common, entry: ['src/index.ts'] },
  // A page starts this file as it is, so everything it needs is in it.
  { ...common, entry: ['src/worker.ts'], noExternal: [/.*/], splitting: false, minify: true },
])
