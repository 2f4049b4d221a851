import { isUtf8 } from 'node:buffer';
import {
  type BigIntStats,
  closeSync,
  createReadStream,
  fstatSync,
  openSync,
  readSync,
  statSync,
} from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import type { Reading } from '../../model';
import { LakeError } from '../engine';

const LF = 10;
const MAGIC_BYTES = 8;
const CHUNK_BYTES = 1 << 20;
/** Pieces of this size keep several readers busy to the end. */
export const USUAL_BYTES = 8 << 20;
const GZIP = '1F8B';

/** What is known of a file before it is read; `heads` of a `Reading` judges by it. */
export interface Look {
  readonly path: string;
  /** Bytes of text: of a packed file, unpacked. */
  readonly bytes: number;
  readonly magic: string;
  readonly head: string;
  readonly whole: boolean;
  readonly named: boolean;
  readonly unpacked: boolean;
  readonly damage: string | null;
  /** Another one says that the file was changed. */
  readonly state: string;
}

/** Looks a file over: its beginning and end, and of a packed one every byte. Throws what the file system throws. */
export async function lookAt(path: string, headBytes: number): Promise<Look> {
  const state = stateOf(path);
  const named = path.endsWith('.gz');
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const begin = Buffer.alloc(Math.min(Math.max(headBytes, MAGIC_BYTES), size));
    let read = readSync(file, begin);
    for (let next = read; isBlank(begin) && next > 0; read += next) next = readSync(file, begin);
    const plain = { bytes: size, ...seen(begin, headBytes, read === size) };
    const unpacked = named && plain.magic.startsWith(GZIP);
    return {
      path,
      named,
      unpacked,
      damage: null,
      ...plain,
      ...(unpacked && (await lookInto(path, headBytes))),
      state,
    };
  } finally {
    closeSync(file);
  }
}

/** What is blank at the start of a text is passed over, so that a file of nothing else is known to be empty. */
const isBlank = (bytes: Buffer) => bytes.toString('latin1').trim() === '';

const seen = (begin: Buffer, headBytes: number, whole: boolean) => ({
  magic: begin.toString('hex', 0, MAGIC_BYTES).toUpperCase(),
  head: begin.toString('utf8', 0, headBytes),
  whole,
});

async function lookInto(path: string, headBytes: number) {
  let bytes = 0;
  let blank = 0;
  let begin = Buffer.alloc(0);
  let damage: string | null = null;
  try {
    for await (const chunk of unpacked(path)) {
      bytes += chunk.length;
      if (begin.length < headBytes) begin = Buffer.concat([begin, chunk]);
      if (begin.length < headBytes || !isBlank(begin)) continue;
      blank = bytes;
      begin = Buffer.alloc(0);
    }
  } catch (error) {
    damage = damageOf(error);
  }
  return { bytes, damage, ...seen(begin, headBytes, bytes - blank <= headBytes) };
}

class Padded extends Error {}

function damageOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') return 'it is cut off';
  if (code?.startsWith('Z_') || error instanceof Padded) return 'its bytes are damaged';
  throw error;
}

/** The bytes of a packed file. Throws where zlib stops before its end: what follows must be nothing but zeros. */
async function* unpacked(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const gunzip = createGunzip({ chunkSize: 1 << 18 });
  file.on('error', (error) => gunzip.destroy(error));
  yield* file.pipe(gunzip) as AsyncIterable<Buffer>;
  for await (const chunk of createReadStream(path, { start: gunzip.bytesWritten })) {
    if ((chunk as Buffer).some((byte) => byte !== 0)) throw new Padded();
  }
}

/** What changes with a file: its size, its times, and which file has the name. */
export function stateOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false }) as BigIntStats | undefined;
  return stat ? [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ') : 'gone';
}

/** Throws a LakeError that names every file that was changed since it was looked at. */
export function requireUnchanged(looks: readonly Look[]): void {
  const changed = looks.filter(({ path, state }) => stateOf(path) !== state).map(({ path }) => path);
  if (changed.length === 0) return;
  throw new LakeError(
    `changed while it was read: ${changed.join(', ')}. Nothing of it is published; run again once it is written`,
  );
}

/**
 * How often a character of ASCII stands in the files; nothing where one of the other texts does, or once it is given up.
 * Of line ends, the end of a file is one. Keeps the thread for no longer than a chunk takes.
 */
export async function marksIn(
  looks: readonly Look[],
  counted: string,
  others: readonly string[],
  givenUp?: AbortSignal,
): Promise<number | undefined> {
  const mark = counted.charCodeAt(0);
  const reach = Math.max(...others.map(({ length }) => length)) - 1;
  let found = 0;
  let last: number | undefined;
  const contains = (bytes: Buffer) => others.some((text) => bytes.includes(text));
  for (const look of looks) {
    let tail: Buffer = Buffer.alloc(0);
    for await (const chunk of chunksOf(look)) {
      if (givenUp?.aborted) return undefined;
      if (contains(chunk) || (tail.length > 0 && contains(Buffer.concat([tail, chunk.subarray(0, reach)])))) {
        return undefined;
      }
      found += countOf(chunk, mark);
      last = chunk.at(-1);
      tail = reach > 0 ? Buffer.from(chunk.subarray(-reach)) : tail;
    }
    if (mark === LF && last !== undefined && last !== LF) found++;
  }
  return found;
}

