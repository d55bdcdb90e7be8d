/**
 * Transmitter: who sends security events, as a configuration names it.
 *
 * @module
 */
import type { Transmitter } from '@hfauth/node'
import { present } from './arguments.ts'
import type { TransmitterConfig } from './config.ts'

export function transmitterOf({ issuer, audience, jwksUri, legacy }: TransmitterConfig): Transmitter {
  return { issuer, audience, ...present({ jwksUri, legacy }) }
}
