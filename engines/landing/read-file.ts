import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { SourceTable } from '../../model';
import { type PlainScanner, plainScanner } from './plain-scanner';
import { type Refusal, readLine } from './read-line';

/** Longer lines are refused unread, so that a file without line ends cannot fill the memory. */
export const MAX_LINE_BYTES = 1 << 20;
/** What quarantine keeps of a refused line. */
const MAX_RAW_CHARACTERS = 1 << 16;
const CHUNK_BYTES = 1 << 20;
const LF = 10;
const CR = 13;
const COMMA = 0x2c;
const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** Room for the beginning of a line and what is read next; one serves any number of files in turn. */
export const readBuffer = () => Buffer.allocUnsafeSlow(MAX_LINE_BYTES + 2 + CHUNK_BYTES);

/** A refused line, or a refused file (line 0). */
export interface Refused extends Refusal {
  /** From 1; 0 for the file as a whole. */
  readonly line: number;
  /** The text as it came, at most 65,536 characters; bytes that are no UTF-8 as Latin-1. */
  readonly raw: string;
}

/** What a stretch of a file gave. */
export interface Portion {
  /** The good records as JSON lines: those of `count`, each with its line end. */
  readonly accepted: readonly (Buffer | string)[];
  readonly count: number;
  readonly refused: readonly Refused[];
}

/**
 * How many lines a file has, if every one of them is plain (see {@link PlainScanner}) and ends with `\n` or
 * `\r\n`, so that any reader of JSON lines reads it alike. What is packed is never plain: DuckDB would read a
 * cut-off gzip file to its end without a word. `buffer` is one of {@link readBuffer}, free again afterwards.
 * Throws what the file system throws.
 */
export async function plainLines(
  path: string,
  scan: PlainScanner,
  buffer: Buffer,
): Promise<number | undefined> {
  let lines = 0;
  for await (const { bytes, tooLong } of lineGroups(path, false, buffer)) {
    if (tooLong || !isUtf8(bytes)) return undefined;
    let at = 0;
    while (at < bytes.length) {
      const start = at;
      at = scan(bytes, start, bytes.length);
      if (at < 0 || at - start > MAX_LINE_BYTES) return undefined;
      if (bytes[at] === CR) at++;
      if (at < bytes.length && bytes[at] !== LF) return undefined;
      at++;
      lines++;
    }
  }
  return lines === 0 ? undefined : lines;
}

/**
 * Reads a landing file (`.gz` too, told by its first bytes) line by line in bounded memory. Blank lines and a
 * byte-order mark are skipped; `\n`, `\r\n` and `\r` end a line. A file without any line is refused as
 * EMPTY_FILE. A damaged or cut-off `.gz` is refused whole as UNREADABLE_FILE: half a file never counts as data.
 * Throws what the file system throws.
 */
export async function* readFile(path: string, table: SourceTable): AsyncGenerator<Portion> {
  const head = await headOf(path);
  const damage = head.gzip ? await damageOf(path) : undefined;
  if (damage) {
    yield whole('UNREADABLE_FILE', `the file cannot be unpacked to its end: ${damage}; upload it again`);
    return;
  }
  const lines = new LineReader(table, hintFor(head.text));
  for await (const { bytes, tooLong } of lineGroups(path, head.gzip, readBuffer())) {
    yield tooLong ? lines.refuseLong(bytes) : lines.read(bytes);
  }
  if (!lines.seen) yield whole('EMPTY_FILE', 'the file holds no line');
}

const whole = (reason: Refusal['reason'], detail: string): Portion => ({
  accepted: [],
  count: 0,
  refused: [{ line: 0, raw: '', reason, detail }],
});

/** Judges the lines of one file in their order. */
class LineReader {
  /** Whether the file has a line that is not blank. */
  seen = false;
  private line = 0;
  private readonly scan: PlainScanner;

  constructor(
    private readonly table: SourceTable,
    private readonly hint: string | undefined,
  ) {
    this.scan = plainScanner(table);
  }

  /** The beginning of a line that is too long. */
  refuseLong(bytes: Buffer): Portion {
    this.line++;
    this.seen = true;
    const detail = `longer than ${MAX_LINE_BYTES} bytes`;
    const raw = bytes.toString('latin1', 0, MAX_RAW_CHARACTERS);
    return { accepted: [], count: 0, refused: [this.refusal(raw, { reason: 'LINE_TOO_LONG', detail })] };
  }

  /** Whole lines. */
  read(bytes: Buffer): Portion {
    const accepted: (Buffer | string)[] = [];
    const refused: Refused[] = [];
    let count = 0;
    const utf8 = isUtf8(bytes);
    let start = 0;
    while (start < bytes.length) {
      // Plain lines are most of a file, so they are taken without being cut out and decoded.
      const plain = utf8 ? this.scan(bytes, start, bytes.length) : -1;
      const end = plain < 0 ? lineEnd(bytes, start) : afterComma(bytes, plain);
      if (plain >= 0 && isLineEnd(bytes, end) && end - start <= MAX_LINE_BYTES) {
        this.line++;
        this.seen = true;
        accepted.push(bytes.subarray(start, plain), '\n');
        count++;
        start = nextLine(bytes, end);
        continue;
      }
      const lineStop = lineEnd(bytes, start);
      const verdict = this.judge(bytes.subarray(start, lineStop));
      if (typeof verdict === 'string') {
        accepted.push(verdict, '\n');
        count++;
      } else if (verdict) {
        refused.push(verdict);
      }
      start = nextLine(bytes, lineStop);
    }
    return { accepted, count, refused };
  }

