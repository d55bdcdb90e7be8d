/**
 * Snapshot source: the rules of one person, as their server wrote them down.
 *
 * guarded fetch → **snapshot source** → permissions.
 *
 * @module
 */
import { loadSnapshot, type Snapshot } from '@hfauth/core'
import type { Session } from '../session/session.ts'
import { type DownloadOptions, download, unusable } from './download.ts'
import type { RulesSource } from './rules.ts'

export interface SnapshotSourceOptions extends Pick<DownloadOptions, 'fetch' | 'timeoutMs'> {
  readonly now: () => number
}

export function snapshotAt(
  address: string | URL,
  { fetch, timeoutMs, now }: SnapshotSourceOptions,
): RulesSource {
  return {
    async load(session, known) {
      const answer = await download(address, { fetch, timeoutMs, version: known?.version, what: 'snapshot' })
      if (answer === undefined) return undefined
      const access = read(answer.text, session, now)
      return {
        access: access.digest === known?.access.digest ? known.access : access,
        version: answer.version,
      }
    },
  }
}

export function snapshotInHand(snapshot: Snapshot, now: () => number): RulesSource {
  return { load: async (session) => ({ access: read(snapshot, session, now), version: undefined }) }
}

function read(input: unknown, { sub }: Session, now: () => number) {
  const access = loadSnapshot(input, { now })
  const { principal } = access
  if (principal.slice(principal.indexOf('|') + 1) === sub) return access
  throw unusable('snapshot', 'it was made for another person')
}
