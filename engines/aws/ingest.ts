import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SourceTable } from '../../model';
import { prefixOf } from '../../model/places';
import { LakeError } from '../engine';
import { dataDir, landingDir, landingFolder } from '../landing/files';
import { judge } from '../landing/judge';
import { type OddLayout, oddLayouts, writeOneALine } from '../landing/layout';
import type { Judged } from '../landing/reader';
import { Bucket, type Instead, type Stored, s3Of } from './bucket';
import { checksumOf } from './checksum';
import { each } from './parallel';
import type { Stack } from './stack';
import {
  AT_ONCE,
  assertUnchanged,
  isSame,
  type LocalFile,
  localFile,
  type Upload,
  type UploadEvent,
  upload,
} from './upload';

export interface IngestRequest {
  /** Directory that holds `<entity>/landing/*`. */
  readonly data: string;
  /** Whether files are read by contract before anything is uploaded, as a run reads them. */
  readonly validate: boolean;
  /** Whether a file takes the place of an object of its name that differs. */
  readonly replace: boolean;
  /** Whether files that Athena would misread are put up with one record a line. */
  readonly rewrite: boolean;
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
  /** The object of its name. */
  readonly stored: Stored | undefined;
  /** How Athena misreads the file, unless the object has a record a line already. */
  readonly layout?: OddLayout | undefined;
}

/** A source in an ingest. */
export interface IngestedSource {
  readonly table: string;
  readonly uri: string;
  readonly new: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Absent where files are not read. */
  readonly records?: Pick<Judged, 'read' | 'refused' | 'bytes' | 'refusedBytes' | 'reasons'>;
}

/** A file that Athena misreads. */
export interface Misread extends Omit<OddLayout, 'path'> {
  readonly file: string;
  /** Whether it is put up with one record a line; of a plan, whether it would be. */
  readonly rewritten: boolean;
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
  readonly seconds: number;
  /** Files that Athena misreads; none where files are not read. */
  readonly misread: readonly Misread[];
  /** Which entries of the landing folders are left out. */
  readonly warnings: readonly string[];
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

export interface IngestSettings {
  /** Stops the upload; its reason is thrown. */
  readonly signal?: AbortSignal;
  /** For tests: parts of another size, and a connection that is given up sooner. */
  readonly partBytes?: number;
  readonly silence?: number;
}

/**
 * Puts landing files in place in a stack's buckets, each whole or not at all, and what is there already left alone.
 * Throws a LakeError that tells all refused files and all that differ from what is there, before anything is
 * uploaded; or the first error of the upload, after which the next call skips what is in place.
 */
export async function ingest(
  stack: Stack,
  sources: readonly SourceTable[],
  request: IngestRequest,
  tell: (event: IngestEvent) => void,
  settings: IngestSettings = {},
): Promise<Ingested> {
  const data = dataDir(request.data);
  const client = s3Of(stack, settings.silence);
  try {
    return await new Ingest(stack, client, sources, { ...request, data }, tell, settings).go();
  } finally {
    client.destroy();
  }
}

class Ingest {
  private readonly started = performance.now();
  private readonly stopped = new AbortController();
  private readonly signal: AbortSignal;
  private readonly buckets = new Map<string, Bucket>();
  private readonly warnings: string[] = [];

  constructor(
    private readonly stack: Stack,
    private readonly client: S3Client,
    private readonly sources: readonly SourceTable[],
    private readonly request: IngestRequest,
    private readonly tell: (event: IngestEvent) => void,
    private readonly settings: IngestSettings,
  ) {
    const { signal } = this.stopped;
    this.signal = settings.signal ? AbortSignal.any([signal, settings.signal]) : signal;
  }

