import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { ALGORITHMS, type Algorithm, type Part } from './checksum';
import { toldError } from './errors';
import { s3Client } from './s3-client';
import type { Stack } from './stack';

/** An object as a listing has it. */
export interface Listed {
  readonly size: number;
  readonly etag: string;
}

/** An object with the checksums that S3 keeps of the whole of it. */
export interface Stored extends Listed {
  readonly checksums: Readonly<Partial<Record<Algorithm, string>>>;
  /** The file of which the object is another form. */
  readonly original?: Original;
}

/** What is known of a file that was put in place in another form. */
export interface Original {
  readonly size: number;
  readonly crc32: string;
}

/** An object's metadata. It holds for the object of one CRC32 only: uploads in parts that are left keep theirs. */
const metadataOf = ({ size, crc32 }: Original, checksum: string) => ({
  'original-bytes': String(size),
  'original-crc32': crc32,
  'rewritten-crc32': checksum,
});

function originalIn(metadata: Readonly<Record<string, string>>, checksum?: string): Original | undefined {
  const { 'original-bytes': size, 'original-crc32': crc32, 'rewritten-crc32': own } = metadata;
  if (size === undefined || crc32 === undefined || own === undefined || own !== checksum) return undefined;
  return { size: Number(size), crc32 };
}

/** An upload in parts that was neither completed nor aborted. */
export interface Pending {
  readonly key: string;
  readonly id: string;
}

export interface PendingPart {
  readonly size: number;
  readonly etag: string;
  /** Its CRC32, as S3 writes it. */
  readonly checksum: string | undefined;
}

/** What must stand at a key for an object to be put there: nothing, or the object of this etag. */
export type Instead = { readonly etag: string } | 'nothing';

/** `refused`: what should stand there does not, or the upload is gone. A lost answer to a call that was done looks so too. */
export type Put = 'done' | 'refused';

const REFUSED = /^(?:PreconditionFailed|ConditionalRequestConflict|NoSuchUpload|NoSuchKey|412|409)$/;

/** A connection that says nothing for so long is given up, and tried anew. */
const SILENCE_MS = 60_000;

const PIECE_BYTES = 1 << 16;

/**
 * The client of a stack's buckets. `flying` is told how many more bytes of bodies are on their way, or how many fewer,
 * as calls that end take theirs back: a part alone may take a minute, too long for a bar that stands still.
 */
export function s3Of(
  { client: settings }: Stack,
  flying: (bytes: number) => void,
  silence = SILENCE_MS,
): S3Client {
  const client = s3Client(settings, {
    // Each body is sent with a checksum that is known before; without this, other calls would get one too.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 10_000, socketTimeout: silence },
  });
  // Within each try and after the body was signed: whoever tries again has it whole.
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as { readonly body?: unknown };
      if (!Buffer.isBuffer(request.body)) return next(args);
      const body = new CountedBody(request.body, flying);
      const copy = Object.assign(Object.create(Object.getPrototypeOf(request)), request, {
        body: Readable.from(body.pieces(), { objectMode: false }),
      });
      try {
        return await next({ ...args, request: copy });
      } finally {
        body.end();
      }
    },
    { step: 'deserialize', priority: 'low', name: 'countBody' },
  );
  return client;
}

/** A body in pieces, which tells how many bytes of it were taken. */
class CountedBody {
  private taken = 0;
  private ended = false;

  constructor(
    private readonly bytes: Buffer,
    private readonly flying: (bytes: number) => void,
  ) {}

  *pieces() {
    for (let at = 0; at < this.bytes.length && !this.ended; at += PIECE_BYTES) {
      const piece = this.bytes.subarray(at, at + PIECE_BYTES);
      this.taken += piece.length;
      this.flying(piece.length);
      yield piece;
    }
  }

  end() {
    this.ended = true;
    this.flying(-this.taken);
    this.taken = 0;
  }
}

/** What is asked of one bucket. Every method throws as {@link toldError} tells, or why the signal was given. */
export class Bucket {
  constructor(
    private readonly client: S3Client,
    private readonly stack: Stack,
    readonly name: string,
    private readonly signal: AbortSignal,
  ) {
    // Calls go on beside each other, and each listens.
    setMaxListeners(0, signal);
  }

