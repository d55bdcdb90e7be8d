/**
 * Sign-in: walks through login and consent over HTTP, as a browser would.
 *
 * **sign-in** → issuer. Keeps cookies, follows redirects, submits the real forms, and stops
 * where the browser would leave for the app.
 *
 * @module
 */

export interface SignInOptions {
  /** The complete authorization request, as the app would send the browser there. */
  readonly authorizationUrl: string
  readonly username: string
  /** Names of organisations to tick. Default: what the page has ticked. */
  readonly grantOrgs?: readonly string[]
  /** Press Cancel on the consent page. Default false. */
  readonly deny?: boolean
}

export interface ApproveDeviceOptions {
  readonly userCode: string
  readonly username: string
  readonly grantOrgs?: readonly string[]
  readonly deny?: boolean
}

export interface Walk {
  readonly hubUrl: string
  /** Id of an organisation, by name. */
  readonly orgId: (name: string) => string | undefined
}

/**
 * Signs in.
 *
 * @returns The URL the browser would be sent to: the app's redirect URI with `code` and
 *   `state`, or with `error`.
 * @throws Error when the provider shows an error page instead of redirecting.
 */
export async function signIn(options: SignInOptions, walk: Walk): Promise<string> {
  const outcome = await visit(options.authorizationUrl, createJar(), { ...options, ...walk })
  if (outcome.left === undefined) throw new Error(`the sign-in ended on a page: ${textOf(outcome.html)}`)
  return outcome.left
}

/** Enters a device's code and decides. @throws Error when the code is not accepted. */
export async function approveDevice(options: ApproveDeviceOptions, walk: Walk): Promise<void> {
  const jar = createJar()
  const page = await visit(`${walk.hubUrl}/oauth/device`, jar, { ...options, ...walk })
  const form = readForm(page.html)
  const entered = await visit(form.action, jar, { ...options, ...walk }, [
    ...form.hidden,
    ['user_code', options.userCode],
  ])
  const confirm = readForm(entered.html)
  if (!entered.html.includes('name="confirm"'))
    throw new Error(`the code was refused: ${textOf(entered.html)}`)
  await visit(confirm.action, jar, { ...options, ...walk }, [...confirm.hidden, ['confirm', 'yes']])
}

type Decisions = Walk & Pick<SignInOptions, 'username' | 'grantOrgs' | 'deny'>
type Fields = readonly (readonly [string, string])[]
type Outcome = { readonly left?: string; readonly html: string }

const maximumSteps = 20

async function visit(start: string, jar: Jar, decisions: Decisions, fields?: Fields): Promise<Outcome> {
  let url = start
  let body = fields
  for (let step = 0; step < maximumSteps; step++) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: jar.header(url) },
      ...(body && {
        method: 'POST',
        body: new URLSearchParams(body.map(([name, value]): [string, string] => [name, value])),
      }),
    })
    jar.store(response)
    const location = response.headers.get('location')
    const html = await response.text()
    if (location !== null) {
      const target = URL.canParse(location) ? location : new URL(location, url).href
      if (!target.startsWith(`${decisions.hubUrl}/`)) return { left: target, html }
      url = target
      body = undefined
      continue
    }
    const next = response.ok ? decide(html, decisions) : undefined
    if (next === undefined) return { html }
    url = new URL(next.action, url).href
    body = next.fields
  }
  throw new Error('the sign-in did not come to an end')
}

function decide(html: string, decisions: Decisions): { action: string; fields: Fields } | undefined {
  const { action } = readForm(html)
  if (html.includes('name="username"')) return { action, fields: [['username', decisions.username]] }
  if (!html.includes('name="decision"')) return undefined
  if (decisions.deny) return { action, fields: [['decision', 'deny']] }
  const orgIds = decisions.grantOrgs?.map((name) => {
    const id = decisions.orgId(name)
    if (id === undefined) throw new Error(`no organisation is called \`${name}\``)
    return id
  })
  const ticked =
    orgIds ?? [...html.matchAll(/name="orgIds" value="(\w+)" checked/g)].map((match) => match[1] ?? '')
  return { action, fields: [...ticked.map((id) => ['orgIds', id] as const), ['decision', 'allow']] }
}

function readForm(html: string): { action: string; hidden: Fields } {
  const action = /<form method="post" action="([^"]+)"/.exec(html)?.[1] ?? ''
  const hidden = [...html.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)]
  return { action, hidden: hidden.map(([, name = '', value = '']) => [name, value] as const) }
}

function textOf(html: string): string {
  const content = /<main>([\s\S]*)<\/main>/.exec(html)?.[1] ?? html
  return content
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
}

interface Jar {
  header(url: string): string
  store(response: Response): void
}

/** Cookies of one browser. Paths are honoured: the provider scopes its cookies by path. */
function createJar(): Jar {
  const cookies = new Map<string, { pair: string; path: string }>()
  return {
    header(url) {
      const { pathname } = new URL(url)
      const sent = [...cookies.values()].filter(({ path }) => pathname === path || pathname.startsWith(path))
      return sent.map(({ pair }) => pair).join('; ')
    },
    store(response) {
      for (const line of response.headers.getSetCookie()) {
        const [pair = '', ...attributes] = line.split(/;\s*/)
        const path = attributes.find((entry) => /^path=/i.test(entry))?.slice(5) ?? '/'
        const key = `${pair.split('=')[0]} ${path}`
        if (pair.endsWith('=')) cookies.delete(key)
        else cookies.set(key, { pair, path })
      }
    },
  }
}
