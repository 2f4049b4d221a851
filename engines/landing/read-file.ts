import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { SourceTable } from '../../model';
import {
  BYTE_ORDER_MARK,
  CHUNK_BYTES,
  damageOf,
  isNamedGzip,
  lineEnd,
  MAX_LINE_BYTES,
  nextLine,
  type Packing,
  packingOf,
  piecesOf,
  readBuffer,
} from './pieces';
import { type PlainScanner, plainScanner } from './plain-scanner';
import { type Reason, type Refusal, readLine } from './read-line';

/** What quarantine keeps of a refused line. */
const MAX_RAW_CHARACTERS = 1 << 16;
const LF = 10;
const CR = 13;
const COMMA = 0x2c;

/** Where an object could be read, what the file as a whole looks like explains nothing. */
const ABOUT_VALUES = new Set<Reason>(['DUPLICATE_KEY', 'MISSING_REQUIRED', 'WRONG_TYPE', 'OUT_OF_RANGE']);

/** A refused line, or a refused file (line 0). */
export interface Refused extends Refusal {
  /** From 1; 0 for the file as a whole. */
  readonly line: number;
  /** The text as it came, at most 65,536 characters; bytes that are no UTF-8 as Latin-1. */
  readonly raw: string;
}

/** What a stretch of a file gave. */
export interface Portion {
  /** The good records as JSON lines: those of `count`, each with its line end. Holds until the next portion. */
  readonly accepted: readonly (Buffer | string)[];
  readonly count: number;
  readonly refused: readonly Refused[];
}

/**
 * Reads a landing file line by line in bounded memory. Blank lines and a byte-order mark are skipped; `\n`, `\r\n`
 * and `\r` end a line. What is packed is told by its name, as Spark and Athena tell it: a file whose name ends in
 * `.gz` is unpacked. A file without any line is refused as EMPTY_FILE. A damaged or cut-off `.gz` is refused whole as
 * UNREADABLE_FILE, since half a file never counts as data; so is a file whose name says other than its bytes. Throws
 * what the file system throws.
 */
export const readFile = (path: string, table: SourceTable): AsyncGenerator<Portion> =>
  new SourceReader(table).read(path);

/** Reads the files of a source, one at a time: its scanner and its buffer serve each in turn. */
export class SourceReader {
  private readonly scan: PlainScanner;
  private readonly buffer = readBuffer();

  constructor(private readonly table: SourceTable) {
    this.scan = plainScanner(table);
  }

  /** See {@link readFile}. */
  async *read(path: string): AsyncGenerator<Portion> {
    const packing = await packingOf(path);
    const fault = await packingFault(path, packing);
    if (fault) {
      yield whole('UNREADABLE_FILE', fault);
      return;
    }
    let lines: LineReader | undefined;
    for await (const { bytes, tooLong } of piecesOf(path, packing === 'gzip', this.buffer)) {
      lines ??= new LineReader(this.table, this.scan, hintFor(bytes.toString('latin1', 0, 512)));
      yield tooLong ? lines.refuseLong(bytes) : lines.read(bytes);
    }
    if (!lines?.seen) yield whole('EMPTY_FILE', 'the file holds no line');
  }

  /**
   * How many lines a file has, if every one of them is plain (see {@link PlainScanner}) and ends with `\n` or
   * `\r\n`, which the last one may lack: so that any reader of JSON lines reads it alike. What is packed is never
   * plain: DuckDB would read a cut-off gzip file to its end without a word. Throws what the file system throws.
   */
  async plainLines(path: string): Promise<number | undefined> {
    if (isNamedGzip(path)) return undefined;
    // Most files fit into one chunk, and a promise for each step would cost more than reading it.
    const file = openSync(path, 'r');
    try {
      let lines = 0;
      let used = 0;
      for (;;) {
        const read = readSync(file, this.buffer, used, CHUNK_BYTES, null);
        used += read;
        if (read === 0) this.buffer[used++] = LF;
        const end = this.buffer.lastIndexOf(LF, used - 1) + 1;
        const found = read === 0 && used === 1 ? 0 : plainIn(this.buffer.subarray(0, end), this.scan);
        if (found === undefined || used - end > MAX_LINE_BYTES) return undefined;
        lines += found;
        if (read === 0) return lines > 0 ? lines : undefined;
        this.buffer.copyWithin(0, end, used);
        used -= end;
        // Scanning keeps the thread: what waits for it has its turn between the chunks.
        await setImmediate();
      }
    } finally {
      closeSync(file);
    }
  }
}

/** Why a file cannot be read as its name says that it is packed. */
async function packingFault(path: string, packing: Packing): Promise<string | undefined> {
  const named = isNamedGzip(path);
  if (packing === 'gzip' && !named) {
    return 'packed with gzip, but its name does not end in .gz, by which Spark and Athena tell; rename it';
  }
  if (packing === 'none' && named) {
    return 'its name ends in .gz, but it is not packed with gzip; rename it or upload it again';
  }
  const damage = packing === 'gzip' ? await damageOf(path) : undefined;
  return damage && `the file cannot be unpacked to its end: ${damage}; upload it again`;
}

/** How many lines there are, if all are plain and end with `\n` or `\r\n`. */
function plainIn(bytes: Buffer, scan: PlainScanner): number | undefined {
  if (!isUtf8(bytes)) return undefined;
  const view = viewOf(bytes);
  // Under tsx an import is a call at each use.
  const limit = MAX_LINE_BYTES;
  let lines = 0;
  for (let at = 0; at < bytes.length; lines++) {
    const start = at;
    at = scan(view, start);
    if (at < 0 || at - start > limit) return undefined;
    if (bytes[at] === CR) at++;
    if (bytes[at++] !== LF) return undefined;
  }
  return lines;
}

