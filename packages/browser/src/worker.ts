/**
 * Worker: the file that a page starts as a worker to hold its tokens.
 *
 * worker host → **worker**. Starts to listen when it is loaded, as a dedicated or as a shared worker.
 *
 * @module
 */
import { createWorkerHost, type Port, type WorkerScope } from './vault/worker-host.ts'

const scope = globalThis as unknown as WorkerScope & Port & { onconnect?: unknown }
const host = createWorkerHost(scope)
if ('onconnect' in scope) scope.onconnect = ({ ports: [port] }: MessageEvent) => port && host.connect(port)
else host.connect(scope)
