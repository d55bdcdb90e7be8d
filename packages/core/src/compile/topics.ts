/**
 * Topics: an action on a type, as a small number under which rules are filed.
 *
 * Someone who is asked about once meets tables that no cache of the processor holds. A number is found in them without
 * looking at a text, and a table has one map in place of one for each type.
 *
 * @module
 */
import { getOrAdd } from '../internal/maps.ts'

/** What questions can be about. */
export interface Vocabulary {
  readonly actions: ReadonlySet<string>
  readonly types: ReadonlySet<string>
  /** Actions that an environment lets through; absent when it lets through all. */
  readonly ceiling?: ReadonlySet<string> | undefined
}

export interface Topic {
  readonly action: string
  readonly type: string
  /** False when the environment's ceiling leaves the action out. */
  readonly isOpen: boolean
  /** Under which rules on just this are filed. */
  readonly number: number
  /** Under which rules with wildcards that mean this too are filed. */
  readonly wild: readonly number[]
}

export class Topics {
  private readonly vocabulary: Vocabulary
  private readonly known = new Map<string, Map<string, Topic>>()
  private readonly numbers = new Map<string, Map<string, number>>()
  private count = 0

  constructor(vocabulary: Vocabulary) {
    this.vocabulary = vocabulary
  }

  /** `undefined` for an action or a type that is in no vocabulary. */
  find(action: string, type: string): Topic | undefined {
    return this.known.get(type)?.get(action) ?? this.add(action, type)
  }

  /** @param action - `*` for all. @param type - `**` for all. */
  number(action: string, type: string): number {
    const byAction = getOrAdd(this.numbers, type, () => new Map<string, number>())
    return getOrAdd(byAction, action, () => this.count++)
  }

  private add(action: string, type: string): Topic | undefined {
    const { actions, types, ceiling } = this.vocabulary
    if (!actions.has(action) || !types.has(type)) return undefined
    const topic: Topic = {
      action,
      type,
      isOpen: ceiling === undefined || ceiling.has(action),
      number: this.number(action, type),
      wild: [this.number('*', type), this.number(action, '**'), this.number('*', '**')],
    }
    getOrAdd(this.known, type, () => new Map<string, Topic>()).set(action, topic)
    return topic
  }
}
