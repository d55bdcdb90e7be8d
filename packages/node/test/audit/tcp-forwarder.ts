/**
 * TCP forwarder: stands in front of a real server, and is what goes away in its place.
 *
 * @module
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export interface Forwarder {
  readonly port: number
  /** Breaks every connection, and refuses new ones. */
  cut(): Promise<void>
  /** Takes connections and what is sent, and never says anything: a network that swallows. */
  swallow(): Promise<void>
  /** Lets the server hear everything, and breaks off instead of passing on its answer to this text. */
  loseAnswerTo(text: string): Promise<void>
  /** Back to how it was. Connections that hang are left hanging. */
  restore(): Promise<void>
  /** Connections that were taken so far. */
  taken(): number
  close(): Promise<void>
}

export async function startForwarder(target: { host: string; port: number }): Promise<Forwarder> {
  const sockets = new Set<Socket>()
  let mode: 'pass' | 'swallow' = 'pass'
  let lost: string | undefined
  let taken = 0
  let server: Server | undefined
  let port = 0

  function take(client: Socket): void {
    taken++
    sockets.add(client)
    client.on('error', () => client.destroy()).once('close', () => sockets.delete(client))
    if (mode === 'swallow') return void client.resume()
    const upstream = connect(target.port, target.host)
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    upstream.on('error', end).once('close', end)
    client.once('close', end)
    let isLost = false
    client.on('data', (bytes) => {
      if (lost !== undefined && bytes.includes(lost)) isLost = true
      upstream.write(bytes)
    })
    // It has been heard and done; whoever asked will never know.
    upstream.on('data', (bytes) => (isLost ? end() : void client.write(bytes)))
  }

  async function listen(): Promise<void> {
    server = createServer(take)
    await once(server.listen(port, '127.0.0.1'), 'listening')
    port = (server.address() as AddressInfo).port
  }

  async function stop(): Promise<void> {
    const closed = server?.listening === true ? once(server, 'close') : undefined
    server?.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }

  await listen()
  return {
    get port() {
      return port
    },
    cut: stop,
    async swallow() {
      await stop()
      mode = 'swallow'
      await listen()
    },
    async loseAnswerTo(text) {
      lost = text
    },
    async restore() {
      mode = 'pass'
      lost = undefined
      if (server?.listening !== true) await listen()
    },
    taken: () => taken,
    close: stop,
  }
}
