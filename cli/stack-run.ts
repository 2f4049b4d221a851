import { GlueRuns, type JobRun } from '../engines/aws/glue-runs';
import { failureLog } from '../engines/aws/job-logs';
import type { Stack } from '../engines/aws/stack';
import { planStack, type StackPlan } from '../engines/aws/stack-plan';
import {
  type Following,
  followJobs,
  followWorkflow,
  runJobs,
  type StackRunResult,
  type StackRunSummary,
} from '../engines/aws/stack-run';
import { Summaries } from '../engines/aws/summaries';
import { LakeError, type RunEvent, UsageError } from '../engines/engine';
import { planOf } from '../engines/plan';
import type { Project } from '../engines/project';
import { codeVersion } from '../engines/version';
import type { Job, Pipeline } from '../model';
import { consoleLinks } from '../model/console';
import { FORMATS } from '../model/format';
import { type Listeners, listenersOf } from './events';
import { findingLines, isFailure } from './findings';
import { progressOf, tableOf } from './progress';
import { type StackFlags, stackFlags, stackOf } from './stack-options';
import { counted, harmless } from './text';

export interface StackRunOptions extends StackFlags {
  readonly data?: string;
  readonly only?: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
  /** Whether all is made again, also what nothing has changed for. */
  readonly full?: boolean;
  readonly json?: boolean;
  /** Whether warnings have samples. */
  readonly verbose?: boolean;
  /** File for OpenLineage's events. */
  readonly events?: string;
  /** Whether the run is followed to its end. */
  readonly wait: boolean;
}

/** `lake run --stack`. Returns the exit status. */
export async function runStackCommand(project: Project, options: StackRunOptions): Promise<number> {
  const { pipeline } = project.definition;
  const { only, parameters, wait, full = false } = options;
  failOnUsage(options);
  const { jobs } = planOf(pipeline, { parameters, ...(only && { only }) });
  // The workflow tells its jobs nothing: those of a full run are started one by one.
  const isWorkflow = !only && !full;
  if (!wait && !isWorkflow) failOnWaiting(jobs);
  const stack = await stackOf(options);
  const runs = new GlueRuns(stack);
  if (!full) {
    const plan = await planned(stack, runs, jobs, parameters);
    if (plan?.tables.every(({ does }) => does === 'keep')) return nothingToDo(pipeline, stack, plan, options);
  }
  const listeners = wait ? await listenersOf(project, options.events) : undefined;
  const follow = (run: Run, isBegun?: () => boolean) =>
    followed(pipeline, stack, runs, options, jobs, run, { listeners, isBegun });
  if (isWorkflow) {
    const interrupt = interruptible(options, 'whether a run was started is not known');
    const id = await runs.startWorkflow();
    interrupt.end();
    if (!wait) return startedAs(options, [['workflow', id]]);
    say(options, `Run ${id} of the workflow ${stack.outputs.workflow} was started.\n`);
    return follow((following) => followWorkflow(following, id));
  }
  await runs.failOnRunning(jobs.map(({ name }) => name));
  if (!wait) {
    const started: [string, string][] = [];
    try {
      for (const job of jobs) started.push([job.name, await runs.startJob(job, parameters, full)]);
    } catch (error) {
      // What goes on all the same must not be lost.
      if (started.length > 0) startedAs(options, started);
      throw error;
    }
    return startedAs(options, started);
  }
  return follow(
    (following) => runJobs({ ...following, full }, jobs, parameters),
    () => runs.started.length > 0,
  );
}

/** Follows what is going on on a stack, to its end. Nothing where nothing is; else the exit status. */
export async function followStack(
  pipeline: Pipeline,
  stack: Stack,
  runs: GlueRuns,
  options: StackFlags & Output,
  going: { readonly workflow?: string; readonly jobs: readonly JobRun[] },
): Promise<number> {
  const { workflow } = going;
  if (workflow !== undefined) {
    return followed(pipeline, stack, runs, options, pipeline.jobs, (following) =>
      followWorkflow(following, workflow),
    );
  }
  const jobs = pipeline.jobs.filter(({ name }) => going.jobs.some(({ job }) => job === name));
  return followed(pipeline, stack, runs, options, jobs, (following) => followJobs(following, going.jobs));
}

