import { randomUUID } from 'node:crypto';
import {
  GetJobCommand,
  GetJobRunCommand,
  GetJobRunsCommand,
  GetWorkflowRunCommand,
  GlueClient,
  type Job as GlueJob,
  type JobRun as GlueJobRun,
  type WorkflowRun as GlueWorkflowRun,
  paginateGetWorkflowRuns,
  StartJobRunCommand,
  StartWorkflowRunCommand,
} from '@aws-sdk/client-glue';
import type { Job } from '../../model';
import { FORGET_JOB } from '../../model/places';
import { LakeError } from '../engine';
import { ask, backOff, lookFor, type Pause, pause as realPause } from './ask';
import { isLost, isThrottled, toldError } from './errors';
import { glueNameOf } from './outputs';
import type { Stack } from './stack';

/** A run of a job on Glue. */
export interface JobRun {
  /** The job's name in the definition. */
  readonly job: string;
  /** Such as `jr_…`. */
  readonly id: string;
  /** Glue's word, such as `RUNNING`. */
  readonly state: string;
  readonly startedOn?: Date;
  /** Seconds that it ran, as Glue bills them; 0 before its end. */
  readonly seconds: number;
  /** Glue's own words of what went wrong. */
  readonly error?: string;
}

/** A run of the stack's workflow. */
export interface WorkflowRun {
  /** Such as `wr_…`. */
  readonly id: string;
  /** Glue's word. `COMPLETED` says nothing of the jobs, which may have failed. */
  readonly state: string;
  readonly startedOn?: Date;
  readonly completedOn?: Date;
  readonly error?: string;
  /** Of the jobs that were started. */
  readonly jobs: readonly JobRun[];
}

const OVER = new Set(['COMPLETED', 'STOPPED', 'SUCCEEDED', 'FAILED', 'TIMEOUT', 'ERROR', 'EXPIRED']);
/** Whether a run of a job, or of the workflow as Glue says, ended, well or not. */
export const isOver = ({ state }: Pick<JobRun, 'state'>) => OVER.has(state);

/** Whether a workflow's run goes on: it does while one of its jobs runs, whatever is said of the whole. */
export const goesOn = ({ state, jobs }: WorkflowRun) =>
  ['RUNNING', 'STOPPING'].includes(state) || !jobs.every(isOver);

/**
 * What tells a run that this process started. Glue's calls that start one have no token that would make them safe to
 * repeat, so that a run is looked for by it where the answer to such a call was lost.
 */
const TOKEN = 'lake-request';
const ATTEMPTS = 8;
/** The folder of requests that change nothing, in that of requests: it tells one run that forgets from another. */
export const DRY_RUNS = 'dry-run/';

/** What to know of a forget that did not end well. */
export const unfinishedText = ({ id, state, startedOn }: JobRun) =>
  `the last forget (${id}${startedOn ? `, of ${startedOn.toISOString().slice(0, 19)}Z` : ''}) ended as ${state}, and its person may not be gone: npx lake forget for them again. One of anybody completes what was begun`;

/** How many of a job's newest runs are looked at: Glue runs one at a time, and others may wait. */
const NEWEST = 20;

/** How a run is started. */
interface Start {
  readonly action: string;
  readonly resource: string;
  readonly send: () => Promise<string | undefined>;
  /** The run that `send` started, where it shows. */
  readonly find: () => Promise<string | undefined>;
  /** Whether Glue itself refuses a second run, so that one that does not show may be started again. */
  readonly guarded: boolean;
  /** What is said where Glue refuses it, as another run goes on. */
  readonly busy: () => Promise<LakeError>;
}

/** Starts and watches the runs of a stack's workflow and jobs. */
export class GlueRuns {
  /** Ids of the runs that were started by this. */
  readonly started: string[] = [];
  private readonly client: GlueClient;
  /** For calls that may not be repeated unseen. */
  private readonly once: GlueClient;

  constructor(
    private readonly stack: Stack,
    private readonly pause: Pause = realPause,
  ) {
    this.client = new GlueClient(stack.client);
    this.once = new GlueClient({ ...stack.client, maxAttempts: 1 });
  }

