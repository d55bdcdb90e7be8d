import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/main.ts'],
  format: 'esm',
  target: 'es2023',
  platform: 'node',
  dts: false,
  clean: true,
  sourcemap: true,
  treeshake: true,
})
