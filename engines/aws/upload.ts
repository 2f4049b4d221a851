import { type BigIntStats, createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { LakeError } from '../engine';
import { type Bucket, type Instead, metadataOf, type Original, type Stored } from './bucket';
import { ALGORITHMS, checksumOf } from './checksum';
import { each } from './parallel';

/** Also how many bytes a file may have that is sent in one go. S3 takes parts from 5 MiB on. */
export const PART_BYTES = 16 << 20;
/** S3's limit. */
const MAX_PARTS = 10_000;
/** How many bodies are held, and sent, at once: small files, or parts of large ones. */
export const AT_ONCE = 8;
const LARGE_AT_ONCE = 2;

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

/** `sent`: so many more bytes have arrived. */
export type UploadEvent =
  | { readonly kind: 'sent'; readonly bytes: number }
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
 * Puts files in place, several at once, in bounded memory. `stop` is called at the first error, for what goes on beside
 * it. Throws that error, as {@link Bucket} tells it, or a LakeError where a file changes or another upload comes between.
 */
export async function upload(
  files: readonly Upload[],
  tell: (event: UploadEvent) => void,
  stop: (error: unknown) => void,
  partBytes = PART_BYTES,
): Promise<void> {
  const place = async (file: Upload) => {
    try {
      if ((await put(file, tell, partBytes)) === 'refused') await settle(file);
      await assertUnchanged(file, 'what is in place is what it was before. Run this again with --replace');
      tell({ kind: 'placed', path: file.path });
    } catch (error) {
      stop(error);
      throw error;
    }
  };
  const isLarge = ({ size }: Upload) => size > partBytes;
  await each(
    files.filter((file) => !isLarge(file)),
    AT_ONCE,
    place,
  );
  await each(files.filter(isLarge), LARGE_AT_ONCE, place);
}

async function put(file: Upload, tell: (event: UploadEvent) => void, partBytes: number) {
  const { bucket, key, path, size, instead, original } = file;
  const metadata = original && metadataOf(original, await checksumOf(path, 'CRC32'));
  return bucket.put(
    key,
    { body: contentOf(file), size, instead, metadata },
    {
      partBytes: Math.max(partBytes, Math.ceil(size / MAX_PARTS)),
      partsAtOnce: AT_ONCE / LARGE_AT_ONCE,
      sent: (bytes) => tell({ kind: 'sent', bytes }),
    },
  );
}

/** The bytes of a file. They come to no end, and so to no last part, where the file is not what it was. */
function contentOf(file: LocalFile): Readable {
  async function* read() {
    await assertUnchanged(file);
    yield* createReadStream(file.path, { highWaterMark: 1 << 20 });
    await assertUnchanged(file);
  }
  return Readable.from(read());
}

/** Of a put that was refused: good where the object is there, be it by a call whose answer was lost. */
async function settle(file: Upload): Promise<void> {
  const stored = await file.bucket.head(file.key);
  if (stored && (await isSame(file, stored))) return;
  throw new LakeError(
    `${file.bucket.uri(file.key)} was changed by another upload meanwhile; run this again to see what is there now`,
  );
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
