/**
 * Elements from values: text is always text, so nothing that a server or a model says becomes markup.
 *
 * @module
 */

type Properties<Name extends keyof HTMLElementTagNameMap> = Partial<
  Pick<HTMLElementTagNameMap[Name], Extract<keyof HTMLElementTagNameMap[Name], string>>
>

export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Properties<Name> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const node = Object.assign(document.createElement(name), properties)
  node.append(...children)
  return node
}

/** The element of the page with this id. */
export function byId(id: string): HTMLElement {
  const node = document.getElementById(id)
  if (node === null) throw new Error(`the page has no element \`${id}\``)
  return node
}
