/** The contract of `contract.ts` under the real Next.js, serving route handlers from `next-app`. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import next from 'next'
import { failure, officeQuestion, readQuestion, testAdapter } from './contract.ts'

// Its types describe another module format than the one it comes in.
const createNext = next as unknown as typeof next.default

testAdapter({
  name: 'Next.js 16',
  hides: { target: true, headers: true, address: true },
  async start(parts) {
    process.env.NEXT_TELEMETRY_DISABLED = '1'
    // Next.js compiles the route handlers and runs them in this process: that is how they get at the parts.
    Object.assign(process, { hfauthContract: { ...parts, officeQuestion, readQuestion, failure } })
    const app = createNext({ dev: true, dir: join(import.meta.dirname, 'next-app'), quiet: true })
    await app.prepare()
    const handle = app.getRequestHandler()
    const server = createServer((req, res) => void handle(req, res))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      async close() {
        server.closeAllConnections()
        server.close()
        await app.close()
      },
    }
  },
})
