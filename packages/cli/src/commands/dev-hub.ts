/**
 * `hfauth dev-hub`: a Hugging Face on this machine, to develop against.
 *
 * @module
 */
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { publicAppId, startHub } from '@hfauth/testkit'
import type { Command } from '../command.ts'
import { readPort } from '../port.ts'

export const devHub: Command = async (args, io) => {
  const { values } = parseArgs({ args: [...args], options: { port: { type: 'string', default: '4100' } } })
  const hub = await startHub({ port: readPort(values.port) })
  io.out(`Hub, OpenID provider and inference router: ${hub.url}`)
  io.out(`public app: ${publicAppId}`)
  io.out(`people: ${hub.world.people.map(({ username }) => username).join(', ')}`)
  io.out(
    `models: ${hub.world.repos
      .filter(({ type }) => type === 'model')
      .map(({ id }) => id)
      .join(', ')}`,
  )
  if (!io.signal.aborted) await once(io.signal, 'abort')
  await hub.close()
  return 0
}
