/**
 * Elements from values: text is always text, so nothing that a claim says becomes markup, and no sink of Trusted
 * Types is touched.
 *
 * **dom** → views → mount.
 *
 * @module
 */

type Content = Node | string

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...content: readonly Content[]
): HTMLElementTagNameMap[Name] {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  node.append(...content)
  return node
}

/** Names and what they are, as a list that screen readers know. */
export function pairs(entries: readonly (readonly [string, Content])[]): HTMLElement {
  return element(
    'dl',
    {},
    ...entries.flatMap(([name, value]) => [element('dt', {}, name), element('dd', {}, value)]),
  )
}

export function chips(names: readonly string[], none: string): HTMLElement {
  if (names.length === 0) return element('p', { class: 'soft' }, none)
  return element('ul', { class: 'chips' }, ...names.map((name) => element('li', {}, name)))
}
