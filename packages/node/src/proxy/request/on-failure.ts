/**
 * On failure: leaves word what is to be done when a request that was let through fails after all.
 *
 * A function of its own for the collector's sake. Where a function literal is assigned to a property, V8 takes it for
 * one that stays, and makes it among the old objects; each request would then keep all that it can reach, which is the
 * whole request, until a full collection. One that is handed over as an argument is made among the young.
 *
 * @module
 */
import type { Progress } from './known.ts'

/** The last one that was handed over is told, once, and why; from then on the error is not recorded otherwise. */
export function onFailure(progress: Progress, tell: (reason: string) => void): void {
  progress.onFailure = tell
}