  /** Starts the workflow. Returns the run's id. Throws a LakeError where it, a job or the forgetting of a person runs. */
  async startWorkflow(): Promise<string> {
    const { workflow } = this.stack.outputs;
    await this.failOnRunning(Object.keys(this.stack.outputs.jobs));
    const token = randomUUID();
    return this.start({
      action: 'glue:StartWorkflowRun',
      resource: `workflow ${workflow}`,
      // The workflow takes one run at a time.
      guarded: true,
      send: async () => {
        const command = new StartWorkflowRunCommand({ Name: workflow, RunProperties: { [TOKEN]: token } });
        return (await this.once.send(command)).RunId;
      },
      find: async () =>
        (await this.workflowRuns()).find((run) => run.WorkflowRunProperties?.[TOKEN] === token)
          ?.WorkflowRunId,
      busy: async () => this.busy((await this.newestWorkflowRun())?.id),
    });
  }

  /** The newest run of the workflow, if there is one. */
  async newestWorkflowRun(): Promise<WorkflowRun | undefined> {
    const runs = await this.workflowRuns();
    const [newest] = runs.toSorted((a, b) => Number(b.StartedOn ?? 0) - Number(a.StartedOn ?? 0));
    return newest?.WorkflowRunId === undefined ? undefined : this.workflowRun(newest.WorkflowRunId);
  }

  async workflowRun(id: string): Promise<WorkflowRun> {
    const { workflow } = this.stack.outputs;
    const command = new GetWorkflowRunCommand({ Name: workflow, RunId: id, IncludeGraph: true });
    const { Run } = await this.ask('glue:GetWorkflowRun', `workflow ${workflow}`, () =>
      this.client.send(command),
    );
    return this.workflowRunOf(id, Run ?? {});
  }

  private workflowRunOf(id: string, run: GlueWorkflowRun): WorkflowRun {
    const names = new Map(Object.entries(this.stack.outputs.jobs).map(([job, name]) => [name, job]));
    return {
      id,
      state: run.Status ?? 'RUNNING',
      ...(run.StartedOn && { startedOn: run.StartedOn }),
      ...(run.CompletedOn && { completedOn: run.CompletedOn }),
      ...(run.ErrorMessage !== undefined && { error: run.ErrorMessage }),
      jobs: (run.Graph?.Nodes ?? []).flatMap(({ Name = '', JobDetails }) => {
        const newest = JobDetails?.JobRuns?.toSorted(
          (a, b) => Number(a.StartedOn ?? 0) - Number(b.StartedOn ?? 0),
        ).at(-1);
        return newest ? [jobRunOf(names.get(Name) ?? Name, newest)] : [];
      }),
    };
  }

  /** All runs of the workflow that Glue keeps. */
  async workflowRuns(): Promise<GlueWorkflowRun[]> {
    const { workflow } = this.stack.outputs;
    return this.ask('glue:GetWorkflowRuns', `workflow ${workflow}`, async () => {
      const runs: GlueWorkflowRun[] = [];
      const pages = paginateGetWorkflowRuns({ client: this.client, pageSize: 1000 }, { Name: workflow });
      for await (const { Runs = [] } of pages) runs.push(...Runs);
      return runs;
    });
  }

  /**
   * Starts one job, by those of these parameters that it has in place of those that the stack runs it by. Returns the run's id. Throws a
   * LakeError where it runs already, where a person is being forgotten, or where nobody can tell whether it was started.
   */
  async startJob(job: Job, parameters: Readonly<Record<string, string>>, full = false): Promise<string> {
    const name = this.nameOf(job.name);
    const text = await this.parametersText(job, parameters);
    // One may have begun since the look before, as nothing runs between two jobs.
    await this.failOnForgetting(`${job.name} was not started`);
    const args = {
      [`--${TOKEN}`]: randomUUID(),
      ...(text !== undefined && { '--parameters': text }),
      ...(full && { '--full': 'true' }),
    };
    const busy = `${job.name} is running already; npx lake status --stack ${this.stack.name} tells how far it is`;
    // A second run would wait in Glue's queue for the first one's end.
    return this.startRun(name, args, `--${TOKEN}`, { guarded: false, busy });
  }

