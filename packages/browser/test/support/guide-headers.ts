/**
 * Guide headers: the response headers that the guide tells a site to send, as they stand there.
 *
 * The pages of the tests are served with them, so that what is written there is what is known to work.
 *
 * @module
 */
import { readFileSync } from 'node:fs'

const guide = readFileSync(new URL('../../../../docs/guide/browser-sign-in.md', import.meta.url), 'utf8')

/** By name, in small letters. */
export const guideHeaders: Readonly<Record<string, string>> = Object.fromEntries(
  (/^## Headers\n\n```http\n([\s\S]*?)^```/m.exec(guide)?.[1] ?? '')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/: (.*)/))
    .map(([name = '', value = '']) => [name.toLowerCase(), value]),
)

/** The policy of the guide for other places than the ones it names, and with reports. */
export function guidePolicy(connect: string, ancestors: string): string {
  const policy = guideHeaders['content-security-policy'] ?? ''
  return `${policy
    .replace("connect-src 'self' https://huggingface.co", `connect-src ${connect}`)
    .replace("frame-ancestors 'none'", `frame-ancestors ${ancestors}`)}; report-uri /violations`
}
