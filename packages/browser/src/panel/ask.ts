/**
 * Ask: a form for one question, with the answer, its reason and what would help.
 *
 * permissions → **ask** → mount. Asked again by itself when the rules change.
 *
 * @module
 */
import { type Help, helpFor } from '../access/help.ts'
import type { Permissions } from '../access/permissions.ts'
import type { Session } from '../session/session.ts'
import { element, pairs } from './dom.ts'

export interface Ask {
  readonly form: Node
  answerAgain(): void
}

export function createAsk(permissions: Permissions, session: () => Session | undefined): Ask {
  const action = element('input', { id: 'action', value: 'read', autocomplete: 'off', spellcheck: 'false' })
  const resource = element('input', {
    id: 'resource',
    placeholder: 'model:acme/vision-large',
    autocomplete: 'off',
    spellcheck: 'false',
  })
  const answer = element('output', { for: 'action resource', 'aria-live': 'polite' })
  const form = element(
    'form',
    {},
    element('label', { for: 'action' }, 'action'),
    action,
    element('label', { for: 'resource' }, 'resource'),
    resource,
    element('button', {}, 'Ask'),
  )
  let asked = false

  function answerNow(): void {
    if (!asked) return
    const { access } = permissions
    const question = { action: action.value.trim(), resource: resource.value.trim() }
    if (access === undefined) {
      answer.replaceChildren(element('p', { class: 'soft' }, 'there are no rules'))
      return
    }
    const likelihood = access.likelihood(question.action, question.resource)
    const decision = access.decide(question)
    answer.replaceChildren(
      pairs([
        ['answer', element('span', { class: looks[likelihood] }, likelihood)],
        ['reason', decision.reason],
        ['what helps', helpText(helpFor(decision, session()))],
      ]),
    )
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    asked = true
    answerNow()
  })
  return { form: element('div', {}, form, answer), answerAgain: answerNow }
}

const looks = { allow: 'good', maybe: 'doubt', deny: 'bad' } as const

function helpText(help: Help): string {
  switch (help.kind) {
    case 'none':
      return 'nothing is needed'
    case 'ask':
      return 'no rule of yours covers this: somebody has to grant it'
    case 'forbidden':
      return 'nothing: a denial or the ceiling of this environment stands against it'
    case 'wrong_question':
      return 'there is no such action, type or id: correct the question'
    case 'attributes':
      return `say ${help.names.join(', ')}`
    case 'sign_in': {
      const { maxAgeSeconds, acrValues, scopes } = help.options
      if (scopes) return `sign in with the scopes ${scopes.join(' ')}`
      if (acrValues) return 'sign in with a second factor'
      return maxAgeSeconds === undefined ? 'sign in' : `sign in again, at least every ${maxAgeSeconds} s`
    }
  }
}
