/**
 * `hfauth audit verify`: says whether an audit log is what was written, and if not, where it differs.
 *
 * Needs the log, and for an answer that means something also public keys and heads that were kept elsewhere.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { HfAuthError } from '@hfauth/core'
import { type Finding, type VerifyReport, verifySegments } from '@hfauth/node'
import { readAllNamed } from '../audit/read-files.ts'
import { type Command, type CommandIo, type ExitCode, UsageError } from '../command.ts'

export const auditVerify: Command = async (args, io) => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      key: { type: 'string', multiple: true },
      head: { type: 'string', multiple: true },
      json: { type: 'boolean', default: false },
    },
  })
  const [directory, ...others] = positionals
  if (directory === undefined || others.length > 0) throw new UsageError('name one directory')
  const keys = await readAllNamed(values.key ?? [])
  const heads = await readAllNamed(values.head ?? [])
  let report: VerifyReport
  try {
    report = await verifySegments(directory, {
      ...(values.key === undefined ? {} : { keys: keys.join('\n') }),
      heads,
    })
  } catch (error) {
    if (!(error instanceof HfAuthError)) throw error
    io.error(`${error.message} (${error.code})`)
    return 2
  }
  if (report.segments === 0) {
    io.error(`there is no audit log in \`${directory}\``)
    return 2
  }
  if (values.json) io.text(JSON.stringify(report, null, 2))
  else show(report, io)
  return exitCodeOf(report)
}

function exitCodeOf({ ok, losses }: VerifyReport): ExitCode {
  if (!ok) return 1
  return losses.length > 0 ? 3 : 0
}

function show(report: VerifyReport, io: CommandIo): void {
  const { findings, moreFindings, losses, first, last, covered, uncovered } = report
  for (const finding of findings) io.error(lineOf(finding))
  if (moreFindings > 0) io.error(`… and ${moreFindings} more`)
  for (const { seq, reason, count, bytes, since, until } of losses) {
    const what = count === undefined ? `${bytes} bytes of an unfinished line` : `${count} events`
    const when = since === undefined ? '' : `, ${since} to ${until}`
    io.out(`loss on record, event ${seq}: ${what} (${reason})${when}`)
  }
  const span = first === undefined || last === undefined ? '' : `, ${first.time} to ${last.time}`
  const gone = report.removedSegments === 0 ? '' : ` (${report.removedSegments} removed by retention)`
  io.out(
    `${report.events} events in ${report.segments} segments${gone}, ${report.heads} heads, writer ${report.writer ?? 'unknown'}${span}`,
  )
  io.out(
    covered === undefined
      ? 'no signature covers anything'
      : `signed up to event ${covered.seq}; ${uncovered} after it are in the chain only`,
  )
  if (!report.hasTrustedKeys)
    io.out('the keys are those beside the log: give `--key` with one that was kept elsewhere')
  io.out(report.ok ? 'nothing is wrong' : `${findings.length + moreFindings} findings`)
}

function lineOf({ code, segment, line, message }: Finding): string {
  const place = line === undefined ? `segment ${segment}` : `segment ${segment}, line ${line}`
  return `${place}: ${message} (${code})`
}
