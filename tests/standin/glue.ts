import { randomBytes } from 'node:crypto';
import { triggersOf } from '../../components/triggers';
import type { StackOutputs } from '../../engines/aws/outputs';
import type { TableSummary } from '../../engines/engine';
import type { Found } from '../../engines/findings';
import { newRunId } from '../../engines/run-id';
import type { Job, Pipeline } from '../../model';
import { FORGET_JOB } from '../../model/places';
import { type AwsRequest, type AwsResponse, json, jsonError } from '../support/aws-server';
import { type EndState, type TriggerInputs, WorkflowRun } from '../support/glue-triggers';
import { S3StandIn } from './s3';

/** What its operations are asked, of all of them together. */
interface Input {
  readonly Name?: string;
  readonly RunId?: string;
  readonly IncludeGraph?: boolean;
  readonly RunProperties?: Readonly<Record<string, string>>;
  readonly JobName?: string;
  readonly Arguments?: Readonly<Record<string, string>>;
  readonly DatabaseName?: string;
  readonly NextToken?: string;
  readonly logGroupName?: string;
  readonly logStreamName?: string;
  readonly limit?: number;
  readonly startFromHead?: boolean;
  readonly nextToken?: string;
}

interface RunOfJob {
  readonly id: string;
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
  began: number;
  readonly ends: number;
  state: string;
}

interface RunOfWorkflow {
  readonly id: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly began: number;
  ended?: number;
  readonly jobs: RunOfJob[];
  readonly run: WorkflowRun;
}

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

const SECOND = 1000;
const STARTING_MS = 20 * SECOND;

/**
 * Glue's workflow and jobs of a stack, their logs and the buckets, on a clock of its own: it moves by
 * `advance`, and by `perRequest` at each request. Jobs follow each other by the rules of the triggers, and each leaves
 * a summary and some lines of log as it ends.
 */
export class GlueStandIn {
  /** Milliseconds since 1970. */
  now = Date.UTC(2026, 0, 1);
  perRequest = 0;
  jobSeconds = 60;
  /** Jobs that end otherwise than well. */
  readonly ends = new Map<string, EndState>();
  /** What runs of every job leave of what their checks found. */
  findings: readonly Found[] = [];
  /** What runs of jobs make of tables, by name; else some figures. */
  made: ReadonlyMap<string, TableSummary> = new Map();
  /** How often runs are listed before a new one shows. */
  lag = 0;
  readonly workflowRuns: RunOfWorkflow[] = [];
  readonly jobRuns: RunOfJob[] = [];
  /** By `group stream`. */
  readonly logs = new Map<string, LogEvent[]>();
  /** What jobs run by where they are not told otherwise. */
  parameters = 'unit=kg,mode=plain';
  /** What else there is of a job, by its name on Glue. */
  deployed = (_: string | undefined): object => ({});
  /** What the catalog has. */
  tables: readonly object[] = [];
  /** Entries of a page of a list. */
  pageSize = 2;
  private readonly hidden = new Map<string, number>();

  constructor(
    private readonly pipeline: Pipeline,
    private readonly outputs: StackOutputs,
    readonly s3 = new S3StandIn(Object.values(outputs.buckets), { pageSize: 2 }),
  ) {}

  /** Moves the clock, and all that ends and begins meanwhile. */
  readonly advance = async (milliseconds: number): Promise<void> => {
    const until = this.now + milliseconds;
    for (;;) {
      const [next] = this.jobRuns
        .filter(({ state, ends }) => state === 'RUNNING' && ends <= until)
        .toSorted((a, b) => a.ends - b.ends);
      if (!next) break;
      this.now = next.ends;
      this.end(next);
    }
    this.now = until;
  };

  readonly handle = async (request: AwsRequest): Promise<AwsResponse> => {
    await this.advance(this.perRequest);
    if (request.operation === '') return this.s3.handle(request);
    const input = JSON.parse(request.body.toString()) as Input;
    const answer = this.operations[request.operation];
    if (!answer) throw new Error(`no operation ${request.operation}`);
    return answer(input);
  };

  /** A run that a schedule starts. Returns its id. */
  startedByOthers = () => this.startWorkflow({});
  /** A run of a job alone, that somebody else started. */
  jobRunStarted = (job: string) => this.startRun(this.outputs.jobs[job] ?? '', {});
  /** A run of the job that forgets a person. Returns its id. */
  forgetStarted = () => this.startRun(this.outputs.forget ?? '', {}).id;

  private startWorkflow(properties: Readonly<Record<string, string>>): string {
    const run: RunOfWorkflow = {
      id: `wr_${randomBytes(8).toString('hex')}`,
      properties,
      began: this.now,
      jobs: [],
      run: new WorkflowRun(this.triggers()),
    };
    this.workflowRuns.push(run);
    this.hidden.set(run.id, this.lag);
    this.startDue(run);
    return run.id;
  }

