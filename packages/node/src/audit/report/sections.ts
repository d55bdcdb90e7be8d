/**
 * Sections: the parts of a report, each with the criteria that it is evidence for.
 *
 * @module
 */
import { barChart, dayChart, gapChart, number } from './charts.ts'
import { type Criterion, criteria } from './criteria.ts'
import { html, type Insert, type Markup } from './html.ts'
import type { AuditReport, PolicyRow } from './types.ts'
import { integrityText } from './words.ts'

/** Most rows of one table on the page; the JSON has all. */
const maxRows = 200

export function sections(report: AuditReport): Markup {
  return html`${[decisions, access, grants, denied, policies, secrets, revocations, loads, trail].map((part) => part(report))}`
}

function section(title: string, about: string, shows: readonly Criterion[], ...content: Insert[]): Markup {
  const list = shows.map((name) => html`<li><b>${name}</b> ${criteria[name]}</li>`)
  return html`<section><h2>${title}</h2><p class="soft">${about}</p>
<ul class="criteria" aria-label="Evidence for">${list}</ul>${content}</section>
`
}

interface Column<Row> {
  readonly name: string
  readonly isNumber?: boolean
  readonly of: (row: Row) => Insert
}

function table<Row>(caption: string, rows: readonly Row[], columns: readonly Column<Row>[]): Markup {
  if (rows.length === 0) return html`<p>None.</p>`
  const css = ({ isNumber = false }: Column<Row>) => (isNumber ? html` class="n"` : '')
  const heads = columns.map((column) => html`<th scope="col"${css(column)}>${column.name}</th>`)
  const lines = rows
    .slice(0, maxRows)
    .map((row) => html`<tr>${columns.map((column) => html`<td${css(column)}>${column.of(row)}</td>`)}</tr>\n`)
  const more = rows.length - maxRows
  return html`<div class="scroll"><table aria-label="${caption}"><thead><tr>${heads}</tr></thead><tbody>
${lines}</tbody></table></div>${more > 0 ? html`<p class="soft">and ${number(more)} more, which the JSON of this report has</p>` : ''}`
}

const key = html`<p class="key"><svg width="10" height="10" aria-hidden="true"><rect class="allow" width="10" height="10" rx="2"/></svg> allowed &nbsp; <svg width="10" height="10" aria-hidden="true"><rect class="deny" width="10" height="10" rx="2"/></svg> denied</p>`

function decisions({ days, totals }: AuditReport): Markup {
  const all = totals.allowed + totals.denied
  const share = all === 0 ? 0 : (100 * totals.denied) / all
  return section(
    'Decisions',
    'Every request is decided by the policy before anything is done, and the decision is on record first.',
    ['CC6.1', 'CC7.2'],
    html`<p>${number(all)} decisions, of which ${number(share)} % were denials. ${number(totals.signIns)} sign-ins.</p>`,
    dayChart(days),
    key,
  )
}

function access({ access: people }: AuditReport): Markup {
  return section(
    'Access review',
    'Everyone who used their access in the period, with all roles they had. Who was not seen for longest comes first.',
    ['CC6.2', 'CC6.3'],
    table('Access review', people, [
      {
        name: 'Principal',
        of: ({ name, actor }) =>
          html`${name ?? actor}${name === undefined ? '' : html`<br><code class="soft">${actor}</code>`}`,
      },
      { name: 'Issuer', of: ({ issuer }) => issuer },
      {
        name: 'Roles',
        of: ({ roles }) => (roles.length === 0 ? html`<span class="soft">none</span>` : roles.join(', ')),
      },
      { name: 'Allowed', isNumber: true, of: ({ allowed }) => number(allowed) },
      { name: 'Denied', isNumber: true, of: ({ denied: count }) => number(count) },
      { name: 'Resources', isNumber: true, of: ({ resources }) => number(resources) },
      { name: 'Last seen', of: ({ last }) => dayOf(last) },
    ]),
  )
}

function grants({ grants: rows }: AuditReport): Markup {
  return section(
    'Grants and their use',
    'What roles of the newest policy allow, and how often each statement was what allowed something.',
    ['CC6.3'],
    rows.length === 0
      ? html`<p>No policy was given to this report.</p>`
      : [
          barChart(
            'Uses by grant',
            [...rows]
              .reverse()
              .map(({ statement, uses }) => ({ name: statement, value: uses, isBad: uses === 0 })),
          ),
          table('Grants', rows, [
            { name: 'Statement', of: ({ statement }) => html`<code>${statement}</code>` },
            { name: 'Role', of: ({ role }) => role },
            {
              name: 'Uses',
              isNumber: true,
              of: ({ uses }) => (uses === 0 ? html`<span class="bad">unused</span>` : number(uses)),
            },
            { name: 'Principals', isNumber: true, of: ({ actors }) => number(actors) },
            { name: 'Last use', of: ({ lastUse }) => (lastUse === undefined ? '–' : dayOf(lastUse)) },
          ]),
        ],
  )
}

