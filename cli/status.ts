import { dirname } from 'node:path';
import type { GlueRuns, JobRun, WorkflowRun } from '../engines/aws/glue-runs';
import type { Stack } from '../engines/aws/stack';
import type { Finding, RunSummary } from '../engines/engine';
import { findingsOf } from '../engines/findings';
import { timeOf } from '../engines/run-id';
import { readSummary } from '../engines/stored';
import type { Pipeline } from '../model';
import { type EngineName, engineOf } from './engine';
import { findingLines } from './findings';
import { type StackFlags, stackOf } from './stack-options';
import { textTable } from './table';
import { grouped, harmless } from './text';

export interface StatusOptions extends StackFlags {
  readonly lake: string;
  readonly engine: EngineName;
  readonly json?: boolean;
  readonly follow?: boolean;
  /** Whether warnings have samples. */
  readonly verbose?: boolean;
}

/** `lake status`. Returns the exit status: 0, or that of the run that was followed. */
export async function statusCommand(
  pipeline: Pipeline,
  jobs: string,
  options: StatusOptions,
): Promise<number> {
  return options.stack === undefined ? localStatus(pipeline, jobs, options) : stackStatus(pipeline, options);
}

const print = (text: string) => process.stdout.write(harmless(text));

async function localStatus(pipeline: Pipeline, jobs: string, options: StatusOptions): Promise<number> {
  // A stack needs nothing of DuckDB.
  const { staleIn, tellForgettings } = require('./run') as typeof import('./run');
  const engine = engineOf(options.engine, { lake: options.lake, jobs });
  const tables = await engine.tables();
  const stale = staleIn(pipeline, tables);
  const lastRun = await lastSummary(dirname(engine.summaryFile('none')));
  await tellForgettings(options.lake);
  if (options.json) {
    print(`${JSON.stringify({ lake: options.lake, tables, stale, lastRun: lastRun ?? null }, null, 2)}\n`);
    return 0;
  }
  if (tables.length === 0)
    print(`Nothing is published in ${options.lake} yet; npx lake run --lake ${options.lake} fills it.\n`);
  else {
    const columns = [{ name: 'table' }, { name: 'rows', right: true }, { name: 'run' }, { name: '' }];
    const rows = tables.map(({ table, rows, runId }) => [
      table,
      grouped(rows),
      runId,
      stale.includes(table) ? 'stale: older than what it is made from' : '',
    ]);
    print(`${textTable(columns, rows)}\n`);
  }
  if (lastRun) {
    const { runId, outcome, seconds, failures = [] } = lastRun;
    print(`\nThe last run, ${runId}, ${outcome} after ${seconds.toFixed(2)} s.\n`);
    for (const failure of failures) print(`  ${failure.replaceAll('\n', '\n  ')}\n`);
  }
  return 0;
}

async function lastSummary(dir: string): Promise<RunSummary | undefined> {
  const { list } = require('../engines/store') as typeof import('../engines/store');
  const newest = (await list(dir)).filter((name) => name.endsWith('.json')).at(-1);
  return newest === undefined ? undefined : readSummary(`${dir}/${newest}`);
}

/** What is known of a table on a stack by the newest run that published it. */
interface StackTable {
  readonly table: string;
  readonly rows: number;
  readonly quarantined: number;
  readonly runId: string;
  readonly when: string | null;
}

export interface StackStatus {
  readonly stack: string;
  readonly region: string;
  readonly workflow: WorkflowRun | null;
  /** The newest run of each job, of the workflow or alone. */
  readonly jobs: readonly JobRun[];
  readonly tables: readonly StackTable[];
  /** What the runs that published them found. */
  readonly findings: readonly Finding[];
}