  async go(): Promise<Ingested> {
    const { data, validate, replace, rewrite, dryRun } = this.request;
    const files = await this.files();
    this.tell({ kind: 'stage', stage: 'comparing with what is in place' });
    const found = await this.plan(files);
    const landed = new Map<string, Judged>();
    if (validate) {
      for (const source of this.sources) {
        this.tell({ kind: 'stage', stage: `reading ${source.name}` });
        landed.set(source.name, await judge(source, data, files.get(source) ?? []));
      }
    }
    const plan = validate || rewrite ? await this.withLayouts(found) : found;
    const refusal = refusalOf(landed, replace ? [] : plan);
    if (refusal !== undefined && !dryRun) throw new LakeError(`${refusal}\nNothing was uploaded`);
    const todo = plan.filter((file) => file.state !== 'unchanged' || this.isRewritten(file));
    const bytes = dryRun ? 0 : await this.upload(todo);
    const records = (table: string) => {
      const account = landed.get(table);
      if (!account) return {};
      const { read, refused, bytes, refusedBytes, reasons } = account;
      return { records: { read, refused, bytes, refusedBytes, reasons } };
    };
    const summary: IngestSummary = {
      stack: this.stack.name,
      outcome: dryRun ? 'planned' : 'uploaded',
      sources: this.sources.map((source) => {
        const count = (state: FileState) =>
          plan.filter(this.isOf(source)).filter((file) => file.state === state).length;
        return {
          table: source.name,
          uri: this.bucketOf(source).uri(prefixOf(source)),
          new: count('new'),
          changed: count('changed'),
          unchanged: count('unchanged'),
          ...records(source.name),
        };
      }),
      files: dryRun ? 0 : todo.length,
      bytes,
      seconds: +((performance.now() - this.started) / 1000).toFixed(3),
      misread: plan.flatMap((file) => {
        if (!file.layout) return [];
        const { path, records, lost, details, canRewrite } = file.layout;
        return [{ file: path, records, lost, details, canRewrite, rewritten: this.isRewritten(file) }];
      }),
      warnings: this.warnings,
    };
    return { summary, plan, refusal };
  }

  private async files(): Promise<ReadonlyMap<SourceTable, readonly string[]>> {
    const { data } = this.request;
    const files = new Map<SourceTable, readonly string[]>();
    for (const source of this.sources) {
      const { files: found, warning } = await landingFolder(data, source);
      files.set(source, found);
      if (warning !== undefined && !this.warnings.includes(warning)) this.warnings.push(warning);
    }
    if ([...files.values()].every((found) => found.length === 0)) {
      const places = this.sources.map((source) => `  ${source.name}: no file in ${landingDir(data, source)}`);
      const leftOut = this.warnings.map((warning) => `  ${warning}`);
      throw new LakeError(['there is nothing to upload.', ...places, ...leftOut].join('\n'));
    }
    return files;
  }

  private async plan(files: ReadonlyMap<SourceTable, readonly string[]>): Promise<PlannedFile[]> {
    const plan: PlannedFile[] = [];
    for (const [source, paths] of files) {
      // Another source may read the same files.
      if (paths.length === 0 || plan.some(this.isOf(source))) continue;
      const bucket = this.bucketOf(source);
      const prefix = prefixOf(source);
      const listed = await bucket.list(prefix);
      const planned = new Array<PlannedFile>(paths.length);
      await each(paths.entries(), AT_ONCE, async ([index, path]) => {
        const file = await localFile(path);
        const name = relative(landingDir(this.request.data, source), path).split(sep).join('/');
        const key = prefix + name;
        const stored = listed.has(key) ? await bucket.head(key) : undefined;
        const state = await stateOf(file, stored);
        planned[index] = { ...file, table: source.name, bucket: bucket.name, key, state, stored };
      });
      plan.push(...planned);
    }
    return plan;
  }

  private isOf = (source: SourceTable) => {
    const { name } = this.bucketOf(source);
    return ({ bucket, key }: PlannedFile) => bucket === name && key.startsWith(prefixOf(source));
  };

