import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { z } from 'zod';
import { FORMATS, formatFault } from '../../model/format';
import { LakeError, type TableSummary } from '../engine';
import type { Found } from '../findings';
import { stampOf } from '../run-id';
import { ask } from './ask';
import type { JobRun } from './glue-runs';
import { s3Client } from './s3-client';
import type { Stack } from './stack';

const count = z.number().int().min(0);
const severity = z.enum(['fail', 'quarantine', 'warn']);
const tableSummary: z.ZodType<TableSummary> = z.object({
  table: z.string(),
  job: z.string().nullable(),
  read: count,
  quarantined: count,
  filtered: count,
  written: count,
  reasons: z.record(z.string(), count),
  expectations: z.array(z.object({ name: z.string(), severity, failed: count })),
  seconds: z.number(),
});

const found: z.ZodType<Found> = z.object({
  table: z.string(),
  expectation: z.string(),
  severity,
  failed: count,
  affected: count.nullable(),
  samples: z.array(z.record(z.string(), z.unknown())),
});

/** What `jobs/runner/lakehouse_runner/glue.py` leaves of a run: `s3://<artifacts>/runs/<job>/<runId>.json`. */
const jobSummary = z.object({
  runId: z.string(),
  job: z.string(),
  outcome: z.enum(['published', 'failed']),
  codeVersion: z.string(),
  parameters: z.record(z.string(), z.string()),
  seconds: z.number(),
  tables: z.array(tableSummary),
  /** One of an older version has none. */
  findings: z.array(found).default([]),
  /** Glue's id of the run; one of an older version has none. */
  jobRunId: z.string().nullable().optional(),
});

export type JobSummary = z.infer<typeof jobSummary>;

/** The clocks of Glue's workers and of its API differ by less. */
const SKEW_MS = 5 * 60_000;
/** Of the newest summaries of a job, how many are read in search of one that published. */
const READ_BACK = 20;

/** Reads the summaries that jobs leave. */
export class Summaries {
  private readonly client: S3Client;
  private readonly bucket: string;

  constructor(private readonly stack: Stack) {
    this.client = s3Client(stack.client);
    this.bucket = stack.outputs.buckets.artifacts;
  }

  /** The one that a run left; none where it ended before it could. */
  async ofRun({ job, id, startedOn }: JobRun): Promise<JobSummary | undefined> {
    const prefix = `runs/${job}/`;
    const after = startedOn && `${prefix}${stampOf(new Date(startedOn.getTime() - SKEW_MS))}`;
    for (const key of (await this.keys(prefix, after)).toReversed()) {
      const summary = await this.read(key);
      if (summary?.jobRunId === id) return summary;
    }
    return undefined;
  }

  /** The newest one of a job that published. */
  async newestPublished(job: string): Promise<JobSummary | undefined> {
    for (const key of (await this.keys(`runs/${job}/`)).slice(-READ_BACK).toReversed()) {
      const summary = await this.read(key);
      if (summary?.outcome === 'published') return summary;
    }
    return undefined;
  }

  /** The newest ones of a job, the oldest first. */
  async newest(job: string, count: number): Promise<JobSummary[]> {
    const keys = (await this.keys(`runs/${job}/`)).slice(-count);
    const found = await Promise.all(keys.map((key) => this.read(key)));
    return found.flatMap((summary) => summary ?? []);
  }

  private async keys(prefix: string, after?: string): Promise<string[]> {
    const where = { Bucket: this.bucket, Prefix: prefix, ...(after !== undefined && { StartAfter: after }) };
    return ask(this.stack, 's3:ListBucket', `${this.bucket}/${prefix}`, async () => {
      const keys: string[] = [];
      for await (const { Contents = [] } of paginateListObjectsV2({ client: this.client }, where))
        keys.push(...Contents.flatMap(({ Key }) => (Key?.endsWith('.json') ? [Key] : [])));
      return keys;
    });
  }

  private async read(key: string): Promise<JobSummary | undefined> {
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key });
    const text = await ask(this.stack, 's3:GetObject', `${this.bucket}/${key}`, () =>
      textOf(this.client, command),
    );
    const value = parsed(text);
    const fault = formatFault(`s3://${this.bucket}/${key}`, value, FORMATS.summary);
    if (fault !== undefined) throw new LakeError(fault);
    return jobSummary.safeParse(value).data;
  }
}

/** What a text of JSON says; nothing where it is none. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const TRIES = 4;

/** The text of an object. One that breaks off is asked for again: the SDK's own attempts end with the headers. */
export async function textOf(client: S3Client, command: GetObjectCommand): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const { Body } = await client.send(command);
    try {
      return (await Body?.transformToString()) ?? '';
    } catch (error) {
      if (attempt === TRIES) throw error;
    }
  }
}
