/**
 * What the documents show compiles, and what they point to is there.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parsePolicy } from '@hfauth/core/yaml'
import { describe, expect, test } from 'vitest'
import { root } from './source-files.ts'
import { compile } from './support/compile.ts'

const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...filesIn('docs')]

function filesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
}

function blocks(document: string, language: string): { code: string; line: number }[] {
  const text = readFileSync(join(root, document), 'utf8')
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => ({
    code: match[1] ?? '',
    line: text.slice(0, match.index).split('\n').length + 1,
  }))
}

/** Pages about what the demo does not use: their blocks stand in the package whose tests do. */
const homes: Readonly<Record<string, string>> = {
  'docs/guide/browser-permissions.md': 'packages/browser',
  'docs/guide/audit-queries.md': 'packages/node',
  'docs/guide/frameworks.md': 'packages/node',
  'docs/guide/react.md': 'packages/browser',
  'docs/guide/telemetry.md': 'packages/node',
  'docs/guide/vue-svelte-angular.md': 'packages/browser',
}

const shown = documents.flatMap((document) =>
  (['ts', 'tsx'] as const).flatMap((extension) =>
    blocks(document, extension).map((block) => ({ document, extension, ...block })),
  ),
)

describe('code in the documents', () => {
  test('there is some for the browser, for Node and for the proxy in the README', () => {
    const readme = shown.filter(({ document }) => document === 'README.md').map(({ code }) => code)
    for (const name of ['@hfauth/browser', '@hfauth/node', 'createProxy']) {
      expect(readme.some((code) => code.includes(name) && code.trim().split('\n').length <= 34)).toBe(true)
    }
  })

  test.each(shown)('$document:$line compiles', ({ document, extension, code }) => {
    expect(compile(code, { home: homes[document], extension })).toEqual([])
  })

  test('a block that does not compile would be found', () => {
    expect(
      compile("import { createAuth } from '@hfauth/browser'\ncreateAuth({ clientID: 'x' })\n").join(),
    ).toContain('clientID')
  })

  test.each(
    documents.flatMap((document) => blocks(document, 'yaml').map((block) => ({ document, ...block }))),
  )('the policy in $document:$line has no fault', ({ code }) => {
    expect(parsePolicy(code, { variables: { HF_CLIENT_ID: 'x' } }).reference.version).toBe(1)
  })
})

test.each(documents)('every file that %s points to is there', (document) => {
  const text = readFileSync(join(root, document), 'utf8')
  const targets = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1] ?? '')
  expect(targets.filter((target) => !existsSync(resolve(root, dirname(document), target)))).toEqual([])
})
