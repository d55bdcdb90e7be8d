import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
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
  // External all the same, but for the one file that the first plugin names.
  noExternal: ['@casl/ability'],
  esbuildPlugins: [
    {
      // `compile/casl.ts` needs one class of CASL, and a page should load no more. CASL calls `createFactory` as it
      // loads, so no bundler may leave out its query languages: here the class is part of ours, with that call marked.
      name: 'one-class-of-casl',
      setup(build) {
        const casl = new URL(import.meta.resolve('@casl/ability'))
        build.onResolve({ filter: /^@casl\/ability$/ }, ({ path, importer }) =>
          /compile[\\/]casl\.ts$/.test(importer)
            ? { path: fileURLToPath(casl), sideEffects: false }
            : { path, external: true },
        )
        build.onLoad({ filter: /@casl[\\/]ability[\\/].*index\.mjs$/ }, async ({ path }) => {
          const text = await readFile(path, 'utf8')
          const [, name] = /createFactory as (\w+)/.exec(text) ?? []
          return { contents: text.replaceAll(`= ${name}(`, `= /* @__PURE__ */ ${name}(`) }
        })
        build.onEnd(async () => {
          await mkdir('dist', { recursive: true })
          await copyFile(new URL('../../LICENSE', casl), 'dist/casl.LICENSE.txt')
        })
      },
    },
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
