/**
 * Secret: a value that shows itself only to whoever asks by name.
 *
 * Printed, logged, joined to a text or written as JSON it says `[secret]`.
 *
 * @module
 */
import { hash, timingSafeEqual } from 'node:crypto'
import { HfAuthError } from '@hfauth/core'

const shown = '[secret]'

export class Secret {
  readonly #value: string
  readonly #digest: Buffer

  constructor(value: string) {
    this.#value = value
    this.#digest = digest(value)
  }

  /** The value itself, for the one place that sends it. */
  reveal(): string {
    return this.#value
  }

  /** In a time that tells neither the value nor its length. */
  equals(text: string): boolean {
    return timingSafeEqual(digest(text), this.#digest)
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return shown
  }
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

/** Longest secret, in characters; a file that is longer is something else. */
const maxLength = 8192

/**
 * Reads a secret as files and variables hold it: one line break at the end is no part of it, and nothing
 * else is taken away.
 *
 * @throws HfAuthError `HFAUTH_SECRET_UNAVAILABLE` when it is empty, too long, or has spaces at its ends or
 * control characters in it, as a file has that was cut short or pasted wrong.
 */
export function readSecret(text: string): Secret {
  const value = text.replace(/\r?\n$/, '')
  if (value === '') throw unusable('it is empty')
  if (value.length > maxLength) throw unusable(`it is longer than ${maxLength} characters`)
  if (value !== value.trim()) throw unusable('it begins or ends with white space')
  if (/[\p{Cc}\p{Surrogate}\ufffd\ufeff]/u.test(value)) throw unusable('it has characters that no secret has')
  return new Secret(value)
}

export function unusable(reason: string): HfAuthError {
  return new HfAuthError('HFAUTH_SECRET_UNAVAILABLE', `the secret cannot be used: ${reason}`, {
    retryable: true,
  })
}
