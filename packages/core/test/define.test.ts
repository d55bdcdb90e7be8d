/**
 * `definePolicy` as editors and compilers see it. What compiles and what does not stands in `define.types.ts`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { definePolicy, parsePolicy, presets } from '../src/index.ts'
import type { PresetName } from '../src/policy/define.ts'

const inTests = (name: string) => fileURLToPath(new URL(name, import.meta.url))

/** A policy that mentions a name of every kind; `▮` marks where an editor's cursor stands. */
const policyText = (mentions: Readonly<Record<string, string>> = {}) => {
  const {
    role = 'viewer',
    issuer = 'hf',
    exempt = 'hf',
    environment = 'production',
    on = 'model:a/b',
  } = mentions
  const {
    action = 'read',
    tested = 'hf',
    asked = 'production',
    fact = 'resource.gated',
    operator = '$eq',
  } = mentions
  return `import { definePolicy } from '../src/index.ts'
export const policy = definePolicy({
  version: 1,
  name: 'x',
  issuers: { hf: { preset: 'huggingface', audience: 'app' }, okta: { preset: 'oidc', audience: 'app' } },
  environments: { production: { exempt: ['${exempt}'] }, staging: {} },
  resources: { prompt: { actions: ['edit'], attributes: { draft: 'boolean' } } },
  projects: { vision: ['model:acme/vision-*'] },
  roles: {
    viewer: {},
    engineer: {
      extends: ['${role}'],
      allow: [{
        actions: ['${action}'],
        on: ['${on}'],
        when: { '${fact}': { ${operator}: true } },
        environments: ['${environment}'],
      }],
    },
  },
  bindings: [{ roles: ['${role}'], to: { issuer: '${issuer}' } }],
  tests: [{ name: 'x', principal: { issuer: '${tested}', claims: {} }, environment: '${asked}', expect: {} }],
})
`
}

function largePolicyText(size: number): string {
  const each = (line: (i: number) => string) => Array.from({ length: size }, (_, i) => line(i)).join(',\n')
  return `import { definePolicy } from '../src/index.ts'
export const policy = definePolicy({
  version: 1,
  name: 'large',
  issuers: { hf: { preset: 'huggingface', audience: 'app' } },
  environments: { production: {} },
  projects: { ${each((i) => `p${i}: ['model:acme/p${i}-*']`)} },
  roles: { ${each(
    (i) => `r${i}: {
      ${i === 0 ? '' : `extends: ['r${i - 1}'],`}
      allow: [{ actions: ['read', 'infer'], on: ['model:acme/m${i}', 'project:p${i}'],
        when: { 'resource.gated': false }, environments: ['production'] }],
    }`,
  )} },
  bindings: [${each((i) => `{ roles: ['r${i}'], to: { issuer: 'hf', org: 'o${i}' } }`)}],
  tests: [${each(
    (i) => `{ name: 't${i}', principal: { issuer: 'hf', claims: {} }, environment: 'production',
      expect: { 'read model:acme/m${i}': 'allow' } }`,
  )}],
})
`
}

const texts = new Map<string, string>()
let version = 0

