/**
 * Imports follow the flow: the folders of a package stand on steps, a file imports from its own folder
 * and from lower steps, packages know only the packages below them, and a library has one door.
 */
import { describe, expect, test } from 'vitest'
import { resolveImport, type SourceFile, sourceFiles } from './source-files.ts'

interface PackageRules {
  /** Folders and files from the bottom up; those on one line do not know each other. */
  readonly steps: readonly (readonly string[])[]
  /** The same inside a folder that has folders of its own. */
  readonly inside?: Readonly<Record<string, readonly (readonly string[])[]>>
  /** What else may be imported, and by which files. */
  readonly libraries: Readonly<Record<string, readonly string[]>>
  readonly forbiddenWords: readonly RegExp[]
}

const everyFile = ['']

const rules: Readonly<Record<string, PackageRules>> = {
  'packages/core': {
    steps: [
      ['types.ts', 'brand.ts', 'errors.ts'],
      ['internal', 'json.ts'],
      ['hub', 'principal'],
      ['policy'],
      ['compile'],
      ['decide'],
      ['explain', 'reach'],
      ['audit', 'engine', 'yaml.ts'],
      ['examples.ts', 'analysis'],
      ['index.ts'],
    ],
    libraries: {
      // The second makes what leaves the package as an instance of CASL: docs/decisions/0010.
      '@casl/ability': ['compile/casl.ts', 'compile/casl-ability.ts'],
      valibot: ['policy/schema.ts'],
      yaml: ['yaml.ts'],
      '@noble/hashes/sha2.js': ['policy/digest.ts'],
      '@noble/hashes/utils.js': ['policy/digest.ts'],
    },
    forbiddenWords: [
      /\bfetch\(/,
      /\bwindow\b(?!s)/,
      /\bdocument\.(?:cookie|body|createElement)/,
      /\bprocess\./,
      /\bconsole\./,
      /Math\.random/,
    ],
  },
  'packages/browser': {
    steps: [
      ['secure-url.ts', 'page.ts'],
      ['token-store.ts'],
      ['options.ts'],
      ['provider', 'space-options.ts'],
      ['vault'],
      ['session'],
      ['parts.ts'],
      ['capabilities.ts'],
      ['login'],
      ['renewal'],
      ['create-auth.ts', 'access', 'popup'],
      ['react', 'panel'],
      ['index.ts', 'worker.ts', 'popup-callback.ts', 'policy.ts', 'react.ts', 'panel.ts'],
    ],
    libraries: { '@hfauth/core': everyFile, oauth4webapi: ['provider'], react: ['react'] },
    forbiddenWords: [
      /\blocalStorage\b/,
      /document\.cookie/,
      /\beval\(/,
      /new Function/,
      /innerHTML/,
      /Math\.random/,
    ],
  },
  'packages/node': {
    steps: [
      ['internal'],
      ['token'],
      ['keys'],
      ['audit'],
      ['secrets'],
      ['verify'],
      ['exchange', 'revoke'],
      ['session'],
      ['guard', 'reload'],
      ['adapters', 'limits'],
      ['proxy', 'redis', 'forward-auth', 'postgres'],
      ['telemetry', 'authzen'],
      [
        'index.ts',
        'authzen.ts',
        'express.ts',
        'fastify.ts',
        'hono.ts',
        'http.ts',
        'koa.ts',
        'next.ts',
        'otel.ts',
        'postgres.ts',
        'redis.ts',
        'web.ts',
      ],
    ],
    inside: {
      proxy: [
        ['wire'],
        ['upstream'],
        ['bodies'],
        ['request'],
        ['pipeline.ts'],
        ['readiness.ts', 'cors.ts'],
        ['listen.ts'],
        ['proxy.ts'],
      ],
    },
    libraries: {
      '@hfauth/core': everyFile,
      '@hfauth/core/json': everyFile,
      '@opentelemetry/api': ['telemetry/api.ts'],
      // For their types alone, to which each adapter adds what it puts on a request.
      fastify: ['adapters/fastify.ts'],
      hono: ['adapters/hono.ts'],
      jose: ['keys/signature.ts', 'secrets/assertion-keys.ts', 'session/sealed-box.ts'],
      oauth4webapi: ['session/oauth.ts'],
      // The one sends, the other takes what comes back.
      undici: ['proxy/upstream/upstream-client.ts', 'proxy/wire/arrival.ts'],
      'node:': everyFile,
    },
    forbiddenWords: [
      /Math\.random/,
      /\bconsole\./,
      // A function that V8 makes among its old objects, and with it stays all that it can reach: `proxy/request/on-failure.ts`.
      /\.\w+ (?:\?\?)?= (?:async )?(?:\([^()]*\)|\w+) =>/,
    ],
  },
  'packages/cli': {
    steps: [
      ['command.ts'],
      ['visible.ts'],
      ['port.ts', 'policy-file.ts', 'generated-file.ts', 'stdin.ts', 'question.ts', 'ci', 'audit'],
      ['proxy-config'],
      ['commands'],
      ['run.ts'],
      ['main.ts'],
    ],
    libraries: {
      '@hfauth/core': everyFile,
      '@hfauth/core/yaml': everyFile,
      '@hfauth/core/json': everyFile,
      '@hfauth/core/analysis': ['commands/policy-prove.ts'],
      '@hfauth/node': [
        'audit',
        'commands/audit-prove.ts',
        'commands/audit-query.ts',
        'commands/audit-report.ts',
        'commands/audit-verify.ts',
        'commands/audit-verify-proof.ts',
        'commands/policy-diff.ts',
        'commands/proxy.ts',
        'commands/ci-token.ts',
        'commands/secrets-status.ts',
        'ci',
        'proxy-config',
      ],
      '@hfauth/node/postgres': ['audit/postgres.ts'],
      '@hfauth/node/otel': ['commands/proxy.ts'],
      '@hfauth/node/http': ['proxy-config/doors.ts'],
      '@hfauth/node/redis': [
        'proxy-config/limits.ts',
        'proxy-config/redis.ts',
        'proxy-config/revocations.ts',
      ],
      ajv: ['proxy-config/read-config.ts'],
      yaml: ['proxy-config/read-config.ts'],
      '@hfauth/testkit': ['commands/dev-hub.ts'],
      // Where it is installed.
      pg: ['audit/postgres.ts'],
      'node:': everyFile,
    },
    forbiddenWords: [/\bconsole\./],
  },
}

describe.each(Object.entries(rules))(
  '%s',
  (folder, { steps, inside: inner = {}, libraries, forbiddenWords }) => {
    const files = sourceFiles(`${folder}/src`)
    const inside = (file: SourceFile | string, base = '') =>
      (typeof file === 'string' ? file : file.path).slice(`${folder}/src/${base}`.length)
    const floors = [
      ['', steps] as const,
      ...Object.entries(inner).map(([name, own]) => [`${name}/`, own] as const),
    ]

    test.each(floors)(
      'every file in %j stands on a step, and imports from lower ones or its own folder',
      (base, own) => {
        const stepOf = (path: string) => {
          const place = path.split('/', 1)[0] ?? ''
          return { place, step: own.findIndex((names) => names.includes(place)) }
        }
        const here = files.filter((file) => inside(file).startsWith(base))
        expect(here.length).toBeGreaterThan(0)
        expect(here.map((file) => inside(file, base)).filter((path) => stepOf(path).step < 0)).toEqual([])
        const wrong = here.flatMap((file) =>
          file.imports.flatMap((specifier) => {
            const target = resolveImport(file, specifier)
            if (target === undefined || !inside(target).startsWith(base)) return []
            const from = stepOf(inside(file, base))
            const to = stepOf(inside(target, base))
            return to.step < from.step || to.place === from.place ? [] : [`${inside(file)} → ${specifier}`]
          }),
        )
        expect(wrong).toEqual([])
      },
    )

    test('no files import each other in a circle', () => {
      const targets = new Map(
        files.map((file) => [file.path, file.imports.flatMap((name) => resolveImport(file, name) ?? [])]),
      )
      const circles: string[] = []
      const visit = (path: string, trail: readonly string[]) => {
        if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
        else if (!done.has(path)) {
          for (const next of targets.get(path) ?? []) visit(next, [...trail, path])
          done.add(path)
        }
      }
      const done = new Set<string>()
      for (const path of targets.keys()) visit(path, [])
      expect(circles).toEqual([])
    })

    test('a library enters only by its own door', () => {
      const wrong = files.flatMap((file) =>
        file.imports
          .filter((specifier) => !specifier.startsWith('.'))
          .filter((specifier) => {
            const doors =
              libraries[specifier] ?? (specifier.startsWith('node:') ? libraries['node:'] : undefined)
            return doors === undefined || !doors.some((door) => inside(file).startsWith(door))
          })
          .map((specifier) => `${inside(file)} → ${specifier}`),
      )
      expect(wrong).toEqual([])
    })

    test('nothing is used that does not belong here', () => {
      const code = (text: string) => text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
      const wrong = files.flatMap((file) =>
        forbiddenWords.filter((word) => word.test(code(file.text))).map((word) => `${inside(file)}: ${word}`),
      )
      expect(wrong).toEqual([])
    })
  },
)

test('core reads the clock in the two files where one may be handed in', () => {
  const withClock = sourceFiles('packages/core/src').filter(({ text }) =>
    /Date\.now(?!`)/.test(text.replaceAll(/\/\*[\s\S]*?\*\//g, '')),
  )
  expect(withClock.map(({ path }) => path).sort()).toEqual([
    'packages/core/src/decide/access.ts',
    'packages/core/src/engine/engine.ts',
  ])
})

test('the testkit knows no other package of ours, so that it can be held against them', () => {
  const wrong = sourceFiles('packages/testkit/src').filter(({ imports }) =>
    imports.some((name) => name.startsWith('@hfauth/')),
  )
  expect(wrong.map(({ path }) => path)).toEqual([])
})

test('only index files re-export, name by name', () => {
  const wrong = ['core', 'browser', 'node', 'testkit']
    .flatMap((name) => sourceFiles(`packages/${name}/src`))
    .filter(({ text }) => /^export \*/m.test(text))
  expect(wrong.map(({ path }) => path)).toEqual([])
})
