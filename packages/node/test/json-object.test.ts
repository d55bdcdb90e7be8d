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
    const value = parsePlainJson(text, text.split('"').length - 1, options)
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
    ['half a surrogate pair as it is', '{"a":"\ud800"}'],
    ['a member twice, with as many texts in the second', '{"a":"x","a":{"b":1}}'],
    ['a member twice, with a text that looks like one', '{"a":"\\":1","a":1}'],
    ['a name that touches prototypes, spelt with an escape', '{"__pr\\u006fto__":1}'],
    ['a number that readers round differently', '{"a":1e400}'],
    ['a byte order mark', '\ufeff{}'],
    ['text after its end', '{}{}'],
    ['no object', '[]'],
  ])('leaves %s to the strict one, which refuses it', (_, text) => {
    expect(plainly(text, {})?.value).toEqual(text === '[]' ? [] : undefined)
    expect(parseJsonObject(text)).toBeUndefined()
  })

  test('takes a text however it is spaced, ordered and its numbers are written', () => {
    for (const text of [
      '{ "a" : 1 }',
      '{"a":1.0}',
      '{"2":1,"1":2}',
      '{"":"","a":[{"":":"}]}',
      '{"a":"constructor"}',
      '{"é":"😀"}',
    ]) {
      expect(plainly(text, {})).toEqual({ value: JSON.parse(text) })
      expect(strictly(text, {})).toEqual({ value: JSON.parse(text) })
    }
  })

  test('leaves a text with escapes to the strict one, which takes it', () => {
    const text = '{"a":"\\u00e9"}'
    expect(plainly(text, {})).toBeUndefined()
    expect(parseJsonObject(text)).toEqual({ a: 'é' })
  })

  test('finds the one member that is there twice, wherever it is and whatever else is there', () => {
    // Texts that look like members, and values that are made of as many texts as a lost member was.
    const words = fc.constantFrom('', 'a', 'b', ':', ',', '{', 'a:1', '1', 'é', '😀')
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        words,
        fc.constantFrom(null, true, 0, -0, 1.5, 1e21),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(words, tie('tree'), { maxKeys: 3 }),
      ),
    }))
    const space = fc.constantFrom('', ' ', '\n', ' \t')
    const cases = fc.record({
      whole: tree,
      name: words,
      first: tree,
      last: tree,
      at: fc.nat(),
      space,
      twice: fc.boolean(),
    })
    let [taken, left] = [0, 0]
    fc.assert(
      fc.property(cases, ({ whole, name, first, last, at, space: gap, twice }) => {
        const member = (value: unknown) => `${JSON.stringify(name)}${gap}:${gap}${JSON.stringify(value)}`
        const object = `{${member(first)}${twice ? `,${gap}${member(last)}` : ''}}`
        // In the place of one of the values of another text.
        const places = [...JSON.stringify(whole).matchAll(/null|true|-?\b\d[\d.e+]*\b/g)]
        const place = places[at % Math.max(1, places.length)]
        const text =
          place === undefined
            ? object
            : JSON.stringify(whole).slice(0, place.index) +
              object +
              JSON.stringify(whole).slice(place.index + place[0].length)
        const plain = plainly(text, {})
        expect(plain).toEqual(strictly(text, {}))
        if (plain === undefined) left++
        else taken++
      }),
      { numRuns: 20_000 },
    )
    expect(Math.min(taken, left)).toBeGreaterThan(5000)
  })

  test('is not hurt by nesting without end', () => {
    for (const mark of ['[', '{"a":', '[[1],']) {
      expect(parseJsonObject(mark.repeat(1_000_000 / mark.length))).toBeUndefined()
    }
    const nested = `{"a":${'['.repeat(400_000)}${']'.repeat(400_000)}}`
    expect(parseJsonObject(nested, { maxValues: 1_000_000 })).toBeUndefined()
  })

  test('is not misled by what else there is on the prototype of all objects', () => {
    const prototype = Object.prototype as { polluted?: number }
    let read: unknown
    try {
      prototype.polluted = 1
      read = parseJsonObject('{"a":1,"a":1}')
    } finally {
      delete prototype.polluted
    }
    expect(read).toBeUndefined()
  })
})