/** Four bytes at a time: one by one it would take as long as reading the records. */
function countOf(bytes: Buffer, byte: number): number {
  const ahead = (4 - (bytes.byteOffset % 4)) % 4;
  const words = Math.max(0, Math.floor((bytes.length - ahead) / 4));
  const aligned = new Uint32Array(bytes.buffer, bytes.byteOffset + ahead, words);
  const pattern = byte * 0x01010101;
  let found = 0;
  // Each byte of a sum counts to 255.
  for (let end = 0; end < words; ) {
    const begin = end;
    end = Math.min(begin + 255, words);
    let sums = 0;
    for (let i = begin; i < end; i++) {
      const x = (aligned[i] as number) ^ pattern;
      // The highest bit of each byte of x that is 0, and no other bit.
      const zeros = ~(((x & 0x7f7f7f7f) + 0x7f7f7f7f) | x | 0x7f7f7f7f);
      sums = (sums + (zeros >>> 7)) | 0;
    }
    found += (sums & 255) + ((sums >>> 8) & 255) + ((sums >>> 16) & 255) + (sums >>> 24);
  }
  for (let i = 0; i < ahead && i < bytes.length; i++) if (bytes[i] === byte) found++;
  for (let i = ahead + 4 * words; i < bytes.length; i++) if (bytes[i] === byte) found++;
  return found;
}

/** The text of a file in chunks, each of which holds until the next one is asked for. */
export async function* chunksOf({ path, unpacked: packed }: Look): AsyncGenerator<Buffer> {
  if (packed) {
    yield* unpacked(path);
    return;
  }
  const file = openSync(path, 'r');
  const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  try {
    // At once: a promise for each of many small files takes longer than reading them.
    for (let read = readSync(file, chunk); read > 0; read = readSync(file, chunk)) {
      yield chunk.subarray(0, read);
      await setImmediate();
    }
  } finally {
    closeSync(file);
  }
}

/** Lines of a file, as `lines` of a `Reading` takes them. */
export interface Piece {
  /** UTF-8, also where the file's bytes are not. */
  readonly text: Buffer;
  /** What stands in the file. */
  readonly raw: Buffer;
  /** How many lines there are before it. */
  readonly first: number;
  readonly broken: readonly number[];
  readonly bytes: number;
  /** The text is the beginning of one line that is longer than a piece may be; of `bytes` bytes. */
  readonly isCut: boolean;
}

/** The lines of a file in pieces of about a size, each cut where a record seems to begin. */
export async function* piecesOf(
  look: Look,
  { pieceBytes, pairedMark }: Pick<Reading, 'pieceBytes' | 'pairedMark'>,
): AsyncGenerator<Piece> {
  let first = 0;
  let held: Buffer[] = [];
  let size = 0;
  const usual = Math.min(USUAL_BYTES, pieceBytes);
  let wanted = usual;
  // Records of an array are mostly indented.
  const start = `\n${/(?:^|\n)([ \t]*)\{/.exec(look.head)?.[1] ?? ''}{`;
  /** Bytes of a line that is passed over, after its beginning was given. */
  let cut: { text: Buffer; bytes: number } | undefined;
  const piece = (bytes: Buffer): Piece => {
    const before = first;
    first += count(bytes);
    return { ...textOf(bytes), raw: bytes, first: before, bytes: bytes.length, isCut: false };
  };
  const endCut = (): Piece => {
    const { text, bytes } = cut as { text: Buffer; bytes: number };
    cut = undefined;
    return { text, raw: text, first: first++, broken: [], bytes, isCut: true };
  };
  for await (let chunk of chunksOf(look)) {
    if (cut) {
      const end = chunk.indexOf(LF);
      cut.bytes += end < 0 ? chunk.length : end;
      if (end < 0) continue;
      yield endCut();
      chunk = chunk.subarray(end + 1);
    }
    held.push(Buffer.from(chunk));
    size += chunk.length;
    if (size < wanted) continue;
    const bytes = Buffer.concat(held);
    const record = (pairedMark ? lastEnd(bytes, pairedMark) : bytes.lastIndexOf(start)) + 1;
    if (record === 0 && size < pieceBytes) {
      // Where no record seems to begin, one may be cut: that is put off as long as can be.
      held = [bytes];
      wanted = Math.min(2 * size, pieceBytes);
      continue;
    }
    wanted = usual;
    const end = record > 0 ? record : bytes.lastIndexOf(LF) + 1;
    if (end > 0) yield piece(bytes.subarray(0, end));
    const rest = bytes.subarray(end);
    if (rest.length > pieceBytes)
      cut = { text: Buffer.from(rest.subarray(0, pieceBytes + 1)), bytes: rest.length };
    held = cut ? [] : [rest];
    size = cut ? 0 : rest.length;
  }
  if (cut) yield endCut();
  else if (size > 0) yield piece(Buffer.concat(held));
}

/** Where the last line ends that has an even number of marks before its end; -1 where none does. */
function lastEnd(bytes: Buffer, mark: string): number {
  const byte = mark.charCodeAt(0);
  let isWithin = false;
  let last = -1;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] === byte) isWithin = !isWithin;
    else if (bytes[i] === LF && !isWithin) last = i;
  }
  return last;
}

function count(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}

/** Bytes as UTF-8, and which lines of them, from 1, were not. */
function textOf(bytes: Buffer): Pick<Piece, 'text' | 'broken'> {
  const broken: number[] = [];
  const parts: Buffer[] = [];
  let line = 1;
  // Halves at ends of lines: looking at each line alone would take as long as reading it.
  const add = (part: Buffer): void => {
    if (isUtf8(part)) {
      parts.push(part);
      line += count(part);
      return;
    }
    const before = part.lastIndexOf(LF, part.length >> 1) + 1;
    const half = before > 0 ? before : part.indexOf(LF) + 1;
    if (half > 0 && half < part.length) {
      add(part.subarray(0, half));
      add(part.subarray(half));
    } else {
      broken.push(line);
      parts.push(Buffer.from(part.toString('utf8')));
      line += half > 0 ? 1 : 0;
    }
  };
  add(bytes);
  return { text: parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts), broken };
}
