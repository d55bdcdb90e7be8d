import { parseJson } from '@hfauth/core/json'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseJsonObject, parsePlainJson } from '../src/internal/json-object.ts'

function strictly(text: string, options: object): { value: unknown } | undefined {
  try {
    return { value: parseJson(text, options) }
  } catch {
    return undefined
  }
}

function plainly(text: string, options: object): { value: unknown } | undefined {
  try {
    const value = parsePlainJson(text, options)
    return value === undefined ? undefined : { value }
  } catch {
    return undefined
  }
}

describe('the fast reader', () => {
  test('takes only what the strict one takes, and gives the same', () => {
    const limits = fc.record({
      maxDepth: fc.integer({ min: 1, max: 6 }),
      maxValues: fc.integer({ min: 1, max: 40 }),
    })
    const names = fc.constantFrom(
      'a',
      'b',
      'sub',
      '__proto__',
      'constructor',
      'prototype',
      '1',
      '\ud800',
      '😀',
    )
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 6 },
        fc.jsonValue({ maxDepth: 2 }),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(names, tie('tree'), { maxKeys: 4 }),
      ),
    }))
    const text = fc.oneof(
      tree.map((value) => JSON.stringify(value)),
      fc.json(),
      // The same value in another spelling, with a member twice, or broken.
      tree.map((value) => JSON.stringify(value, null, 1)),
      fc.tuple(tree, names).map(([value, name]) => {
        const member = `${JSON.stringify(name)}:${JSON.stringify(value)}`
        return `{${member},${member}}`
      }),
      fc.tuple(fc.json(), fc.nat(30), fc.string({ maxLength: 2 })).map(([json, at, more]) => {
        return json.slice(0, at) + more + json.slice(at)
      }),
    )
    let taken = 0
    fc.assert(
      fc.property(text, limits, (json, options) => {
        const plain = plainly(json, options)
        if (plain === undefined) return
        taken++
        expect(plain).toEqual(strictly(json, options))
      }),
      { numRuns: 20_000 },
    )
    expect(taken).toBeGreaterThan(1000)
  })

  test.each([
    ['a member twice', '{"a":1,"a":1}'],
    ['a member twice, spelt in two ways', '{"a":1,"\\u0061":1}'],
    ['a name that touches prototypes', '{"a":{"__proto__":1}}'],
    ['half a surrogate pair', '{"a":"\\ud800"}'],
    ['a number that readers round differently', '{"a":1e400}'],
    ['a byte order mark', '\ufeff{}'],
    ['text after its end', '{}{}'],
    ['no object', '[]'],
  ])('leaves %s to the strict one, which refuses it', (_, text) => {
    expect(plainly(text, {})?.value).toEqual(text === '[]' ? [] : undefined)
    expect(parseJsonObject(text)).toBeUndefined()
  })

  test('leaves what is written in another way to the strict one, which takes it', () => {
    for (const text of ['{ "a": 1 }', '{"a":"\\u00e9"}', '{"a":1.0}', '{"2":1,"1":2}']) {
      expect(plainly(text, {})).toBeUndefined()
      expect(parseJsonObject(text)).toEqual(JSON.parse(text))
    }
  })
})
