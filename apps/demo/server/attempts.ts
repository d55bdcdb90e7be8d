/**
 * What people and jobs try: with Hugging Face's own, unchanged clients, pointed at the proxy.
 *
 * Each resolves when it worked and rejects when it was refused.
 *
 * @module
 */
import { deleteRepo, downloadFile, listModels, uploadFile } from '@huggingface/hub'
import { InferenceClient } from '@huggingface/inference'
import type { Actor } from './people.ts'

export type Attempt = (actor: Actor, proxyUrl: string) => Promise<void>

const credentials = ({ token }: Actor) => (token === undefined ? {} : { accessToken: token })
const model = (name: string) => ({ type: 'model' as const, name })

export const list =
  (owner: string): Attempt =>
  async (actor, hubUrl) => {
    let seen = 0
    for await (const _ of listModels({ search: { owner }, hubUrl, ...credentials(actor) })) seen++
    if (seen === 0) throw new Error('nothing was shown')
  }

export const download =
  (name: string): Attempt =>
  async (actor, hubUrl) => {
    const file = await downloadFile({ repo: model(name), path: 'README.md', hubUrl, ...credentials(actor) })
    if (file === null || (await file.text()) === '') throw new Error('the file is empty or missing')
  }

export const commit =
  (name: string, branch = 'main'): Attempt =>
  async (actor, hubUrl) => {
    const content = new Blob([`written by ${actor.name}\n`])
    await uploadFile({
      repo: model(name),
      branch,
      file: { path: 'NOTES.md', content },
      hubUrl,
      ...credentials(actor),
    })
  }

export const remove =
  (name: string): Attempt =>
  async (actor, hubUrl) => {
    await deleteRepo({ repo: model(name), hubUrl, accessToken: actor.token ?? '' })
  }

export const chat =
  (name: string): Attempt =>
  async (actor, proxyUrl) => {
    const client = new InferenceClient(actor.token, { endpointUrl: `${proxyUrl}/v1` })
    const messages = [{ role: 'user' as const, content: 'What is a tree?' }]
    let pieces = 0
    for await (const chunk of client.chatCompletionStream({ model: name, messages })) {
      if (chunk.choices[0]?.delta.content) pieces++
    }
    if (pieces < 2) throw new Error('the answer did not stream')
  }
