import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { SourceTable } from '../../model';
import { plainLine } from './plain-line';
import { type Refusal, rangeOf, readLine } from './read-line';

/** Longer lines are refused unread, so that a file without line ends cannot fill the memory. */
export const MAX_LINE_BYTES = 1 << 20;
/** What quarantine keeps of a refused line. */
const MAX_RAW_CHARACTERS = 1 << 16;

/** A refused line, or a refused file (line 0). */
export interface Refused extends Refusal {
  /** From 1; 0 for the file as a whole. */
  readonly line: number;
  /** The text as it came, at most 65,536 characters; bytes that are no UTF-8 as Latin-1. */
  readonly raw: string;
}

/** What a stretch of a file gave. */
export interface Portion {
  readonly accepted: readonly string[];
  readonly refused: readonly Refused[];
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
  const hint = hintFor(head.text);
  const judge = judgeFor(table);
  let line = 0;
  let seen = false;
  for await (const { bytes, tooLong } of lineGroups(path, head.gzip)) {
    const accepted: string[] = [];
    const refused: Refused[] = [];
    const refuse = (raw: string, { reason, detail }: Refusal) =>
      refused.push({
        line,
        // The cut may fall between the halves of a surrogate pair.
        raw: raw.slice(0, MAX_RAW_CHARACTERS).toWellFormed(),
        reason,
        detail: hint ? `${detail} (${hint})` : detail,
      });
    const valid = !tooLong && isUtf8(bytes);
    const lines = bytes.toString(valid ? 'utf8' : 'latin1').split(tooLong ? /$/ : /\r\n|\n|\r/);
    // A group ends with its line end: what follows it is no line.
    if (lines.at(-1) === '') lines.pop();
    for (const text of lines) {
      line++;
      if (tooLong || lengthOf(text, valid) > MAX_LINE_BYTES) {
        seen = true;
        const start = valid ? Buffer.from(text).toString('latin1', 0, MAX_RAW_CHARACTERS) : text;
        refuse(start, { reason: 'LINE_TOO_LONG', detail: `longer than ${MAX_LINE_BYTES} bytes` });
        continue;
      }
      const content = line === 1 ? text.replace(/^(?:\ufeff|\u00ef\u00bb\u00bf)/, '') : text;
      if (/^[ \t\f\v]*$/.test(content)) continue;
      seen = true;
      // One bad byte makes the whole group Latin-1: each line is then looked at by itself.
      const own = valid ? content : decode(content);
      if (own === undefined) {
        refuse(content, { reason: 'INVALID_ENCODING', detail: 'not UTF-8' });
        continue;
      }
      const verdict = judge(own);
      if ('json' in verdict) accepted.push(verdict.json);
      else refuse(own, verdict);
    }
    yield { accepted, refused };
  }
  if (!seen) yield whole('EMPTY_FILE', 'the file holds no line');
}

const whole = (reason: Refusal['reason'], detail: string): Portion => ({
  accepted: [],
  refused: [{ line: 0, raw: '', reason, detail }],
});

/** A line's bytes; counted only where its characters leave it open. */
const lengthOf = (text: string, utf8: boolean) =>
  utf8 && text.length * 3 > MAX_LINE_BYTES ? Buffer.byteLength(text) : text.length;

/** What is wrong with a gzip file, found by unpacking it once: a stream in mid-failure drops what it has read. */
async function damageOf(path: string): Promise<string | undefined> {
  const file = createReadStream(path);
  try {
    await pipeline(file, createGunzip(), new Writable({ write: (_chunk, _encoding, done) => done() }));
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) return code;
    throw error;
  }
}

/** Takes plain lines as they are, all others through the careful reader. */
function judgeFor(table: SourceTable) {
  const plain = new RegExp(`^${plainLine(table)}[ \\t]*,?[ \\t]*$`);
  const ranged = Object.values(table.columns).some((c) => c.min !== undefined || c.max !== undefined);
  const bounds = Object.entries(table.columns).flatMap(([name, column]) =>
    column.min === undefined && column.max === undefined ? [] : [{ name, ...rangeOf(column) }],
  );
  return (line: string) => {
    if (!plain.test(line)) return readLine(line, table);
    const object = line.slice(0, line.lastIndexOf('}') + 1);
    if (ranged) {
      const record = JSON.parse(object) as Record<string, number | null | undefined>;
      const outside = bounds.some(({ name, min, max }) => {
        const value = record[name];
        return typeof value === 'number' && (value < min || value > max);
      });
      if (outside) return readLine(line, table);
    }
    return { json: object };
  };
}

function decode(latin1: string): string | undefined {
  const bytes = Buffer.from(latin1, 'latin1');
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}

interface LineGroup {
  readonly bytes: Buffer;
  readonly tooLong: boolean;
}

/** The file in pieces that end at line ends. Of a line that is too long only the beginning may be given. */
async function* lineGroups(path: string, gzip: boolean): AsyncGenerator<LineGroup> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  const stream = gzip ? file.pipe(createGunzip()) : file;
  if (gzip) file.on('error', (error) => stream.destroy(error));
  let rest: Buffer = Buffer.alloc(0);
  // Set while the rest of a line that is too long is passed over.
  let skipping = false;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let bytes = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    if (skipping) {
      const start = afterLineEnd(bytes);
      rest = start === undefined ? bytes.subarray(bytes.length - 1) : Buffer.alloc(0);
      if (start === undefined) continue;
      bytes = bytes.subarray(start);
      skipping = false;
    }
    // A final \r may be the first half of \r\n, so it waits for the next chunk.
    const end = Math.max(bytes.lastIndexOf(10), bytes.subarray(0, -1).lastIndexOf(13));
    if (end >= 0) yield { bytes: bytes.subarray(0, end + 1), tooLong: false };
    rest = bytes.subarray(end + 1);
    if (rest.length > MAX_LINE_BYTES + 1) {
      yield { bytes: rest.subarray(0, MAX_RAW_CHARACTERS), tooLong: true };
      rest = rest.subarray(rest.length - 1);
      skipping = true;
    }
  }
  if (rest.length > 0 && !skipping) yield { bytes: rest, tooLong: false };
}

/** Where the line after the first line end begins; unknown while that end may be half of a \r\n. */
function afterLineEnd(bytes: Buffer): number | undefined {
  const ends = [bytes.indexOf(10), bytes.indexOf(13)].filter((i) => i >= 0);
  if (ends.length === 0) return undefined;
  const end = Math.min(...ends);
  if (bytes[end] === 10) return end + 1;
  if (end === bytes.length - 1) return undefined;
  return bytes[end + 1] === 10 ? end + 2 : end + 1;
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
