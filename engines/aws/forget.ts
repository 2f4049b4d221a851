import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { z } from 'zod';
import { FORGET_JOB, type Place, placeOf, RECEIPTS_PREFIX, s3Uri } from '../../model/places';
import { literalPattern } from '../../model/sql';
import { Interrupted, LakeError, type Receipt } from '../engine';
import { newRunId } from '../run-id';
import { ask, backOff, type Pause, pause as realPause } from './ask';
import { DRY_RUNS, GlueRuns, isOver, type JobRun, unfinishedText } from './glue-runs';
import { failureLog } from './job-logs';
import { s3Client } from './s3-client';
import type { Stack } from './stack';
import { parsed, Summaries, textOf } from './summaries';

/** Whom a stack is asked to forget. */
export interface ForgetRequest {
  /** The e-mail address. It reaches no output, no log and no argument of a job. */
  readonly subject: string;
  /** Finds and counts, and changes nothing. */
  readonly dryRun: boolean;
}

const count = z.int().min(0);
const receiptSchema = z.object({
  id: z.string(),
  at: z.string(),
  codeVersion: z.string(),
  subject: z.string(),
  dryRun: z.boolean(),
  listedSince: z.exactOptional(z.string()),
  places: z.array(
    z.object({
      table: z.string(),
      kind: z.enum(['rows', 'quarantine', 'files']),
      engine: z.enum(['duckdb', 'spark', 'glue']),
      removed: count,
    }),
  ),
  remade: z.array(z.object({ table: z.string(), engine: z.literal('glue'), rows: count })),
  seconds: z.number(),
  sharedDevices: count,
  oldVersions: count,
  unread: z.array(z.string()),
  warnings: z.array(z.string()),
});

/**
 * Has a stack's job forget a person, waits for its end and returns the receipt. To call it again completes what was
 * cut off.
 *
 * Throws a LakeError where the stack has no such job, anything else of it runs, or the job fails; an
 * {@link Interrupted} at Ctrl-C, which stops a job that was started no more.
 */
export async function forgetOnStack(
  stack: Stack,
  request: ForgetRequest,
  tell: (text: string) => void,
  pause: Pause = realPause,
): Promise<Receipt> {
  const forgetting = new Forgetting(stack, request, tell, pause);
  const interrupt = () => forgetting.interrupt();
  process.on('SIGINT', interrupt);
  try {
    return await forgetting.run();
  } finally {
    process.removeListener('SIGINT', interrupt);
  }
}

class Forgetting {
  private readonly s3: S3Client;
  private readonly runs: GlueRuns;
  private readonly job: string;
  private readonly request: Place;
  private readonly receipt: Place;
  private readonly id = newRunId();
  private readonly interrupted: Promise<void>;
  private isInterrupted = false;
  interrupt = () => {};

  constructor(
    private readonly stack: Stack,
    private readonly asked: ForgetRequest,
    private readonly tell: (text: string) => void,
    private readonly pause: Pause,
  ) {
    const { forget, forgetRequests, buckets } = stack.outputs;
    if (forget === undefined || forgetRequests === undefined) {
      throw new LakeError(
        `the stack ${stack.name} has no job that forgets a person; where tables of the definition say whose their rows are, deploy it: pulumi up --stack ${stack.name}`,
      );
    }
    this.s3 = s3Client(stack.client);
    this.runs = new GlueRuns(stack, pause);
    this.job = forget;
    const { bucket, prefix } = placeOf(forgetRequests);
    this.request = { bucket, prefix: `${prefix}${asked.dryRun ? DRY_RUNS : ''}${this.id}.json` };
    this.receipt = { bucket: buckets.artifacts, prefix: `${RECEIPTS_PREFIX}${this.id}.json` };
    this.interrupted = new Promise((done) => {
      this.interrupt = () => {
        this.isInterrupted = true;
        done();
      };
    });
  }