  private readonly operations: Readonly<Record<string, (input: Input) => AwsResponse>> = {
    StartWorkflowRun: ({ Name, RunProperties }) => {
      if (Name !== this.outputs.workflow) return jsonError('EntityNotFoundException', 'no workflow');
      // The program's workflow has maxConcurrentRuns 1.
      if (this.workflowRuns.some((run) => run.ended === undefined)) {
        return jsonError('ConcurrentRunsExceededException', 'Concurrent runs exceeded');
      }
      return json({ RunId: this.startWorkflow(RunProperties ?? {}) });
    },
    GetWorkflowRuns: ({ NextToken }) => {
      const visible = this.visible(this.workflowRuns).map((run) => this.shown(run, false));
      return json(this.page('Runs', visible, NextToken));
    },
    GetWorkflowRun: ({ RunId, IncludeGraph }) => {
      const run = this.workflowRuns.find(({ id }) => id === RunId);
      if (!run) return jsonError('EntityNotFoundException', 'no run');
      return json({ Run: this.shown(run, IncludeGraph ?? false) });
    },
    StartJobRun: ({ JobName = '', Arguments }) => {
      if (!Object.values(this.outputs.jobs).includes(JobName)) {
        return jsonError('EntityNotFoundException', 'no job');
      }
      return json({ JobRunId: this.startRun(JobName, Arguments ?? {}).id });
    },
    GetJobRun: ({ JobName, RunId }) => {
      const run = this.jobRuns.find(({ id, name }) => id === RunId && name === JobName);
      if (!run) return jsonError('EntityNotFoundException', 'no run');
      return json({ JobRun: this.shownJob(run) });
    },
    GetJobRuns: ({ JobName }) =>
      json({
        JobRuns: this.visible(this.jobRuns.filter(({ name }) => name === JobName))
          .map((run) => this.shownJob(run))
          .toReversed(),
      }),
    GetJob: ({ JobName }) =>
      json({
        Job: {
          Name: JobName,
          DefaultArguments: { '--parameters': this.parameters },
          ...this.deployed(JobName),
        },
      }),
    GetTables: ({ DatabaseName, NextToken }) => {
      if (DatabaseName !== this.outputs.database) return jsonError('EntityNotFoundException', 'no database');
      return json(this.page('TableList', this.tables, NextToken));
    },
    GetLogEvents: ({ logGroupName, logStreamName, limit, startFromHead, nextToken }) =>
      this.events(`${logGroupName} ${logStreamName}`, limit, startFromHead, nextToken),
  };

  /** Pages by the places of the events; a token that leads nowhere is given back, as CloudWatch does. */
  private events(key: string, limit = 10_000, fromHead = false, token?: string): AwsResponse {
    const all = this.logs.get(key);
    if (!all) return jsonError('ResourceNotFoundException', 'The specified log stream does not exist.');
    const [, way, at] = /^(f|b)\/(\d+)$/.exec(token ?? '') ?? [];
    const size = Math.min(limit, this.pageSize * 10);
    let [begin, end] = fromHead ? [0, size] : [Math.max(0, all.length - size), all.length];
    if (way === 'f') [begin, end] = [Number(at), Number(at) + size];
    if (way === 'b') [begin, end] = [Math.max(0, Number(at) - size), Number(at)];
    const events = all.slice(begin, end);
    return json({
      events: events.map((event) => ({ ...event, ingestionTime: event.timestamp })),
      nextBackwardToken: `b/${begin}`,
      nextForwardToken: `f/${begin + events.length}`,
    });
  }

  private page(field: string, all: readonly object[], token: string | undefined): object {
    const from = token === undefined ? 0 : Number(token);
    const next = from + this.pageSize;
    return { [field]: all.slice(from, next), ...(next < all.length && { NextToken: String(next) }) };
  }

  private visible<T extends { readonly id: string }>(runs: readonly T[]): T[] {
    return runs.filter(({ id }) => {
      const left = this.hidden.get(id) ?? 0;
      this.hidden.set(id, left - 1);
      return left <= 0;
    });
  }

  private jobOf = (name: string): Job => {
    const job = this.pipeline.jobs.find((each) => this.outputs.jobs[each.name] === name);
    if (!job) throw new Error(`no job ${name}`);
    return job;
  };

  private triggers(): TriggerInputs[] {
    const nameOf = (job: string) => this.outputs.jobs[job] ?? '';
    return triggersOf(this.pipeline.jobs, 'demand').map((trigger) => ({
      name: trigger.name,
      type: trigger.kind === 'after' ? 'CONDITIONAL' : 'ON_DEMAND',
      actions: trigger.starts.map((job) => ({ jobName: nameOf(job) })),
      ...(trigger.kind === 'after' && {
        predicate: {
          logical: 'AND',
          conditions: trigger.after.map((job) => ({ jobName: nameOf(job), state: 'SUCCEEDED' })),
        },
      }),
    }));
  }

