/**
 * What was worked out for a text, remembered up to a bound. When it is full it begins anew, which costs less
 * than to keep account of what was used last.
 *
 * @module
 */

export interface MemoryBounds {
  readonly maxTexts: number
  /** Longer texts are not worth the memory. */
  readonly maxLength: number
}

export class Memory<Value> {
  private readonly known = new Map<string, Value>()
  private readonly bounds: MemoryBounds

  constructor(bounds: MemoryBounds) {
    this.bounds = bounds
  }

  get(text: string): Value | undefined {
    return this.known.get(text)
  }

  /** @returns the value. */
  remember(text: string, value: Value): Value {
    const { known, bounds } = this
    if (text.length > bounds.maxLength) return value
    if (known.size >= bounds.maxTexts) known.clear()
    known.set(text, value)
    return value
  }
}
