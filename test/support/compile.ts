/**
 * Compiles text that stands in a document as if it were a file of a package.
 *
 * @module
 */
import { join } from 'node:path'
import ts from 'typescript'
import { root } from '../source-files.ts'

export interface CompileOptions {
  /** Folder of the package whose libraries can be imported. Default the demo, where every package of ours can. */
  readonly home?: string | undefined
  /** How the file's name ends. Default `ts`. */
  readonly extension?: 'ts' | 'tsx' | 'js'
  /** Files beside it, by name. */
  readonly beside?: Readonly<Record<string, string>>
}

/** @returns What is wrong with it, a sentence for each fault. */
export function compile(code: string, options: CompileOptions = {}): string[] {
  const { home = 'apps/demo', extension = 'ts', beside = {} } = options
  const file = join(root, home, `block.${extension}`)
  const texts = new Map(Object.entries(beside).map(([name, text]) => [join(root, home, name), text]))
  texts.set(file, code)
  const settings: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts'],
    types: ['node'],
    jsx: ts.JsxEmit.ReactJSX,
    strict: true,
    exactOptionalPropertyTypes: true,
    // Angular's are of the older kind.
    experimentalDecorators: true,
    allowImportingTsExtensions: true,
    allowJs: true,
    checkJs: true,
    skipLibCheck: true,
    noEmit: true,
  }
  const host = ts.createCompilerHost(settings)
  const { getSourceFile, fileExists, readFile } = host
  host.fileExists = (name) => texts.has(name) || fileExists(name)
  host.readFile = (name) => texts.get(name) ?? readFile(name)
  host.getSourceFile = (name, ...rest) => {
    const text = texts.get(name)
    return text === undefined
      ? getSourceFile(name, ...rest)
      : ts.createSourceFile(name, text, ts.ScriptTarget.ES2023)
  }
  const program = ts.createProgram([file], settings, host)
  return ts.getPreEmitDiagnostics(program).map(({ messageText, start, file: at }) => {
    const line =
      at === undefined || start === undefined ? 0 : at.getLineAndCharacterOfPosition(start).line + 1
    return `line ${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
  })
}
