/**
 * Bundle: what a page loads, made as an application's bundler makes it.
 *
 * @module
 */
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

/**
 * @param what - A file below `packages/browser`, or the text of a module that imports from there.
 * @param options - What is different from a module for browsers of today.
 */
export async function bundle(
  what: { readonly file: string } | { readonly text: string },
  options: Pick<BuildOptions, 'define' | 'format' | 'globalName' | 'minify'> = {},
): Promise<string> {
  const home = fileURLToPath(new URL('../../', import.meta.url))
  const { outputFiles } = await build({
    ...('file' in what
      ? { entryPoints: [home + what.file] }
      : { stdin: { contents: what.text, resolveDir: home, loader: 'ts' } }),
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    ...options,
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}
