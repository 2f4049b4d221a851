import type { BigIntStats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { LakeError } from '../engine';
import type { Bucket, Instead, Original, Pending, Stored } from './bucket';
import { ALGORITHMS, checksumOf, type Part, partsOf, writtenCrc32 } from './checksum';
import { each, Gate } from './parallel';

/** Also how many bytes a file may have that is sent in one go. S3 takes parts from 5 MiB on. */
export const PART_BYTES = 16 << 20;
/** S3's limit. */
const MAX_PARTS = 10_000;
/** How many bodies are held, and sent, at once. */
export const AT_ONCE = 8;

/** A file as it was when it was planned. */
export interface LocalFile {
  readonly path: string;
  readonly size: number;
  /** Changes with whatever is done to the file. */
  readonly version: string;
}

/** A file that is to stand at a key. */
export interface Upload extends LocalFile {
  readonly bucket: Bucket;
  readonly key: string;
  readonly instead: Instead;
  /** What the file is another form of. */
  readonly original?: Original;
}

/**
 * `sent`: bytes that S3 has now; `kept`: bytes of a part that it had from an upload that was cut off; `flying`: how many
 * more bytes are on their way, fewer where a call ended.
 */
export type UploadEvent =
  | { readonly kind: 'sent' | 'kept' | 'flying'; readonly bytes: number }
  | { readonly kind: 'placed'; readonly path: string };

/** Throws what the file system throws. */
export async function localFile(path: string): Promise<LocalFile> {
  const found = await stat(path, { bigint: true });
  return { path, size: Number(found.size), version: versionOf(found) };
}

const versionOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats) =>
  [dev, ino, size, mtimeNs, ctimeNs].join();

/** Whether an object is known to have the bytes of a file. */
export async function isSame({ path, size }: LocalFile, stored: Stored): Promise<boolean> {
  if (stored.size !== size) return false;
  for (const algorithm of ALGORITHMS) {
    const checksum = stored.checksums[algorithm];
    if (checksum !== undefined) return (await checksumOf(path, algorithm)) === checksum;
  }
  return false;
}

/**
 * Puts files in place, several at once, in bounded memory, large ones in parts.
 *
 * The SDK's own lib-storage sends in parts too, but begins anew each time: what a cut-off upload left is found and
 * kept here. Bodies are buffers, not streams, so that the SDK can send one again.
 */
export class Uploader {
  private readonly gate = new Gate(AT_ONCE);
  private readonly partBytes: number;

  /** `stop` is called at the first error, for what goes on beside it. */
  constructor(
    private readonly tell: (event: UploadEvent) => void,
    private readonly stop: (error: unknown) => void,
    settings: { readonly partBytes?: number } = {},
  ) {
    this.partBytes = settings.partBytes ?? PART_BYTES;
  }

  /** Whether a file of this size is sent in parts. */
  inParts(size: number): boolean {
    return size > this.partBytes;
  }

  /**
   * `pending` are the uploads that may be gone on with, the best first. Throws the first error, as {@link Bucket} tells
   * it, or a LakeError where a file changes or another upload comes between.
   */
  async upload(files: readonly Upload[], pending: readonly Pending[]): Promise<void> {
    await each(files, AT_ONCE, async (file) => {
      try {
        if (this.inParts(file.size)) await this.putInParts(file, pending);
        else await this.gate.pass(() => this.putWhole(file));
        await assertUnchanged(file, 'what is in place is what it was before. Run this again with --replace');
        this.tell({ kind: 'placed', path: file.path });
      } catch (error) {
        this.stop(error);
        throw error;
      }
    });
  }

  private async putWhole(file: Upload): Promise<void> {
    const bytes = await readRange(file, 0, file.size);
    await assertUnchanged(file);
    const put = await file.bucket.put(
      file.key,
      bytes,
      writtenCrc32(crc32(bytes)),
      file.instead,
      file.original,
    );
    if (put === 'refused') await settle(file);
    this.tell({ kind: 'sent', bytes: file.size });
  }

  private async putInParts(file: Upload, pending: readonly Pending[]): Promise<void> {
    const { bucket, key } = file;
    const partBytes = Math.max(this.partBytes, Math.ceil(file.size / MAX_PARTS));
    const { parts, checksum } = await this.gate.pass(() => partsOf(file.path, partBytes));
    await assertUnchanged(file);
    // What was left may be of the original, and would not say what it is.
    const left = file.original ? undefined : pending.find((upload) => upload.key === key);
    const there = left && (await bucket.parts(left));
    const upload = left ?? (await bucket.begin(key, checksum, file.original));
    const etags = new Map<number, string>();
    for (const part of parts) {
      const found = there?.get(part.number);
      if (found?.size !== part.size || found.checksum !== part.checksum) continue;
      etags.set(part.number, found.etag);
      this.tell({ kind: 'kept', bytes: part.size });
    }
    const missing = parts.filter(({ number }) => !etags.has(number));
    // Ended by another: then what stands at the key tells how.
    let gone = false;
    await each(missing, AT_ONCE, (part) =>
      this.gate.pass(async () => {
        if (gone) return;
        const etag = await bucket.sendPart(upload, part, await readPart(file, part));
        if (etag === undefined) {
          gone = true;
          return;
        }
        etags.set(part.number, etag);
        this.tell({ kind: 'sent', bytes: part.size });
      }),
    );
    await assertUnchanged(file);
    const all = parts.flatMap((part) => {
      const etag = etags.get(part.number);
      return etag === undefined ? [] : [{ ...part, etag }];
    });
    if (!gone && (await bucket.complete(upload, all, checksum, file.instead)) === 'done') return;
    await settle(file);
  }
}

/** Of a put that was refused: good where the object is there, be it by a call whose answer was lost. */
async function settle(file: Upload): Promise<void> {
  const stored = await file.bucket.head(file.key);
  if (stored && (await isSame(file, stored))) return;
  throw new LakeError(
    `${file.bucket.uri(file.key)} was changed by another upload meanwhile; run this again to see what is there now`,
  );
}

async function readRange(file: LocalFile, start: number, size: number): Promise<Buffer> {
  const handle = await open(file.path);
  try {
    const bytes = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    while (filled < size) {
      const { bytesRead } = await handle.read(bytes, filled, size - filled, start + filled);
      if (bytesRead === 0) throw changed(file);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

async function readPart(file: LocalFile, part: Part): Promise<Buffer> {
  const bytes = await readRange(file, part.start, part.size);
  if (writtenCrc32(crc32(bytes)) !== part.checksum) throw changed(file);
  return bytes;
}

/** Throws a LakeError where a file is not what it was. */
export async function assertUnchanged(file: LocalFile, after?: string): Promise<void> {
  const found = await stat(file.path, { bigint: true }).catch(() => undefined);
  if (found === undefined || versionOf(found) !== file.version) throw changed(file, after);
}

const changed = (
  { path }: LocalFile,
  after = 'it is not in place. Run this again once nothing writes to it',
) => new LakeError(`${path} changed while it was uploaded; ${after}`);
