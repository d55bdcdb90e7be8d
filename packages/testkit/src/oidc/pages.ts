/**
 * Pages: the login, consent, device and error pages.
 *
 * interactions → **pages** → browser. Plain forms that work without script. Everything that
 * comes from outside is escaped, and the policy allows no script, no frame and one style sheet.
 *
 * @module
 */

import { createHash } from 'node:crypto'
import { scopeDescriptions } from '../world/scopes.ts'
import type { Organization, Person } from '../world/world.ts'

export interface Page {
  readonly html: string
  readonly headers: Readonly<Record<string, string>>
}

const style = `
:root{color-scheme:light}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:start center;padding:8vh 1rem 2rem;background:#f6f6f4;color:#1c1c1a;font:16px/1.5 system-ui,sans-serif}
main{width:100%;max-width:27rem;background:#fff;border:1px solid #dcdcd6;border-radius:14px;padding:1.75rem}
.brand{margin:0 0 1rem;font-size:.875rem;color:#5b5b55}
h1{margin:0 0 .5rem;font-size:1.375rem;line-height:1.25}
p{margin:0 0 1rem}
ul{margin:0 0 1rem;padding-left:1.2rem}
fieldset{margin:0 0 1rem;border:1px solid #dcdcd6;border-radius:10px;padding:.75rem 1rem}
legend{padding:0 .35rem;font-weight:600}
label{display:flex;gap:.6rem;align-items:center;padding:.25rem 0}
label.stacked{display:block;font-weight:600}
input[type=checkbox]{width:1.15rem;height:1.15rem;accent-color:#1c1c1a}
input[type=text]{width:100%;margin:.35rem 0 1rem;padding:.6rem .75rem;font:inherit;letter-spacing:.1em;border:1px solid #8c8c84;border-radius:10px}
button{display:block;width:100%;margin:0 0 .6rem;padding:.65rem .9rem;font:inherit;text-align:left;color:inherit;background:#fff;border:1px solid #b9b9b1;border-radius:10px;cursor:pointer}
button:hover{background:#f1f1ed}
button.main{background:#1c1c1a;border-color:#1c1c1a;color:#fff;text-align:center;font-weight:600}
button.main:hover{background:#383834}
button.plain{text-align:center}
:focus-visible{outline:3px solid #2f6fed;outline-offset:2px}
button span{display:block;font-size:.875rem;color:#5b5b55}
code{font-size:1.05em}
`

const styleHash = createHash('sha256').update(style).digest('base64')

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/**
 * @param formTarget - Where a submitted form may end up besides this origin: browsers apply
 *   `form-action` to the redirects after a form, so the app's own origin has to be allowed.
 */
function buildPage(heading: string, content: string, formTarget = ''): Page {
  return {
    html: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Hugging Face (testkit)</title>
<style>${style}</style>
</head>
<body>
<main>
<p class="brand">Hugging Face (testkit)</p>
<h1>${escapeHtml(heading)}</h1>
${content}
</main>
</body>
</html>
`,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': [
        "default-src 'none'",
        `style-src 'sha256-${styleHash}'`,
        `form-action 'self' http://127.0.0.1:* http://localhost:* ${formTarget}`.trim(),
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    },
  }
}

/** The part of a redirect URI that a content security policy can name. */
function formTargetOf(redirectUri: string | undefined): string {
  const parsed = redirectUri === undefined ? null : URL.parse(redirectUri)
  if (parsed === null) return ''
  return parsed.origin === 'null' ? parsed.protocol : parsed.origin
}

export interface LoginPageOptions {
  readonly action: string
  readonly appName: string
  readonly people: readonly Person[]
  readonly redirectUri: string | undefined
}

