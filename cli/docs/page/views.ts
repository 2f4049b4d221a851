// The page, view by view, as HTML made of the catalogue. Pure: `client.ts` puts it into the document.
import type { RunSummary, TableSummary } from '../../../engines/engine';
import type { ColumnDoc, ColumnProfile, Graph, Origins, TableDoc } from './data';
import { type Html, html } from './html';
import { BOX, GLOSSARY, type Model, relatedTo } from './model';

const LAST_RUNS = 10;

const number = (n: number) => n.toLocaleString('en-US');
const money = (usd: number) => (usd > 0 && usd < 0.5 ? 'under 1' : usd.toFixed(0));
/** When a run began, by its id. */
const when = (runId: string) =>
  runId.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d).*$/, '$1-$2-$3 $4:$5:$6');
const link = (id: string, text: string) => html`<a href="#${id}">${text}</a>`;
const listed = (kind: string, names: readonly string[]) =>
  names.length === 0
    ? 'none'
    : names.map((name, i) => html`${i > 0 && ', '}${link(`${kind}/${name}`, name)}`);
const code = (text: string) => html`<pre tabindex="0"><code>${text}</code></pre>`;

/** A table of HTML. A column that begins with `#` has numbers. */
function grid(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (Html | string | number | undefined | false)[])[],
  style = '',
) {
  const isNumber = head.map((name) => name.startsWith('#'));
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table class="${style}">
<caption>${caption}</caption>
<thead><tr>${head.map((name, i) => html`<th scope="col"${isNumber[i] && html` class="n"`}>${name.replace('#', '')}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, i) => html`<td${isNumber[i] && html` class="n"`}>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** Bars of equal width, of numbers of which the greatest is as high as the drawing. */
function bars(label: string, values: readonly number[]): Html {
  const most = Math.max(...values, 1);
  return html`<svg class="bars" role="img" aria-label="${label}" viewBox="0 0 ${Math.max(values.length, LAST_RUNS) * 6} 24" preserveAspectRatio="none">${values.map(
    (value, i) => {
      const height = value === 0 ? 0 : Math.max(1, Math.round((value / most) * 24));
      return html`<rect x="${i * 6}" y="${24 - height}" width="5" height="${height}"/>`;
    },
  )}</svg>`;
}

const zoneClass = ({ zones }: Model, zone: string | undefined) =>
  `z${zones.findIndex(({ name }) => name === zone) % 6}`;

/** The graph, or the part of it that one box is made of and makes. */
export function graphView(model: Model, graph: Graph, focus?: string): Html {
  const shown = focus === undefined ? undefined : relatedTo(graph, focus);
  const nodes = graph.nodes.filter(({ id }) => shown?.has(id) ?? true);
  const edges = graph.edges.filter(
    ({ from, to }) => shown === undefined || (shown.has(from) && shown.has(to)),
  );
  const [left, top, width, height] = shown ? around(nodes, edges) : [0, 0, graph.width, graph.height];
  return html`<svg viewBox="${left} ${top} ${width} ${height}" width="${width}" height="${height}" role="group" aria-label="Tables, and what they are made of, from left to right">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z"/></marker></defs>
${edges.map(({ from, to, points }) => html`<path class="edge" data-from="${from}" data-to="${to}" marker-end="url(#arrow)" d="M${points.map((p) => p.join(' ')).join('L')}"/>`)}
${nodes.map((node) => boxView(model, node.id, node.x - node.width / 2, node.y - BOX.height / 2, node.width, node.id === focus))}</svg>`;
}

/** The part of the drawing that these take: left, top, width, height. */
function around(nodes: Graph['nodes'], edges: Graph['edges']): readonly [number, number, number, number] {
  const points = [
    ...edges.flatMap((edge) => edge.points),
    ...nodes.flatMap(({ x, y, width }) => [
      [x - width / 2, y - BOX.height / 2] as const,
      [x + width / 2, y + BOX.height / 2] as const,
    ]),
  ];
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs) - 6, Math.min(...ys) - 6];
  return [left, top, Math.max(...xs) + 6 - left, Math.max(...ys) + 6 - top];
}

function boxView(model: Model, id: string, x: number, y: number, width: number, isFocus: boolean): Html {
  const [kind = '', name = ''] = id.split('/');
  const table = kind === 'table' ? model.table.get(name) : undefined;
  const tag = model.job.has(name) && table ? BOX.tag : 0;
  return html`<g class="node ${table ? zoneClass(model, table.zone) : 'query'}${isFocus && ' focus'}" data-id="${id}">
${tag > 0 && html`<a href="#job/${name}" aria-label="job ${name}"><rect class="tag" x="${x}" y="${y}" width="${tag}" height="${BOX.height}" rx="6"/><text x="${x + tag / 2}" y="${y + 22}">job</text></a>`}
<a href="#${id}" aria-label="${table ? `${table.entity ? 'source' : 'table'} ${name}, zone ${table.zone}` : `query ${name}`}"><rect x="${x + tag}" y="${y}" width="${width - tag}" height="${BOX.height}" rx="6"/><text x="${x + tag + (width - tag) / 2}" y="${y + 22}">${name}</text></a></g>`;
}

const graphBox = (svg: Html, isWhole: boolean) => html`<div class="graph">
<div class="tools" role="group" aria-label="Zoom"><button type="button" data-zoom="1.25">larger</button><button type="button" data-zoom="0.8">smaller</button><button type="button" data-zoom="fit">fit</button>${isWhole && html`<label><input type="checkbox" data-queries> queries</label>`}</div>
<div class="canvas" tabindex="0" role="region" aria-label="Graph; scroll it with the arrow keys">${svg}</div></div>`;

export function overview(model: Model): Html {
  const { zones, tables, jobs, queries, runs, description, stack } = model;
  const last = runs.at(-1);
  return html`<h1>${description}</h1>
<p>${number(tables.length)} tables, ${number(jobs.length)} jobs, ${number(queries.length)} queries${stack !== undefined && `, as the stack ${stack} has them`}. ${last ? html`The last run, ${link(`run/${last.runId}`, `${when(last.runId)} UTC`)}, ${outcome(last)} after ${last.seconds.toFixed(1)} s.` : 'No run is known.'}</p>
<ul class="legend">${zones.map((zone) => html`<li><span class="swatch ${zoneClass(model, zone.name)}"></span><b>${zone.name}</b>: ${zone.description}</li>`)}</ul>
${graphBox(graphView(model, model.graph), queries.length > 0)}
${model.sections.length > 0 && html`<h2 id="sections">What the data says</h2>`}${model.sections.map(sectionView)}`;
}

function sectionView({ title, description, query, columns, rows, hidden }: Model['sections'][number]): Html {
  const isNumber = columns.map(
    (_, i) =>
      rows.length > 0 && rows.every((row) => row[i] == null || /^-?\d+(?:\.\d+)?$/.test(row[i] ?? '')),
  );
  // A bar for each row, where one number is what the rows are about.
  const only = isNumber.filter(Boolean).length === 1 && rows.length > 1 ? isNumber.indexOf(true) : -1;
  const most = Math.max(...rows.map((row) => Number(row[only] ?? 0)), 1);
  const head = columns.map((name, i) => (isNumber[i] ? `#${name}` : name));
  return html`<section><h3>${title}</h3><p>${description} ${link(`query/${query}`, 'Its SQL')}.${hidden.length > 0 && ` Not shown, as personal: ${hidden.join(', ')}.`}</p>
${
  rows.length === 0
    ? html`<p>No row.</p>`
    : grid(
        title,
        only < 0 ? head : [...head, 'share'],
        rows.map((row) => [
          ...row.map((cell, i) =>
            cell === null ? html`<i>none</i>` : isNumber[i] ? number(Number(cell)) : cell,
          ),
          ...(only < 0
            ? []
            : [
                html`<meter min="0" max="${most}" value="${row[only] ?? 0}" aria-label="share of the greatest"></meter>`,
              ]),
        ]),
      )
}</section>`;
}

const outcome = (run: RunSummary) =>
  html`<span class="${run.outcome === 'published' ? 'good' : 'bad'}">${run.outcome}</span>`;

/** What else a contract says of a column. */
function factsOf({ min, max, type, oneOf, pattern, identifies, aliases, from }: ColumnDoc): string {
  const isInstant = ['timestamp', 'epochMillis', 'isoInstant'].includes(type);
  // A bound of 0 or 1 says whether there is any instant.
  const bound = (n: number) =>
    isInstant && Math.abs(n) > 1 ? new Date(n).toISOString().slice(0, 10) : number(n);
  return [
    min !== undefined && `from ${bound(min)}`,
    max !== undefined && `to ${bound(max)}`,
    oneOf && `one of ${oneOf.join(', ')}`,
    pattern && `looks like ${pattern}`,
    identifies && `identifies a ${identifies}`,
    aliases.length > 0 && `also written ${aliases.join(', ')}`,
    from && `in the record at ${from}`,
  ]
    .filter(Boolean)
    .join('; ');
}

const originsView = (origins: Origins) =>
  Object.entries(origins).map(([origin, hows]) => {
    const [table, column] = origin.split('.');
    const told = hows.filter((how) => how !== 'IDENTITY').map((how) => how.toLowerCase().replace('_', ' '));
    return html`<li>← ${link(`table/${table}/${column}`, origin)}${told.length > 0 && html` <small>${told.join(', ')}</small>`}</li>`;
  });

function profileView(profile: ColumnProfile | undefined, rows: number): Html | undefined {
  if (!profile) return undefined;
  const { nulls, distinct, least, greatest, histogram } = profile;
  const isByValue = histogram?.some(([value]) => value !== '');
  return html`${number(distinct)} distinct${nulls > 0 && html`, ${number(nulls)} of ${number(rows)} null`}${least !== undefined && html`<br><small>${least === greatest ? least : `${least} to ${greatest}`}</small>`}${
    histogram &&
    html`<br>${bars(
      isByValue
        ? histogram.map(([value, n]) => `${value}: ${number(n)}`).join(', ')
        : `Histogram, from least to greatest: ${histogram.map(([, n]) => number(n)).join(', ')}`,
      histogram.map(([, n]) => n),
    )}${isByValue && html`<small>${histogram.map(([value, n], i) => `${i > 0 ? ', ' : ''}${value}: ${number(n)}`)}</small>`}`
  }`;
}

export function tableView(model: Model, table: TableDoc): Html {
  const { name, zone, published } = table;
  const job = model.job.get(name);
  const [jobs = [], queries = []] = [
    model.jobs.filter(({ inputs }) => inputs.includes(name)),
    model.queries.filter(({ tables }) => tables.includes(name)),
  ].map((readers) => readers.map((reader) => reader.name));
  const rows = published?.rows ?? 0;
  return html`<p class="kind">${table.entity ? 'source' : 'table'} in <span class="swatch ${zoneClass(model, zone)}"></span>${zone}</p><h1>${name}</h1><p>${table.description}</p>
<dl>
<dt>Published</dt><dd>${published ? html`${number(rows)} rows by the run of ${when(published.runId)} UTC${published.isStale && html` <span class="bad">older than what it is made from</span>`}` : 'not yet'}</dd>
${model.stack !== undefined && html`<dt>Deployed</dt><dd>${driftView(model, name)}</dd>`}
<dt>Made by</dt><dd>${job ? html`${link(`job/${name}`, `the job ${name}`)} of ${listed('table', job.inputs)}` : html`${table.format} files in <code>${table.entity}/landing/</code>; a run fails where more than ${number((table.maxQuarantinedShare ?? 0) * 100)} % is refused`}</dd>
<dt>Read by</dt><dd>jobs: ${listed('job', jobs)}; queries: ${listed('query', queries)}</dd>
<dt>Who may read it</dt><dd>${accessText(table)}</dd>
${table.keys.length > 0 && html`<dt>Keys</dt><dd>${table.keys.map((key) => key.join(', ')).join('; ')}</dd>`}
${table.partitionBy.length > 0 && html`<dt>Partitions</dt><dd>${table.partitionBy.join(', ')}</dd>`}
</dl>
<h2>Upstream and downstream</h2>${graphBox(graphView(model, model.graph, `table/${name}`), false)}
<h2>Columns</h2>
${grid(
  `Columns of ${name}`,
  ['column', 'what it is', 'comes from, and makes', 'profile'],
  table.columns.map((c) => [
    html`<a class="column" id="column-${c.name}" href="#table/${name}/${c.name}">${c.name}</a><br>${c.sqlType}${c.nullable && html` <small>nullable</small>`}${c.type === 'pseudonym' && html` <small>keyed hash</small>`}${c.pii && html` <mark>${c.pii}</mark>`}`,
    html`${c.description} <small>${factsOf(c)}</small>`,
    html`<ul>${originsView(job?.lineage?.columns[c.name] ?? {})}${model.uses.get(`${name}.${c.name}`)?.map((use) => html`<li>→ ${link(`table/${use.replace('.', '/')}`, use)}</li>`)}</ul>`,
    profileView(table.profile?.[c.name], rows),
  ]),
  'tall',
)}
${job?.lineage && Object.keys(job.lineage.rows).length > 0 && html`<h3>What decides which rows there are</h3><ul>${originsView(job.lineage.rows)}</ul>`}
${expectationsView(model, table)}${historyView(model, name)}`;
}

function driftView({ drift }: Model, table: string) {
  const own = drift.filter(({ path }) => path.split('.')[0] === table);
  return own.length === 0
    ? 'as its contract says'
    : html`<ul>${own.map(({ path, message }) => html`<li class="bad">${path} ${message}</li>`)}</ul>`;
}

function accessText({ isPersonal, open, entity }: TableDoc): string {
  if (!isPersonal) return 'analysts and whoever may see everything: it has no personal column';
  return `only who may see personal data. Analysts: not the table${open.length > 0 ? `; by Lake Formation, where a stack has it, its columns ${open.join(', ')}` : ', nor any column of it'}${entity === undefined ? '' : ': its rows are also of people who agreed to nothing'}`;
}

/** The last runs that came to a table. */
const runsOf = ({ runs }: Model, name: string): { run: RunSummary; made: TableSummary }[] =>
  runs
    .flatMap((run) => run.tables.filter(({ table }) => table === name).map((made) => ({ run, made })))
    .slice(-LAST_RUNS);

function expectationsView(model: Model, { name, expectations }: TableDoc): Html | undefined {
  if (expectations.length === 0) return undefined;
  const runs = runsOf(model, name);
  const results = (expected: string) =>
    runs.map(({ run, made }) => {
      const failed = made.expectations.find((one) => one.name === expected)?.failed;
      const text = failed === undefined ? '–' : failed === 0 ? '✓' : `✗ ${number(failed)}`;
      return html`<a class="${failed ? 'bad' : 'good'}" href="#run/${run.runId}" title="${when(run.runId)}" aria-label="${when(run.runId)}: ${failed === undefined ? 'not checked' : failed === 0 ? 'passed' : `${failed} bad rows`}">${text}</a> `;
    });
  return html`<h2 id="expects">Expectations</h2>${grid(
    `Expectations of ${name}`,
    ['expectation', 'if not', 'the last runs, the newest last'],
    expectations.map((e) => [
      html`<details><summary>${e.name}</summary>${e.sql !== '' && code(e.sql)}</details>${e.description}`,
      e.severity,
      html`${results(e.name)}`,
    ]),
  )}`;
}

function historyView(model: Model, name: string): Html | undefined {
  const runs = runsOf(model, name);
  if (runs.length === 0) return undefined;
  const reasons = [...new Set(runs.flatMap(({ made }) => Object.keys(made.reasons)))].sort();
  return html`<h2>Rows over time</h2>${bars(
    `Rows written: ${runs.map(({ made }) => number(made.written)).join(', ')}`,
    runs.map(({ made }) => made.written),
  )}
${grid(
  `The last runs of ${name}`,
  ['run', 'outcome', '#read', '#refused', '#filtered', '#written', '#seconds'],
  runs
    .toReversed()
    .map(({ run, made }) => [
      link(`run/${run.runId}`, when(run.runId)),
      outcome(run),
      ...[made.read, made.quarantined, made.filtered, made.written].map(number),
      made.seconds.toFixed(2),
    ]),
)}
${
  reasons.length > 0 &&
  html`<h2>Refused, by reason</h2>${grid(
    `Refused of ${name}, by reason`,
    ['reason', 'over time', ...runs.map(({ run }) => `#${when(run.runId)}`)],
    reasons.map((reason) => {
      const counts = runs.map(({ made }) => made.reasons[reason] ?? 0);
      return [reason, bars(`${reason}: ${counts.map(number).join(', ')}`, counts), ...counts.map(number)];
    }),
  )}`
}`;
}

export function jobView(model: Model, name: string): Html | undefined {
  const job = model.job.get(name);
  if (!job) return undefined;
  return html`<p class="kind">job</p><h1>${name}</h1><p>${job.description}</p>
<dl><dt>Makes</dt><dd>${link(`table/${name}`, name)}</dd><dt>Of</dt><dd>${listed('table', job.inputs)}</dd>
${job.parameters.map((p) => html`<dt>Parameter ${p.name}</dt><dd>${p.values.join(' or ') || 'given by the run'}</dd>`)}</dl>
<h2>${job.language}</h2>${code(job.code)}<h2>Cases</h2>${code(job.cases)}`;
}

export function queryView(model: Model, name: string): Html | undefined {
  const query = model.query.get(name);
  if (!query) return undefined;
  return html`<p class="kind">query</p><h1>${name}</h1><p>${query.description}</p>
<dl><dt>Reads</dt><dd>${query.tables.map((table, i) => html`${i > 0 && ', '}${model.table.has(table) ? link(`table/${table}`, table) : table}`)}</dd><dt>Ask it</dt><dd><code>npx lake query ${name}</code></dd></dl>
<h2>SQL</h2>${code(query.sql)}`;
}

export const runsView = ({ runs }: Model): Html => html`<h1>Runs</h1>
${
  runs.length === 0
    ? html`<p>No run is known.</p>`
    : html`${bars(
        `Seconds: ${runs.map(({ seconds }) => seconds.toFixed(1)).join(', ')}`,
        runs.map(({ seconds }) => seconds),
      )}${grid(
        'Runs, the newest first',
        ['run', 'outcome', '#tables', '#refused', '#warnings', '#seconds'],
        runs
          .toReversed()
          .map((run) => [
            link(`run/${run.runId}`, `${when(run.runId)} UTC`),
            outcome(run),
            run.tables.length,
            number(run.tables.reduce((sum, { quarantined }) => sum + quarantined, 0)),
            run.tables.flatMap(({ expectations }) => expectations).filter(({ failed }) => failed > 0).length,
            run.seconds.toFixed(2),
          ]),
      )}`
}`;

export function runView({ runs }: Model, runId: string): Html | undefined {
  const run = runs.find((one) => one.runId === runId);
  if (!run) return undefined;
  const parameters = Object.entries(run.parameters).map((pair) => pair.join(' '));
  return html`<p class="kind">run</p><h1>${when(runId)} UTC</h1>
<p>${runId}, version ${run.codeVersion}: ${outcome(run)} after ${run.seconds.toFixed(2)} s${parameters.length > 0 && html`, with ${parameters.join(', ')}`}.</p>
${run.failures && html`<ul>${run.failures.map((text) => html`<li class="bad">${text}</li>`)}</ul>`}
${bars(
  `Seconds by table: ${run.tables.map((t) => `${t.table} ${t.seconds.toFixed(2)}`).join(', ')}`,
  run.tables.map(({ seconds }) => seconds),
)}
${grid(
  'Tables of the run',
  ['table', '#read', '#refused', '#filtered', '#written', '#seconds', 'not as expected'],
  run.tables.map((t) => [
    link(`table/${t.table}`, t.table),
    ...[t.read, t.quarantined, t.filtered, t.written].map(number),
    t.seconds.toFixed(2),
    t.expectations
      .filter(({ failed }) => failed > 0)
      .map((e) => `${e.name} (${e.severity}): ${number(e.failed)}`)
      .join('; '),
  ]),
)}`;
}

export const costsView = ({ costs }: Model): Html => html`<h1>Costs</h1>
${costs.length === 0 && html`<p>No stack has settings here.</p>`}
${costs.map((cost) =>
  'fault' in cost
    ? html`<h2>Stack ${cost.stack}</h2><p class="bad">${cost.fault}</p>`
    : html`<h2>Stack ${cost.stack}: about USD ${money(cost.total)} a month</h2><p>By the prices of ${cost.region} of ${cost.date}.</p>
${grid(
  `A month of ${cost.stack}`,
  ['what', 'a month', '#USD'],
  cost.lines.map((line) => [line.class, line.what, money(line.monthly)]),
)}<ul>${cost.assumptions.map((text) => html`<li>${text}</li>`)}</ul>`,
)}`;

export const glossaryView = (): Html =>
  html`<h1>Glossary</h1><dl>${Object.entries(GLOSSARY).map(([word, text]) => html`<dt>${word}</dt><dd>${text}</dd>`)}</dl>`;

/** The list of everything, beside the view. */
export function navigation(model: Model): Html {
  const group = (title: string, items: readonly Html[]) =>
    items.length > 0 && html`<h2>${title}</h2><ul>${items.map((item) => html`<li>${item}</li>`)}</ul>`;
  return html`<ul>${['overview', 'runs', 'costs', 'glossary'].map((id) => html`<li>${link(id, id)}</li>`)}</ul>
${model.zones.map((zone) =>
  group(
    zone.name,
    model.tables.filter((table) => table.zone === zone.name).map(({ name }) => link(`table/${name}`, name)),
  ),
)}
${group(
  'jobs',
  model.jobs.map(({ name }) => link(`job/${name}`, name)),
)}
${group(
  'queries',
  model.queries.map(({ name }) => link(`query/${name}`, name)),
)}`;
}

/** The view of a place in the page, such as `table/customer_trusted`, and its title; nothing where there is none. */
export function viewOf(
  model: Model,
  id: string,
): { readonly title: string; readonly body: Html } | undefined {
  const [kind = '', name = ''] = (id || 'overview').split('/');
  const table = model.table.get(name);
  const views: Readonly<Record<string, () => Html | undefined>> = {
    overview: () => overview(model),
    runs: () => runsView(model),
    costs: () => costsView(model),
    glossary: glossaryView,
    table: () => table && tableView(model, table),
    job: () => jobView(model, name),
    query: () => queryView(model, name),
    run: () => runView(model, name),
  };
  const body = Object.hasOwn(views, kind) ? views[kind]?.() : undefined;
  return body && { title: name || kind, body };
}
