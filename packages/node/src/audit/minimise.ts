/**
 * Minimise: how much of a person goes on record.
 *
 * entry → **minimise** → log. Each member that is about a person can be kept, replaced by a keyed digest, cut
 * (addresses) or dropped. A digest of the same person is always the same, so that questions about them can be
 * asked by whoever has the key, and nobody else can try names until one fits.
 *
 * @module
 */
import { createHmac } from 'node:crypto'
import { isIP } from 'node:net'
import { HfAuthError } from '@hfauth/core'
import { ipv6Network } from '../internal/ipv6-network.ts'
import type { AuditEntry } from './types.ts'

export interface PersonalDataRules {
  /** Ids of the actor and of those who act for it, and what a revocation is about. Default `keep`. */
  readonly subject?: 'keep' | 'hash'
  /** The actor's name for display. Default `keep`. */
  readonly name?: 'keep' | 'hash' | 'drop'
  /** `truncate` leaves the network: 24 bits of an IPv4 address, 48 of an IPv6 one. Default `keep`. */
  readonly ip?: 'keep' | 'truncate' | 'hash' | 'drop'
  /** Default `keep`. */
  readonly userAgent?: 'keep' | 'hash' | 'drop'
  /** Key of the digests, at least 32 bytes; only needed for `hash`. */
  readonly hashKey?: Uint8Array
}

/**
 * Makes the step that applies the rules.
 *
 * @throws HfAuthError `HFAUTH_CONFIG_INVALID` for a rule that there is not, or `hash` without a key of 32 bytes.
 */
export function createMinimiser(rules: PersonalDataRules = {}): (entry: AuditEntry) => AuditEntry {
  const { hashKey } = rules
  const names = ['subject', 'name', 'ip', 'userAgent'] as const
  for (const name of names) {
    const rule = rules[name] ?? 'keep'
    if (!allowed[name].includes(rule)) throw invalid(`\`${name}\` must be one of ${allowed[name].join(', ')}`)
    if (rule === 'hash' && (hashKey === undefined || hashKey.length < 32))
      throw invalid('a digest needs a `hashKey` of at least 32 bytes')
  }
  if (names.every((name) => (rules[name] ?? 'keep') === 'keep')) return (entry) => entry

  const digest = (text: string) =>
    `h1:${createHmac('sha256', hashKey as Uint8Array)
      .update(text)
      .digest('hex')
      .slice(0, 32)}`
  const treat = (text: string | undefined, rule: string | undefined) => {
    if (text === undefined || rule === 'drop') return undefined
    if (rule === 'hash') return digest(text)
    return rule === 'truncate' ? networkOf(text) : text
  }
  /** Of an id the part behind the alias of its issuer, which is how a revocation names the same person. */
  const subject = (id: string) => {
    const at = id.indexOf('|') + 1
    return id.slice(0, at) + treat(id.slice(at), rules.subject)
  }

  return (entry) => {
    const { actor, client, revocation } = entry
    const isPerson = actor.kind === 'user'
    return {
      ...entry,
      actor: {
        ...withMember(actor, 'name', isPerson ? treat(actor.name, rules.name) : actor.name),
        id: isPerson ? subject(actor.id) : actor.id,
        ...(actor.actedBy === undefined ? {} : { actedBy: actor.actedBy.map(subject) }),
      },
      ...(client === undefined
        ? {}
        : {
            client: withMember(
              withMember(client, 'ip', treat(client.ip, rules.ip)),
              'userAgent',
              treat(client.userAgent, rules.userAgent),
            ),
          }),
      ...(revocation === undefined
        ? {}
        : {
            revocation:
              revocation.by === 'subject'
                ? withMember(revocation, 'target', treat(revocation.target, rules.subject))
                : revocation,
          }),
    }
  }
}

const allowed: Readonly<Record<'subject' | 'name' | 'ip' | 'userAgent', readonly string[]>> = {
  subject: ['keep', 'hash'],
  name: ['keep', 'hash', 'drop'],
  ip: ['keep', 'truncate', 'hash', 'drop'],
  userAgent: ['keep', 'hash', 'drop'],
}

function withMember<T extends object, K extends string>(object: T, name: K, value: string | undefined): T {
  const { [name as unknown as keyof T]: _, ...rest } = object
  return (value === undefined ? rest : { ...rest, [name]: value }) as T
}

/** The network of an address; `undefined` for what is not one. */
function networkOf(ip: string): string | undefined {
  const [address = ''] = ip.split('%')
  if (isIP(address) === 4) return address.replace(/\d+$/, '0')
  if (isIP(address) !== 6) return undefined
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.)\d+$/i.exec(address)
  if (mapped !== null) return `::ffff:${mapped[1]}0`
  return ipv6Network(address, 3)
}

function invalid(message: string): HfAuthError {
  return new HfAuthError('HFAUTH_CONFIG_INVALID', message)
}
