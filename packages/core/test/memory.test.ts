/** What is remembered is bounded in number and in length, so that whoever names things cannot fill the memory. */
import { expect, test } from 'vitest'
import { Memory } from '../src/internal/memory.ts'

test('a text is remembered with its value, unless it is too long', () => {
  const memory = new Memory<number>({ maxTexts: 10, maxLength: 3 })
  expect(memory.get('abc')).toBeUndefined()
  expect(memory.remember('abc', 1)).toBe(1)
  expect(memory.remember('abcd', 2)).toBe(2)
  expect(memory.get('abc')).toBe(1)
  expect(memory.get('abcd')).toBeUndefined()
})

test('beyond the bound everything is forgotten, and remembered anew', () => {
  const memory = new Memory<number>({ maxTexts: 2, maxLength: 3 })
  for (const [i, text] of ['a', 'b'].entries()) memory.remember(text, i)
  expect(['a', 'b'].map((text) => memory.get(text))).toEqual([0, 1])
  memory.remember('c', 2)
  expect(['a', 'b', 'c'].map((text) => memory.get(text))).toEqual([undefined, undefined, 2])
})
