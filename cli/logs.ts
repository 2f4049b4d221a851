import { pause } from '../engines/aws/ask';
import { GlueRuns, isOver } from '../engines/aws/glue-runs';
import { JobLogs, logLine } from '../engines/aws/job-logs';
import { LakeError, UsageError } from '../engines/engine';
import { noSuchJob } from '../engines/words';
import type { Pipeline } from '../model';
import { FORGET_JOB } from '../model/places';
import { type StackFlags, stackOf } from './stack-options';
import { harmless } from './text';

export interface LogsOptions extends StackFlags {
  readonly job: string;
  /** Default: the newest. */
  readonly run?: string;
  readonly lines: number;
  readonly follow?: boolean;
}

const WAIT_MS = 3_000;
/** CloudWatch has the last lines of a run some seconds after its end. */
const LATE_MS = 5_000;

/** `lake logs`. Throws a UsageError where there is no such job, a LakeError where it has not run. */
export async function logsCommand(pipeline: Pipeline, options: LogsOptions): Promise<void> {
  const { job, lines, follow } = options;
  const names = [...pipeline.jobs.map(({ name }) => name), FORGET_JOB];
  if (!names.includes(job)) throw new UsageError(noSuchJob(job, names));
  const stack = await stackOf(options);
  const runs = new GlueRuns(stack);
  const run = options.run === undefined ? await runs.newestJobRun(job) : await runs.jobRun(job, options.run);
  if (!run) {
    throw new LakeError(
      `${job} has not run on ${stack.name} in the 90 days that Glue keeps; lake ${job === FORGET_JOB ? 'forget' : 'run'} starts it`,
    );
  }
  process.stderr.write(harmless(`${job}, run ${run.id}: ${run.state}\n`));
  const read = new JobLogs(stack).follower(job, run.id, lines);
  const print = async () => {
    for (const line of await read()) process.stdout.write(harmless(`${logLine(line)}\n`));
  };
  await print();
  if (!follow) return;
  for (let state = run; !isOver(state); state = await runs.jobRun(job, run.id)) {
    await pause(WAIT_MS);
    await print();
  }
  await pause(LATE_MS);
  await print();
}
