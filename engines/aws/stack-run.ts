import type { Job, Pipeline } from '../../model';
import { FORMATS } from '../../model/format';
import { type Finding, LakeError, type RunEvent, type RunSummary, type TableSummary } from '../engine';
import { findingsOf } from '../findings';
import { type Pause, pause as realPause } from './ask';
import { type GlueRuns, goesOn, isOver, type JobRun, type WorkflowRun } from './glue-runs';
import type { JobSummary, Summaries } from './summaries';

/** The summary of a run on a stack, printed by `--json`. */
export interface StackRunSummary extends RunSummary {
  readonly stack: string;
  /** Of the jobs that were started. */
  readonly jobs: readonly JobRun[];
  /** Jobs that were not, as others before them had failed. */
  readonly skipped: readonly string[];
}

export interface StackRunResult {
  readonly summary: StackRunSummary;
  readonly findings: readonly Finding[];
  /** Runs that did not succeed. */
  readonly failed: readonly JobRun[];
  /** What could not be found out besides, such as a summary that may not be read. */
  readonly notes: readonly string[];
}

/** How far a run is. */
interface Look {
  readonly jobs: readonly JobRun[];
  readonly over: boolean;
  /** Glue's own words of what went wrong with the whole. */
  readonly error?: string;
}

/** Between two looks, in milliseconds: shorter after something changed. */
const WAIT_MS = { least: 2_000, most: 15_000 };

/** What a run on a stack is followed with. */
export interface Following {
  readonly pipeline: Pipeline;
  readonly stack: string;
  readonly runs: GlueRuns;
  readonly summaries: Summaries;
  readonly tell: (event: RunEvent) => void;
  /** Whether jobs make everything again, also what nothing has changed for. */
  readonly full?: boolean;
  readonly pause?: Pause;
}

/** Follows a run of the workflow to its end. It goes on whatever becomes of who follows it. */
export const followWorkflow = (following: Following, id: string): Promise<StackRunResult> =>
  follow(following, id, following.pipeline.jobs, async () => {
    const run: WorkflowRun = await following.runs.workflowRun(id);
    return { jobs: run.jobs, over: !goesOn(run), ...(run.error !== undefined && { error: run.error }) };
  });

/** Follows runs of jobs that were started alone. */
export function followJobs(following: Following, started: readonly JobRun[]): Promise<StackRunResult> {
  const jobs = following.pipeline.jobs.filter(({ name }) => started.some((run) => run.job === name));
  return runJobs(following, jobs, {}, started);
}

/**
 * Runs some jobs without the workflow: each begins when those of them have succeeded whose tables it reads. `running`
 * is what was started before.
 */
export function runJobs(
  following: Following,
  jobs: readonly Job[],
  parameters: Readonly<Record<string, string>>,
  running: readonly JobRun[] = [],
): Promise<StackRunResult> {
  const { runs, full = false } = following;
  const states = new Map(running.map((run) => [run.job, run]));
  const madeBy = (job: Job) => jobs.filter(({ output }) => job.inputs.some((input) => input === output));
  return follow(following, '', jobs, async () => {
    for (const [name, run] of states) {
      if (!isOver(run)) states.set(name, await runs.jobRun(name, run.id));
    }
    const due = jobs.filter(
      (job) =>
        !states.has(job.name) && madeBy(job).every(({ name }) => states.get(name)?.state === 'SUCCEEDED'),
    );
    for (const job of due) {
      const id = await runs.startJob(job, parameters, full);
      states.set(job.name, { job: job.name, id, state: 'STARTING', seconds: 0 });
    }
    const all = [...states.values()];
    return { jobs: all, over: all.every(isOver) };
  });
}

