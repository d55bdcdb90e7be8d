/** Golden vectors on the source. The same files run on the build in Node and in a real browser: see the packages there. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import * as core from '../src/index.ts'
import { runVectors, type VectorFile } from './vectors-run.ts'
import { vectorFiles } from './vectors-write.ts'

const folder = new URL('../vectors/', import.meta.url)
const names = readdirSync(folder).filter((name) => name.endsWith('.json'))

describe('golden vectors', () => {
  test.each(names)('%s is decided as it stands there, to the byte', (name) => {
    const file: VectorFile = JSON.parse(readFileSync(new URL(name, folder), 'utf8'))
    const { questions, drift } = runVectors(core, file)
    expect(drift).toEqual([])
    expect(questions).toBeGreaterThan(0)
  })

  test('are what the specification and the reference evaluator say now', () => {
    const written = vectorFiles()
    expect([...written.keys()].sort()).toEqual(names.sort())
    for (const [name, text] of written)
      expect(readFileSync(new URL(name, folder), 'utf8') === text, name).toBe(true)
  })
})
