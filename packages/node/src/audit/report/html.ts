/**
 * HTML: text that is escaped unless it was made here.
 *
 * @module
 */

/** Markup that may stand in a page as it is; only `html` makes it. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

export type Insert = Markup | string | number | undefined | readonly Insert[]

/** Puts values into markup: a `Markup` as it is, everything else as text, whether in an element or an attribute. */
export function html(parts: TemplateStringsArray, ...values: readonly Insert[]): Markup {
  return new Markup(parts.reduce((text, part, i) => `${text}${insert(values[i - 1])}${part}`))
}

function insert(value: Insert): string {
  if (value === undefined) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(insert).join('')
  return escapeText(String(value))
}

/** Also what would turn the direction of what is around it. */
function escapeText(text: string): string {
  return text
    .replaceAll(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\p{Surrogate}]/gu, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
