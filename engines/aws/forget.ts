import { once } from 'node:events';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { FORGET_JOB, type Place, placeOf, RECEIPTS_PREFIX, s3Uri } from '../../model/places';
import { literalPattern } from '../../model/sql';
import { type ForgetRequest, Interrupted, LakeError, type Receipt } from '../engine';
import { newRunId } from '../run-id';
import { ask, backOff, type Pause, pause as realPause } from './ask';
import { DRY_RUNS, GlueRuns, isOver, type JobRun, unfinishedText } from './glue-runs';
import { failureLog } from './job-logs';
import { s3Client } from './s3-client';
import type { Stack } from './stack';
import { parsed, Summaries, textOf } from './summaries';

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
  const stopping = new AbortController();
  const interrupt = () => stopping.abort();
  process.on('SIGINT', interrupt);
  try {
    return await new Forgetting(stack, request, tell, pause, stopping.signal).run();
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

  constructor(
    private readonly stack: Stack,
    private readonly asked: ForgetRequest,
    private readonly tell: (text: string) => void,
    private readonly pause: Pause,
    private readonly stopping: AbortSignal,
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
  }

  async run(): Promise<Receipt> {
    // One that read landing before would write the person's rows after.
    const running = await this.runsSince();
    if (running.length > 0) {
      throw new LakeError(
        `nobody was forgotten, as a run that goes on could bring rows back: ${running.join(', ')}; wait for its end and call this again`,
      );
    }
    const unfinished = await this.runs.unfinishedForget();
    if (unfinished) this.tell(unfinishedText(unfinished));
    const since = new Date();
    const run = await this.started();
    this.tell(`${this.job} (${run}) forgets; it takes minutes`);
    const ended = await this.ended(run);
    // The job deletes it when it has read it; one that was stopped before that has not.
    for (const left of await this.withdraw()) this.tell(left);
    if (ended.state !== 'SUCCEEDED') throw await this.failed(ended);
    const receipt = await this.read();
    return { ...receipt, ...(await (this.asked.dryRun ? this.secondsOf(receipt) : this.whyAgain(since))) };
  }

  /** How long it would take: as long as the jobs took last, and not as long as it took to look. */
  private async secondsOf({ warnings }: Receipt): Promise<Partial<Receipt>> {
    try {
      const summaries = new Summaries(this.stack);
      let seconds = 0;
      for (const job of Object.keys(this.stack.outputs.jobs))
        seconds += (await summaries.newestPublished(job))?.seconds ?? 0;
      return { seconds };
    } catch (error) {
      const warning = `how long it would take is not known: ${(error as Error).message}`;
      return { warnings: [...warnings, warning] };
    }
  }

  /**
   * A run may have begun between the look before and the moment from which runs leave the person out, which the
   * receipt does not tell: so any is named, those too that the rewriting of landing files started.
   */
  private async whyAgain(since: Date): Promise<Partial<Receipt>> {
    try {
      const ran = await this.runsSince(since);
      if (ran.length === 0) return {};
      return {
        again: `meanwhile ran: ${ran.join(', ')}; what began before the person was entered in the list of the forgotten may have brought rows back. Call this again when it has ended: what is back is removed then`,
      };
    } catch (error) {
      return {
        again: `nobody can tell whether something ran meanwhile that brought rows back: ${(error as Error).message}\nCall this again: what is back is removed then`,
      };
    }
  }

  /** The runs that go on, of the workflow and of jobs, and those that ended after an instant. */
  private async runsSince(since?: Date): Promise<string[]> {
    const { workflow, jobs } = this.stack.outputs;
    const ranOn = (state = '', completed?: Date) =>
      !isOver({ state }) || (since !== undefined && completed !== undefined && completed > since);
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
    const failIfStopping = () => {
      if (this.stopping.aborted)
        throw new Interrupted('interrupted; nobody was forgotten, nothing was started');
    };
    try {
      failIfStopping();
      const { bucket: Bucket, prefix: Key } = this.request;
      const Body = JSON.stringify({ ...this.asked, id: this.id });
      const command = new PutObjectCommand({ Bucket, Key, ContentType: 'application/json', Body });
      await ask(this.stack, 's3:PutObject', s3Uri(this.request), () => this.s3.send(command));
      failIfStopping();
      return await this.runs.startForgetting(this.job, s3Uri(this.request));
    } catch (error) {
      const left = await this.withdraw();
      if (left.length === 0) throw error;
      throw new LakeError([(error as Error).message, ...left].join('\n'), { cause: error });
    }
  }

  private async ended(id: string): Promise<JobRun> {
    const goesOn = `${this.job} (${id}) goes on all the same, and leaves its receipt when it is done: aws s3 cp ${s3Uri(this.receipt)} -`;
    const stopped = once(this.stopping, 'abort');
    let state: string | undefined;
    let unchanged = 0;
    for (;;) {
      if (this.stopping.aborted) throw new Interrupted(`interrupted; ${goesOn}`);
      const run = await this.runs.jobRun(FORGET_JOB, id).catch((error: Error) => {
        throw new LakeError(`${error.message}\n${goesOn}`, { cause: error });
      });
      if (isOver(run)) return run;
      unchanged = run.state === state ? unchanged + 1 : 1;
      if (run.state !== state) this.tell(`${this.job}: ${run.state.toLowerCase()}`);
      state = run.state;
      await Promise.race([this.pause(backOff(unchanged)), stopped]);
    }
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
    const text = await ask(this.stack, 's3:GetObject', uri, () =>
      textOf(this.s3, command).catch((error: Error) => {
        if (error.name === 'NoSuchKey') return undefined;
        throw error;
      }),
    );
    if (text === undefined)
      throw new LakeError(
        `${this.job} succeeded and left no receipt at ${uri}; call this again, and it tells what is left`,
      );
    const found = parsed(text) as Partial<Receipt> | undefined;
    const lists = [found?.places, found?.remade, found?.unread, found?.warnings];
    if (found?.id === this.id && lists.every(Array.isArray)) return found as Receipt;
    throw new LakeError(
      `${uri} is no receipt of this version; deploy again: pulumi up --stack ${this.stack.name}`,
    );
  }

  /** Deletes the request with all of its versions; one that is gone is as good. Returns what to say where it may be left. */
  private async withdraw(): Promise<string[]> {
    const { bucket: Bucket, prefix: Key } = this.request;
    const uri = s3Uri(this.request);
    try {
      // No other key begins so, and this one has a version for each time that it was put: one page is all.
      const command = new ListObjectVersionsCommand({ Bucket, Prefix: Key });
      const { Versions = [], DeleteMarkers = [] } = await ask(this.stack, 's3:ListBucketVersions', uri, () =>
        this.s3.send(command),
      );
      for (const { VersionId } of [...Versions, ...DeleteMarkers]) {
        const one = new DeleteObjectCommand({ Bucket, Key, VersionId });
        await ask(this.stack, 's3:DeleteObjectVersion', uri, () => this.s3.send(one));
      }
      return [];
    } catch (error) {
      return [
        `the request ${uri}, which names the person, may be left (${(error as Error).message}); delete it with all of its versions, or it goes in about two days`,
      ];
    }
  }
}
