/**
 * Certificate: a proxy's own, read from its files, and again before it runs out.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { HfAuthError } from '@hfauth/core'
import type { ListeningProxy, TlsFiles } from '@hfauth/node'

export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

const lookMs = 60_000

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when one of them cannot be read. */
export async function readCertificate({ cert, key }: CertificateFiles): Promise<TlsFiles> {
  try {
    return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
  } catch {
    throw new HfAuthError('HFAUTH_CONFIG_INVALID', 'the certificate or its key cannot be read')
  }
}

/** Gives a proxy whatever the files have by now; returns the way to stop. */
export function followCertificate(
  files: CertificateFiles,
  { renewTls }: Pick<ListeningProxy, 'renewTls'>,
): () => void {
  const look = setInterval(() => {
    // One that cannot be read leaves the one in use.
    readCertificate(files).then(renewTls, () => undefined)
  }, lookMs)
  return () => clearInterval(look)
}
