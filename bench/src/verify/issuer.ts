/**
 * An issuer on loopback: its discovery document and its key set.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface LoopbackIssuer {
  readonly url: string
  readonly jwksUri: string
  /** From now on questions are taken and left without an answer. */
  stopAnswering(): void
  close(): void
}

export async function startIssuer(keys: readonly object[]): Promise<LoopbackIssuer> {
  let isSilent = false
  const server = createServer((request, response) => {
    if (isSilent) return
    const document = request.url === '/jwks' ? { keys } : { issuer: url, jwks_uri: `${url}/jwks` }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(document))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    jwksUri: `${url}/jwks`,
    stopAnswering() {
      isSilent = true
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
