import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { BYTES_AHEAD } from './plain-scanner';

/** Stands before the first line at times, and is no part of it. */
export const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** Longer lines are refused unread, so that a file without line ends cannot fill the memory. */
export const MAX_LINE_BYTES = 1 << 20;
/** How much is read at once. */
export const CHUNK_BYTES = 1 << 18;
const LF = 10;
const CR = 13;

/** A line with a byte-order mark before it, and a \r after it that may be half of its end. */
const MAX_WAITING_BYTES = BYTE_ORDER_MARK.length + MAX_LINE_BYTES + 1;

/** Room for the beginning of a line and what is read next, and a line end that the file may lack. */
export const readBuffer = () => Buffer.allocUnsafeSlow(MAX_WAITING_BYTES + CHUNK_BYTES + 1 + BYTES_AHEAD);

/** Whole lines, the last one with its end too. */
export interface Piece {
  readonly bytes: Buffer;
  /** The bytes are only the beginning of one line, longer than MAX_LINE_BYTES. */
  readonly tooLong: boolean;
}

/**
 * The file in pieces. A piece is a view of `buffer`, which is one of {@link readBuffer}, and holds until the next
 * one is asked for.
 */
export async function* piecesOf(path: string, gzip: boolean, buffer: Buffer): AsyncGenerator<Piece> {
  if (gzip) {
    const chunks = unpacked(path);
    try {
      yield* piecesFrom(buffer, async (offset) => {
        const { value } = await chunks.next();
        return value ? value.copy(buffer, offset) : 0;
      });
    } finally {
      await chunks.return(undefined);
    }
    return;
  }
  const file = await open(path);
  try {
    yield* piecesFrom(buffer, async (offset) => (await file.read(buffer, offset, CHUNK_BYTES)).bytesRead);
  } finally {
    await file.close();
  }
}

async function* unpacked(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const stream = file.pipe(createGunzip({ chunkSize: CHUNK_BYTES }));
  file.on('error', (error) => stream.destroy(error));
  yield* stream as AsyncIterable<Buffer>;
}

/** `fill` puts the next bytes into the buffer from an offset on, and tells how many: 0 at the end. */
async function* piecesFrom(buffer: Buffer, fill: (offset: number) => Promise<number>): AsyncGenerator<Piece> {
  /** How much of the buffer is used: the beginning of a line, then what was read. */
  let used = 0;
  // Set while the rest of a line that is too long is passed over.
  let skipping = false;
  for (let read = await fill(used); read > 0; read = await fill(used)) {
    used += read;
    let start = 0;
    if (skipping) {
      const after = afterLineEnd(buffer.subarray(0, used));
      // Of what is passed over the last byte stays: it may be the \r of a \r\n.
      start = after ?? used - 1;
      skipping = after === undefined;
    }
    const bytes = buffer.subarray(start, used);
    if (!skipping) {
      // A final \r may be the first half of \r\n, so it waits for the next chunk.
      const end = Math.max(bytes.lastIndexOf(LF), bytes.subarray(0, -1).lastIndexOf(CR)) + 1;
      if (end > 0) yield { bytes: bytes.subarray(0, end), tooLong: false };
      start += end;
      if (used - start > MAX_WAITING_BYTES) {
        yield { bytes: buffer.subarray(start, used), tooLong: true };
        start = used - 1;
        skipping = true;
      }
    }
    buffer.copyWithin(0, start, used);
    used -= start;
  }
  if (used === 0 || skipping) return;
  if (buffer[used - 1] !== LF) buffer[used++] = LF;
  yield { bytes: buffer.subarray(0, used), tooLong: false };
}

/** Where the line after the first line end begins; unknown while that end may be half of a \r\n. */
function afterLineEnd(bytes: Buffer): number | undefined {
  const end = lineEnd(bytes, 0);
  if (end >= bytes.length || (bytes[end] === CR && end === bytes.length - 1)) return undefined;
  return nextLine(bytes, end);
}

/** Index of the byte that ends the line, or the end of the bytes. */
export function lineEnd(bytes: Buffer, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== LF && bytes[at] !== CR) at++;
  return at;
}

export const nextLine = (bytes: Buffer, end: number) =>
  bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1;

const DAMAGED = 'its bytes are damaged';

/** What is wrong with a gzip file, found by unpacking it once: a stream in mid-failure drops what it has read. */
export async function damageOf(path: string): Promise<string | undefined> {
  const gunzip = createGunzip();
  try {
    await pipeline(
      createReadStream(path),
      gunzip,
      new Writable({ write: (_chunk, _encoding, done) => done() }),
    );
    return (await isPadding(path, gunzip.bytesWritten)) ? undefined : DAMAGED;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'Z_BUF_ERROR') return 'it is cut off';
    if (code?.startsWith('Z_')) return DAMAGED;
    throw error;
  }
}

/** Whether there are only zeros from an offset on: Node unpacks nothing that follows them, and does not say so. */
async function isPadding(path: string, start: number): Promise<boolean> {
  for await (const chunk of createReadStream(path, { start })) {
    if ((chunk as Buffer).some((byte) => byte !== 0)) return false;
  }
  return true;
}

/** Whether Spark and Athena would unpack the file; they tell it by its name, in just this case. */
export const isNamedGzip = (path: string) => path.endsWith('.gz');

/** An empty file is as good as packed or not. */
export type Packing = 'gzip' | 'none' | 'empty';

/** How a file is packed, as its first bytes say. */
export async function packingOf(path: string): Promise<Packing> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
    if (bytesRead === 0) return 'empty';
    return buffer[0] === 0x1f && buffer[1] === 0x8b ? 'gzip' : 'none';
  } finally {
    await file.close();
  }
}
