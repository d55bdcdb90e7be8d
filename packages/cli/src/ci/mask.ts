/**
 * Mask: keeps tokens out of a CI log, by the means that the provider has for it.
 *
 * GitHub Actions reads commands from both output streams, so they go to the error stream, which nobody captures
 * into a variable. Buildkite's agent takes them on its standard input. GitLab and CircleCI mask only what was
 * declared before the job began; there the one protection is that nothing is printed.
 *
 * @see docs.github.com: Workflow commands, masking a value; buildkite.com/docs/agent: redactor
 * @module
 */
import type { CiProvider, RunProgram } from '@hfauth/node'
import type { CommandIo } from '../command.ts'

/** Tells the log to hide `token`; a provider that cannot is told of in a warning. */
export type Mask = (token: string) => Promise<void>

export function createMask(provider: CiProvider | undefined, io: CommandIo, run: RunProgram): Mask {
  switch (provider) {
    case 'github-actions':
      return async (token) => io.error(`::add-mask::${token}`)
    case 'buildkite':
      return async (token) => {
        const done = await run('buildkite-agent', ['redactor', 'add'], { input: token })
        if (done?.code !== 0)
          io.error('warning: `buildkite-agent redactor add` failed: the log is not masked')
      }
    default:
      return async () => undefined
  }
}
