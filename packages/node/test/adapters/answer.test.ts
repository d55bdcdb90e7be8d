/** Web handlers on Node's own server and in Express, over real sockets. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { answer, type WebHandler } from '../../src/adapters/answer.ts'
import { sendRaw } from '../proxy-fixture.ts'

let server: Server | undefined
afterEach(() => new Promise((resolve) => server?.close(resolve) ?? resolve(undefined)))

async function listen(listener: RequestListener): Promise<string> {
  const listening = createServer(listener)
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(listening.address() as AddressInfo).port}`
}

/** Tells what it was asked, under `/auth` only. */
const echo: WebHandler = async (request, client) => {
  const { pathname, origin, search } = new URL(request.url)
  if (!pathname.startsWith('/auth/')) return undefined
  const body = await request.text()
  return Response.json({ method: request.method, origin, pathname, search, body, ...client })
}

const options = { origin: 'https://app.acme.dev' }

describe.each<[string, (handler: WebHandler) => RequestListener]>([
  ['on Node’s own server', (handler) => answer(handler, options)],
  [
    'in Express',
    (handler) => {
      const app = express()
      app.use('/auth', answer(handler, options) as never)
      return app as unknown as RequestListener
    },
  ],
])('a Web handler %s', (_, listenerOf) => {
  test('gets method, whole path, query, body and the client’s address, at the origin that was set', async () => {
    const url = await listen(listenerOf(echo))
    const response = await fetch(`${url}/auth/login?return_to=%2Fa`, { method: 'POST', body: 'x=1' })
    expect(await response.json()).toEqual({
      method: 'POST',
      origin: options.origin,
      pathname: '/auth/login',
      search: '?return_to=%2Fa',
      body: 'x=1',
      remoteAddress: '127.0.0.1',
    })
  })

  test('is answered by 404 where it leaves a request to others and nobody takes it', async () => {
    const url = await listen(listenerOf(echo))
    expect((await fetch(`${url}/elsewhere`)).status).toBe(404)
  })

  test('is not asked with a method that no Web request has', async () => {
    const url = await listen(listenerOf(() => new Response('asked')))
    const sent = await sendRaw(url, 'TRACE /auth/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    expect(sent.status).toBe(404)
  })

  test('may set several cookies', async () => {
    const url = await listen(
      listenerOf(() => {
        const headers = new Headers({ location: '/' })
        headers.append('set-cookie', 'a=1; Path=/')
        headers.append('set-cookie', 'b=2; Path=/')
        return new Response(null, { status: 303, headers })
      }),
    )
    const { status, headers } = await fetch(`${url}/auth/x`, { redirect: 'manual' })
    expect([status, headers.getSetCookie()]).toEqual([303, ['a=1; Path=/', 'b=2; Path=/']])
  })
})

test('a handler that fails is Express’s to answer, and cuts the connection on Node’s own server', async () => {
  const failing: WebHandler = () => Promise.reject(new Error('broken'))
  const app = express()
  app.use(answer(failing, options) as never)
  app.use(((_error: unknown, _req: unknown, res: { sendStatus(code: number): void }, _next: unknown) =>
    res.sendStatus(500)) as never)
  const url = await listen(app as unknown as RequestListener)
  expect((await fetch(`${url}/auth/x`)).status).toBe(500)
  await new Promise((resolve) => server?.close(resolve))
  await expect(fetch(await listen(answer(failing, options)))).rejects.toThrow('fetch failed')
})

test('an origin that is no URL is refused when the listener is made', () => {
  expect(() => answer(echo, { origin: 'app.acme.dev' })).toThrow(TypeError)
})
