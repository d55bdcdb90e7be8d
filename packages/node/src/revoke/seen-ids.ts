/**
 * Seen ids: which notices have been dealt with, so that one sent twice counts once.
 *
 * In this process only: dealing with a notice again on another replica changes nothing, because what it
 * takes back is told by its own time.
 *
 * @module
 */

/** How long and how many ids are kept. */
const lifeMs = 24 * 3_600_000
const maxIds = 100_000

export class SeenIds {
  private readonly times = new Map<string, number>()
  private readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  has(issuer: string, id: string): boolean {
    const at = this.times.get(JSON.stringify([issuer, id]))
    return at !== undefined && this.now() - at < lifeMs
  }

  add(issuer: string, id: string): void {
    const key = JSON.stringify([issuer, id])
    this.times.delete(key)
    this.times.set(key, this.now())
    if (this.times.size <= maxIds) return
    for (const oldest of this.times.keys()) {
      this.times.delete(oldest)
      return
    }
  }
}
