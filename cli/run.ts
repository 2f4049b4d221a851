import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { type RunResult, type TableState, UsageError } from '../engines/engine';
import { planOf, requireSql } from '../engines/plan';
import { findProject, type Project } from '../engines/project';
import { Store } from '../engines/store';
import type { LakehouseDefinition, Pipeline } from '../model';
import { type EngineName, engineOf } from './engine';
import { listenersOf } from './events';
import { findingLines, isFailure } from './findings';
import { progressOf, tableOf } from './progress';
import { writeJobSummary, writeJunit } from './run-report';
import { sampleOf } from './sample';
import { message } from './text';

export interface RunOptions {
  readonly data?: string;
  readonly lake: string;
  readonly only?: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  /** The run's own time. */
  readonly time?: Date;
  /** Days that are made again. */
  readonly from?: string;
  readonly to?: string;
  /** Whether all is made again, also what nothing has changed for. */
  readonly full?: boolean;
  readonly json?: boolean;
  /** Whether warnings have samples. */
  readonly verbose?: boolean;
  readonly engine: EngineName;
  /** Files for what the run tells: OpenLineage's events, and the expectations as JUnit has them. */
  readonly events?: string;
  readonly junit?: string;
}

/** What `lake run` makes and reads where no data is given. */
export const SAMPLE = { size: 1000, seed: 1, dirty: 0.01 };

