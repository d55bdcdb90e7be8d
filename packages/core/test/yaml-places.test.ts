/** Where a fault stands, however the YAML is written. */
import { expect, test } from 'vitest'
import { PolicyError } from '../src/index.ts'
import { parsePolicy } from '../src/yaml.ts'

function placesOf(text: string): string[] {
  try {
    parsePolicy(text)
  } catch (error) {
    if (error instanceof PolicyError)
      return error.faults.map(({ line, column, code }) => `${line}:${column} ${code}`)
    throw error
  }
  return []
}

const head = `version: 1
name: x
issuers: { oidc: { preset: oidc, issuer: "https://x.dev", audience: a } }
environments: { production: {} }
`

test.each<[string, string, string[]]>([
  [
    'behind an alias, where the anchor is',
    'roles:\n  a: &a { allow: [{ actions: [raed], on: ["**"] }] }\n  b: *a\nbindings: []',
    ['6:31 unknown_action', '6:31 unknown_action'],
  ],
  [
    'in a list of mappings',
    'roles: {}\nbindings:\n  - { roles: [nobody], to: { issuer: oidc } }',
    ['7:15 unknown_role'],
  ],
  ['under a key that is a number', 'roles: { 1: { extends: ["2"] } }\nbindings: []', ['5:25 unknown_role']],
  ['in a key that is a list', 'roles: { ? [a] : {} }\nbindings: []', ['5:12 syntax']],
  ['at the whole, when a key is missing', 'roles: {}', ['1:1 missing_key']],
  ['at the key, when a value is missing', 'roles:\nbindings: []', ['5:1 wrong_type']],
  ['where a misspelt key stands', 'roles: { a: { alow: [] } }\nbindings: []', ['5:15 unknown_key']],
])('%s', (_, text, places) => {
  expect(placesOf(head + text)).toEqual(places)
})

test.each(['- x', 'x', '1', '[]'])('%s is no policy, from its first character on', (text) => {
  expect(placesOf(text)).toEqual(['1:1 wrong_type'])
})
