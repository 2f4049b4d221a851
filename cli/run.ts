import { existsSync, writeSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { Store } from '../engines/duckdb/store';
import type { Finding, RunEvent, RunResult, TableState, TableSummary } from '../engines/engine';
import { planOf } from '../engines/plan';
import type { Pipeline, Severity } from '../model';
import { type EngineName, engineOf } from './engine';
import { textTable } from './table';
import { counted, harmless, wrapped } from './text';

export interface RunOptions {
  readonly data?: string;
  readonly lake: string;
  readonly only?: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  readonly json?: boolean;
  readonly engine: EngineName;
}

/** What `lake run` makes and reads where no data is given. */
const SAMPLE = { customers: 1000, seed: 1, dirty: 0.01 };

/** `lake run`. Returns the exit status. */
export async function runCommand(pipeline: Pipeline, jobs: string, options: RunOptions): Promise<number> {
  const { only, parameters } = options;
  // Refused before a sample is made for it.
  planOf(pipeline, { parameters, ...(only && { only }) });
  const data = options.data ?? (only ? undefined : await sampleOf(pipeline, options));
  const request = { parameters, ...(data !== undefined && { data }), ...(only && { only }) };
  const plan = planOf(pipeline, request);
  const progress = await progressOf(
    [...plan.sources, ...plan.jobs].map(({ name }) => name),
    options.engine,
    options.json,
  );
  const engine = engineOf(options.engine, {
    lake: options.lake,
    jobs,
    ...(progress.say && { say: progress.say }),
  });
  let result: RunResult;
  try {
    result = await engine.run(pipeline, request, progress.tell);
  } finally {
    await progress.end();
  }
  const published = await engine.tables();
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result.summary, null, 2)}\n`);
    const failed = result.findings.filter((finding) => finding.severity === 'fail');
    for (const line of failed.flatMap(tellFinding)) process.stderr.write(harmless(`${line}\n`));
  } else
    process.stdout.write(
      harmless(
        report(
          result,
          options,
          data,
          published,
          engine.summaryFile(result.summary.runId),
          staleIn(pipeline, published),
        ),
      ),
    );
  for (const failure of result.failures) process.stderr.write(harmless(`lake: ${failure}\n`));
  await tellForgettings(options.lake);
  return result.failures.length === 0 ? 0 : 1;
}

/** Says which forgets of a lake were cut off. */
export async function tellForgettings(lake: string): Promise<void> {
  for (const { since } of await new Store(lake).forgettings()) {
    process.stderr.write(
      `lake: a forget that began at ${since} was cut off and is not ended; call lake forget for that person again\n`,
    );
  }
}

/** The lake's own sample, made where it is missing, while no other run is going on. */
async function sampleOf({ sources }: Pipeline, { lake, json }: RunOptions): Promise<string> {
  const say = (text: string) => json || process.stdout.write(`No --data: ${text}\n`);
  const { writeOtherSources, writeSample } = require('../samples') as typeof import('../samples');
  const out = join(lake, 'sample');
  if (existsSync(out)) {
    say(`the sample in ${out} is taken`);
    await writeOtherSources(out, sources);
    return out;
  }
  await new Store(lake).hold(async () => {
    say(`a sample of ${SAMPLE.customers} customers is made in ${out}`);
    // A sample that is made halfway has another name, which the next run sweeps.
    const unfinished = `${out}.${process.pid}.tmp`;
    await writeSample(unfinished, SAMPLE);
    await writeOtherSources(unfinished, sources);
    await rename(unfinished, out);
  });
  return out;
}

export interface Progress {
  readonly tell: (event: RunEvent) => void;
  /** Hears what takes seconds beside the jobs, where the terminal is the list's. */
  readonly say?: (text: string) => void;
  readonly end: () => Promise<void>;
}

/** What an interrupted run leaves: on Spark each job publishes its own table as it ends. */
const LEFT: Readonly<Record<EngineName | 'aws', string>> = {
  duckdb: 'what was published before stays as it is',
  spark: 'tables of jobs that had ended are published anew, all others stay as they are',
  aws: 'the run on AWS goes on and is no longer followed',
};
const ENDED = 'ended without a summary';
const SHOW_CURSOR = '\u001b[?25h';
const SILENT: Progress = { tell: () => undefined, end: async () => undefined };

const told = (s: TableSummary) =>
  `${s.table}: ${counted(s.written, 'row')}${s.quarantined > 0 ? `, ${s.quarantined} in quarantine` : ''} (${s.seconds.toFixed(2)} s)`;

/**
 * A live list on a terminal, a line a table elsewhere, nothing beside JSON. `left` is said where the list is
 * interrupted.
 */
export async function progressOf(
  tables: readonly string[],
  engine: EngineName | 'aws',
  json = false,
  left = LEFT[engine],
): Promise<Progress> {
  if (json) return SILENT;
  const { NO_COLOR, TERM } = process.env;
  if (process.stdout.isTTY && !NO_COLOR && TERM !== 'dumb') return liveList(tables, engine, left);
  const say = (text: string) => process.stdout.write(`${text}\n`);
  // A table that fails may be done after that: then both are told in one line.
  const failed = new Set<string>();
  const sayFailed = () => {
    for (const table of failed) say(`${table}: failed`);
    failed.clear();
  };
  return {
    tell: ({ kind, ...event }) => {
      if ('summary' in event)
        say(`${told(event.summary)}${failed.delete(event.summary.table) ? ', failed' : ''}`);
      else if (kind === 'failed') failed.add(event.table);
      else {
        // Before what it causes.
        sayFailed();
        if (kind === 'skipped') say(`${event.table}: skipped`);
        else if (kind === 'untold') say(`${event.table}: ${ENDED}`);
      }
    },
    end: async () => sayFailed(),
  };
}

type Ending = Exclude<RunEvent, { readonly kind: 'start' }>;

/** What stands above the tables of a list while Spark starts. */
const SPARK = 'Spark';

async function liveList(
  names: readonly string[],
  engine: EngineName | 'aws',
  left: string,
): Promise<Progress> {
  if (engine === 'spark') {
    // What it may install is told before the list has the terminal.
    const { readySpark } = require('../engines/spark/runner') as typeof import('../engines/spark/runner');
    readySpark((text) => process.stderr.write(`lake: ${text}\n`));
  }
  const { Listr } = require('listr2') as typeof import('listr2');
  const tables = engine === 'spark' ? [SPARK, ...names] : names;
  const settle = new Map<string, (ending?: Ending | typeof SPARK) => void>();
  const start = new Map<string, (isEnabled: true) => void>();
  let begin = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const list = new Listr(
    tables.map((table) => {
      const ended = new Promise<Ending | typeof SPARK | undefined>((resolve) => settle.set(table, resolve));
      const started = new Promise<true>((resolve) => start.set(table, resolve));
      let isShown = false;
      return {
        title: table === SPARK ? 'Spark starts' : table,
        // Listr asks twice: before it shows the tasks, and before it begins one. So a job waits for its turn, and
        // what runs at once is shown so.
        enabled: () => {
          if (isShown) begin();
          const isEnabled = isShown ? started : true;
          isShown = true;
          return isEnabled;
        },
        task: async (_context: unknown, task: { title: string; skip: (message: string) => void }) => {
          const ending = await ended;
          if (ending === SPARK) task.title = 'Spark has started';
          else if (ending?.kind === 'done') task.title = told(ending.summary);
          else if (ending?.kind === 'untold') task.title = `${table}: ${ENDED}`;
          else if (ending?.kind === 'failed') throw new Error(`${table}: failed`);
          else task.skip(`${table}: skipped`);
        },
      };
    }),
    { concurrent: true, exitOnError: false, registerSignalListeners: false },
  );
  const interrupted = () => {
    // The list keeps back what is written to the streams.
    writeSync(1, SHOW_CURSOR);
    writeSync(2, `\nlake: interrupted; ${left}\n`);
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  const running = list.run();
  // The list loads its parts piece by piece: a run that begins at once would keep it from being drawn till the end.
  await begun;
  start.get(SPARK)?.(true);
  const settleAll = () => {
    for (const table of tables) {
      start.get(table)?.(true);
      settle.get(table)?.();
    }
    return running;
  };
  let isSparkUp = false;
  return {
    tell: (event) => {
      isSparkUp = true;
      settle.get(SPARK)?.(SPARK);
      const table = event.kind === 'done' ? event.summary.table : event.table;
      start.get(table)?.(true);
      if (event.kind !== 'start') settle.get(table)?.(event);
    },
    say: (text) => {
      // Of the start a line of the list tells. What comes after the jobs comes after the list too.
      if (isSparkUp) settleAll().then(() => process.stderr.write(`lake: ${text}\n`));
    },
    end: async () => {
      await settleAll();
      process.removeListener('SIGINT', interrupted);
    },
  };
}

/** Published tables that are older than what they are made from, or made from one that is. */
export function staleIn(pipeline: Pipeline, published: readonly TableState[]): string[] {
  const runs = new Map(published.map(({ table, runId }) => [table, runId]));
  const stale = new Set<string>();
  for (const job of pipeline.jobs) {
    const own = runs.get(job.name);
    if (own === undefined) continue;
    if (job.inputs.some((input) => stale.has(input.name) || (runs.get(input.name) ?? '') > own))
      stale.add(job.name);
  }
  return [...stale];
}

function report(
  { summary, findings }: RunResult,
  options: RunOptions,
  data: string | undefined,
  tables: readonly TableState[],
  summaryFile: string,
  stale: readonly string[],
): string {
  const published = summary.outcome === 'published';
  const anew = tables.filter(({ runId }) => runId === summary.runId).map(({ table }) => table);
  const before =
    tables.length === 0
      ? 'Nothing is published in this lake yet.'
      : anew.length === 0
        ? 'What was published before stays as it is.'
        : `Published anew: ${anew.join(', ')}. ${anew.length === tables.length ? 'Nothing else is published in this lake yet' : 'All else stays as it is'}.`;
  // As long as the command has been running: whoever waited also waited for the engine.
  const took = `in ${(performance.now() / 1000).toFixed(2)} s`;
  const parameters = Object.entries(summary.parameters).map((pair) => pair.join(' '));
  const quarantined = summary.tables.some((t) => t.quarantined > 0);
  const places: readonly (readonly [string, string | undefined])[] = [
    ['data', data],
    ['lake', options.lake],
    ['summary', isAbsolute(options.lake) ? summaryFile : relative('', summaryFile)],
    ['stale', stale.length > 0 ? `${stale.join(', ')}: older than what they are made from` : undefined],
    ['quarantine', quarantined ? `npx lake query quarantine${lakeFlag(options)}` : undefined],
    ['queries', published ? `npx lake query${lakeFlag(options)}` : undefined],
  ];
  return [
    '',
    ...(summary.tables.length > 0 ? [tableOf(summary.tables), ''] : []),
    ...findings.flatMap(tellFinding),
    ...(findings.length > 0 ? [''] : []),
    published ? `Published run ${summary.runId} ${took}.` : `Run ${summary.runId} failed ${took}. ${before}`,
    ...places.flatMap(([name, place]) => (place === undefined ? [] : [`  ${name.padEnd(10)}  ${place}`])),
    ...(parameters.length > 0 ? [`  ${'parameters'.padEnd(10)}  ${parameters.join(', ')}`] : []),
    '',
  ].join('\n');
}

/** As wide as a terminal of 80 columns, where counts have up to eight digits. */
export function tableOf(tables: readonly TableSummary[]): string {
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

const lakeFlag = ({ lake, engine }: RunOptions) => {
  const folder = /^[\w./~-]+$/.test(lake) ? lake : `'${lake.replaceAll("'", "'\\''")}'`;
  return `${engine === 'duckdb' ? '' : ` --engine ${engine}`}${lake === '.lake' ? '' : ` --lake ${folder}`}`;
};

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