function denied({ denials }: AuditReport): Markup {
  return section(
    'Denials by reason',
    'What was refused: requests that the policy does not allow, and credentials that were not accepted.',
    ['CC6.1', 'CC6.6'],
    denials.length === 0
      ? ''
      : barChart(
          'Denials',
          denials.map(({ reason, count }) => ({ name: reason, value: count, isBad: true })),
        ),
    table('Denials by reason', denials, [
      { name: 'Reason', of: ({ reason }) => html`<code>${reason}</code>` },
      { name: 'Count', isNumber: true, of: ({ count }) => number(count) },
      { name: 'Principals', isNumber: true, of: ({ actors }) => number(actors) },
      {
        name: 'Most often',
        of: ({ mostActor, mostResource }) =>
          html`${mostActor}${mostResource === undefined ? '' : html` on <code>${mostResource}</code>`}`,
      },
      { name: 'Last', of: ({ last }) => dayOf(last) },
    ]),
  )
}

function policies({ policies: rows }: AuditReport): Markup {
  return section(
    'Policy changes',
    'Each version that decided something in the period, by its digest, and how it differs from the one before.',
    ['CC8.1', 'CC6.3'],
    table('Policies', rows, [
      { name: 'Digest', of: ({ digest }) => html`<code>${digest}</code>` },
      { name: 'In force since', of: ({ since }) => minuteOf(since) },
      { name: 'Decisions', isNumber: true, of: ({ decisions: count }) => number(count) },
    ]),
    rows.slice(1).map(difference),
  )
}

function difference({ digest, diff }: PolicyRow): Markup {
  const what =
    diff === undefined
      ? html`<p>No difference can be shown: this policy or the one before was not given to this report.</p>`
      : html`<pre>${diff.removed.map((line) => html`<del>− ${line}</del>`)}${diff.added.map((line) => html`<ins>+ ${line}</ins>`)}${diff.added.length + diff.removed.length === 0 ? 'no difference in what it says' : ''}</pre>`
  return html`<h3>What <code>${digest.slice(0, 19)}…</code> changed</h3>${what}`
}

function secrets({ secrets: rows }: AuditReport): Markup {
  const aged = rows.filter(({ ageDays }) => ageDays !== undefined)
  return section(
    'Secrets',
    'Age at the end of the period of every secret and key that the log knows, and how often it was changed.',
    ['CC6.1'],
    aged.length === 0
      ? ''
      : barChart(
          'Age in days',
          aged.map(({ secret, ageDays = 0 }) => ({
            name: secret,
            value: ageDays,
            text: `${number(ageDays)} days`,
            isBad: ageDays > 90,
          })),
        ),
    table('Secrets', rows, [
      { name: 'Secret', of: ({ secret }) => html`<code>${secret}</code>` },
      {
        name: 'Age',
        isNumber: true,
        of: ({ ageDays }) => (ageDays === undefined ? 'unknown' : `${number(ageDays)} days`),
      },
      { name: 'Changed in the period', isNumber: true, of: ({ rotations }) => number(rotations) },
      { name: 'Warnings', isNumber: true, of: ({ warnings }) => number(warnings) },
      {
        name: 'Last change',
        of: ({ lastRotation }) => (lastRotation === undefined ? '–' : dayOf(lastRotation)),
      },
    ]),
  )
}

