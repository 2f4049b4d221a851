import { setMaxListeners } from 'node:events';
import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  HeadObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { ALGORITHMS, type Algorithm } from './checksum';
import { toldError } from './errors';
import { s3Client } from './s3-client';
import type { Stack } from './stack';

/** An object with the checksums that S3 keeps of the whole of it. */
export interface Stored {
  readonly size: number;
  readonly etag: string;
  readonly checksums: Readonly<Partial<Record<Algorithm, string>>>;
  /** The file of which the object is another form. */
  readonly original?: Original;
}

/** What is known of a file that was put in place in another form. */
export interface Original {
  readonly size: number;
  readonly crc32: string;
}

/** An object's metadata. It holds for the object of one CRC32 only: a tool may copy it to another. */
export const metadataOf = ({ size, crc32 }: Original, checksum: string) => ({
  'original-bytes': String(size),
  'original-crc32': crc32,
  'rewritten-crc32': checksum,
});

function originalIn(metadata: Readonly<Record<string, string>>, checksum?: string): Original | undefined {
  const { 'original-bytes': size, 'original-crc32': crc32, 'rewritten-crc32': own } = metadata;
  if (size === undefined || crc32 === undefined || own === undefined || own !== checksum) return undefined;
  return { size: Number(size), crc32 };
}

/** What must stand at a key for an object to be put there: nothing, or the object of this etag. */
export type Instead = { readonly etag: string } | 'nothing';

/** `refused`: what should stand there does not, or the upload is gone. A lost answer to a call that was done looks so too. */
export type Put = 'done' | 'refused';

/** An object to be put. */
export interface NewObject {
  readonly body: Readable;
  readonly size: number;
  readonly instead: Instead;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** How a body is sent: one larger than a part in parts, so many at once. */
export interface Sending {
  readonly partBytes: number;
  readonly partsAtOnce: number;
  /** Called as bytes have arrived, with how many more. */
  readonly sent: (bytes: number) => void;
}

const REFUSED = /^(?:PreconditionFailed|ConditionalRequestConflict|NoSuchUpload|NoSuchKey|412|409)$/;

/** A connection that says nothing for so long is given up, and tried anew. */
const SILENCE_MS = 60_000;

/** How long the parts of an upload that failed are worth waiting for: the bucket drops them after some days. */
const ABORT_MS = 5_000;

/** The client of a stack's buckets. */
export const s3Of = ({ client }: Stack, silence = SILENCE_MS): S3Client =>
  s3Client(client, { requestHandler: { connectionTimeout: 10_000, socketTimeout: silence } });

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

  /** The keys of the objects below a prefix. */
  list(prefix: string): Promise<ReadonlySet<string>> {
    return this.ask('s3:ListBucket', prefix, async (options) => {
      const keys = new Set<string>();
      const input = { Bucket: this.name, Prefix: prefix, EncodingType: 'url' } as const;
      for await (const page of paginateListObjectsV2({ client: this.client }, input, options))
        for (const { Key = '' } of page.Contents ?? []) keys.add(decoded(Key, page.EncodingType));
      return keys;
    });
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

  /**
   * Puts an object, which shows once all of it is there. S3 refuses a body or a part that has not the CRC32 with which
   * it was sent, and makes the CRC32 of the whole of those of the parts.
   */
  put(key: string, { body, size, instead, metadata }: NewObject, sending: Sending): Promise<Put> {
    return this.ask('s3:PutObject', key, async () => {
      const upload = new Upload({
        client: this.sender(),
        partSize: sending.partBytes,
        queueSize: sending.partsAtOnce,
        params: {
          Bucket: this.name,
          Key: key,
          Body: body,
          ContentLength: size,
          ChecksumAlgorithm: 'CRC32',
          ChecksumType: 'FULL_OBJECT',
          ...(metadata && { Metadata: metadata }),
          ...(instead === 'nothing' ? { IfNoneMatch: '*' } : { IfMatch: instead.etag }),
        },
      });
      let arrived = 0;
      upload.on('httpUploadProgress', ({ loaded = 0 }) => {
        sending.sent(loaded - arrived);
        arrived = loaded;
      });
      try {
        await upload.done();
        return 'done';
      } catch (error) {
        if (REFUSED.test((error as Error).name)) return 'refused';
        throw error;
      }
    });
  }

  /**
   * The client as the library is to use it. The library's own signal ends none of its calls, it leaves the parts where
   * the last call fails, and reports an abort that failed in place of what went wrong.
   */
  private sender(): S3Client {
    const { client, signal } = this;
    const abort = (command: AbortMultipartUploadCommand) =>
      client.send(command, { abortSignal: AbortSignal.timeout(ABORT_MS) }).catch(() => undefined);
    const send = async (command: Parameters<S3Client['send']>[0]) => {
      if (command instanceof AbortMultipartUploadCommand) return abort(command);
      try {
        return await client.send(command, { abortSignal: signal });
      } catch (error) {
        if (command instanceof CompleteMultipartUploadCommand) {
          const { Bucket, Key, UploadId } = command.input;
          await abort(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
        }
        throw error;
      }
    };
    return Object.assign(Object.create(client) as S3Client, { send });
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

/** A key of a listing, which S3 encodes when asked to, as XML could not carry all of them. */
export const decoded = (text: string, encoding: string | undefined) =>
  encoding === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text;