  async run(): Promise<Receipt> {
    await this.failOnRunning();
    const unfinished = await this.runs.unfinishedForget();
    if (unfinished) this.tell(unfinishedText(unfinished));
    const since = new Date();
    const run = await this.started();
    this.tell(`${this.job} (${run}) forgets; it takes minutes`);
    const ended = await this.ended(run);
    // The job deletes it when it has read it; one that was stopped before that has not.
    await this.withdraw().catch((error: Error) => this.tell(error.message));
    if (ended.state !== 'SUCCEEDED') throw await this.failed(ended);
    const receipt = await this.read();
    if (this.asked.dryRun) return this.withSeconds(receipt);
    const again = await this.whyAgain(since);
    return { ...receipt, ...(again !== undefined && { again }) };
  }

  /** How long it would take: as long as the jobs took last, and not as long as it took to look. */
  private async withSeconds(receipt: Receipt): Promise<Receipt> {
    try {
      const summaries = new Summaries(this.stack);
      let seconds = 0;
      for (const job of Object.keys(this.stack.outputs.jobs))
        seconds += (await summaries.newestPublished(job))?.seconds ?? 0;
      return { ...receipt, seconds };
    } catch (error) {
      const warning = `how long it would take is not known: ${(error as Error).message}`;
      return { ...receipt, warnings: [...receipt.warnings, warning] };
    }
  }

  /** A run that read landing before would write the person's rows after. */
  private async failOnRunning(): Promise<void> {
    const running = await this.runsSince();
    if (running.length === 0) return;
    throw new LakeError(
      `nobody was forgotten, as a run that goes on could bring rows back: ${running.join(', ')}; wait for its end and call this again`,
    );
  }

  /**
   * A run may have begun between the look before and the moment from which runs leave the person out, which the
   * receipt does not tell: so any is named, those too that the rewriting of landing files started.
   */
  private async whyAgain(since: Date): Promise<string | undefined> {
    try {
      const ran = await this.runsSince(since);
      if (ran.length === 0) return undefined;
      return `meanwhile ran: ${ran.join(', ')}; what began before the person was entered in the list of the forgotten may have brought rows back. Call this again when it has ended: what is back is removed then`;
    } catch (error) {
      return `nobody can tell whether something ran meanwhile that brought rows back: ${(error as Error).message}\nCall this again: what is back is removed then`;
    }
  }

  /** The runs that go on, of the workflow and of jobs, and those that ended after an instant. */
  private async runsSince(since?: Date): Promise<string[]> {
    const { workflow, jobs } = this.stack.outputs;
    const ranOn = (state: string | undefined, completed: Date | undefined) =>
      !isOver({ state: state ?? '' }) ||
      (since !== undefined && completed !== undefined && completed > since);
    const running: string[] = [];
    for (const { WorkflowRunId, Status, CompletedOn } of await this.runs.workflowRuns())
      if (ranOn(Status, CompletedOn)) running.push(`workflow ${workflow} (${WorkflowRunId})`);
    for (const job of [...Object.values(jobs), ...(since === undefined ? [this.job] : [])]) {
      for (const { Id, JobRunState, CompletedOn } of await this.runs.jobRuns(job))
        if (ranOn(JobRunState, CompletedOn)) running.push(`job ${job} (${Id})`);
    }
    return running;
  }

  /** Puts the request and starts the job. Returns the run's id. What starts no run leaves no request. */
  private async started(): Promise<string> {
    try {
      this.failIfInterrupted();
      await this.put();
      this.failIfInterrupted();
      return await this.runs.startForgetting(this.job, s3Uri(this.request));
    } catch (error) {
      try {
        await this.withdraw();
      } catch (left) {
        throw new LakeError(`${(error as Error).message}\n${(left as Error).message}`, { cause: error });
      }
      throw error;
    }
  }

  private failIfInterrupted() {
    if (this.isInterrupted) throw new Interrupted('interrupted; nobody was forgotten, nothing was started');
  }