/** The bytes for a scanner, and what follows them in their buffer. */
const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset);

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

  constructor(
    private readonly table: SourceTable,
    private readonly scan: PlainScanner,
    private readonly hint: string | undefined,
  ) {}

  /** The beginning of a line that is too long. */
  refuseLong(bytes: Buffer): Portion {
    this.line++;
    return { accepted: [], count: 0, refused: [this.tooLong(this.unmarked(bytes))] };
  }

  /** Whole lines, the last one with its end too. */
  read(bytes: Buffer): Portion {
    const accepted: (Buffer | string)[] = [];
    const refused: Refused[] = [];
    let count = 0;
    const view = isUtf8(bytes) ? viewOf(bytes) : undefined;
    // Plain lines are most of a file, so they are taken in stretches without being cut out and decoded.
    let stretch = 0;
    const takeStretch = (end: number) => {
      if (end > stretch) accepted.push(bytes.subarray(stretch, end));
    };
    for (let start = 0; start < bytes.length; ) {
      this.line++;
      const plain = view ? this.scan(view, start) : -1;
      const end = plain < 0 ? -1 : afterComma(bytes, plain);
      if (end >= 0 && isLineEnd(bytes, end) && end - start <= MAX_LINE_BYTES) {
        this.seen = true;
        count++;
        const next = nextLine(bytes, end);
        if (end > plain || bytes[next - 1] !== LF) {
          takeStretch(plain);
          accepted.push('\n');
          stretch = next;
        }
        start = next;
        continue;
      }
      takeStretch(start);
      const stop = lineEnd(bytes, start);
      const verdict = this.judge(bytes.subarray(start, stop));
      if (typeof verdict === 'string') {
        accepted.push(verdict, '\n');
        count++;
      } else if (verdict) {
        refused.push(verdict);
      }
      start = nextLine(bytes, stop);
      stretch = start;
    }
    takeStretch(bytes.length);
    return { accepted, count, refused };
  }

  /** The record of one line as JSON, its refusal, or nothing for a blank line. */
  private judge(bytes: Buffer): string | Refused | undefined {
    const content = this.unmarked(bytes);
    if (content.length > MAX_LINE_BYTES) return this.tooLong(content);
    const text = isUtf8(content) ? content.toString('utf8') : undefined;
    if (text !== undefined && /^[ \t\f\v]*$/.test(text)) return undefined;
    this.seen = true;
    if (text === undefined) {
      return this.refusal(content.toString('latin1'), { reason: 'INVALID_ENCODING', detail: 'not UTF-8' });
    }
    const verdict = readLine(text, this.table);
    return 'json' in verdict ? verdict.json : this.refusal(text, verdict);
  }

  private unmarked(bytes: Buffer): Buffer {
    const marked = this.line === 1 && bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK);
    return marked ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
  }

  private tooLong(content: Buffer): Refused {
    this.seen = true;
    const detail = `longer than ${MAX_LINE_BYTES} bytes`;
    return this.refusal(beginningOf(content), { reason: 'LINE_TOO_LONG', detail });
  }

  private refusal(raw: string, { reason, detail }: Refusal): Refused {
    return {
      line: this.line,
      // The cut may fall between the halves of a surrogate pair.
      raw: raw.slice(0, MAX_RAW_CHARACTERS).toWellFormed(),
      reason,
      detail: this.hint && !ABOUT_VALUES.has(reason) ? `${detail} (${this.hint})` : detail,
    };
  }
}

const isLineEnd = (bytes: Buffer, at: number) => bytes[at] === LF || bytes[at] === CR;

/** Passes over a trailing comma and the spaces around it. */
function afterComma(bytes: Buffer, start: number): number {
  let at = start;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  if (bytes[at] === COMMA) at++;
  while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
  return at;
}

/** Text of which more is there than quarantine keeps, cut between two characters; as Latin-1 if it is no UTF-8. */
function beginningOf(bytes: Buffer): string {
  let end = Math.min(bytes.length, 4 * MAX_RAW_CHARACTERS);
  // Text that is UTF-8 has three such bytes in a row at most.
  for (let i = 0; i < 3 && ((bytes[end] as number) & 0xc0) === 0x80; i++) end--;
  const beginning = bytes.subarray(0, end);
  return beginning.toString(isUtf8(beginning) ? 'utf8' : 'latin1');
}

/** What the file as a whole looks like, where that explains why its lines are refused. */
function hintFor(head: string): string | undefined {
  const text = head.replace(/^\u00ef\u00bb\u00bf/, '').trimStart();
  if (/^(?:\u00ff\u00fe|\u00fe\u00ff|\{\0|\0\{)/.test(text)) return 'the file is UTF-16; landing takes UTF-8';
  if (/^\{\s*[\r\n]/.test(text))
    return 'the file spreads an object over several lines; write one object a line';
  if (text === '' || text.startsWith('{')) return undefined;
  if (text.startsWith('PAR1')) return 'the file is Parquet; landing takes JSON lines';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells binary from text
  if (/[\x00-\x08\x0e-\x1f]/.test(text)) return 'the file is binary; landing takes JSON lines';
  if (text.startsWith('[')) return 'the file is a JSON array; write one object a line';
  if (text.startsWith('<')) return 'the file is XML or HTML; landing takes JSON lines';
  if (/^[^\n{]*[,;\t][^\n{]*\n/.test(text)) return 'the file looks like CSV; landing takes JSON lines';
  return undefined;
}
