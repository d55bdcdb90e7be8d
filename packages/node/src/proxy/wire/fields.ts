/**
 * Fields: the header fields of one message, by name in lower case.
 *
 * What `Headers` of the Web is, for the fields that a request through the proxy is read and written with several
 * times over: without checks, since a parser has read them and a writer checks them again, and so at a fifth of
 * the price.
 *
 * @module
 */

export class Fields {
  private readonly values: Map<string, string>

  /** Two of one name become one, with a comma between them (RFC 9110 §5.3), or a semicolon in cookies (RFC 9113 §8.2.3). */
  constructor(fields: Iterable<readonly [name: string, value: string]> = []) {
    this.values = fields instanceof Fields ? new Map(fields.values) : new Map()
    if (!(fields instanceof Fields)) for (const [name, value] of fields) this.append(name, value)
  }

  get(name: string): string | null {
    return this.values.get(name.toLowerCase()) ?? null
  }

  has(name: string): boolean {
    return this.values.has(name.toLowerCase())
  }

  set(name: string, value: string): void {
    this.values.set(name.toLowerCase(), value)
  }

  append(name: string, value: string): void {
    const key = name.toLowerCase()
    const before = this.values.get(key)
    const between = key === 'cookie' ? '; ' : ', '
    this.values.set(key, before === undefined ? value : `${before}${between}${value}`)
  }

  delete(name: string): void {
    this.values.delete(name.toLowerCase())
  }

  [Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    return this.values.entries()
  }

  /** Name, value, name, value, as Node's servers and undici take them fastest. */
  flat(): string[] {
    const list: string[] = []
    for (const [name, value] of this.values) list.push(name, value)
    return list
  }
}
