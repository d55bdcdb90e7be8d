/**
 * Lock: one process writes a log, or its chain would fork.
 *
 * A file with the id of the process and the moment it started, so that an id which another process has got since
 * is not taken for the old one.
 *
 * @module
 */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { HfAuthError } from '@hfauth/core'

/**
 * Takes the lock of a directory and gives the way to give it back.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` when another process has it, or the directory cannot be written.
 */
export function lockDirectory(directory: string): () => void {
  const path = join(directory, 'lock')
  const mine = `${process.pid} ${startOf(process.pid)} ${hostname()}\n`
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, mine, { flag: 'wx', mode: 0o600, flush: true })
      held.add(path)
      return () => {
        held.delete(path)
        rmSync(path, { force: true })
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === 2)
        throw notWritable(directory, error)
      const text = readLock(path)
      if (text !== undefined && isAlive(text, path)) throw taken(directory, text)
      removeStale(path, text)
    }
  }
}

/**
 * Removes a lock that nobody has, unless it is another by now: whoever was as quick to find it stale may have taken
 * it since, and would not notice that theirs is gone.
 *
 * @param text - What the stale one says.
 */
export function removeStale(path: string, text: string | undefined): void {
  const aside = `${path}.${process.pid}`
  try {
    // At most one process gets each file.
    renameSync(path, aside)
  } catch {
    return
  }
  try {
    if (readLock(aside) !== text) linkSync(aside, path)
  } catch {
    // A third has it by now, and that is for the next look to say.
  }
  rmSync(aside, { force: true })
}

/** Locks of this very process: it is alive, but may have two logs. */
const held = new Set<string>()

function isAlive(text: string, path: string): boolean {
  const [, pid, start, host] = /^(\d+) (\S+) (.+)\n$/.exec(text) ?? []
  // Cut short by a crash while it was written: nobody has it.
  if (pid === undefined || host === undefined) return false
  // What runs on another machine cannot be seen from here.
  if (host !== hostname()) return true
  if (Number(pid) === process.pid) return held.has(path)
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
  }
  const now = startOf(Number(pid))
  return start === 'unknown' || now === 'unknown' || start === now
}

/** When a process started, in ticks since the machine did; `unknown` where the system does not say. */
function startOf(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 22; the second one, a name in brackets, may hold spaces.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown'
  } catch {
    return 'unknown'
  }
}

function readLock(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function taken(directory: string, text: string): HfAuthError {
  const [pid, , host] = text.trim().split(' ')
  return new HfAuthError(
    'HFAUTH_CONFIG_INVALID',
    `the audit log \`${directory}\` is written by process ${pid} on \`${host}\`; if that is over, remove its file \`lock\``,
  )
}

function notWritable(directory: string, cause: unknown): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', `the audit log \`${directory}\` cannot be written`, {
    cause,
  })
}
