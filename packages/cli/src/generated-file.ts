/**
 * Generated file: what a command makes of a policy, printed, written, or held against what was written before.
 *
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { type CommandIo, type ExitCode, UsageError } from './command.ts'

export interface Generated {
  /** The whole text of the file. */
  readonly text: string
  /** Where it is to stand; without it, it is printed. */
  readonly out?: string | undefined
  /** Writes nothing, and fails when the file is not there or says something else. */
  readonly check: boolean
  /** What made the text, for whoever has to make it again. */
  readonly command: string
}

/** @throws UsageError when there is nothing to check against. */
export async function deliver({ text, out, check, command }: Generated, io: CommandIo): Promise<ExitCode> {
  if (out === undefined) {
    if (check) throw new UsageError('`--check` needs the file to look at: `--out FILE`')
    io.text(text.trimEnd())
    return 0
  }
  if (!check) {
    await writeFile(out, text)
    io.out(`${out}: written`)
    return 0
  }
  const found = await readFile(out, 'utf8').catch(() => undefined)
  if (found?.replaceAll('\r\n', '\n') === text) {
    io.out(`${out}: up to date`)
    return 0
  }
  const state = found === undefined ? 'is not there' : 'is not what the policy gives now'
  io.error(`${out}: ${state}; write it with \`${command} --out ${out}\``)
  return 1
}