async function follow(
  following: Following,
  id: string,
  jobs: readonly Job[],
  look: () => Promise<Look>,
): Promise<StackRunResult> {
  const { pause = realPause } = following;
  const said = new Set<string>();
  // A source that several jobs read is told once.
  const tell = (event: RunEvent) => {
    const what = `${event.kind} ${'summary' in event ? event.summary.table : event.table}`;
    if (!said.has(what)) following.tell(event);
    said.add(what);
  };
  const began = Date.now();
  const seen = new Map<string, string>();
  const summaries = new Map<string, JobSummary>();
  const notes: string[] = [];
  let wait = WAIT_MS.least;
  let now = await look();
  for (;;) {
    let changed = false;
    for (const run of now.jobs) {
      const job = jobs.find(({ name }) => name === run.job);
      if (!job || seen.get(run.job) === run.state) continue;
      if (!seen.has(run.job)) for (const table of tablesOf(job)) tell({ kind: 'start', table });
      seen.set(run.job, run.state);
      changed = true;
      if (isOver(run)) await tellEnd({ ...following, tell }, job, run, summaries, notes);
    }
    if (now.over) break;
    wait = changed ? WAIT_MS.least : Math.min(wait * 1.5, WAIT_MS.most);
    await pause(wait * (0.75 + Math.random() / 2));
    now = await look();
  }
  const skipped = jobs.filter(({ name }) => !seen.has(name));
  for (const table of skipped.flatMap(tablesOf)) tell({ kind: 'skipped', table });
  const failed = now.jobs.filter(({ state }) => state !== 'SUCCEEDED');
  if (now.error !== undefined) notes.unshift(`Glue says of the workflow: ${now.error}`);
  const all = [...summaries.values()];
  return {
    failed,
    notes,
    findings: findingsOf(
      following.pipeline,
      all.flatMap(({ findings }) => findings),
    ),
    summary: {
      version: FORMATS.summary,
      runId: id || now.jobs.map((run) => run.id).join(','),
      stack: following.stack,
      outcome: failed.length + skipped.length === 0 ? 'published' : 'failed',
      codeVersion: [...new Set(all.map(({ codeVersion }) => codeVersion))].join(', '),
      parameters: Object.assign({}, ...all.map(({ parameters }) => parameters)),
      seconds: secondsOf(now.jobs, began),
      tables: inOrder(
        following.pipeline,
        all.flatMap(({ tables }) => tables),
      ),
      jobs: now.jobs,
      skipped: skipped.map(({ name }) => name),
    },
  };
}

/** The job's own table and the sources that it reads. */
const tablesOf = ({ output, inputs }: Job): string[] => [
  ...inputs.filter(({ format }) => format !== 'iceberg').map(({ name }) => name),
  output.name,
];

async function tellEnd(
  { summaries, tell }: Following,
  job: Job,
  run: JobRun,
  found: Map<string, JobSummary>,
  notes: string[],
): Promise<void> {
  let summary: JobSummary | undefined;
  try {
    summary = await summaries.ofRun(run);
  } catch (error) {
    // How the run ended is known without it.
    if (!(error instanceof LakeError)) throw error;
    notes.push(`the summary of ${job.name} could not be read: ${error.message}`);
  }
  if (summary) found.set(job.name, summary);
  if (run.state !== 'SUCCEEDED') tell({ kind: 'failed', table: job.output.name });
  for (const table of tablesOf(job)) {
    const of = summary?.tables.find((each) => each.table === table);
    if (of) tell({ kind: 'done', summary: of });
    else if (table !== job.output.name || run.state === 'SUCCEEDED') tell({ kind: 'untold', table });
  }
}

/** From the first job's start to the end; of this machine's clock where Glue tells no start. */
function secondsOf(jobs: readonly JobRun[], began: number): number {
  const starts = jobs.flatMap(({ startedOn }) => (startedOn ? [startedOn.getTime()] : []));
  const ends = jobs.flatMap(({ startedOn, seconds }) =>
    startedOn ? [startedOn.getTime() + seconds * 1000] : [],
  );
  return starts.length === 0
    ? (Date.now() - began) / 1000
    : Math.max(0, Math.max(...ends) - Math.min(...starts)) / 1000;
}

/** Sources first, then as jobs make them. */
const inOrder = ({ tables }: Pipeline, summaries: readonly TableSummary[]) =>
  [...tables.keys()].flatMap((name) => summaries.filter(({ table }) => table === name).slice(0, 1));