const service = ts.createLanguageService({
  getCompilationSettings: () => ({
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts'],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  }),
  getScriptFileNames: () => [...texts.keys()],
  getScriptVersion: (name) => (texts.has(name) ? String(version) : '0'),
  getScriptSnapshot: (name) => {
    const text = texts.get(name) ?? (existsSync(name) ? readFileSync(name, 'utf8') : undefined)
    return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
  },
  getCurrentDirectory: () => inTests('.'),
  getDefaultLibFileName: ts.getDefaultLibFilePath,
  fileExists: (name) => texts.has(name) || ts.sys.fileExists(name),
  readFile: (name) => texts.get(name) ?? ts.sys.readFile(name),
  directoryExists: ts.sys.directoryExists,
})

/** Opens a text beside the tests, alone. */
function open(text: string): string {
  const file = inTests('./define-snippet.ts')
  texts.clear()
  texts.set(file, text)
  version++
  return file
}

function errorsOf(file: string): string[] {
  return service
    .getSemanticDiagnostics(file)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

function completionsAt(text: string): string[] {
  const at = text.indexOf('▮')
  const entries = service.getCompletionsAtPosition(open(text.replace('▮', '')), at, {})?.entries ?? []
  return entries.map(({ name }) => name).sort()
}

describe('definePolicy', () => {
  test('lets through and refuses what `define.types.ts` says', () => {
    expect(errorsOf(open(readFileSync(inTests('./define.types.ts'), 'utf8')))).toEqual([])
  })

  test.each([
    ['role', ['engineer', 'viewer']],
    ['issuer', ['hf', 'okta']],
    ['exempt', ['hf', 'okta']],
    ['tested', ['hf', 'okta']],
    ['environment', ['production', 'staging']],
    ['asked', ['production', 'staging']],
    ['action', ['*', 'create', 'delete', 'discuss', 'edit', 'infer', 'manage', 'read', 'run', 'write']],
  ])('completes what may stand as `%s`', (mention, expected) => {
    expect(completionsAt(policyText({ [mention]: '▮' }))).toEqual(expected)
  })

  test('completes projects, facts and operators', () => {
    expect(completionsAt(policyText({ on: '▮' }))).toContain('project:vision')
    expect(completionsAt(policyText({ fact: '▮' }))).toEqual(
      expect.arrayContaining(['resource.gated', 'resource.draft', 'principal.mfa', '$or']),
    )
    expect(completionsAt(policyText({ operator: '▮' }))).toEqual(
      expect.arrayContaining(['$eq', '$contains', '$cidr', '$after', '$ref']),
    )
  })

  test.each([
    ['role', 'viewr', 'Did you mean \'"viewer"\'?'],
    ['issuer', 'fh', '"fh"'],
    ['environment', 'prodution', 'Did you mean \'"production"\'?'],
    ['action', 'raed', `Type '"raed"' is not assignable to type '"`],
    ['on', 'project:visoin', 'Did you mean \'"project:vision"\'?'],
    ['on', 'modle:a/b', `Type '"modle:a/b"' is not assignable to type '`],
  ])('says of a misspelt `%s` what it is and what there is', (mention, name, message) => {
    const errors = errorsOf(open(policyText({ [mention]: name })))
    expect(errors.length).toBeGreaterThan(0)
    for (const error of errors) expect(error).toContain(message)
  })

  test('shows for a key what the JSON Schema says of it', () => {
    const text = policyText()
    const file = open(text)
    for (const [key, comment] of [
      ['exempt', 'Issuers that `require` does not apply to.'],
      ['when', 'Applies only where this condition holds.'],
      ['bindings', 'Verified claims → roles.'],
    ] as const) {
      const shown = service.getQuickInfoAtPosition(file, text.indexOf(`${key}:`))
      expect(ts.displayPartsToString(shown?.documentation)).toBe(comment)
    }
  })

  test('takes work that grows with the policy and no faster', () => {
    const workFor = (size: number) => {
      const file = open(largePolicyText(size))
      expect(errorsOf(file)).toEqual([])
      return service.getProgram()?.getInstantiationCount() ?? Number.NaN
    }
    const [base, half, whole] = [workFor(1), workFor(100), workFor(200)]
    expect(whole - base).toBeLessThan(2.2 * (half - base))
    expect(whole).toBeLessThan(200_000)
  })

  test('hands back what it was given, and a sound policy parses', () => {
    const written = {
      version: 1,
      name: 'x',
      issuers: { hf: { preset: 'huggingface', audience: 'app' } },
      environments: { production: {} },
      roles: { viewer: { allow: [{ actions: ['read'], on: ['model:acme/*'] }] } },
      bindings: [{ roles: ['viewer'], to: { issuer: 'hf' } }],
    } as const
    const policy = definePolicy(written)
    expect(policy).toBe(written)
    expect(parsePolicy(policy).roles.has('viewer')).toBe(true)
  })

  test('knows every preset there is', () => {
    const names: Readonly<Record<PresetName, true>> = {
      huggingface: true,
      okta: true,
      'okta-org': true,
      google: true,
      'google-workspace': true,
      github: true,
      entra: true,
      auth0: true,
      keycloak: true,
      slack: true,
      'aws-alb': true,
      oidc: true,
      'github-actions': true,
      'gitlab-ci': true,
      circleci: true,
      buildkite: true,
      aws: true,
      'aws-eks': true,
      kubernetes: true,
      'google-service-account': true,
    }
    expect([...presets.keys()].sort()).toEqual(Object.keys(names).sort())
  })
})
