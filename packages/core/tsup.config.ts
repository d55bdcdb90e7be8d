import { readFile } from 'node:fs/promises'
import { defineConfig } from 'tsup'

export default defineConfig({
  entry: ['src/index.ts', 'src/yaml.ts', 'src/json.ts'],
  format: 'esm',
  target: 'es2023',
  platform: 'neutral',
  dts: true,
  clean: true,
  sourcemap: true,
  treeshake: true,
  // `clean` took the JSON Schema away with everything else.
  onSuccess: 'node scripts/write-policy-schema.ts',
  esbuildPlugins: [
    {
      // What editors show for a key is for the JSON Schema and the types. Inside expressions the bundler keeps
      // comments; whoever loads a policy should not.
      name: 'without-descriptions',
      setup(build) {
        build.onLoad({ filter: /policy[\\/]schema\.ts$/ }, async ({ path }) => ({
          contents: (await readFile(path, 'utf8')).replaceAll(/^ +\/\*\*.*\*\/$/gm, ''),
          loader: 'ts',
        }))
      },
    },
  ],
})