/** `lake run`. Returns the exit status. */
export async function runCommand(project: Project, options: RunOptions): Promise<number> {
  const { definition, jobs } = project;
  const { pipeline } = definition;
  const { only, parameters, time } = options;
  const days = daysOf(options);
  // Refused before a sample is made for it.
  const asked = planOf(pipeline, { parameters, ...(only && { only }) });
  if (options.engine === 'duckdb') requireSql(pipeline, asked);
  const data = options.data ?? (only ? undefined : await ownSample(definition, options));
  const request = {
    parameters,
    ...(data !== undefined && { data }),
    ...(only && { only }),
    ...(time && { time }),
    ...(options.full && { full: true }),
    ...(options.verbose && { verbose: true }),
    ...days,
  };
  const plan = planOf(pipeline, request);
  const listeners = await listenersOf(project, options.events);
  const progress = await progressOf(
    [...plan.sources, ...plan.jobs].map(({ name }) => name),
    LEFT[options.engine],
    { json: options.json, onSpark: options.engine === 'spark' },
  );
  const engine = engineOf(options.engine, {
    lake: options.lake,
    jobs,
    ...(progress.say && { say: progress.say }),
  });
  let result: RunResult | undefined;
  try {
    result = await engine.run(pipeline, request, (event) => {
      progress.tell(event);
      listeners?.tell(event);
    });
  } finally {
    await progress.end();
    await listeners?.end(result);
  }
  if (options.junit !== undefined) writeJunit(pipeline, result, options.junit);
  writeJobSummary(result);
  const published = await engine.tables();
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result.summary, null, 2)}\n`);
    for (const line of findingLines(result.findings.filter(isFailure), result.summary.tables))
      process.stderr.write(message(`${line}\n`));
  } else
    process.stdout.write(
      message(
        report(
          project,
          result,
          options,
          data,
          published,
          engine.summaryFile(result.summary.runId),
          staleIn(pipeline, published),
        ),
      ),
    );
  for (const warning of result.warnings) process.stderr.write(message(`lake: warning: ${warning}\n`));
  await tellForgettings(options.lake);
  // Last, where nobody has to look for it.
  for (const failure of result.failures) process.stderr.write(message(`lake: ${failure}\n`));
  return result.failures.length === 0 ? 0 : 1;
}

function daysOf({ from, to, engine, full, only }: RunOptions) {
  if (from === undefined && to === undefined) return {};
  if (engine !== 'duckdb' || full || only)
    throw new UsageError(
      '--from and --to are for a local run of all jobs on DuckDB; leave out what else is asked',
    );
  const isDay = (day = '') => /^\d{4}-\d{2}-\d{2}$/.test(day) && new Date(day).toJSON()?.startsWith(day);
  if (from === undefined || to === undefined || !isDay(from) || !isDay(to) || from >= to)
    throw new UsageError(
      `--from ${from ?? ''} --to ${to ?? ''} are no days; give the first one and the first after the last, as --from 2026-01-01 --to 2026-02-01`,
    );
  return { days: { from, to } };
}

/** Says which forgets of a lake were cut off. */
export async function tellForgettings(lake: string): Promise<void> {
  for (const { since } of await new Store(lake).forgettings()) {
    process.stderr.write(
      `lake: a forget that began at ${since} was cut off and is not ended; the next lake forget ends it, or the next run of each engine\n`,
    );
  }
}

/** The lake's own sample, made where it is missing, while no other run is going on. */
async function ownSample(definition: LakehouseDefinition, { lake, json }: RunOptions): Promise<string> {
  const say = (text: string) => json || process.stdout.write(`No --data: ${text}\n`);
  const { unit, write, complete } = sampleOf(definition);
  const out = join(lake, 'sample');
  if (existsSync(out)) {
    say(`the sample in ${out} is taken`);
    await complete({ ...SAMPLE, out });
    return out;
  }
  const { tables } = await new Store(lake).pointer();
  if (Object.keys(tables).length > 0)
    throw new UsageError(
      `${lake} was made from other data, which a sample would replace; give --data DIR, or --lake another folder`,
    );
  await new Store(lake).hold(async () => {
    say(`a sample of ${SAMPLE.size} ${unit} is made in ${out}`);
    // A sample that is made halfway has another name, which the next run sweeps.
    const unfinished = `${out}.${process.pid}.tmp`;
    await write({ ...SAMPLE, out: unfinished });
    await rename(unfinished, out);
  });
  return out;
}

/** What an interrupted run leaves: on Spark each job publishes its own table as it ends. */
const LEFT: Readonly<Record<EngineName, string>> = {
  duckdb: 'what was published before stays as it is',
  spark: 'tables of jobs that had ended are published anew, all others stay as they are',
};
/** Published tables that are older than what they are made from, or made from one that is. */
export function staleIn(pipeline: Pipeline, published: readonly TableState[]): string[] {
  const tables = new Map(published.map((state) => [state.table, state]));
  const stale = new Set<string>();
  for (const job of pipeline.jobs) {
    const own = tables.get(job.name);
    if (own === undefined) continue;
    const isOlder = (input: string) => {
      const now = tables.get(input)?.runId ?? '';
      return own.of ? now !== own.of[input] : now > own.runId;
    };
    if (job.inputs.some(({ name }) => stale.has(name) || isOlder(name))) stale.add(job.name);
  }
  return [...stale];
}

function report(
  project: Project,
  result: RunResult,
  options: RunOptions,
  data: string | undefined,
  tables: readonly TableState[],
  summaryFile: string,
  stale: readonly string[],
): string {
  const { summary, findings } = result;
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
    [
      'quarantine',
      quarantined && existsSync(join(project.queries, 'quarantine.sql'))
        ? `npx lake query quarantine${lakeFlag(project, options)}`
        : undefined,
    ],
    ['queries', published ? `npx lake query${lakeFlag(project, options)}` : undefined],
    ['page', published ? `npx lake docs --open${lakeFlag(project, options)}` : undefined],
  ];
  return [
    '',
    ...(summary.tables.length > 0 ? [tableOf(summary.tables), ''] : []),
    ...findingLines(findings, summary.tables, options.verbose),
    ...(findings.length > 0 ? [''] : []),
    published ? `Published run ${summary.runId} ${took}.` : `Run ${summary.runId} failed ${took}. ${before}`,
    ...places.flatMap(([name, place]) => (place === undefined ? [] : [`  ${name.padEnd(10)}  ${place}`])),
    ...(parameters.length > 0 ? [`  ${'parameters'.padEnd(10)}  ${parameters.join(', ')}`] : []),
    '',
  ].join('\n');
}

/** What a command has to name to work on the same lake. */
function lakeFlag({ dir }: Project, { lake, engine }: RunOptions) {
  const quoted = (path: string) => (/^[\w./~-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
  return [
    findProject('') === dir ? '' : ` --project ${quoted(relative('', dir))}`,
    engine === 'duckdb' ? '' : ` --engine ${engine}`,
    lake === relative('', join(dir, '.lake')) ? '' : ` --lake ${quoted(lake)}`,
  ].join('');
}