  uri(key: string) {
    return `s3://${this.name}/${key}`;
  }

  /** The objects below a prefix, by key. */
  async list(prefix: string): Promise<Map<string, Listed>> {
    const objects = new Map<string, Listed>();
    let next: string | undefined;
    do {
      const page = await this.ask('s3:ListBucket', prefix, (options) =>
        this.client.send(
          new ListObjectsV2Command({
            Bucket: this.name,
            Prefix: prefix,
            EncodingType: 'url',
            ...(next !== undefined && { ContinuationToken: next }),
          }),
          options,
        ),
      );
      for (const { Key = '', Size = 0, ETag = '' } of page.Contents ?? [])
        objects.set(decoded(Key, page.EncodingType), { size: Size, etag: ETag });
      next = page.NextContinuationToken;
    } while (next !== undefined);
    return objects;
  }

  /** An object, if there is one. */
  head(key: string): Promise<Stored | undefined> {
    return this.ask('s3:GetObject', key, async (options) => {
      try {
        const found = await this.client.send(
          new HeadObjectCommand({ Bucket: this.name, Key: key, ChecksumMode: 'ENABLED' }),
          options,
        );
        const whole = found.ChecksumType !== 'COMPOSITE';
        const checksums = ALGORITHMS.flatMap((algorithm) => {
          const value = found[`Checksum${algorithm}`];
          return value !== undefined && whole ? [[algorithm, value]] : [];
        });
        const { ContentLength: size = 0, ETag: etag = '' } = found;
        const original = originalIn(found.Metadata ?? {}, whole ? found.ChecksumCRC32 : undefined);
        return { size, etag, checksums: Object.fromEntries(checksums), ...(original && { original }) };
      } catch (error) {
        if ((error as Error).name === 'NotFound') return undefined;
        throw error;
      }
    });
  }

  /** Puts an object in one go. `checksum` is the CRC32 of the bytes; S3 refuses others. */
  put(key: string, bytes: Buffer, checksum: string, instead: Instead, original?: Original): Promise<Put> {
    return this.ask('s3:PutObject', key, (options) =>
      unlessRefused(
        this.client.send(
          new PutObjectCommand({
            Bucket: this.name,
            Key: key,
            Body: bytes,
            ChecksumAlgorithm: 'CRC32',
            ChecksumCRC32: checksum,
            ...(original && { Metadata: metadataOf(original, checksum) }),
            ...condition(instead),
          }),
          options,
        ),
      ),
    );
  }

  /** The uploads that were begun as {@link begin} begins them and are pending, the newest of a key first. */
  async pending(prefix: string): Promise<Pending[]> {
    const found: (Pending & { readonly begun: number })[] = [];
    let next: { readonly KeyMarker: string; readonly UploadIdMarker: string } | undefined;
    do {
      const page = await this.ask('s3:ListBucketMultipartUploads', prefix, (options) =>
        this.client.send(
          new ListMultipartUploadsCommand({
            Bucket: this.name,
            Prefix: prefix,
            EncodingType: 'url',
            ...next,
          }),
          options,
        ),
      );
      for (const upload of page.Uploads ?? []) {
        if (upload.ChecksumAlgorithm !== 'CRC32' || upload.ChecksumType !== 'FULL_OBJECT') continue;
        const { Key = '', UploadId = '', Initiated } = upload;
        found.push({ key: decoded(Key, page.EncodingType), id: UploadId, begun: Initiated?.getTime() ?? 0 });
      }
      next = page.IsTruncated
        ? {
            KeyMarker: decoded(page.NextKeyMarker ?? '', page.EncodingType),
            UploadIdMarker: page.NextUploadIdMarker ?? '',
          }
        : undefined;
    } while (next !== undefined);
    return found.toSorted((a, b) => b.begun - a.begun);
  }

