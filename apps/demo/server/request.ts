/**
 * Two readings of an Express request.
 *
 * @module
 */
import type { Request } from 'express'

/** The bearer credential, once the guard has let the request pass. */
export function bearerOf(req: Request): string | undefined {
  return /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1]
}

export function clientAddress(req: Request): { remoteAddress?: string } {
  const { remoteAddress } = req.socket
  return remoteAddress === undefined ? {} : { remoteAddress }
}