  private startDue(run: RunOfWorkflow): void {
    for (const name of run.run.runs) {
      if (!run.jobs.some((job) => job.name === name)) run.jobs.push(this.startRun(name, {}));
    }
    if (run.run.runs.length === 0) run.ended = this.now;
  }

  private startRun(name: string, args: Readonly<Record<string, string>>): RunOfJob {
    const run: RunOfJob = {
      id: `jr_${randomBytes(8).toString('hex')}`,
      name,
      args,
      began: this.now,
      ends: this.now + this.jobSeconds * SECOND,
      state: 'RUNNING',
    };
    this.jobRuns.push(run);
    this.hidden.set(run.id, this.lag);
    return run;
  }

  private end(run: RunOfJob): void {
    if (run.name === this.outputs.forget) {
      run.state = this.ends.get(FORGET_JOB) ?? 'SUCCEEDED';
      this.log(FORGET_JOB, run, 'error', 'INFO forgot');
      return;
    }
    const job = this.jobOf(run.name);
    const state = this.ends.get(job.name) ?? 'SUCCEEDED';
    run.state = state;
    this.leave(job, run, state === 'SUCCEEDED');
    const workflow = this.workflowRuns.find(({ jobs }) => jobs.includes(run));
    if (!workflow) return;
    workflow.run.end(run.name, state);
    this.startDue(workflow);
  }

  /** What a run says, to one of its two groups. */
  log(job: string, { id }: { readonly id: string }, group: 'error' | 'output', message: string): void {
    const key = `/aws-glue/${this.outputs.name}/${job}/${group} ${id}`;
    this.logs.set(key, [...(this.logs.get(key) ?? []), { timestamp: this.now, message }]);
  }

  /** What the runner leaves of a run. One that was stopped leaves nothing but what it had logged. */
  private leave(job: Job, run: RunOfJob, good: boolean): void {
    for (let i = 1; i <= 30; i++) this.log(job.name, run, 'error', `INFO ${job.name} line ${i}`);
    this.log(job.name, run, 'output', good ? 'published\n' : 'was not\u001b[31m published\nsecond line\n');
    if (!good && this.ends.get(job.name) !== 'FAILED') return;
    const runId = newRunId(new Date(this.now - STARTING_MS));
    const tables = [...job.inputs.filter(({ format }) => format !== 'iceberg'), job.output];
    const summary = {
      runId,
      job: job.name,
      outcome: good ? 'published' : 'failed',
      codeVersion: '1.0.0',
      parameters: Object.fromEntries(job.parameters.map((p) => [p.name, p.default])),
      seconds: 12.5,
      tables: tables.map(
        ({ name }): TableSummary =>
          this.made.get(name) ?? {
            table: name,
            job: name === job.name ? name : null,
            read: 10,
            quarantined: name === job.name ? 0 : 1,
            filtered: 0,
            written: 9,
            reasons: {},
            expectations: [],
            seconds: 1.5,
          },
      ),
      findings: this.findings.filter((found) => tables.some(({ name }) => name === found.table)),
      jobRunId: run.id,
    };
    const key = `runs/${job.name}/${runId}.json`;
    this.s3.put(this.outputs.buckets.artifacts, key, `${JSON.stringify(summary)}\n`);
  }

  private shownJob(run: RunOfJob): object {
    const over = run.state !== 'RUNNING';
    const starting = !over && this.now < run.began + STARTING_MS;
    return {
      Id: run.id,
      JobName: run.name,
      JobRunState: starting ? 'STARTING' : run.state,
      StartedOn: run.began / SECOND,
      Arguments: run.args,
      ...(over && { CompletedOn: run.ends / SECOND, ExecutionTime: (run.ends - run.began) / SECOND }),
      ...(over &&
        run.state !== 'SUCCEEDED' && { ErrorMessage: `SystemExit: ${run.name} was not published.` }),
    };
  }

  /** The workflow's own status says nothing of how its jobs ended. */
  private shown(run: RunOfWorkflow, graph: boolean): object {
    return {
      Name: this.outputs.workflow,
      WorkflowRunId: run.id,
      WorkflowRunProperties: run.properties,
      StartedOn: run.began / SECOND,
      Status: run.ended === undefined ? 'RUNNING' : 'COMPLETED',
      ...(run.ended !== undefined && { CompletedOn: run.ended / SECOND }),
      ...(graph && {
        Graph: {
          Nodes: [
            { Type: 'TRIGGER', Name: 'start', TriggerDetails: {} },
            ...Object.values(this.outputs.jobs).map((name) => ({
              Type: 'JOB',
              Name: name,
              JobDetails: {
                JobRuns: run.jobs.filter((job) => job.name === name).map((job) => this.shownJob(job)),
              },
            })),
          ],
        },
      }),
    };
  }
}
