/**
 * A process that is killed: writes to a log as fast as it can, and says of each event that it is on record. Every
 * third is a denial, for which nobody waits: of these it says nothing.
 *
 * Arguments: directory, key file, name of this life, events in one batch.
 */
import { writeSync } from 'node:fs'
import { createAuditLog } from '../../src/audit/log.ts'
import { auditKeyFile } from '../../src/audit/segments/key-file.ts'
import { segmentSink } from '../../src/audit/segments/segment-sink.ts'
import { denialOf, entryOf } from './crash-entry.ts'

const [directory = '', keyFile = '', life = '', batch = '1'] = process.argv.slice(2)
const sink = await segmentSink({
  directory,
  key: await auditKeyFile(keyFile),
  maxSegmentBytes: 40_000,
  headEveryLines: 37,
})
const log = createAuditLog({ sink, environment: 'production', service: 'crash', timeoutMs: 60_000 })
for (let round = 0; ; round++) {
  const ids = Array.from({ length: Number(batch) }, (_, i) => `${life}-${round}-${i}`)
  await Promise.all(
    ids.map(async (id, i) => {
      const { seq } = await log.record(i % 3 === 2 ? denialOf(id) : entryOf(id))
      // What is in a pipe stays there when the process is gone.
      if (seq > 0) writeSync(1, `${id}\n`)
    }),
  )
}
