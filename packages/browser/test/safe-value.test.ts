/** What the debug panel shows of a claim. */
import { expect, test } from 'vitest'
import { safeValue } from '../src/panel/safe-value.ts'

test.each([
  ['nonce', 'abc', '(hidden)'],
  ['refresh_token', 'abc', '(hidden)'],
  ['anything', `eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.`, '(hidden)'],
  ['nested', { inside: 'hf_abcdefgh' }, '(hidden)'],
  ['orgs', [{ sub: '1' }], '[{"sub":"1"}]'],
  ['long', 'x'.repeat(300), `${'x'.repeat(200)}…`],
  ['absent', undefined, ''],
])('the claim %s is shown as it may be', (name, value, shown) => {
  expect(safeValue(name, value)).toBe(shown)
})
