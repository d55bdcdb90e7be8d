/**
 * Secret place: where a secret is in files, as arguments and a configuration name it.
 *
 * @module
 */
import { stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type SecretSource, secretDirectory, secretFile } from '@hfauth/node'

/**
 * JSON has its versions in it. Beside any other file the one before may be, under the same name and `-previous`. A
 * directory, such as Kubernetes mounts, has the secret in `client-secret`.
 */
export async function secretPlace(path: string): Promise<SecretSource> {
  if (path.endsWith('.json')) return secretFile(path)
  const isDirectory = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  const file = isDirectory ? join(path, 'client-secret') : path
  const current = basename(file)
  return secretDirectory(dirname(file), { current, previous: `${current}-previous` })
}
