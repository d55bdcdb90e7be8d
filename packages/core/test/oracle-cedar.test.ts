import { expect, test } from 'vitest'
import { type Comparison, compareWithCedar } from './oracle-cedar.ts'
import { inFull, lawRuns } from './runs.ts'

test('Cedar decides as we do on the part of the language that both have', () => {
  const total: Comparison = { questions: 0, allowed: 0, denied: 0 }
  for (let seed = 1; seed <= lawRuns(400); seed++) compareWithCedar(seed, 25, total)
  console.log(`${total.questions} questions to Cedar`, total)
  if (!inFull) return
  expect(total.questions).toBeGreaterThanOrEqual(10_000)
  expect(Math.min(total.allowed, total.denied)).toBeGreaterThan(1000)
})
