/**
 * Proxy: an identity-aware Hugging Face that unchanged clients use through `HF_ENDPOINT`, `hubUrl` or
 * `endpointUrl`.
 *
 * client → verify → decide → record → **exchange → Hugging Face** → client.
 *
 * @module
 */
import type { Connection } from '../guard/types.ts'
import { inboundFromRequest } from './inbound.ts'
import { type ListeningProxy, type ListenOptions, listen } from './listen.ts'
import { type ProxyOptions, readProxyOptions } from './options.ts'
import { createPipeline } from './pipeline.ts'

export interface HubProxy {
  /**
   * Answers one Web request, for servers that are not Node's. Never throws for what a request contains.
   *
   * @param connection - Without the target as sent, paths are judged as the URL parser left them.
   */
  fetch(request: Request, connection?: Connection): Promise<Response>
  /** Serves over HTTP/1.1. TLS is for what stands in front. */
  listen(options: ListenOptions): Promise<ListeningProxy>
}

/** @throws HfAuthError `HFAUTH_CONFIG_INVALID` when an address is not an origin, or a limit is no number. */
export function createProxy(options: ProxyOptions): HubProxy {
  const pipeline = createPipeline(options, readProxyOptions(options))
  return {
    fetch: (request, connection = {}) => pipeline.handle(inboundFromRequest(request, connection)),
    listen: (listenOptions) => listen(pipeline, listenOptions),
  }
}
