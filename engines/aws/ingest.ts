import { setMaxListeners } from 'node:events';
import { relative, sep } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { prefixOf } from '../../components/site';
import type { SourceTable } from '../../model';
import { LakeError } from '../engine';
import { dataDir, landingDir, landingFiles } from '../landing/files';
import { type Judgement, judge } from '../landing/judge';
import { Bucket, type Listed, type Pending, s3Of } from './bucket';
import { each } from './parallel';
import type { Stack } from './stack';
import { AT_ONCE, isSame, type LocalFile, localFile, type UploadEvent, Uploader } from './upload';

export interface IngestRequest {
  /** Directory that holds `<entity>/landing/*`. */
  readonly data: string;
  /** Whether lines are judged by contract before anything is uploaded. */
  readonly validate: boolean;
  /** Whether a file takes the place of an object of its name that differs. */
  readonly replace: boolean;
  /** Nothing is uploaded. */
  readonly dryRun: boolean;
}

/** What a file is beside the object of its name; `changed`: not known to have the same bytes. */
export type FileState = 'new' | 'unchanged' | 'changed';

export interface PlannedFile extends LocalFile {
  readonly table: string;
  readonly bucket: string;
  readonly key: string;
  readonly state: FileState;
  /** The object that differs. */
  readonly stored: Listed | undefined;
}

/** A source in an ingest. */
export interface IngestedSource {
  readonly table: string;
  readonly uri: string;
  readonly new: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Absent where lines are not judged. */
  readonly lines?: Omit<Judgement, 'fault'>;
}

/** The stable summary of an ingest, printed by `--json`. */
export interface IngestSummary {
  readonly stack: string;
  readonly outcome: 'uploaded' | 'planned';
  readonly sources: readonly IngestedSource[];
  /** Put in place. */
  readonly files: number;
  /** Of the files that were put in place. */
  readonly bytes: number;
  /** Of these, what an upload that was cut off had sent before. */
  readonly keptBytes: number;
  readonly seconds: number;
}

export interface Ingested {
  readonly summary: IngestSummary;
  readonly plan: readonly PlannedFile[];
  /** Why it would not be uploaded; only of a dry run, others throw it. */
  readonly refusal: string | undefined;
}

export type IngestEvent =
  | { readonly kind: 'stage'; readonly stage: string }
  | { readonly kind: 'upload'; readonly files: number; readonly bytes: number }
  | UploadEvent;

/** For tests: parts of another size, and a connection that is given up sooner. */
export interface IngestSettings {
  readonly partBytes?: number;
  readonly silence?: number;
}

/**
 * Puts landing files in place in a stack's buckets, each whole or not at all, and what is there already left alone.
 * Throws a LakeError that tells all refused files and all that differ from what is there, before anything is
 * uploaded; or the first error of the upload, after which the next call goes on where this one stopped.
 */
export async function ingest(
  stack: Stack,
  sources: readonly SourceTable[],
  request: IngestRequest,
  tell: (event: IngestEvent) => void,
  settings: IngestSettings = {},
): Promise<Ingested> {
  const data = dataDir(request.data);
  const client = s3Of(stack, (bytes) => tell({ kind: 'flying', bytes }), settings.silence);
  try {
    return await new Ingest(stack, client, sources, { ...request, data }, tell, settings).go();
  } finally {
    client.destroy();
  }
}

class Ingest {
  private readonly started = performance.now();
  private readonly stopped = new AbortController();
  private readonly buckets = new Map<string, Bucket>();
  private readonly uploader: Uploader;
  private keptBytes = 0;

  constructor(
    private readonly stack: Stack,
    private readonly client: S3Client,
    private readonly sources: readonly SourceTable[],
    private readonly request: IngestRequest,
    private readonly tell: (event: IngestEvent) => void,
    settings: IngestSettings,
  ) {
    // Calls go on beside each other, and each listens.
    setMaxListeners(0, this.stopped.signal);
    const told = (event: UploadEvent) => {
      if (event.kind === 'kept') this.keptBytes += event.bytes;
      this.tell(event);
    };
    this.uploader = new Uploader(told, (error) => this.stopped.abort(error), settings);
  }

  async go(): Promise<Ingested> {
    const { data, validate, replace, dryRun } = this.request;
    const files = await this.files();
    this.tell({ kind: 'stage', stage: 'comparing with what is in place' });
    const plan = await this.plan(files);
    const judgements = new Map<string, Judgement>();
    if (validate) {
      for (const source of this.sources) {
        this.tell({ kind: 'stage', stage: `reading the lines of ${source.name}` });
        judgements.set(source.name, await judge(source, data, files.get(source) ?? []));
      }
    }
    const refusal = refusalOf([...judgements.values()], replace ? [] : plan);
    if (refusal !== undefined && !dryRun) throw new LakeError(`${refusal}\nNothing was uploaded`);
    const todo = plan.filter(({ state }) => state !== 'unchanged');
    const bytes = todo.reduce((total, { size }) => total + size, 0);
    if (!dryRun) await this.upload(plan, todo, bytes);
    const lines = (table: string) => {
      const { read, reasons } = judgements.get(table) ?? {};
      return read === undefined || reasons === undefined ? {} : { lines: { read, reasons } };
    };
    const summary: IngestSummary = {
      stack: this.stack.name,
      outcome: dryRun ? 'planned' : 'uploaded',
      sources: this.sources.map((source) => {
        const count = (state: FileState) =>
          plan.filter((file) => file.table === source.name && file.state === state).length;
        return {
          table: source.name,
          uri: this.bucketOf(source).uri(prefixOf(source)),
          new: count('new'),
          changed: count('changed'),
          unchanged: count('unchanged'),
          ...lines(source.name),
        };
      }),
      files: dryRun ? 0 : todo.length,
      bytes: dryRun ? 0 : bytes,
      keptBytes: this.keptBytes,
      seconds: +((performance.now() - this.started) / 1000).toFixed(3),
    };
    return { summary, plan, refusal };
  }

