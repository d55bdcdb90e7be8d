/**
 * `hfauth policy test`: the examples that stand in the policy itself.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { type ExampleResult, formatLocation, runExamples } from '@hfauth/core'
import type { Command } from '../command.ts'
import { defaultPolicyFile, readPolicyFile } from '../policy-file.ts'

export const policyTest: Command = async (args, io) => {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true })
  const file = positionals[0] ?? defaultPolicyFile
  const results = runExamples(await readPolicyFile(file, io), { now: Date.now() })
  if (results.length === 0) {
    io.error(`${file}: no tests; write some under \`tests\``)
    return 1
  }
  let name: string | undefined
  for (const result of results) {
    if (result.test !== name) io.out(result.test)
    name = result.test
    io.out(`  ${result.passed ? 'ok  ' : 'FAIL'} ${result.question}: ${describe(result)}`)
  }
  const failed = results.filter(({ passed }) => !passed).length
  io.out(`${results.length - failed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

function describe({ expected, passed, decision }: ExampleResult): string {
  const places = decision.statements.map(({ id, location }) =>
    location === undefined ? id : `${id} at ${formatLocation(location)}`,
  )
  const because = [decision.reason, ...places].join(', ')
  return passed ? because : `expected ${expected}, but ${because}`
}