/** Nothing where that cannot be told: then the jobs see for themselves. */
async function planned(
  stack: Stack,
  runs: GlueRuns,
  jobs: readonly Job[],
  parameters: Readonly<Record<string, string>>,
): Promise<StackPlan | undefined> {
  try {
    return await planStack(stack, runs, jobs, parameters);
  } catch (error) {
    if (!(error instanceof LakeError)) throw error;
    process.stderr.write(harmless(`lake: what a run would do is not known: ${error.message}\n`));
    return undefined;
  }
}

/** Says that nothing is started. Returns the exit status. */
function nothingToDo(
  pipeline: Pipeline,
  stack: Stack,
  { kept }: StackPlan,
  options: StackRunOptions,
): number {
  const tables = [...pipeline.tables.keys()].flatMap((name) => kept.get(name) ?? []);
  if (options.json) {
    const nothing = { seconds: 0, jobs: [], skipped: [], runId: '', codeVersion: codeVersion() };
    const summary: StackRunSummary = {
      version: FORMATS.summary,
      outcome: 'published',
      stack: stack.name,
      parameters: options.parameters,
      tables,
      ...nothing,
    };
    process.stdout.write(`${JSON.stringify(options.wait ? summary : { started: {} }, null, 2)}\n`);
    return 0;
  }
  const all = 'nothing has changed since the last run, so nothing was started; --full makes everything again';
  say(options, `\n${tableOf(tables)}\n\n${stack.name}: ${all}\n`);
  return 0;
}

/** What a call on a stack cannot mean. */
function failOnUsage({ data, only, parameters, stack, events, wait }: StackRunOptions): void {
  if (events !== undefined && !wait)
    throw new UsageError('--events is of a run that is followed; leave out --no-wait');
  if (data !== undefined) {
    throw new UsageError(
      `--data is for a lake on this machine; npx lake ingest ${data} --stack ${stack} puts files in place`,
    );
  }
  const rules = Object.entries(parameters);
  if (only || rules.length === 0) return;
  const config = rules.map(
    ([name, value]) =>
      `pulumi config set --path parameters.${name} ${value} --stack ${stack}, then pulumi up --stack ${stack}`,
  );
  throw new UsageError(
    `the workflow of a stack runs by the stack's own rules; ${config.join('; ')}. Or run single jobs with --only`,
  );
}

function failOnWaiting(jobs: readonly Job[]): void {
  const waiting = jobs.filter(({ inputs }) => inputs.some((input) => jobs.some((j) => j.output === input)));
  if (waiting.length === 0) return;
  throw new UsageError(
    `${waiting.map(({ name }) => name).join(', ')}: begins when others have ended, so --no-wait cannot start it`,
  );
}

type Output = { readonly json?: boolean; readonly verbose?: boolean };

const say = ({ json }: Output, text: string) => json || process.stdout.write(harmless(text));