  /** The record of one line as JSON, its refusal, or nothing for a blank line. */
  private judge(bytes: Buffer): string | Refused | undefined {
    this.line++;
    if (bytes.length > MAX_LINE_BYTES) {
      this.line--;
      return this.refuseLong(bytes).refused[0];
    }
    const marked = this.line === 1 && bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
    const content = marked ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
    const text = isUtf8(content) ? content.toString('utf8') : undefined;
    if (text !== undefined && /^[ \t\f\v]*$/.test(text)) return undefined;
    this.seen = true;
    if (text === undefined) {
      return this.refusal(content.toString('latin1'), { reason: 'INVALID_ENCODING', detail: 'not UTF-8' });
    }
    const verdict = readLine(text, this.table);
    return 'json' in verdict ? verdict.json : this.refusal(text, verdict);
  }

  private refusal(raw: string, { reason, detail }: Refusal): Refused {
    return {
      line: this.line,
      // The cut may fall between the halves of a surrogate pair.
      raw: raw.slice(0, MAX_RAW_CHARACTERS).toWellFormed(),
      reason,
      detail: this.hint ? `${detail} (${this.hint})` : detail,
    };
  }
}

const isLineEnd = (bytes: Buffer, at: number) => at >= bytes.length || bytes[at] === LF || bytes[at] === CR;

/** Index of the byte that ends the line, or the end of the bytes. */
function lineEnd(bytes: Buffer, start: number): number {
  const lf = bytes.indexOf(LF, start);
  const stop = lf < 0 ? bytes.length : lf;
  const cr = bytes.subarray(start, stop).indexOf(CR);
  return cr < 0 ? stop : start + cr;
}

const nextLine = (bytes: Buffer, end: number) =>
  bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1;

/** Passes over a trailing comma and the spaces around it. */
function afterComma(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  if (bytes[at] === COMMA) at++;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  return at;
}

/** What is wrong with a gzip file, found by unpacking it once: a stream in mid-failure drops what it has read. */
async function damageOf(path: string): Promise<string | undefined> {
  try {
    await pipeline(
      createReadStream(path),
      createGunzip(),
      new Writable({ write: (_chunk, _encoding, done) => done() }),
    );
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) return code;
    throw error;
  }
}

interface LineGroup {
  readonly bytes: Buffer;
  readonly tooLong: boolean;
}

/** Puts the next bytes of a file into a buffer from an offset on, and tells how many: 0 at the end. */
type Fill = (buffer: Buffer, offset: number) => Promise<number>;

async function* unpacked(path: string): AsyncGenerator<Buffer> {
  const file = createReadStream(path);
  const stream = file.pipe(createGunzip({ chunkSize: CHUNK_BYTES }));
  file.on('error', (error) => stream.destroy(error));
  yield* stream as AsyncIterable<Buffer>;
}

/**
 * The file in pieces that end at line ends. Of a line that is too long only the beginning may be given. A piece
 * is a view of one buffer, and holds until the next one is asked for.
 */
async function* lineGroups(path: string, gzip: boolean, target: Buffer): AsyncGenerator<LineGroup> {
  if (gzip) {
    const chunks = unpacked(path);
    yield* groupsOf(target, async (buffer, offset) => {
      const { value } = await chunks.next();
      return value ? value.copy(buffer, offset) : 0;
    });
    return;
  }
  const file = await open(path);
  try {
    yield* groupsOf(
      target,
      async (buffer, offset) => (await file.read(buffer, offset, CHUNK_BYTES)).bytesRead,
    );
  } finally {
    await file.close();
  }
}

async function* groupsOf(buffer: Buffer, fill: Fill): AsyncGenerator<LineGroup> {
  /** How much of the buffer is used: the beginning of a line, then what was read. */
  let used = 0;
  // Set while the rest of a line that is too long is passed over.
  let skipping = false;
  for (let read = await fill(buffer, used); read > 0; read = await fill(buffer, used)) {
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
      if (used - start > MAX_LINE_BYTES + 1) {
        yield { bytes: buffer.subarray(start, start + MAX_RAW_CHARACTERS), tooLong: true };
        start = used - 1;
        skipping = true;
      }
    }
    buffer.copyWithin(0, start, used);
    used -= start;
  }
  if (used > 0 && !skipping) yield { bytes: buffer.subarray(0, used), tooLong: false };
}

/** Where the line after the first line end begins; unknown while that end may be half of a \r\n. */
function afterLineEnd(bytes: Buffer): number | undefined {
  const end = lineEnd(bytes, 0);
  if (end >= bytes.length || (bytes[end] === CR && end === bytes.length - 1)) return undefined;
  return nextLine(bytes, end);
}

async function headOf(path: string): Promise<{ text: string; gzip: boolean }> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(512), 0, 512, 0);
    const bytes = buffer.subarray(0, bytesRead);
    const gzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return { gzip, text: gzip ? '' : bytes.toString('latin1') };
  } finally {
    await file.close();
  }
}

/** What the file as a whole looks like, where that explains why its lines are refused. */
function hintFor(head: string): string | undefined {
  const text = head.replace(/^\u00ef\u00bb\u00bf/, '').trimStart();
  if (text === '' || text.startsWith('{')) return undefined;
  if (text.startsWith('PAR1')) return 'the file is Parquet; landing takes JSON lines';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells binary from text
  if (/[\x00-\x08\x0e-\x1f]/.test(text)) return 'the file is binary; landing takes JSON lines';
  if (text.startsWith('[')) return 'the file is a JSON array; write one object a line';
  if (text.startsWith('<')) return 'the file is XML or HTML; landing takes JSON lines';
  if (/^[^\n{]*[,;\t][^\n{]*\n/.test(text)) return 'the file looks like CSV; landing takes JSON lines';
  return undefined;
}