export function buildLoginPage({ action, appName, people, redirectUri }: LoginPageOptions): Page {
  const buttons = people.map(
    (person) =>
      `<button name="username" value="${escapeHtml(person.username)}">${escapeHtml(person.name)}<span>${escapeHtml(person.username)}</span></button>`,
  )
  return buildPage(
    'Log in',
    `<p>Choose who you are to continue to <strong>${escapeHtml(appName)}</strong>. There is no password here.</p>
<form method="post" action="${escapeHtml(action)}">
${buttons.join('\n')}
</form>`,
    formTargetOf(redirectUri),
  )
}

export interface ConsentPageOptions {
  readonly action: string
  readonly appName: string
  readonly person: Person
  readonly scopes: readonly string[]
  readonly organizations: readonly Organization[]
  /** Ids that start ticked. */
  readonly ticked: ReadonlySet<string>
  readonly redirectUri: string | undefined
}

export function buildConsentPage(options: ConsentPageOptions): Page {
  const scopes = options.scopes.map(
    (scope) =>
      `<li>${escapeHtml(scopeDescriptions[scope] ?? 'Use this permission')} <code>${escapeHtml(scope)}</code></li>`,
  )
  const boxes = options.organizations.map(
    ({ id, displayName }) =>
      `<label><input type="checkbox" name="orgIds" value="${escapeHtml(id)}"${options.ticked.has(id) ? ' checked' : ''}> ${escapeHtml(displayName)}</label>`,
  )
  const fieldset = boxes.length
    ? `<fieldset><legend>Grant access to organisations</legend>\n${boxes.join('\n')}\n</fieldset>`
    : ''
  return buildPage(
    `Authorize ${options.appName}`,
    `<p>You are logged in as <strong>${escapeHtml(options.person.username)}</strong>. The app asks to:</p>
<ul>
${scopes.join('\n')}
</ul>
<form method="post" action="${escapeHtml(options.action)}">
${fieldset}
<button class="main" name="decision" value="allow">Allow</button>
<button class="plain" name="decision" value="deny">Cancel</button>
</form>`,
    formTargetOf(options.redirectUri),
  )
}

export interface DevicePageOptions {
  readonly action: string
  /** The provider's own guard against forged forms. */
  readonly xsrf: string
  readonly problem?: string
}

export function buildDeviceCodePage({ action, xsrf, problem }: DevicePageOptions): Page {
  return buildPage(
    'Connect a device',
    `${problem ? `<p role="alert">${escapeHtml(problem)}</p>` : ''}
<form method="post" action="${escapeHtml(action)}">
<input type="hidden" name="xsrf" value="${escapeHtml(xsrf)}">
<label class="stacked" for="user_code">Code shown on your device</label>
<input type="text" id="user_code" name="user_code" autocomplete="off" autocapitalize="characters" required>
<button class="main">Continue</button>
</form>`,
  )
}

export function buildDeviceConfirmPage(
  options: DevicePageOptions & { readonly appName: string; readonly userCode: string },
): Page {
  return buildPage(
    'Is this your device?',
    `<p><strong>${escapeHtml(options.appName)}</strong> should show this code: <code>${escapeHtml(options.userCode)}</code></p>
<form method="post" action="${escapeHtml(options.action)}">
<input type="hidden" name="xsrf" value="${escapeHtml(options.xsrf)}">
<input type="hidden" name="user_code" value="${escapeHtml(options.userCode)}">
<button class="main" name="confirm" value="yes">Continue</button>
<button class="plain" name="abort" value="yes">Cancel</button>
</form>`,
  )
}

export function buildMessagePage(heading: string, message: string): Page {
  return buildPage(heading, `<p>${escapeHtml(message)}</p>`)
}

export function buildHomePage(person: Person | undefined): Page {
  return buildPage(
    'Testkit',
    person
      ? `<p>You are logged in as <strong>${escapeHtml(person.username)}</strong>.</p>
<form method="post" action="/logout"><button class="main">Log out</button></form>`
      : '<p>A Hugging Face for tests and demos, on this computer only. Nobody is logged in.</p>',
  )
}