function revocations({ revocations: { count, latency, rows, usedAfter } }: AuditReport): Markup {
  return section(
    'Revocations',
    'Access that was taken back, and how long it took from the moment the sender names to the moment it was in force.',
    ['CC6.2', 'CC7.4'],
    latency === undefined
      ? html`<p>${number(count)} revocations.</p>`
      : [
          html`<p>${number(count)} revocations; ${number(latency.known)} name the moment they were made.</p>`,
          barChart('Milliseconds until in force', [
            { name: 'median', value: latency.median, text: `${number(latency.median)} ms` },
            { name: '95 of 100', value: latency.p95, text: `${number(latency.p95)} ms` },
            { name: 'longest', value: latency.max, text: `${number(latency.max)} ms` },
          ]),
        ],
    table('Revocations', rows, [
      { name: 'Time', of: ({ time }) => minuteOf(time) },
      {
        name: 'What',
        of: ({ by, target }) => (by === undefined ? 'nothing' : html`${by} <code>${target}</code>`),
      },
      { name: 'Heard through', of: ({ door }) => door },
      {
        name: 'Latency',
        isNumber: true,
        of: ({ latencyMs }) => (latencyMs === undefined ? '–' : `${number(latencyMs)} ms`),
      },
      {
        name: 'Result',
        of: ({ error }) =>
          error === undefined
            ? html`<span class="good">in force</span>`
            : html`<span class="bad">${error}</span>`,
      },
    ]),
    html`<h3>Allowed after revocation</h3>
<p class="soft">After all access of a person was revoked, and before they began a session here again. A new token of their provider counts too: the log does not tell when it was issued.</p>`,
    table('Allowed after revocation', usedAfter, [
      { name: 'Principal', of: ({ actor }) => html`<code>${actor}</code>` },
      { name: 'Revoked', of: ({ revoked }) => minuteOf(revoked) },
      { name: 'Allowed', of: ({ used }) => minuteOf(used) },
      { name: 'Request', of: ({ requestId }) => html`<code>${requestId}</code>` },
    ]),
  )
}

function loads({ loads: rows }: AuditReport): Markup {
  return section(
    'Models and data loaded',
    'What left through the proxy, to how many, and whether the revision that was loaded is known by its commit.',
    ['CC6.7', 'CC6.8'],
    rows.length === 0
      ? ''
      : barChart(
          'Loads',
          rows.map(({ resource, loads: count }) => ({ name: resource, value: count })),
        ),
    table('Loads', rows, [
      { name: 'Resource', of: ({ resource }) => html`<code>${resource}</code>` },
      { name: 'Loads', isNumber: true, of: ({ loads: count }) => number(count) },
      { name: 'Principals', isNumber: true, of: ({ actors }) => number(actors) },
      { name: 'Megabytes', isNumber: true, of: ({ bytes }) => number(bytes / 1e6) },
      { name: 'Revisions', isNumber: true, of: ({ revisions }) => number(revisions) },
      {
        name: 'Without revision',
        isNumber: true,
        of: ({ unpinned }) => (unpinned === 0 ? '0' : html`<span class="bad">${number(unpinned)}</span>`),
      },
    ]),
  )
}

function trail({ gaps, writers, integrity, from, to }: AuditReport): Markup {
  const findings = integrity?.findings ?? []
  return section(
    'Completeness of the trail',
    'Events are numbered without holes by whoever writes them and chained by hashes; losses are told in the trail itself.',
    ['CC7.2', 'PI1.2'],
    gapChart(
      Date.parse(from),
      Date.parse(to),
      gaps.map(({ time }) => Date.parse(time)),
    ),
    integrity === undefined
      ? html`<p>The chain was not checked for this report.</p>`
      : integrity.ok
        ? html`<p class="good">${integrityText(integrity)}</p>`
        : table('Findings', findings, [
            { name: 'Finding', of: ({ message }) => html`<span class="bad">${message}</span>` },
            { name: 'Code', of: ({ code }) => html`<code>${code}</code>` },
            { name: 'Segment', isNumber: true, of: ({ segment }) => segment },
            { name: 'Line', isNumber: true, of: ({ line }) => line ?? '–' },
          ]),
    html`<h3>Gaps on record</h3>`,
    table('Gaps on record', gaps, [
      { name: 'Told at', of: ({ time }) => minuteOf(time) },
      { name: 'Reason', of: ({ reason }) => reason },
      {
        name: 'Events',
        isNumber: true,
        of: ({ count }) => (count === undefined ? 'unknown' : number(count)),
      },
      { name: 'From', of: ({ since }) => (since === undefined ? '–' : minuteOf(since)) },
      { name: 'To', of: ({ until }) => (until === undefined ? '–' : minuteOf(until)) },
    ]),
    html`<h3>Numbers</h3>`,
    table('Numbers by writer', writers, [
      { name: 'Writer', of: ({ writer }) => html`<code>${writer}</code>` },
      { name: 'First', isNumber: true, of: ({ first }) => first },
      { name: 'Last', isNumber: true, of: ({ last }) => last },
      { name: 'Events', isNumber: true, of: ({ events }) => events },
      {
        name: 'Missing',
        isNumber: true,
        of: ({ missing }) =>
          missing === 0 ? html`<span class="good">0</span>` : html`<span class="bad">${missing}</span>`,
      },
    ]),
  )
}

function dayOf(time: string): string {
  return time.slice(0, 10)
}

function minuteOf(time: string): string {
  return time.slice(0, 16).replace('T', ' ')
}