  /** The parts that a pending upload has, by number; none where it is gone. */
  async parts({ key, id }: Pending): Promise<Map<number, PendingPart>> {
    const parts = new Map<number, PendingPart>();
    let next: string | undefined;
    do {
      const page = await this.ask('s3:ListMultipartUploadParts', key, async (options) => {
        try {
          return await this.client.send(
            new ListPartsCommand({
              Bucket: this.name,
              Key: key,
              UploadId: id,
              ...(next !== undefined && { PartNumberMarker: next }),
            }),
            options,
          );
        } catch (error) {
          if (isRefused(error)) return undefined;
          throw error;
        }
      });
      if (page === undefined) return new Map();
      for (const { PartNumber = 0, Size = 0, ETag = '', ChecksumCRC32 } of page.Parts ?? [])
        parts.set(PartNumber, { size: Size, etag: ETag, checksum: ChecksumCRC32 });
      next = page.IsTruncated ? page.NextPartNumberMarker : undefined;
    } while (next !== undefined);
    return parts;
  }

  /** Begins an upload in parts of a whole with this CRC32. */
  async begin(key: string, checksum: string, original?: Original): Promise<Pending> {
    const { UploadId: id = '' } = await this.ask('s3:PutObject', key, (options) =>
      this.client.send(
        new CreateMultipartUploadCommand({
          Bucket: this.name,
          Key: key,
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'FULL_OBJECT',
          ...(original && { Metadata: metadataOf(original, checksum) }),
        }),
        options,
      ),
    );
    return { key, id };
  }

  /** Sends a part. Returns its etag, or nothing where the upload is gone. */
  sendPart({ key, id }: Pending, part: Part, bytes: Buffer): Promise<string | undefined> {
    return this.ask('s3:PutObject', key, async (options) => {
      try {
        const { ETag = '' } = await this.client.send(
          new UploadPartCommand({
            Bucket: this.name,
            Key: key,
            UploadId: id,
            PartNumber: part.number,
            Body: bytes,
            ChecksumAlgorithm: 'CRC32',
            ChecksumCRC32: part.checksum,
          }),
          options,
        );
        return ETag;
      } catch (error) {
        if (isRefused(error)) return undefined;
        throw error;
      }
    });
  }

  /** Makes one object of the parts; S3 refuses parts that do not give a whole of this CRC32. */
  complete(
    { key, id }: Pending,
    parts: readonly (Part & { readonly etag: string })[],
    checksum: string,
    instead: Instead,
  ): Promise<Put> {
    return this.ask('s3:PutObject', key, (options) =>
      unlessRefused(
        this.client.send(
          new CompleteMultipartUploadCommand({
            Bucket: this.name,
            Key: key,
            UploadId: id,
            ChecksumCRC32: checksum,
            ChecksumType: 'FULL_OBJECT',
            MultipartUpload: {
              Parts: parts.map((part) => ({
                PartNumber: part.number,
                ETag: part.etag,
                ChecksumCRC32: part.checksum,
              })),
            },
            ...condition(instead),
          }),
          options,
        ),
      ),
    );
  }

  /** Forgets a pending upload with its parts; one that is gone is as good. */
  async abort({ key, id }: Pending): Promise<void> {
    await this.ask('s3:AbortMultipartUpload', key, (options) =>
      unlessRefused(
        this.client.send(
          new AbortMultipartUploadCommand({ Bucket: this.name, Key: key, UploadId: id }),
          options,
        ),
      ),
    );
  }

  private async ask<T>(
    action: string,
    key: string,
    call: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    this.signal.throwIfAborted();
    try {
      return await call({ abortSignal: this.signal });
    } catch (error) {
      this.signal.throwIfAborted();
      const { region, profile } = this.stack.client;
      throw toldError(error, { action, resource: this.uri(key), region, profile });
    }
  }
}

/** A key of a listing, which S3 encodes when asked to, as XML could not carry all of them; moto's uploads it does not. */
const decoded = (text: string, encoding: string | undefined) =>
  encoding === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text;

const condition = (instead: Instead) =>
  instead === 'nothing' ? { IfNoneMatch: '*' } : { IfMatch: instead.etag };

const isRefused = (error: unknown) => REFUSED.test((error as Error).name);

async function unlessRefused(call: Promise<unknown>): Promise<Put> {
  try {
    await call;
    return 'done';
  } catch (error) {
    if (isRefused(error)) return 'refused';
    throw error;
  }
}