function startedAs(options: StackFlags & Output, runs: readonly (readonly [string, string])[]): number {
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ started: Object.fromEntries(runs) }, null, 2)}\n`);
    return 0;
  }
  for (const [what, id] of runs) say(options, `Started: ${what}, run ${id}\n`);
  say(options, `  status  npx lake status ${stackFlags(options)}\n`);
  return 0;
}

/** Says at Ctrl-C what goes on all the same, and ends this process with 130. */
function interruptible(options: StackFlags, text: string) {
  const interrupted = () => {
    process.stderr.write(`\nlake: interrupted; ${text}: npx lake status ${stackFlags(options)}\n`);
    process.exit(130);
  };
  process.once('SIGINT', interrupted);
  return { end: () => process.removeListener('SIGINT', interrupted) };
}

const GOES_ON = 'the run on AWS goes on and is no longer followed';

type Run = (following: Following) => Promise<StackRunResult>;

async function followed(
  pipeline: Pipeline,
  stack: Stack,
  runs: GlueRuns,
  options: StackFlags & Output,
  jobs: readonly Job[],
  run: Run,
  {
    listeners,
    isBegun = () => true,
  }: { readonly listeners?: Listeners | undefined; readonly isBegun?: (() => boolean) | undefined } = {},
): Promise<number> {
  const status = `npx lake status ${stackFlags(options)}`;
  const sources = pipeline.sources.filter((source) => jobs.some(({ inputs }) => inputs.includes(source)));
  const tables = [...sources, ...jobs].map(({ name }) => name);
  const progress = await progressOf(tables, `${GOES_ON}: ${status}`, { json: options.json });
  const interrupt = interruptible(options, GOES_ON);
  let result: StackRunResult;
  try {
    const summaries = new Summaries(stack);
    const tell = (event: RunEvent) => {
      progress.tell(event);
      listeners?.tell(event);
    };
    result = await run({ pipeline, stack: stack.name, runs, summaries, tell });
  } catch (error) {
    if (!(error instanceof LakeError) || !isBegun()) throw error;
    throw new LakeError(`${error.message}\nWhat was started on AWS goes on: ${status}`, { cause: error });
  } finally {
    await progress.end();
    interrupt.end();
  }
  // Of a run that could not be followed to its end nobody knows how it will end.
  await listeners?.end({ failures: result.failed.map(failureText) });
  if (options.json) {
    process.stdout.write(`${JSON.stringify(result.summary, null, 2)}\n`);
    for (const line of findingLines(result.findings.filter(isFailure), result.summary.tables))
      process.stderr.write(harmless(`${line}\n`));
  } else process.stdout.write(harmless(report(result, stack, options)));
  for (const note of result.notes) process.stderr.write(harmless(`lake: ${note}\n`));
  for (const failed of result.failed) {
    process.stderr.write(harmless(await tellFailure(failed, stack, options)));
  }
  return result.summary.outcome === 'published' ? 0 : 1;
}

function report(
  { summary, failed, findings }: StackRunResult,
  stack: Stack,
  options: StackFlags & Output,
): string {
  const { outputs } = stack;
  const flags = stackFlags(options);
  const published = summary.outcome === 'published';
  const anew = summary.jobs.filter(({ state }) => state === 'SUCCEEDED').map(({ job }) => job);
  const took = `in ${summary.seconds.toFixed(0)} s`;
  const run = summary.runId.includes(',') ? counted(summary.jobs.length, 'run') : `run ${summary.runId}`;
  const told = [
    `${run.replace(/^run/, 'Run')} failed ${took}.`,
    ...(failed.length > 0 ? [`Failed: ${failed.map(({ job }) => job).join(', ')}.`] : []),
    ...(summary.skipped.length > 0 ? [`Skipped: ${summary.skipped.join(', ')}.`] : []),
    anew.length > 0 ? `Published anew: ${anew.join(', ')}.` : 'What was published before stays as it is.',
  ];
  const parameters = Object.entries(summary.parameters).map((pair) => pair.join(' '));
  const quarantined = summary.tables.some((t) => t.quarantined > 0);
  const places: readonly (readonly [string, string | undefined])[] = [
    ['stack', `${stack.name} in ${stack.client.region}`],
    ['console', consoleLinks({ ...outputs, region: stack.client.region }).workflow],
    ['quarantine', quarantined ? `npx lake query quarantine ${flags}` : undefined],
    ['queries', published ? `npx lake query ${flags}` : undefined],
    ['parameters', parameters.length > 0 ? parameters.join(', ') : undefined],
  ];
  return [
    '',
    ...(summary.tables.length > 0 ? [tableOf(summary.tables), ''] : []),
    ...findingLines(findings, summary.tables, options.verbose),
    ...(findings.length > 0 ? [''] : []),
    published ? `Published ${run} ${took}.` : told.join(' '),
    ...places.flatMap(([name, place]) => (place === undefined ? [] : [`  ${name.padEnd(10)}  ${place}`])),
    '',
  ].join('\n');
}

const failureText = ({ job, state, error }: JobRun) =>
  `${job} ended as ${state}${error === undefined ? '' : `: ${error}`}`;

/** Why a job failed: its own words, the end of its log, and where to see more. */
async function tellFailure(run: JobRun, stack: Stack, options: StackFlags): Promise<string> {
  const { job, id } = run;
  return [`lake: ${failureText(run)}`, ...(await failureLog(stack, job, id, stackFlags(options))), ''].join(
    '\n',
  );
}
