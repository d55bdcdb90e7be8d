/**
 * Watch folder: a hint that something in it has changed.
 *
 * The folder and not a file: editors and Kubernetes put another file, or another link, in the old one's place.
 *
 * @module
 */
import { type FSWatcher, watch } from 'node:fs'

/**
 * Several events of one change are one hint. What the system does not tell, the caller's own reading finds.
 *
 * @returns The way to stop.
 */
export function watchFolder(folder: string, changed: () => void): () => void {
  let watcher: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined
  try {
    watcher = watch(folder, { persistent: false }, () => {
      timer ??= setTimeout(() => {
        timer = undefined
        changed()
      }, 50)
      timer.unref()
    })
    watcher.on('error', () => watcher?.close())
  } catch {
    // Too many watches, or a file system without them.
  }
  return () => {
    clearTimeout(timer)
    watcher?.close()
  }
}
