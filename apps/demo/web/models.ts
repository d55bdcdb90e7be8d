/**
 * The organisation's models, each with the buttons that the policy allows this person, and the place
 * where what a button opens is done.
 *
 * @module
 */
import type { Permissions } from '@hfauth/browser'
import type { DemoApi, Model } from './api.ts'
import { element } from './dom.ts'

export interface ModelsView {
  readonly list: HTMLElement
  readonly work: HTMLElement
  readonly api: DemoApi
  readonly permissions: Permissions
  readonly organisation: string
  readonly notify: (problem: unknown) => void
}

export async function showModels(view: ModelsView): Promise<void> {
  const { list, work, api, organisation, notify } = view
  list.replaceChildren(element('h2', {}, `Models of ${organisation}`))
  work.replaceChildren(
    element('h2', {}, 'Pick a model'),
    element('p', { className: 'soft' }, 'Only what the policy allows you has a button.'),
  )
  const models = await api.models()
  list.append(
    models.length === 0
      ? element('p', { className: 'soft' }, 'The policy shows you none.')
      : element('ul', { className: 'models' }, ...models.map((model) => row(model, view))),
  )

  function row(model: Model, { permissions }: ModelsView): Node {
    const { id, ...attributes } = model
    const may = (action: string) => permissions.can(action, { type: 'model', id, attributes })
    const button = (action: string, text: string, open: () => void | Promise<void>) =>
      may(action)
        ? [
            element(
              'button',
              {
                type: 'button',
                ariaLabel: `${text} ${id}`,
                onclick: () => void Promise.resolve(open()).catch(notify),
              },
              text,
            ),
          ]
        : []
    return element(
      'li',
      {},
      element('span', { className: 'name' }, id),
      ...(model.private ? [tag('private')] : []),
      ...(model.gated ? [tag('gated')] : []),
      ...(model.tags.includes('not-for-all-audiences') ? [tag('restricted')] : []),
      element(
        'span',
        { className: 'actions' },
        ...button('read', 'Card', () => readCard(id)),
        ...button('infer', 'Chat', () => chat(id)),
        ...button('write', 'Edit', () => editCard(id)),
        ...button('delete', 'Delete', () => remove(id)),
      ),
    )
  }

  async function readCard(id: string): Promise<void> {
    work.replaceChildren(element('h2', {}, `Card of ${id}`), element('output', {}, await api.card(id)))
  }

  async function editCard(id: string): Promise<void> {
    const text = element('textarea', { id: 'card-text', value: await api.card(id) })
    const form = element(
      'form',
      {},
      element('label', { htmlFor: 'card-text' }, 'The card is saved by a commit through the proxy.'),
      text,
      element('button', { className: 'primary' }, 'Commit'),
    )
    form.onsubmit = (event) => {
      event.preventDefault()
      api.saveCard(id, text.value).then(() => readCard(id), notify)
    }
    work.replaceChildren(element('h2', {}, `Edit ${id}`), form)
    text.focus()
  }

  function chat(id: string): void {
    const prompt = element('input', { id: 'prompt', value: 'What is a tree?', autocomplete: 'off' })
    const answer = element('output', { id: 'answer' })
    const form = element(
      'form',
      {},
      element('label', { htmlFor: 'prompt' }, 'Your question'),
      prompt,
      element('button', { className: 'primary' }, 'Ask'),
    )
    form.onsubmit = (event) => {
      event.preventDefault()
      answer.replaceChildren()
      void stream(api.chat(id, prompt.value), answer).catch(notify)
    }
    work.replaceChildren(element('h2', {}, `Chat with ${id}`), form, answer)
    prompt.focus()
  }

  async function remove(id: string): Promise<void> {
    await api.remove(id)
    await showModels(view)
  }
}

async function stream(source: AsyncIterable<string>, target: HTMLElement): Promise<void> {
  target.dataset.state = 'streaming'
  for await (const piece of source) target.append(piece)
  target.dataset.state = 'complete'
}

function tag(text: string): Node {
  return element('span', { className: 'tag' }, text)
}