async function stackStatus(pipeline: Pipeline, options: StatusOptions): Promise<number> {
  const { GlueRuns, goesOn, isOver, unfinishedText } =
    require('../engines/aws/glue-runs') as typeof import('../engines/aws/glue-runs');
  const stack = await stackOf(options);
  const runs: GlueRuns = new GlueRuns(stack);
  const status = await statusOf(pipeline, stack, runs);
  const unfinished = await runs.unfinishedForget();
  if (unfinished) process.stderr.write(harmless(`lake: ${unfinishedText(unfinished)}\n`));
  if (options.follow) {
    const going = status.jobs.filter((run) => !isOver(run));
    const workflow = status.workflow && goesOn(status.workflow) ? status.workflow.id : undefined;
    if (workflow !== undefined || going.length > 0) {
      const { followStack } = require('./stack-run') as typeof import('./stack-run');
      return followStack(pipeline, stack, runs, options, {
        jobs: going,
        ...(workflow !== undefined && { workflow }),
      });
    }
  }
  print(options.json ? `${JSON.stringify(status, null, 2)}\n` : shown(status, goesOn, options.verbose));
  return 0;
}

async function statusOf(pipeline: Pipeline, stack: Stack, runs: GlueRuns): Promise<StackStatus> {
  const { Summaries } = require('../engines/aws/summaries') as typeof import('../engines/aws/summaries');
  const summaries = new Summaries(stack);
  const workflow = (await runs.newestWorkflowRun()) ?? null;
  const found = await Promise.all(
    pipeline.jobs.map(async ({ name }) => ({
      run: await runs.newestJobRun(name),
      summary: await summaries.newestPublished(name),
    })),
  );
  return {
    stack: stack.name,
    region: stack.client.region,
    workflow,
    jobs: found.flatMap(({ run }) => (run ? [run] : [])),
    tables: [...pipeline.tables.keys()].flatMap((table) =>
      found.flatMap(({ summary }) =>
        (summary?.tables ?? [])
          .filter((each) => each.table === table)
          .map(({ written, quarantined }) => ({
            table,
            rows: written,
            quarantined,
            runId: summary?.runId ?? '',
            when: timeOf(summary?.runId ?? '')?.toISOString() ?? null,
          })),
      ),
    ),
    findings: findingsOf(
      pipeline,
      found.flatMap(({ summary }) => summary?.findings ?? []),
    ),
  };
}

const time = (at: Date | undefined) => (at ? `${at.toISOString().slice(0, 19)}Z` : '-');

function shown(status: StackStatus, goesOn: (run: WorkflowRun) => boolean, verbose?: boolean): string {
  const { workflow, jobs, tables, findings } = status;
  const lines: string[] = [`Stack ${status.stack} in ${status.region}`, ''];
  if (!workflow) lines.push('The workflow has not run in the 90 days that Glue keeps.');
  else {
    const { id, state, startedOn, completedOn, error } = workflow;
    const how = goesOn(workflow)
      ? `has been going on since ${time(startedOn)}`
      : workflow.jobs.some((run) => run.state !== 'SUCCEEDED') || state !== 'COMPLETED'
        ? `failed at ${time(completedOn)}`
        : `succeeded at ${time(completedOn)}`;
    lines.push(`The workflow's last run, ${id}, ${how}.`);
    if (error !== undefined) lines.push(`  Glue says: ${error}`);
  }
  if (jobs.length > 0) {
    const part = new Set(workflow?.jobs.map(({ id }) => id));
    const columns = ['job', 'state', 'started', 'seconds', 'run'];
    const rows = jobs.map((run) => [
      run.job,
      run.state,
      time(run.startedOn),
      String(run.seconds),
      part.has(run.id) ? 'workflow' : 'other',
    ]);
    lines.push(
      '',
      textTable(
        columns.map((name) => ({ name, right: name === 'seconds' })),
        rows,
      ),
    );
    for (const { job, error } of jobs) if (error !== undefined) lines.push(`  ${job}: ${error}`);
  }
  if (tables.length > 0) {
    const columns = ['table', 'rows', 'quarantined', 'made'];
    const rows = tables.map((t) => [
      t.table,
      grouped(t.rows),
      grouped(t.quarantined),
      t.when?.slice(0, 19) ?? '-',
    ]);
    const right = (name: string) => name === 'rows' || name === 'quarantined';
    lines.push(
      '',
      textTable(
        columns.map((name) => ({ name, right: right(name) })),
        rows,
      ),
    );
    const made = tables.map(({ rows: written, ...table }) => ({ ...table, written }));
    if (findings.length > 0) lines.push('', ...findingLines(findings, made, verbose));
  }
  return `${lines.join('\n')}\n`;
}
