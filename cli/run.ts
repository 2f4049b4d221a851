import { join } from 'node:path';
import { DuckDbEngine } from '../engines/duckdb/engine';
import type { Finding, RunEvent, RunResult, TableSummary } from '../engines/engine';
import { planOf } from '../engines/plan';
import type { Pipeline } from '../model';
import { textTable } from './table';

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
  const data = options.data ?? (only ? undefined : await makeSample(options));
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
  if (options.json) process.stdout.write(`${JSON.stringify(result.summary, null, 2)}\n`);
  else process.stdout.write(report(result, options, data));
  for (const failure of result.failures) process.stderr.write(`lake: ${failure}\n`);
  return result.failures.length === 0 ? 0 : 1;
}

async function makeSample({ lake, json }: RunOptions): Promise<string> {
  const { writeSample } = require('../samples') as typeof import('../samples');
  const out = join(lake, 'sample');
  if (!json) process.stdout.write(`No --data: making a sample of ${SAMPLE.customers} customers in ${out}\n`);
  await writeSample(out, SAMPLE);
  return out;
}

interface Progress {
  readonly tell: (event: RunEvent) => void;
  readonly end: () => Promise<void>;
}

const told = (s: TableSummary) =>
  `${s.table}: ${s.written} rows${s.quarantined > 0 ? `, ${s.quarantined} in quarantine` : ''} (${s.seconds} s)`;

/** A live list on a terminal, a line a table elsewhere, nothing beside JSON. */
async function progressOf(tables: readonly string[], json = false): Promise<Progress> {
  if (json) return { tell: () => undefined, end: async () => undefined };
  if (!process.stdout.isTTY) {
    return {
      tell: (event) => event.kind === 'done' && process.stdout.write(`${told(event.summary)}\n`),
      end: async () => undefined,
    };
  }
  const { Listr } = require('listr2') as typeof import('listr2');
  const waiting = new Map<string, (summary?: TableSummary) => void>();
  const list = new Listr(
    tables.map((table) => {
      const done = new Promise<TableSummary | undefined>((resolve) => waiting.set(table, resolve));
      return {
        title: table,
        task: async (_context: unknown, task: { title: string; skip: (message: string) => void }) => {
          const summary = await done;
          if (summary) task.title = told(summary);
          else task.skip(`${table}: not made`);
        },
      };
    }),
  );
  const running = list.run();
  return {
    tell: (event) => event.kind === 'done' && waiting.get(event.summary.table)?.(event.summary),
    end: async () => {
      for (const resolve of waiting.values()) resolve();
      await running;
    },
  };
}

function report({ summary, findings }: RunResult, options: RunOptions, data: string | undefined): string {
  const columns = ['table', 'read', 'quarantined', 'filtered', 'written', 'expectations', 'seconds'];
  const rows = summary.tables.map((t) => [
    t.table,
    ...[t.read, t.quarantined, t.filtered, t.written].map(String),
    expectationsOf(t),
    t.seconds.toFixed(2),
  ]);
  const table = textTable(
    columns.map((name) => ({ name, right: !['table', 'expectations'].includes(name) })),
    rows,
  );
  const parameters = Object.entries(summary.parameters).map((pair) => pair.join(' '));
  const where: [string, string | undefined][] = [
    ['data', data],
    ['lake', options.lake],
    ['summary', join(options.lake, 'runs', `${summary.runId}.json`)],
    [
      'quarantine',
      summary.tables.some((t) => t.quarantined > 0) ? `lake query quarantine${lakeFlag(options)}` : undefined,
    ],
    ['queries', `lake query${lakeFlag(options)}`],
  ];
  return [
    '',
    table,
    '',
    ...findings.flatMap(tellFinding),
    summary.outcome === 'published'
      ? `Published run ${summary.runId} (${parameters.join(', ')}) in ${summary.seconds.toFixed(2)} s.`
      : `Run ${summary.runId} failed; what was published before stays as it was.`,
    ...where.flatMap(([name, place]) => (place ? [`  ${name.padEnd(10)} ${place}`] : [])),
    '',
  ].join('\n');
}

const lakeFlag = ({ lake }: RunOptions) => (lake === '.lake' ? '' : ` --lake ${lake}`);

function expectationsOf({ expectations }: TableSummary): string {
  const count = (severity: string) =>
    expectations.filter((e) => e.severity === severity && e.failed > 0).length;
  const bad = [
    [count('fail'), 'failed'],
    [count('quarantine'), 'quarantined'],
    [count('warn'), 'warned'],
  ].flatMap(([n, what]) => (n ? [`${n} ${what}`] : []));
  if (expectations.length === 0) return '-';
  return bad.length > 0 ? `${bad.join(', ')} of ${expectations.length}` : `${expectations.length} passed`;
}

function tellFinding(finding: Finding): string[] {
  const { table, expectation, severity, failed, description, samples } = finding;
  return [
    `${severity === 'warn' ? 'warning' : severity}: ${table}.${expectation}: ${failed} bad rows. Expected: ${description}`,
    ...samples.map(
      (sample) =>
        `  ${Object.entries(sample)
          .map((pair) => pair.join('='))
          .join(', ')}`,
    ),
    '',
  ];
}
