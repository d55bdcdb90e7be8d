/**
 * What a command is: told its arguments and where to write, it answers with an exit code.
 *
 * Nothing here or below touches the process, so that tests run commands as functions.
 *
 * @module
 */

export interface CommandIo {
  /** Writes one line of the answer; whatever is in it, it stays one. */
  out(line: string): void
  /** Writes one line of what went wrong, in the same way. */
  error(line: string): void
  /** Writes a text as it is: what other programs read, or a file that has no place yet. */
  text(text: string): void
  readonly env: Readonly<Record<string, string | undefined>>
  /** Everything on standard input; only commands that were told to read it call this. */
  stdin?(): Promise<string>
  /** Aborted when the command should end; only long-running ones look at it. */
  readonly signal: AbortSignal
}

/** 0: it holds. 1: it does not. 2: the question was not understood. 3: it holds, with gaps that are on record. */
export type ExitCode = 0 | 1 | 2 | 3

export type Command = (args: readonly string[], io: CommandIo) => Promise<ExitCode>

/** The arguments do not fit; shown with the command's usage. */
export class UsageError extends Error {}
