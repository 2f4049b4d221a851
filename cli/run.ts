import { existsSync, writeSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDbEngine } from '../engines/duckdb/engine';
import { Store } from '../engines/duckdb/store';
import type { Finding, RunEvent, RunResult, TableSummary } from '../engines/engine';
import { planOf } from '../engines/plan';
import type { Pipeline, Severity } from '../model';
import { textTable } from './table';
import { counted, harmless, wrapped } from './text';

export interface RunOptions {
  readonly data?: string;
  readonly lake: string;
  readonly only?: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

/** What `lake run` makes and reads where no data is given. */
const SAMPLE = { customers: 1000, seed: 1, dirty: 0.01 };

/** `lake run`. Returns the exit status. */
export async function runCommand(pipeline: Pipeline, jobs: string, options: RunOptions): Promise<number> {
  const { only, parameters } = options;
  // Refused before a sample is made for it.
  planOf(pipeline, { parameters, ...(only && { only }) });
  const data = options.data ?? (only ? undefined : await sampleOf(options));
  const request = { parameters, ...(data !== undefined && { data }), ...(only && { only }) };
  const plan = planOf(pipeline, request);
  const progress = await progressOf(
    [...plan.sources, ...plan.jobs].map(({ name }) => name),
    options.json,
  );
  let result: RunResult;
  try {
    result = await new DuckDbEngine({ lake: options.lake, jobs }).run(pipeline, request, progress.tell);
  } finally {
    await progress.end();
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result.summary, null, 2)}\n`);
    const failed = result.findings.filter((finding) => finding.severity === 'fail');
    for (const line of failed.flatMap(tellFinding)) process.stderr.write(harmless(`${line}\n`));
  } else process.stdout.write(harmless(report(result, options, data, staleAfter(pipeline, result))));
  for (const failure of result.failures) process.stderr.write(harmless(`lake: ${failure}\n`));
  return result.failures.length === 0 ? 0 : 1;
}

/** The lake's own sample, made where it is missing, while no other run is going on. */
async function sampleOf({ lake, json }: RunOptions): Promise<string> {
  const say = (text: string) => json || process.stdout.write(`No --data: ${text}\n`);
  const out = join(lake, 'sample');
  if (existsSync(out)) {
    say(`the sample in ${out} is taken`);
    return out;
  }
  await new Store(lake).hold(async () => {
    say(`a sample of ${SAMPLE.customers} customers is made in ${out}`);
    const { writeSample } = require('../samples') as typeof import('../samples');
    // A sample that is made halfway has another name, which the next run sweeps.
    const unfinished = `${out}.${process.pid}.tmp`;
    await writeSample(unfinished, SAMPLE);
    await rename(unfinished, out);
  });
  return out;
}

interface Progress {
  readonly tell: (event: RunEvent) => void;
  readonly end: () => Promise<void>;
}

const SHOW_CURSOR = '\u001b[?25h';
const SILENT: Progress = { tell: () => undefined, end: async () => undefined };

const told = (s: TableSummary) =>
  `${s.table}: ${counted(s.written, 'row')}${s.quarantined > 0 ? `, ${s.quarantined} in quarantine` : ''} (${s.seconds.toFixed(2)} s)`;

/** A live list on a terminal, a line a table elsewhere, nothing beside JSON. */
async function progressOf(tables: readonly string[], json = false): Promise<Progress> {
  if (json) return SILENT;
  const { NO_COLOR, TERM } = process.env;
  if (process.stdout.isTTY && !NO_COLOR && TERM !== 'dumb') return liveList(tables);
  const say = (text: string) => process.stdout.write(`${text}\n`);
  return {
    ...SILENT,
    tell: (event) => {
      if (event.kind === 'done') say(told(event.summary));
      else if (event.kind === 'failed') say(`${event.table}: failed`);
      else if (event.kind === 'skipped') say(`${event.table}: skipped`);
    },
  };
}

type Ending = Exclude<RunEvent, { readonly kind: 'start' }>;

async function liveList(tables: readonly string[]): Promise<Progress> {
  const { Listr } = require('listr2') as typeof import('listr2');
  const settle = new Map<string, (ending?: Ending) => void>();
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const list = new Listr(
    tables.map((table) => {
      const ended = new Promise<Ending | undefined>((resolve) => settle.set(table, resolve));
      return {
        title: table,
        task: async (_context: unknown, task: { title: string; skip: (message: string) => void }) => {
          begin();
          const ending = await ended;
          if (ending?.kind === 'done') task.title = told(ending.summary);
          else if (ending?.kind === 'failed') throw new Error(`${table}: failed`);
          else task.skip(`${table}: skipped`);
        },
      };
    }),
    { exitOnError: false, registerSignalListeners: false },
  );
  const interrupted = () => {
    // The list keeps back what is written to the streams.
    writeSync(1, SHOW_CURSOR);
    writeSync(2, '\nlake: interrupted; what was published before stays as it is\n');
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  const running = list.run();
  // The list loads its parts piece by piece: a run that begins at once would keep it from being drawn till the end.
  await begun;
  return {
    tell: (event) => {
      if (event.kind === 'start') return;
      settle.get(event.kind === 'done' ? event.summary.table : event.table)?.(event);
    },
    end: async () => {
      for (const end of settle.values()) end();
      await running;
      process.removeListener('SIGINT', interrupted);
    },
  };
}

/** Tables that this run did not make, though they are made from what it did. */
function staleAfter(pipeline: Pipeline, { summary }: RunResult): string[] {
  const made = new Set(summary.tables.map(({ table }) => table));
  const changed = new Set(made);
  for (const job of pipeline.jobs) {
    if (job.inputs.some((input) => changed.has(input.name))) changed.add(job.name);
  }
  return [...changed].filter((name) => !made.has(name));
}

function report(
  { summary, findings }: RunResult,
  options: RunOptions,
  data: string | undefined,
  stale: readonly string[],
): string {
  const published = summary.outcome === 'published';
  const took = `in ${summary.seconds.toFixed(2)} s`;
  const parameters = Object.entries(summary.parameters).map((pair) => pair.join(' '));
  const quarantined = summary.tables.some((t) => t.quarantined > 0);
  const places: readonly (readonly [string, string | undefined])[] = [
    ['data', data],
    ['lake', options.lake],
    ['summary', join(options.lake, 'runs', `${summary.runId}.json`)],
    ['stale', published && stale.length > 0 ? `${stale.join(', ')}: made from what was before` : undefined],
    ['quarantine', quarantined ? `npx lake query quarantine${lakeFlag(options)}` : undefined],
    ['queries', published ? `npx lake query${lakeFlag(options)}` : undefined],
  ];
  return [
    '',
    ...(summary.tables.length > 0 ? [tableOf(summary.tables), ''] : []),
    ...findings.flatMap(tellFinding),
    ...(findings.length > 0 ? [''] : []),
    published
      ? `Published run ${summary.runId} ${took}.`
      : `Run ${summary.runId} failed ${took}. What was published before stays as it is.`,
    ...places.flatMap(([name, place]) => (place === undefined ? [] : [`  ${name.padEnd(10)}  ${place}`])),
    ...(parameters.length > 0 ? [`  ${'parameters'.padEnd(10)}  ${parameters.join(', ')}`] : []),
    '',
  ].join('\n');
}

/** As wide as a terminal of 80 columns, where counts have up to eight digits. */
function tableOf(tables: readonly TableSummary[]): string {
  const columns = ['table', 'read', 'quarantined', 'written', 'expectations', 'seconds'];
  return textTable(
    columns.map((name) => ({ name, right: name !== 'table' && name !== 'expectations' })),
    tables.map((t) => [
      t.table,
      ...[t.read, t.quarantined, t.written].map(String),
      expectationsOf(t),
      t.seconds.toFixed(2),
    ]),
  );
}

/** How many expectations ended worst. */
function expectationsOf({ expectations }: TableSummary): string {
  const found = (severity: Severity) =>
    expectations.filter((e) => e.severity === severity && e.failed > 0).length;
  const worst = (['fail', 'quarantine', 'warn'] as const).find((severity) => found(severity) > 0);
  if (worst) return `${found(worst)} ${{ fail: 'failed', quarantine: 'moved rows', warn: 'warned' }[worst]}`;
  return expectations.length > 0 ? `${expectations.length} passed` : '-';
}

const lakeFlag = ({ lake }: RunOptions) =>
  lake === '.lake' ? '' : ` --lake ${/^[\w./~-]+$/.test(lake) ? lake : `'${lake.replaceAll("'", "'\\''")}'`}`;

/** What the expectation found, and some bad rows; those that look alike once masked are told once. */
function tellFinding(finding: Finding): string[] {
  const { table, expectation, severity, failed, description, samples } = finding;
  const rows = samples.map((sample) =>
    Object.entries(sample)
      .map((pair) => pair.join('='))
      .join(', '),
  );
  return [
    wrapped(
      `${SEVERITIES[severity]} ${table}.${expectation}: ${counted(failed, 'bad row')}. Expected: ${description}`,
      '  ',
    ),
    ...[...new Set(rows)]
      .slice(0, severity === 'warn' ? 3 : 5)
      .map((row) => wrapped(`  such as ${row}`, '    ')),
  ];
}

const SEVERITIES = { fail: 'FAILED', quarantine: 'quarantined', warn: 'warning' } as const;
