/**
 * Policy file: a policy on disk, as an editor writes it or Kubernetes mounts it.
 *
 * **file** → follow. Kubernetes swaps the link that leads to the file, so its folder is watched and not the
 * file that was there once.
 *
 * @see kubernetes.io/docs: ConfigMaps, "Mounted ConfigMaps are updated automatically"
 * @module
 */
import { dirname } from 'node:path'
import { readSettled } from '../internal/settled-file.ts'
import { watchFolder } from '../internal/watch-folder.ts'
import { policyUnavailable } from './policy-unavailable.ts'
import type { PolicySource } from './types.ts'

const maxPolicyBytes = 4 * 1024 * 1024

/** A file that is written in place is read once it has been left alone for a quarter of a second. */
export function policyFile(path: string): PolicySource {
  const options = { maxBytes: maxPolicyBytes, what: 'a policy', fail: policyUnavailable }
  return {
    load: async () => (await readSettled(path, options)).text,
    watch: (changed) => watchFolder(dirname(path), changed),
  }
}
