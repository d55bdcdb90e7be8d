/** What `deploy/` holds: every file is read by what will read it, or by a check of its own, and is safe as it stands. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parsePolicy } from '@hfauth/core/yaml'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { readProxyConfig } from '../src/proxy-config/read-config.ts'
import { renderTemplate } from './helm-template.ts'

const folder = fileURLToPath(new URL('../../../deploy', import.meta.url))
const read = (...path: string[]) => readFileSync(join(folder, ...path), 'utf8')

test('the configuration and the policy of the Compose file are ones that the proxy takes', () => {
  expect(readProxyConfig(read('proxy.yaml'), 'proxy.yaml')).toMatchObject({ limits: { store: 'redis' } })
  const policy = parsePolicy(read('hfauth.policy.yaml'), { variables: { HF_CLIENT_ID: 'app' } })
  expect(policy.reference.name).toBe('our-models')
  expect(policy.warnings).toEqual([])
})

describe('the Dockerfile', () => {
  const stages = read('Dockerfile')
    .split(/^FROM /m)
    .slice(1)
  const last = stages.at(-1) ?? ''

  test('builds in one stage and runs in another, of one pinned major version', () => {
    expect(stages).toHaveLength(2)
    for (const stage of stages) expect(stage).toMatch(/^node:24-bookworm-slim\b/)
  })

  test('does not run as root, and starts the program and no shell', () => {
    expect(last).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m)
    expect(last).toMatch(/^ENTRYPOINT \["node", "\/app\/bin\/hfauth\.js"\]$/m)
    expect(last.indexOf('USER')).toBeGreaterThan(last.lastIndexOf('RUN'))
    expect(last).not.toMatch(/^ADD|sudo|curl|apt-get|:latest/m)
  })

  test('leaves what was installed here out', () => {
    expect(read('Dockerfile.dockerignore').split('\n')).toEqual(
      expect.arrayContaining(['**/node_modules', '.git']),
    )
  })
})

describe('the Compose file', () => {
  const { services, volumes } = parse(read('compose.yaml'))

  test('has the proxy with Redis and PostgreSQL, all with pinned images', () => {
    expect(Object.keys(services)).toEqual(['proxy', 'redis', 'postgres'])
    for (const { image } of [services.redis, services.postgres])
      expect(image).toMatch(/^\w+:\d[\w.]*-alpine$/)
    expect(Object.keys(volumes)).toEqual(['audit', 'database'])
  })

  test('gives the proxy nothing that it does not need, and time to drain', () => {
    expect(services.proxy).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      ports: ['127.0.0.1:8787:8787'],
    })
    const { drain } = readProxyConfig(read('proxy.yaml'), 'proxy.yaml')
    const drainSeconds = (drain?.noticeSeconds ?? 0) + (drain?.timeoutSeconds ?? 0)
    expect(Number.parseInt(services.proxy.stop_grace_period, 10)).toBeGreaterThan(drainSeconds)
  })

  test('holds no secret, and does not start without one', () => {
    expect(services.postgres.environment.POSTGRES_PASSWORD).toMatch(/^\$\{POSTGRES_PASSWORD:\?/)
  })
})

describe('the Helm chart', () => {
  const chart = join('helm', 'hfauth-proxy')
  const values = {
    ...parse(read(chart, 'values.yaml')),
    policy: read('hfauth.policy.yaml'),
    envFromSecret: 'more',
  }
  const rendered = (more: object = {}) =>
    readdirSync(join(folder, chart, 'templates')).map((file) =>
      parse(
        renderTemplate(read(chart, 'templates', file), {
          Values: { ...values, ...more },
          Release: { Name: 'gate' },
        }),
      ),
    )
  const ofKind = (kind: string, more?: object) => rendered(more).find((object) => object.kind === kind)

  test('renders to the objects that a proxy with replicas needs', () => {
    expect(parse(read(chart, 'Chart.yaml'))).toMatchObject({ apiVersion: 'v2', name: 'hfauth-proxy' })
    expect(
      rendered()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['ConfigMap', 'PodDisruptionBudget', 'Service', 'StatefulSet'])
  })

  test('writes a configuration that the proxy takes, with the policy beside it', () => {
    const { data } = ofKind('ConfigMap')
    const config = readProxyConfig(data['proxy.json'], 'proxy.json')
    expect(config).toMatchObject({ environment: 'production', listen: { host: '0.0.0.0', port: 8787 } })
    expect(data[config.policy ?? '']).toBe(read('hfauth.policy.yaml'))
  })

  test('runs without rights, on a read-only root, with time to drain', () => {
    const { spec } = ofKind('StatefulSet').spec.template
    const [container] = spec.containers
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(spec.automountServiceAccountToken).toBe(false)
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.readinessProbe.httpGet.path).toBe('/readyz')
    const { noticeSeconds, timeoutSeconds } = values.config.drain
    expect(spec.terminationGracePeriodSeconds).toBeGreaterThan(noticeSeconds + timeoutSeconds)
  })

  test('mounts the folder of the policy whole, so that a change of it arrives', () => {
    const [container] = ofKind('StatefulSet').spec.template.spec.containers
    expect(container.volumeMounts[0]).toEqual({ name: 'config', mountPath: '/etc/hfauth', readOnly: true })
  })

  test('takes more variables from a Secret, where there is one', () => {
    const containerOf = (more?: object) => ofKind('StatefulSet', more).spec.template.spec.containers[0]
    expect(containerOf().envFrom).toEqual([{ secretRef: { name: 'more' } }])
    expect(containerOf({ envFromSecret: '' })).not.toHaveProperty('envFrom')
  })
})
