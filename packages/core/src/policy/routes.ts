/**
 * Routes of the application's own HTTP API, invariants, and the examples under `tests`: what they name must exist.
 *
 * @module
 */
import { present } from '../internal/present.ts'
import { sortedUnique } from '../internal/sort.ts'
import type { JsonPath } from '../json.ts'
import { checkSubject } from './bindings.ts'
import type { Invariant, Route } from './policy.ts'
import { checkActions, checkName, type PolicyReader } from './reader.ts'
import { readPattern, readPatterns } from './statements.ts'

const routeText =
  /^(GET|HEAD|POST|PUT|PATCH|DELETE) (\/(?:[A-Za-z0-9._~-]+|:[A-Za-z]\w*)?(?:\/(?:[A-Za-z0-9._~-]+|:[A-Za-z]\w*))*)$/

export function readRoutes(reader: PolicyReader): Route[] {
  const seen = new Set<string>()
  return (reader.document.routes ?? []).flatMap((document, i) => {
    const path: JsonPath = ['routes', i]
    checkName(reader, 'unknown_action', document.action, reader.actions, [...path, 'action'])
    const match = routeText.exec(document.match)
    if (match?.[1] === undefined || match[2] === undefined) {
      reader.fault(
        'malformed_route',
        [...path, 'match'],
        `\`${document.match}\` is not a route such as \`POST /v1/predict/:name\``,
      )
      return []
    }
    // Some servers overlook the case of a path.
    const form = `${match[1]} ${match[2].replaceAll(/:\w+/g, ':').toLowerCase()}`
    if (seen.has(form))
      reader.fault(
        'duplicate',
        [...path, 'match'],
        `another route takes the same requests as \`${document.match}\``,
      )
    seen.add(form)
    const parameters = new Set([...match[2].matchAll(/:(\w+)/g)].map((found) => found[1] ?? ''))
    const colon = document.resource.indexOf(':')
    const id = document.resource
      .slice(colon + 1)
      .replaceAll(/(^|\/):(\w+)/g, (_, slash: string, name: string) => {
        if (!parameters.has(name)) {
          const message = `\`:${name}\` is not a part of the route’s path`
          reader.fault('malformed_route', [...path, 'resource'], message)
        }
        return `${slash}x`
      })
    readPattern(reader, `${document.resource.slice(0, colon)}:${id}`, [...path, 'resource'])
    return [{ method: match[1], path: match[2], action: document.action, resource: document.resource }]
  })
}

export function readInvariants(reader: PolicyReader): Invariant[] {
  return (reader.document.invariants ?? []).map((invariant, i) => {
    const path: JsonPath = ['invariants', i]
    const { name, never } = invariant
    checkActions(reader, never.actions, [...path, 'never', 'actions'])
    const claims = invariant.for && checkSubject(reader, invariant.for, [...path, 'for'])
    return {
      name,
      actions: sortedUnique(never.actions),
      on: never.on,
      patterns: readPatterns(reader, never.on, [...path, 'never', 'on']),
      ...present({ for: invariant.for, claims, location: reader.locate(path) }),
    }
  })
}

export function checkTests(reader: PolicyReader): void {
  for (const [i, example] of (reader.document.tests ?? []).entries()) {
    const path: JsonPath = ['tests', i]
    if (example.principal !== 'anonymous') {
      checkName(reader, 'unknown_issuer', example.principal.issuer, reader.document.issuers, [
        ...path,
        'principal',
        'issuer',
      ])
    }
    checkName(reader, 'unknown_environment', example.environment, reader.document.environments, [
      ...path,
      'environment',
    ])
    for (const expectation of Object.keys(example.expect)) {
      const [action = '', resource = ''] = expectation.split(' ')
      const here = [...path, 'expect', expectation]
      checkName(reader, 'unknown_action', action, reader.actions, here)
      if (resource.includes('*'))
        reader.fault('malformed_pattern', here, 'an example names one resource, not a pattern')
      else readPattern(reader, resource, here)
    }
  }
}
