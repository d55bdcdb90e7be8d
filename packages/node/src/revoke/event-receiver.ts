/**
 * Event receiver: what a verified security event does here.
 *
 * push, poll → security event → **event receiver** → intake. Every event goes on record; only those that
 * mean the end of sessions or credentials take something back.
 *
 * @see CAEP 1.0 §3, RISC 1.0 §2
 * @module
 */
import { type FindSubjects, revocationOf, subjectsOf } from './event-subject.ts'
import { providerActor, type RevocationIntake } from './intake.ts'
import { createEventReader, type EventReaderOptions, type SecurityEvent } from './security-event.ts'
import type { StreamWatch } from './stream-watch.ts'
import { createUsedIds, type MarkStore } from './used-ids.ts'

export interface EventReceiverOptions extends EventReaderOptions {
  readonly intake: RevocationIntake
  /** Finds whom an identifier means that is not `iss` and `sub`, such as an e-mail address. Default nobody. */
  readonly findSubjects?: FindSubjects | undefined
  /** Whether an event takes its subject back. Default {@link revokesByDefault}. */
  readonly revokes?: ((event: SecurityEvent) => boolean) | undefined
  /** Hears of every event, so that a stream which has stopped is noticed. */
  readonly watch?: StreamWatch | undefined
  /** Makes a `jti` count once on all replicas that share it. Default this process's memory. */
  readonly store?: MarkStore | undefined
}

export interface EventReceiver {
  /**
   * Deals with one token; a second time with the same `jti`, with nothing.
   *
   * @returns Its `jti`.
   * @throws NoticeError when it is not to be believed; a retryable HfAuthError when it has to come again.
   */
  receive(text: string, door: string): Promise<string>
}

const secevent = 'https://schemas.openid.net/secevent/'
const revoking: ReadonlySet<string> = new Set([
  `${secevent}caep/event-type/session-revoked`,
  `${secevent}caep/event-type/token-claims-change`,
  `${secevent}risc/event-type/sessions-revoked`,
  `${secevent}risc/event-type/account-disabled`,
  `${secevent}risc/event-type/account-purged`,
  `${secevent}risc/event-type/credential-compromise`,
  `${secevent}oauth/event-type/tokens-revoked`,
  `${secevent}oauth/event-type/token-revoked`,
])

/**
 * Ends of sessions, of tokens and of accounts; claims that have changed; credentials of a person that were
 * changed or removed, though not one that was added.
 */
export function revokesByDefault({ type, members }: SecurityEvent): boolean {
  if (type === `${secevent}caep/event-type/credential-change`) return members.change_type !== 'create'
  return revoking.has(type)
}

export function createEventReceiver(options: EventReceiverOptions): EventReceiver {
  const { intake, findSubjects, revokes = revokesByDefault, transmitter, now = Date.now } = options
  const { watch, store } = options
  const reader = createEventReader(options)
  const rules = { issuers: reader.issuers, findSubjects }
  const used = createUsedIds(`event ${reader.eventIssuer}`, { store, now })

  async function deal(event: SecurityEvent, id: string, door: string): Promise<void> {
    const isRevoking = revokes(event)
    const { subject, occurredAt } = event
    const found = isRevoking && subject !== undefined ? await subjectsOf(subject, rules) : []
    const before = Math.floor(occurredAt / 1000)
    await intake.receive({
      door,
      actor: providerActor(transmitter.issuer),
      revocations: found.map((one) => revocationOf(one, transmitter.issuer, before)),
      event: event.name,
      eventId: id,
      occurredAt,
      ...(isRevoking && found.length === 0 ? { error: 'subject_unknown' } : {}),
    })
  }

  return {
    async receive(text, door) {
      const { id, events } = await reader.read(text)
      if (await used.isKnown(id)) return id
      const arrived = await watch?.hear(events)
      for (const event of events) await deal(event, id, door)
      await arrived?.()
      await used.add(id)
      return id
    },
  }
}