  /** Starts the job that forgets the person whom a request names. Returns the run's id. Throws a LakeError where it runs. */
  startForgetting(job: string, request: string): Promise<string> {
    const busy = `job ${job} forgets somebody else at the moment; call this again when it has ended. Nobody was forgotten`;
    return this.startRun(job, { '--request': request }, '--request', { guarded: true, busy });
  }

  /** Starts a run of a job, by its name on Glue. By the argument `mark` it is known from all others. */
  private startRun(
    name: string,
    args: Readonly<Record<string, string>>,
    mark: string,
    { guarded, busy }: { readonly guarded: boolean; readonly busy: string },
  ): Promise<string> {
    const command = new StartJobRunCommand({ JobName: name, Arguments: args });
    return this.start({
      action: 'glue:StartJobRun',
      resource: `job ${name}`,
      guarded,
      send: async () => (await this.once.send(command)).JobRunId,
      find: async () =>
        (await this.jobRuns(name)).find(({ Arguments }) => Arguments?.[mark] === args[mark])?.Id,
      busy: async () => new LakeError(busy),
    });
  }

  /** Throws a LakeError where the workflow, one of some jobs of the definition or the forgetting of a person runs. */
  async failOnRunning(jobs: readonly string[]): Promise<void> {
    const workflow = await this.newestWorkflowRun();
    if (workflow && goesOn(workflow)) throw this.busy(workflow.id);
    const running: string[] = [];
    for (const name of jobs) running.push(...(await this.runningOf(name)).map((id) => `${name} (${id})`));
    if (running.length > 0) {
      throw new LakeError(
        `running already: ${running.join(', ')}; npx lake status --stack ${this.stack.name} tells how far. Nothing was started`,
      );
    }
    await this.failOnForgetting('Nothing was started');
  }

  /** A run that read a person's lines before they are in the list of the forgotten would bring their rows back. */
  private async failOnForgetting(said: string): Promise<void> {
    const { forget } = this.stack.outputs;
    if (forget === undefined) return;
    const running = await this.runningOf(FORGET_JOB);
    if (running.length === 0) return;
    throw new LakeError(`a forget goes on: job ${forget} (${running.join(', ')}); wait for its end. ${said}`);
  }

  /** Ids of the runs of a job that go on or wait. */
  private async runningOf(job: string): Promise<string[]> {
    const runs = (await this.jobRuns(this.nameOf(job))).map((run) => jobRunOf(job, run));
    return runs.flatMap((run) => (isOver(run) ? [] : [run.id]));
  }

  async jobRun(job: string, id: string): Promise<JobRun> {
    const name = this.nameOf(job);
    const { JobRun: run } = await this.ask('glue:GetJobRun', `job ${name}`, () =>
      this.client.send(new GetJobRunCommand({ JobName: name, RunId: id })),
    );
    return jobRunOf(job, { Id: id, ...run });
  }

  /** The newest run that should have forgotten somebody and did not; none where one since then has ended well. */
  async unfinishedForget(): Promise<JobRun | undefined> {
    const { forget } = this.stack.outputs;
    if (forget === undefined) return undefined;
    const runs = (await this.jobRuns(forget))
      .filter(({ Arguments }) => !Arguments?.['--request']?.includes(DRY_RUNS))
      .map((run) => jobRunOf(FORGET_JOB, run));
    const newest = runs.find(isOver);
    return newest?.state === 'SUCCEEDED' ? undefined : newest;
  }

  /** The newest run of a job, of the workflow or alone. */
  async newestJobRun(job: string): Promise<JobRun | undefined> {
    const [newest] = await this.jobRuns(this.nameOf(job));
    return newest && jobRunOf(job, newest);
  }

  /** The newest runs of a job by its name on Glue, newest first. */
  async jobRuns(name: string): Promise<GlueJobRun[]> {
    const command = new GetJobRunsCommand({ JobName: name, MaxResults: NEWEST });
    const { JobRuns = [] } = await this.ask('glue:GetJobRuns', `job ${name}`, () =>
      this.client.send(command),
    );
    return JobRuns.toSorted((a, b) => Number(b.StartedOn ?? 0) - Number(a.StartedOn ?? 0));
  }