  private isRewritten = ({ layout }: PlannedFile) => this.request.rewrite && layout?.canRewrite === true;

  /** What Athena misreads; not where the object is the file with a record a line. */
  private async withLayouts(plan: readonly PlannedFile[]): Promise<readonly PlannedFile[]> {
    this.tell({ kind: 'stage', stage: 'looking for what Athena would misread' });
    const layouts = new Map<string, OddLayout>();
    for (const source of this.sources) {
      const files = plan.filter((file) => file.table === source.name && !isInPlaceRewritten(file));
      const found = await oddLayouts(
        source,
        files.map(({ path }) => path),
      );
      for (const [path, layout] of found) layouts.set(path, layout);
    }
    return plan.map((file) => ({ ...file, layout: layouts.get(file.path) }));
  }

  /** Uploads files, those to be rewritten by way of a temporary folder. Returns how many bytes they are. */
  private async upload(todo: readonly PlannedFile[]): Promise<number> {
    const isPlain = !todo.some(this.isRewritten);
    const scratch = isPlain ? '' : mkdtempSync(join(tmpdir(), 'lake-ingest-'));
    const remove = () => isPlain || rmSync(scratch, { recursive: true, force: true });
    // Ctrl-C ends the process.
    process.once('exit', remove);
    try {
      const uploads: Upload[] = [];
      for (const [i, file] of todo.entries()) {
        const instead: Instead = file.stored ? { etag: file.stored.etag } : 'nothing';
        const plain = { ...file, bucket: this.bucketNamed(file.bucket), instead };
        uploads.push(
          this.isRewritten(file) ? await this.rewritten(file, plain, join(scratch, `${i}`)) : plain,
        );
      }
      const bytes = uploads.reduce((total, { size }) => total + size, 0);
      this.tell({ kind: 'upload', files: uploads.length, bytes });
      const stop = (error: unknown) => this.stopped.abort(error);
      await upload(uploads, this.tell, stop, this.settings.partBytes);
      return bytes;
    } finally {
      process.removeListener('exit', remove);
      remove();
    }
  }

  /** A file with one record a line in its place. Throws a LakeError where the file is not what was planned. */
  private async rewritten(file: PlannedFile, upload: Upload, to: string): Promise<Upload> {
    this.tell({ kind: 'stage', stage: `writing ${file.path} with one record a line` });
    const source = this.sources.find(({ name }) => name === file.table) as SourceTable;
    await writeOneALine(source, file.path, to);
    const crc32 = await checksumOf(file.path, 'CRC32');
    await assertUnchanged(file);
    return { ...upload, ...(await localFile(to)), original: { size: file.size, crc32 } };
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
      bucket = new Bucket(this.client, this.stack, name, this.signal);
      this.buckets.set(name, bucket);
    }
    return bucket;
  }
}

async function stateOf(file: LocalFile, stored: Stored | undefined): Promise<FileState> {
  if (!stored) return 'new';
  return (await isSame(file, stored)) || (await isOriginal(file, stored)) ? 'unchanged' : 'changed';
}

/** Whether an object is known to be a file with one record a line. */
async function isOriginal({ path, size }: LocalFile, { original }: Stored): Promise<boolean> {
  return original?.size === size && (await checksumOf(path, 'CRC32')) === original.crc32;
}

const isInPlaceRewritten = ({ state, stored }: PlannedFile) =>
  state === 'unchanged' && stored?.original !== undefined;

/** All that keeps the files from being uploaded. */
function refusalOf(landed: ReadonlyMap<string, Judged>, plan: readonly PlannedFile[]): string | undefined {
  const told: string[] = [];
  const faults = [...landed].flatMap(([table, { failure }]) =>
    failure === null ? [] : [`${table}: ${failure}`],
  );
  if (faults.length > 0) {
    const remedy = 'Mend these files, or give --no-validate to upload them as they are';
    told.push('a run would refuse these files.', ...faults, remedy);
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
