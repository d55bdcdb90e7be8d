import { readFile } from 'node:fs/promises'
import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    yaml: 'src/yaml.ts',
    json: 'src/json.ts',
    analysis: 'src/analysis/index.ts',
    // Not for import: entries of their own, so that a page that reads a snapshot, or catches an error, does
    // not load what stands beside them in one file.
    'parts/access': 'src/decide/access.ts',
    'parts/errors': 'src/errors.ts',
  },
  format: 'esm',
  target: 'es2023',
  platform: 'neutral',
  dts: true,
  clean: true,
  sourcemap: true,
  // Files without side effects need no import that only runs them, and bundlers warn of each.
  treeshake: { moduleSideEffects: false },
  // `clean` took the JSON Schemas away with everything else.
  onSuccess: 'node scripts/write-schemas.ts',
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