  /** An argument replaces the job's own whole: what nobody asked for stays as the stack has it. */
  private async parametersText(job: Job, given: Readonly<Record<string, string>>) {
    const own = job.parameters.filter(({ name }) => given[name] !== undefined);
    if (own.length === 0) return undefined;
    const values = new Map<string, string>();
    if (own.length < job.parameters.length) {
      const { DefaultArguments = {} } = await this.deployed(job.name);
      for (const pair of Object.entries(valuesIn(DefaultArguments['--parameters']))) values.set(...pair);
    }
    for (const { name } of own) values.set(name, given[name] as string);
    return [...values].map((pair) => pair.join('=')).join(',');
  }

  /** A job as Glue has it. */
  async deployed(job: string): Promise<GlueJob> {
    const name = this.nameOf(job);
    const { Job: deployed = {} } = await this.ask('glue:GetJob', `job ${name}`, () =>
      this.client.send(new GetJobCommand({ JobName: name })),
    );
    return deployed;
  }

  private async start(start: Start): Promise<string> {
    const id = await this.startOnce(start);
    this.started.push(id);
    return id;
  }

  /** Starts a run once, whatever becomes of the answers. */
  private async startOnce({ action, resource, send, find, guarded, busy }: Start): Promise<string> {
    let lost = false;
    for (let attempt = 1; ; attempt++) {
      let reason: unknown;
      try {
        const id = await send();
        if (id !== undefined) return id;
        reason = new Error('no id');
      } catch (error) {
        reason = error;
      }
      const isBusy = (reason as Error).name === 'ConcurrentRunsExceededException';
      const isUnclear = isLost(reason);
      lost ||= isUnclear;
      if (isUnclear || (isBusy && lost)) {
        const found = await lookFor(find, this.pause);
        if (found !== undefined) return found;
      }
      if (isBusy) throw await busy();
      const last = attempt === ATTEMPTS;
      if (isUnclear && (last || !guarded)) throw this.unknown(resource, reason);
      if (last || !(isUnclear || isThrottled(reason))) {
        const { region, profile } = this.stack.client;
        throw toldError(reason, { action, resource, region, profile, attempts: attempt });
      }
      await this.pause(backOff(attempt));
    }
  }

  private unknown(resource: string, reason: unknown): LakeError {
    const { code, name } = reason as NodeJS.ErrnoException;
    return new LakeError(
      `nobody can tell whether ${resource} was started: AWS's answer was lost (${code ?? name}), and no run of it shows; see npx lake status --stack ${this.stack.name}, and start it again if there is none`,
      { cause: reason },
    );
  }

  private busy(id: string | undefined): LakeError {
    return new LakeError(
      `a run of the workflow is going on${id === undefined ? '' : ` (${id})`}; npx lake status --stack ${this.stack.name} tells how far it is. Nothing was started`,
    );
  }

  private nameOf(job: string): string {
    const name = glueNameOf(this.stack.outputs, job);
    if (name === undefined) {
      throw new LakeError(
        `the stack ${this.stack.name} has no job ${job}; deploy it: pulumi up --stack ${this.stack.name}`,
      );
    }
    return name;
  }

  private ask<T>(action: string, resource: string, call: () => Promise<T>): Promise<T> {
    return ask(this.stack, action, resource, call);
  }
}

const jobRunOf = (job: string, run: GlueJobRun): JobRun => ({
  job,
  id: run.Id ?? '',
  state: run.JobRunState ?? 'STARTING',
  ...(run.StartedOn && { startedOn: run.StartedOn }),
  seconds: run.ExecutionTime ?? 0,
  ...(run.ErrorMessage && { error: run.ErrorMessage }),
});

/** As a job is told its parameters: `consent=granted,pairing=customer`. */
export const valuesIn = (text = ''): Record<string, string> =>
  Object.fromEntries(
    text.split(',').flatMap((pair) => {
      const [name = '', value] = pair.split('=');
      return value === undefined ? [] : [[name.trim(), value]];
    }),
  );
