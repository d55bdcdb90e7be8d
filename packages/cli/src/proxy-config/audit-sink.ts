/**
 * Audit sink: where a proxy keeps its record.
 *
 * @module
 */
import { type AuditSink, auditKeyFile, jsonLinesSink, segmentSink } from '@hfauth/node'

/** Plain lines in a file, or with a key signed segments in a directory. */
export async function openAudit(path: string, keyFile: string | undefined): Promise<AuditSink> {
  if (keyFile === undefined) return jsonLinesSink({ path })
  return segmentSink({ directory: path, key: await auditKeyFile(keyFile) })
}
