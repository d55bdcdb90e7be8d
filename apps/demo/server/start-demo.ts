/**
 * The whole demo: a Hugging Face, the policy, and one deployment for each environment.
 *
 * @module
 */
import { mkdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Policy } from '@hfauth/core'
import { parsePolicy } from '@hfauth/core/yaml'
import { type Deployment, startDeployment } from './deployment.ts'
import { type HuggingFace, startHuggingFace } from './hugging-face.ts'

export interface DemoOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  /** First of two ports in a row for the pages; 0 picks free ones. */
  readonly port: number
  /** Folder for the audit trail. */
  readonly folder: string
}

export interface Demo {
  readonly huggingFace: HuggingFace
  readonly policy: Policy
  readonly deployments: readonly Deployment[]
  close(): Promise<void>
}

export const policyFile = fileURLToPath(new URL('../hfauth.policy.yaml', import.meta.url))

export async function startDemo({ env, port, folder }: DemoOptions): Promise<Demo> {
  const huggingFace = await startHuggingFace(env)
  const policy = parsePolicy(await readFile(policyFile, 'utf8'), {
    file: 'hfauth.policy.yaml',
    variables: huggingFace.variables,
  })
  await mkdir(folder, { recursive: true })
  const environments: { name: string; url: string }[] = []
  const deployments: Deployment[] = []
  for (const [i, environment] of ['development', 'production'].entries()) {
    deployments.push(
      await startDeployment({
        policy,
        environment,
        huggingFace,
        organisation: env.HF_ORG ?? 'acme',
        port: port === 0 ? 0 : port + i,
        folder,
        environments,
      }),
    )
  }
  return {
    huggingFace,
    policy,
    deployments,
    async close() {
      for (const deployment of deployments) await deployment.close()
      await huggingFace.close()
    },
  }
}
