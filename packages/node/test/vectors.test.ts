/** Core's golden vectors on the build that Node loads. */
import { readdirSync, readFileSync } from 'node:fs'
import * as core from '@hfauth/core'
import { expect, test } from 'vitest'
import { runVectors } from '../../core/test/vectors-run.ts'

const folder = new URL('../../core/vectors/', import.meta.url)

test.each(readdirSync(folder))('%s is decided by the build as it stands there, to the byte', (name) => {
  const { questions, snapshots, drift } = runVectors(
    core,
    JSON.parse(readFileSync(new URL(name, folder), 'utf8')),
  )
  expect(drift).toEqual([])
  expect(questions).toBeGreaterThan(0)
  expect(snapshots).toBeGreaterThan(0)
})
