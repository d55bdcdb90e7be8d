/** The recipes of the guide, by the compilers of the frameworks they are for. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as angular from '@angular/compiler'
import { compile as compileSvelte } from 'svelte/compiler'
import { expect, test } from 'vitest'
import { compileScript, parse } from 'vue/compiler-sfc'
import { compile } from '../../../test/support/compile.ts'

const guide = readFileSync(
  fileURLToPath(new URL('../../../docs/guide/vue-svelte-angular.md', import.meta.url)),
  'utf8',
)
const home = 'packages/browser'

function block(start: string): string {
  const found = [...guide.matchAll(/^```\w+\n([\s\S]*?)^```/gm)].find(([, code]) => code?.startsWith(start))
  if (found?.[1] === undefined) throw new Error(`no block begins with ${start}`)
  return found[1]
}

/** Script and template become one TypeScript module, so that names in the template are checked as well. */
function faultsOfVue(component: string): string[] {
  const { descriptor, errors } = parse(component)
  const { content } = compileScript(descriptor, { id: 'recipe', inlineTemplate: true })
  const faults = compile(content, { home, beside: { 'use-access.ts': block('// use-access.ts') } })
  // What the compiler wraps around the template leaves a parameter of its own without a type.
  // What the script does not have is looked for on the instance, which has no type.
  const unknown = [...content.matchAll(/_ctx\.(\w+)/g)].map(([, name]) => `the script has no \`${name}\``)
  return [...errors.map(String), ...unknown, ...faults.filter((fault) => !fault.includes("Parameter '_"))]
}

/** Svelte leaves no types: its output is checked as JavaScript, in which `access` is given its type again. */
function faultsOfSvelte(component: string): string[] {
  const { js, warnings } = compileSvelte(component, { generate: 'server', dev: false })
  const code = js.code.replace(
    /const { access } = \$\$props/,
    "const access = /** @type {import('./access.js').Access} */ (/** @type {any} */ ($$$$props).access)",
  )
  const beside = { 'access.ts': block('// access.ts') }
  const faults = compile(code, { home, extension: 'js', beside })
  return [
    ...warnings.map(({ message }) => message),
    ...faults.filter((fault) => / exist|argument/i.test(fault)),
  ]
}

/** The parser finds faults of syntax; what the template reads of the component is then read in TypeScript. */
function faultsOfAngular(component: string): string[] {
  const template = /template: `([\s\S]*?)`/.exec(component)?.[1] ?? ''
  const { errors, nodes } = angular.parseTemplate(template, 'recipe.html')
  const expressions: string[] = []
  const collect = new (class extends angular.TmplAstRecursiveVisitor {
    override visitBoundText({ value }: angular.TmplAstBoundText) {
      const { ast } = value as angular.ASTWithSource
      if (ast instanceof angular.Interpolation)
        expressions.push(...ast.expressions.map((part) => textOf(part, template)))
    }
    override visitBoundEvent({ handler }: angular.TmplAstBoundEvent) {
      expressions.push((handler as angular.ASTWithSource).source ?? '')
    }
    override visitIfBlockBranch(branch: angular.TmplAstIfBlockBranch) {
      if (branch.expression) expressions.push((branch.expression as angular.ASTWithSource).source ?? '')
      super.visitIfBlockBranch(branch)
    }
  })()
  angular.tmplAstVisitAll(collect, nodes)
  expect(expressions.length).toBeGreaterThan(3)
  const reads = expressions.map((text) => `void (component.${text})`).join('\n')
  const faults = compile(`${component}\ndeclare const component: RunButton\n${reads}\n`, { home })
  return [...(errors ?? []).map(({ msg }) => msg), ...faults]
}

function textOf({ sourceSpan }: angular.AST, template: string): string {
  return template.slice(sourceSpan.start, sourceSpan.end).trim()
}

test.each([
  ['Vue', faultsOfVue, '<script setup', "can('infer'", "may('infer'"],
  ['Svelte', faultsOfSvelte, '<script lang="ts">\n  import type { Access }', 'access.can(', 'access.may('],
  [
    'Angular',
    faultsOfAngular,
    "import type { Auth, Permissions } from '@hfauth/browser'\nimport { Component",
    'access.can(',
    'access.may(',
  ],
] as const)(
  'the recipe for %s compiles, and would not with a wrong name in it',
  (_, faultsOf, start, right, wrong) => {
    const recipe = block(start)
    expect(recipe).toContain(right)
    expect(faultsOf(recipe)).toEqual([])
    expect(faultsOf(recipe.replace(right, wrong)).join()).toContain('may')
  },
)
