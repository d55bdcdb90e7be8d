/**
 * What the page is told by its server before anyone has signed in. Nothing in it is secret.
 *
 * @module
 */

export interface DemoConfig {
  readonly environment: string
  readonly issuer: string
  readonly clientId: string
  readonly scopes: readonly string[]
  /** The organisation whose models are shown. */
  readonly organisation: string
  /** The same demo in each environment, this one included. */
  readonly environments: readonly { readonly name: string; readonly url: string }[]
}

export async function loadConfig(): Promise<DemoConfig> {
  const response = await fetch('/config.json')
  if (!response.ok) throw new Error(`the demo's configuration answered ${response.status}`)
  return response.json()
}
