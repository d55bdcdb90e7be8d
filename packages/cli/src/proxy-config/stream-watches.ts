/**
 * Stream watches of a proxy: which of the event streams it takes have stopped.
 *
 * doors, polls → **stream watches** → proxy's `/readyz`.
 *
 * @module
 */
import { HfAuthError } from '@hfauth/core'
import { type AuditLog, createStreamWatch, type MarkStore, type StreamWatch } from '@hfauth/node'
import type { CommandIo } from '../command.ts'
import { present } from './arguments.ts'
import type { TransmitterConfig, WatchConfig } from './config.ts'
import { requiredToken } from './required-token.ts'
import { transmitterOf } from './transmitter.ts'

export interface StreamWatches {
  /** By the names under which `/readyz` tells of them. */
  readonly streams: Readonly<Record<string, StreamWatch>>
  /**
   * A watch that runs until `signal` is aborted; `undefined` where none is wanted.
   *
   * @throws HfAuthError `HFAUTH_CONFIG_INVALID` without a token, for a name that is taken, or for what cannot be.
   */
  watch(name: string, stream: TransmitterConfig, fallbackTokenEnv?: string): StreamWatch | undefined
}

export interface StreamWatchesOptions {
  readonly audit: AuditLog
  readonly io: Pick<CommandIo, 'env' | 'error'>
  readonly signal: AbortSignal
  /** Shared by all replicas. Default this process's memory. */
  readonly store?: MarkStore
}

export function createStreamWatches({ audit, io, signal, store }: StreamWatchesOptions): StreamWatches {
  const streams: Record<string, StreamWatch> = {}
  return {
    streams,
    watch(name, stream, fallbackTokenEnv) {
      if (stream.watch === undefined) return undefined
      if (streams[name] !== undefined) {
        throw new HfAuthError('HFAUTH_CONFIG_INVALID', `two watched event streams have the name \`${name}\``)
      }
      const {
        tokenEnv = fallbackTokenEnv,
        streamId,
        verificationEndpoint,
        configurationEndpoint,
      } = stream.watch
      const token = requiredToken(tokenEnv, io.env, `the watch of \`${name}\``)
      const watch = createStreamWatch({
        ...inMs(stream.watch),
        ...present({ streamId, verificationEndpoint, configurationEndpoint, store }),
        transmitter: transmitterOf(stream),
        authorization: () => `Bearer ${token}`,
        audit,
        onHealth: (health) => io.error(`event stream \`${name}\` is ${health.name}`),
      })
      streams[name] = watch
      void watch.run(signal, () => io.error(`event stream \`${name}\` could not be looked at`))
      return watch
    },
  }
}

function inMs({ everySeconds, answerWithinSeconds }: WatchConfig) {
  return {
    ...(everySeconds === undefined ? {} : { everyMs: everySeconds * 1000 }),
    ...(answerWithinSeconds === undefined ? {} : { answerWithinMs: answerWithinSeconds * 1000 }),
  }
}
