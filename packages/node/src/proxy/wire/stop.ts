/**
 * Stop: what ends a request before its time, and everything that has to hear of it.
 *
 * One for each request: the client that goes away, the lease that ends and the wait that was too long all stop
 * the same thing. An `AbortSignal` joined from three costs more than the decision does.
 *
 * @module
 */

export class Stop {
  private why: string | undefined
  private readonly listeners: ((reason: string) => void)[] = []

  /** `undefined` while it goes on. */
  get reason(): string | undefined {
    return this.why
  }

  /** The first reason counts. */
  stop(reason: string): void {
    if (this.why !== undefined) return
    this.why = reason
    for (const listener of this.listeners.splice(0)) listener(reason)
  }

  /** Calls `listener` once, and at once when it has happened already. */
  onStop(listener: (reason: string) => void): void {
    if (this.why === undefined) this.listeners.push(listener)
    else listener(this.why)
  }
}

/** For what knows signals only. */
export function signalOf(stop: Stop): AbortSignal {
  const controller = new AbortController()
  stop.onStop(() => controller.abort())
  return controller.signal
}
