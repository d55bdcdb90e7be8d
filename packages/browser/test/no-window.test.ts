/** Checklist O4: every entry is imported, and used as a server would, where there is no window. */
import { createContext, runInContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { describe, expect, test } from 'vitest'
import { bundle } from './support/bundle.ts'

const entries = ['index', 'policy', 'react', 'panel'] as const

const iife = (text: string) =>
  bundle(
    { text },
    { format: 'iife', globalName: 'entry', define: { 'process.env.NODE_ENV': '"production"' } },
  )

/** Starts as a server does: makes the client and its permissions, and asks what there is to see. */
const start = `
  import { createAuth, createPermissions } from './src/index.ts'
  const auth = createAuth({ clientId: 'client-1', redirectUri: 'https://app.example/callback' })
  const permissions = createPermissions(auth, { source: '/api/access' })
  const stop = [auth.subscribe(() => {}), permissions.subscribe(() => {})]
  export const seen = auth.handleCallback().then((result) => {
    for (const each of stop) each()
    permissions.close()
    const { status } = auth.getSnapshot()
    return { result, status, rules: permissions.getSnapshot().status, can: permissions.can('read', 'model:a/b') }
  })`
const nothing = { result: undefined, status: 'unknown', rules: 'empty', can: false }

describe('without a window', () => {
  test.each(entries)('%s is imported by plain Node (O4)', async (name) => {
    expect(typeof window).toBe('undefined')
    expect(Object.keys(await import(`../src/${name}.ts`)).length).toBeGreaterThan(0)
  })

  test.each(entries)('%s is imported where there is no more than every runtime has (O4)', async (name) => {
    const context = createContext({ TextEncoder, TextDecoder, URL })
    const code = await iife(`export * from './src/${name}.ts'`)
    expect(runInContext(`${code};Object.keys(entry).length`, context)).toBeGreaterThan(0)
  })

  test('a client is made, subscribed to and asked in a worker thread (O4)', async () => {
    const code = await iife(start)
    const worker = new Worker(
      `${code};entry.seen.then((seen) => require('node:worker_threads').parentPort.postMessage(seen))`,
      { eval: true },
    )
    const seen = await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    await worker.terminate()
    expect(seen).toEqual(nothing)
  })
})
