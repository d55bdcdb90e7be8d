/**
 * History: commits, branches and revisions of a repository, in memory.
 *
 * world → **history** → hub routes. A repository in the world is only its `main` files; its
 * history starts when it is first looked at and lives beside it, so a test can write a
 * repository down in three lines.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import type { Repo } from '../world/world.ts'

export type Files = ReadonlyMap<string, Uint8Array>

export interface Commit {
  /** 40 hexadecimal digits. */
  readonly id: string
  readonly title: string
  readonly message: string
  /** ISO 8601. */
  readonly date: string
  readonly author: string
  readonly files: Files
  readonly parent?: Commit
}

export interface NewCommit {
  readonly title: string
  readonly message: string
  readonly date: string
  readonly author: string
}

interface Refs {
  readonly branches: Map<string, Commit>
  readonly pulls: Map<string, Commit>
}

const histories = new WeakMap<Repo, Refs>()

/** The refs of a repository. A `main` that a test has changed in the world gets a commit of its own. */
export function refsOf(repo: Repo, now: () => number): Refs {
  const refs = histories.get(repo) ?? { branches: new Map(), pulls: new Map() }
  histories.set(repo, refs)
  const head = refs.branches.get('main')
  const current = readFiles(repo)
  if (head === undefined || !isSame(head.files, current)) {
    const title = head === undefined ? 'initial commit' : 'changed in the world'
    const date = new Date(now()).toISOString()
    refs.branches.set(
      'main',
      createCommit(repo, { title, message: '', date, author: authorOf(repo) }, current, head),
    )
  }
  return refs
}

/** Finds a branch, a pull request ref, or a commit by its full id. */
export function resolveRevision(repo: Repo, revision: string, now: () => number): Commit | undefined {
  const { branches, pulls } = refsOf(repo, now)
  const name = revision.replace(/^refs\/heads\//, '')
  const named = branches.get(name === 'HEAD' ? 'main' : name) ?? pulls.get(revision)
  if (named) return named
  for (const tip of [...branches.values(), ...pulls.values()]) {
    for (let commit: Commit | undefined = tip; commit; commit = commit.parent) {
      if (commit.id === revision) return commit
    }
  }
  return undefined
}

/** Puts a commit on `main`, another branch, or a pull request ref, and returns it. */
export function addCommit(
  repo: Repo,
  { base, ref, files, details }: { base: Commit; ref: string; files: Files; details: NewCommit },
  now: () => number,
): Commit {
  const refs = refsOf(repo, now)
  const commit = createCommit(repo, details, files, base)
  if (ref.startsWith('refs/pr/')) refs.pulls.set(ref, commit)
  else refs.branches.set(ref, commit)
  if (ref === 'main') repo.files = Object.fromEntries(files)
  return commit
}

export function gitBlobId(content: Uint8Array): string {
  return createHash('sha1').update(`blob ${content.length}\0`).update(content).digest('hex')
}

function createCommit(repo: Repo, details: NewCommit, files: Files, parent: Commit | undefined): Commit {
  const hash = createHash('sha1').update(`${repo.type} ${repo.id} ${parent?.id ?? ''} ${details.title}\n`)
  for (const [path, content] of files) hash.update(`${path} ${gitBlobId(content)}\n`)
  return { ...details, id: hash.digest('hex'), files, ...(parent && { parent }) }
}

function readFiles(repo: Repo): Files {
  const entries = Object.entries(repo.files).map(
    ([path, content]) => [path, typeof content === 'string' ? Buffer.from(content) : content] as const,
  )
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isSame(a: Files, b: Files): boolean {
  if (a.size !== b.size) return false
  for (const [path, content] of b) {
    const other = a.get(path)
    if (other !== content && (other === undefined || Buffer.compare(other, content) !== 0)) return false
  }
  return true
}

function authorOf(repo: Repo): string {
  return repo.createdBy ?? repo.id.split('/')[0] ?? ''
}
