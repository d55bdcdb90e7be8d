/** The page on the proxy lists the routes that there are. With `UPDATE_DOCS` set it is written anew. */
import { readFileSync, writeFileSync } from 'node:fs'
import { type HubRoute, hubRoutes, matchHubRoute, sufficientScopes } from '@hfauth/core'
import { expect, test } from 'vitest'

const page = new URL('../../../docs/guide/proxy.md', import.meta.url)
const between = /(<!-- routes -->\n)([\s\S]*)(<!-- \/routes -->)/

const services: Readonly<Record<HubRoute['host'], string>> = {
  hub: 'The Hub',
  router: 'The inference router',
  endpoints: 'The management of Inference Endpoints',
  viewer: 'The dataset viewer',
  endpoint: 'An endpoint that is deployed',
  space: 'A Space that runs',
}

const inBody: Readonly<Record<string, string>> = {
  'inference-model': 'model',
  'provider-model': 'model',
  repository: 'model',
  move: 'model',
  collection: 'collection',
  endpoint: 'endpoint',
}

function typeOf({ target }: HubRoute): string | undefined {
  if (target.in === 'body') return inBody[target.reads]
  if (target.in === 'caller' || target.in === 'catalogue') return undefined
  return ('type' in target ? target.type : undefined) ?? 'model'
}

function resourceOf(route: HubRoute): string {
  const { path, target } = route
  if (
    /\{(?:kind|repo)\}/.test(path) ||
    (target.in === 'body' && ['repository', 'move'].includes(target.reads))
  )
    return 'repository'
  return typeOf(route) ?? ''
}

function scopesOf(route: HubRoute): string {
  const type = typeOf(route)
  if (type === undefined) return ''
  const [set] = sufficientScopes(route.action, type, { private: true, gated: false }) ?? []
  return (set ?? []).map((scope) => `\`${scope}\``).join(' ')
}

function placeOf({ target, query }: HubRoute): string {
  const reads = 'reads' in target ? ` + body (${target.reads})` : ''
  if (target.in === 'body') return `body (${target.reads})`
  if (target.in === 'query') return `query (${target.name})`
  if (target.in === 'list') return 'list'
  return `${target.in}${reads}${query === undefined ? '' : ` (${query.value})`}`
}

function table(): string {
  return Object.entries(services)
    .map(([host, title]) => {
      const rows = hubRoutes
        .filter((route) => route.host === host)
        .map((route) => {
          const action = route.pullRequests ? `${route.action}, with \`create_pr\` discuss` : route.action
          return `| ${route.methods.join(' ')} | \`${route.path}\` | ${action} | ${resourceOf(route)} | ${placeOf(route)} | ${scopesOf(route)} |`
        })
      return `### ${title}\n\n| methods | path | action | resource | in | scopes |\n| --- | --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`
    })
    .join('\n')
}

test('the table of routes is the table that requests are matched with', () => {
  const text = readFileSync(page, 'utf8')
  if (process.env.UPDATE_DOCS !== undefined) {
    writeFileSync(
      page,
      text.replace(between, (_, head: string, __, tail: string) => `${head}\n${table()}\n${tail}`),
    )
    return
  }
  expect(between.exec(text)?.[2]?.trim()).toBe(table().trim())
})

test('what the page says is refused is no route, with whatever method', () => {
  const [, section = ''] = readFileSync(page, 'utf8').split('## Refused')
  const paths = [...section.matchAll(/`(\/[^`]+)`/g)].map(([, path = '']) => path)
  expect(paths.length).toBeGreaterThan(30)
  for (const path of paths) {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']) {
      const asked = path.replaceAll(/\{\w+\}/g, 'one')
      const match = matchHubRoute(method, asked, new URLSearchParams())
      expect({ line: `${method} ${asked}`, route: match?.route.path }).toEqual({
        line: `${method} ${asked}`,
        route: undefined,
      })
    }
  }
})