  private async files(): Promise<ReadonlyMap<SourceTable, readonly string[]>> {
    const { data } = this.request;
    const files = new Map<SourceTable, readonly string[]>();
    for (const source of this.sources) files.set(source, await landingFiles(data, source));
    if ([...files.values()].every((found) => found.length === 0)) {
      const places = this.sources.map((source) => `  ${source.name}: no file in ${landingDir(data, source)}`);
      throw new LakeError(['there is nothing to upload.', ...places].join('\n'));
    }
    return files;
  }

  private async plan(files: ReadonlyMap<SourceTable, readonly string[]>): Promise<PlannedFile[]> {
    const plan: PlannedFile[] = [];
    for (const [source, paths] of files) {
      if (paths.length === 0) continue;
      const bucket = this.bucketOf(source);
      const prefix = prefixOf(source);
      const listed = await bucket.list(prefix);
      const planned = new Array<PlannedFile>(paths.length);
      await each(paths.entries(), AT_ONCE, async ([index, path]) => {
        const file = await localFile(path);
        const name = relative(landingDir(this.request.data, source), path).split(sep).join('/');
        const key = prefix + name;
        const stored = listed.get(key);
        const state = await stateOf(file, bucket, key, stored);
        planned[index] = { ...file, table: source.name, bucket: bucket.name, key, state, stored };
      });
      plan.push(...planned);
    }
    return plan;
  }

  private async upload(plan: readonly PlannedFile[], todo: readonly PlannedFile[], bytes: number) {
    this.tell({ kind: 'upload', files: todo.length, bytes });
    const large = plan.filter(({ size }) => this.uploader.inParts(size));
    const pending = await this.pendingOf(large);
    await this.uploader.upload(
      todo.map((file) => ({
        ...file,
        bucket: this.bucketNamed(file.bucket),
        instead: file.state === 'changed' && file.stored ? { etag: file.stored.etag } : 'nothing',
      })),
      pending.map(({ upload }) => upload),
    );
    // A call to begin one whose answer was lost leaves an upload that nobody knows; now no upload is needed.
    for (const { bucket, upload } of await this.pendingOf(large)) await bucket.abort(upload);
  }

  /** The pending uploads of files. */
  private async pendingOf(files: readonly PlannedFile[]) {
    const found: { readonly bucket: Bucket; readonly upload: Pending }[] = [];
    for (const source of this.sources) {
      const keys = new Set(files.filter(({ table }) => table === source.name).map(({ key }) => key));
      if (keys.size === 0) continue;
      const bucket = this.bucketOf(source);
      for (const upload of await bucket.pending(prefixOf(source)))
        if (keys.has(upload.key)) found.push({ bucket, upload });
    }
    return found;
  }

  private bucketOf({ zone }: SourceTable): Bucket {
    const { buckets, name } = this.stack.outputs;
    const bucket = buckets[zone];
    if (bucket === undefined) {
      throw new LakeError(
        `${name} has no bucket of the zone ${zone}; deploy this version: pulumi up --stack ${this.stack.name}`,
      );
    }
    return this.bucketNamed(bucket);
  }

  private bucketNamed(name: string): Bucket {
    let bucket = this.buckets.get(name);
    if (!bucket) {
      bucket = new Bucket(this.client, this.stack, name, this.stopped.signal);
      this.buckets.set(name, bucket);
    }
    return bucket;
  }
}

async function stateOf(
  file: LocalFile,
  bucket: Bucket,
  key: string,
  listed: Listed | undefined,
): Promise<FileState> {
  if (!listed) return 'new';
  if (listed.size !== file.size) return 'changed';
  const stored = await bucket.head(key);
  if (!stored) return 'new';
  return (await isSame(file, stored)) ? 'unchanged' : 'changed';
}

/** All that keeps the files from being uploaded. */
function refusalOf(judgements: readonly Judgement[], plan: readonly PlannedFile[]): string | undefined {
  const told: string[] = [];
  const faults = judgements.flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
  if (faults.length > 0) {
    const remedy = 'Mend these files, or give --no-validate to upload them as they are';
    told.push('a run would refuse these lines.', ...faults, remedy);
  }
  const changed = plan.filter(({ state }) => state === 'changed');
  if (changed.length > 0) {
    told.push(
      `${changed.length === 1 ? '1 file differs' : `${changed.length} files differ`} from what is in place under the same name:`,
      ...changed.map((file) => `  ${file.path}: ${differenceOf(file)}`),
      'Give them other names, or give --replace to put them in the place of what is there',
    );
  }
  return told.length > 0 ? told.join('\n') : undefined;
}

function differenceOf({ size, stored, bucket, key }: PlannedFile): string {
  const there = `s3://${bucket}/${key}`;
  if (stored?.size !== size) return `${size} bytes, but ${stored?.size} in ${there}`;
  return `as many bytes as ${there}, but no checksum says that they are the same`;
}
