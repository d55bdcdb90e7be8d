/**
 * Processes of the part `proxy`: Node servers, nginx and Apache, all on one core where the machine has `taskset`.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Settings } from './servers.ts'

export interface Running {
  readonly url: string
  /** Resident memory in MiB. */
  rss(): number
  /** Processor time so far, with that of its own processes and of what it asks, in milliseconds. */
  cpuMs(): number
}

const children: ChildProcess[] = []
const script = fileURLToPath(new URL('servers.ts', import.meta.url))
const pin = spawnSync('taskset', ['-c', '0', 'true']).status === 0 ? ['taskset', '-c', '0'] : []

export function stopAll(): void {
  for (const child of children) child.kill('SIGTERM')
}

export async function startNode(name: string, settings: Settings): Promise<Running> {
  const child = start([process.execPath, script, name, JSON.stringify(settings)])
  const port = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (data) => resolve(String(data).trim()))
    child.once('exit', () => reject(new Error(`${name} did not start`)))
  })
  return running(child, `http://127.0.0.1:${port}`)
}

/** `undefined` where there is no nginx. */
export async function startNginx(
  { folder, upstream }: Settings,
  verifier: Running,
): Promise<Running | undefined> {
  if (spawnSync('nginx', ['-v']).status !== 0) return undefined
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/nginx.pid; error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log ${folder}/nginx.log;
  keepalive_requests 1000000;
  upstream hub { server ${upstream.slice(7)}; keepalive 128; keepalive_requests 1000000; }
  upstream verifier { server ${verifier.url.slice(7)}; keepalive 128; keepalive_requests 1000000; }
  proxy_http_version 1.1;
  server {
    listen 127.0.0.1:${port};
    location / { auth_request /_auth; proxy_pass http://hub; proxy_set_header Connection ""; }
    location = /_auth { internal; proxy_pass http://verifier; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_set_header Connection ""; }
  }
}
`,
  )
  const nginx = await answering(start(['nginx', '-p', folder, '-c', file, '-e', 'stderr']), port)
  return { ...nginx, cpuMs: () => nginx.cpuMs() + verifier.cpuMs() }
}

const modules = '/usr/lib/apache2/modules'

/** `undefined` where there is no Apache with mod_auth_openidc. */
export async function startApache(
  { folder, upstream }: Settings,
  publicPem: string,
): Promise<Running | undefined> {
  if (!existsSync(`${modules}/mod_auth_openidc.so`) || !existsSync('/usr/sbin/apache2')) return undefined
  const port = await freePort()
  const [file, key] = [join(folder, 'apache.conf'), join(folder, 'public.pem')]
  writeFileSync(key, publicPem)
  const load = ['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http', 'auth_openidc']
    .map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`)
    .join('\n')
  writeFileSync(
    file,
    `ServerRoot ${folder}
ServerName 127.0.0.1
PidFile ${folder}/apache.pid
Listen 127.0.0.1:${port}
${load}
MaxKeepAliveRequests 0
ErrorLog ${folder}/apache-error.log
LogFormat "%h %u %r %>s" plain
OIDCOAuthVerifyCertFiles RS256-1#${key}
OIDCOAuthRemoteUserClaim sub
ProxyPass / ${upstream}/
<Location />
  AuthType oauth20
  Require valid-user
</Location>
`,
  )
  return answering(start(['/usr/sbin/apache2', '-f', file, '-DFOREGROUND']), port)
}

function start(command: readonly string[]): ChildProcess {
  const [name = '', ...args] = [...pin, ...command]
  const child = spawn(name, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

async function answering(child: ChildProcess, port: number): Promise<Running> {
  const url = `http://127.0.0.1:${port}`
  for (let attempt = 0; attempt < 100 && child.exitCode === null; attempt++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return running(child, url)
    await delay(50)
  }
  throw new Error('a server did not start')
}

function running({ pid }: ChildProcess, url: string): Running {
  return {
    url,
    rss: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    cpuMs() {
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
        .trim()
        .split(' ')
        .filter(Boolean)
      return [String(pid), ...children].reduce((sum, id) => sum + cpuMsOf(id), 0)
    },
  }
}

/** User and system time; a tick is 10 ms (proc(5)). */
function cpuMsOf(pid: string): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