  private async put(): Promise<void> {
    const { bucket, prefix } = this.request;
    const command = new PutObjectCommand({
      Bucket: bucket,
      Key: prefix,
      ContentType: 'application/json',
      Body: JSON.stringify({ ...this.asked, id: this.id }),
    });
    await this.ask('s3:PutObject', s3Uri(this.request), () => this.s3.send(command));
  }

  private async ended(id: string): Promise<JobRun> {
    let state: string | undefined;
    let unchanged = 0;
    for (;;) {
      if (this.isInterrupted) throw new Interrupted(`interrupted; ${this.goesOn(id)}`);
      let run: JobRun;
      try {
        run = await this.runs.jobRun(FORGET_JOB, id);
      } catch (error) {
        throw new LakeError(`${(error as Error).message}\n${this.goesOn(id)}`, { cause: error });
      }
      if (isOver(run)) return run;
      unchanged = run.state === state ? unchanged + 1 : 1;
      if (run.state !== state) {
        state = run.state;
        this.tell(`${this.job}: ${state.toLowerCase()}`);
      }
      await Promise.race([this.pause(backOff(unchanged)), this.interrupted]);
    }
  }

  private goesOn(run: string): string {
    return `${this.job} (${run}) goes on all the same, and leaves its receipt when it is done: aws s3 cp ${s3Uri(this.receipt)} -`;
  }

  private async failed({ id, state, error }: JobRun): Promise<LakeError> {
    const what = state === 'FAILED' ? 'failed' : `ended as ${state}`;
    const told = [
      `${this.job} (${id}) ${what}${error === undefined ? '' : `: ${error}`}`,
      ...(await failureLog(this.stack, FORGET_JOB, id, `--stack ${this.stack.name}`)),
      'Call this again: what was begun is completed.',
    ].join('\n');
    // Whoever wrote the message or the log may not have known what it quotes.
    return new LakeError(told.replaceAll(new RegExp(literalPattern(this.asked.subject), 'gi'), '***'));
  }

  private async read(): Promise<Receipt> {
    const { bucket, prefix } = this.receipt;
    const uri = s3Uri(this.receipt);
    const command = new GetObjectCommand({ Bucket: bucket, Key: prefix });
    const text = await this.ask('s3:GetObject', uri, () =>
      textOf(this.s3, command).catch((error: Error) => {
        if (error.name === 'NoSuchKey') return undefined;
        throw error;
      }),
    );
    const found = receiptSchema.safeParse(parsed(text ?? ''));
    if (found.success) return found.data;
    throw new LakeError(
      text === undefined
        ? `${this.job} succeeded and left no receipt at ${uri}; call this again, and it tells what is left`
        : `${uri} is no receipt of this version; deploy again: pulumi up --stack ${this.stack.name}`,
    );
  }

  /** Deletes the request with all of its versions. One that is gone is as good. */
  private async withdraw(): Promise<void> {
    const { bucket, prefix } = this.request;
    const uri = s3Uri(this.request);
    try {
      // No other key begins so, and this one has a version for each time that it was put: one page is all.
      const command = new ListObjectVersionsCommand({ Bucket: bucket, Prefix: prefix });
      const { Versions = [], DeleteMarkers = [] } = await this.ask('s3:ListBucketVersions', uri, () =>
        this.s3.send(command),
      );
      for (const { VersionId } of [...Versions, ...DeleteMarkers]) {
        const one = new DeleteObjectCommand({ Bucket: bucket, Key: prefix, VersionId });
        await this.ask('s3:DeleteObjectVersion', uri, () => this.s3.send(one));
      }
    } catch (error) {
      throw new LakeError(
        `the request ${uri}, which names the person, may be left (${(error as Error).message}); delete it with all of its versions, or it goes in about two days`,
        { cause: error },
      );
    }
  }

  private ask<T>(action: string, resource: string, call: () => Promise<T>): Promise<T> {
    return ask(this.stack, action, resource, call);
  }
}
