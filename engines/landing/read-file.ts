import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
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
 * EMPTY_FILE; one that breaks off while being read ends with UNREADABLE_FILE in place of its rest.
 */
export async function* readFile(path: string, table: SourceTable): AsyncGenerator<Portion> {
  const head = await headOf(path);
  const hint = hintFor(head.text);
  const judge = judgeFor(table);
  let line = 0;
  let seen = false;
  const refuse = (raw: string, refusal: Refusal): Refused => ({
    line,
    raw: raw.slice(0, MAX_RAW_CHARACTERS),
    reason: refusal.reason,
    detail: hint ? `${refusal.detail} (${hint})` : refusal.detail,
  });

  try {
    for await (const { bytes, tooLong } of lineGroups(path, head.gzip)) {
      const accepted: string[] = [];
      const refused: Refused[] = [];
      if (tooLong) {
        line++;
        seen = true;
        const detail = `longer than ${MAX_LINE_BYTES} bytes`;
        refused.push(refuse(bytes.toString('latin1'), { reason: 'LINE_TOO_LONG', detail }));
        yield { accepted, refused };
        continue;
      }
      const valid = isUtf8(bytes);
      const lines = bytes.toString(valid ? 'utf8' : 'latin1').split(/\r\n|\n|\r/);
      // A group ends with its line end: what follows it is no line.
      if (lines.at(-1) === '') lines.pop();
      for (const text of lines) {
        line++;
        const content = line === 1 ? text.replace(/^(?:\ufeff|\u00ef\u00bb\u00bf)/, '') : text;
        if (content.trim() === '') continue;
        seen = true;
        // One bad byte makes the whole group Latin-1: each line is then looked at by itself.
        const own = valid ? content : decode(content);
        if (own === undefined) {
          refused.push(refuse(content, { reason: 'INVALID_ENCODING', detail: 'not UTF-8' }));
          continue;
        }
        const verdict = judge(own);
        if ('json' in verdict) accepted.push(verdict.json);
        else refused.push(refuse(own, verdict));
      }
      yield { accepted, refused };
    }
  } catch (error) {
    line++;
    const detail = `the file breaks off while it is read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`;
    yield { accepted: [], refused: [{ line, raw: '', reason: 'UNREADABLE_FILE', detail }] };
    return;
  }
  if (!seen) {
    yield {
      accepted: [],
      refused: [{ line: 0, raw: '', reason: 'EMPTY_FILE', detail: 'the file holds no line' }],
    };
  }
}

/** Takes plain lines as they are, all others through the careful reader. */
function judgeFor(table: SourceTable) {
  const plain = new RegExp(`^${plainLine(table)}\\s*,?\\s*$`);
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

/** The file in pieces that end at line ends. Of a line that is too long only the beginning is given. */
async function* lineGroups(path: string, gzip: boolean): AsyncGenerator<LineGroup> {
  const file = createReadStream(path, { highWaterMark: 1 << 18 });
  const stream = gzip ? file.pipe(createGunzip()) : file;
  if (gzip) file.on('error', (error) => stream.destroy(error));
  let rest: Buffer = Buffer.alloc(0);
  let skipping = false;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let bytes = chunk;
    if (skipping) {
      const end = firstLineEnd(bytes);
      if (end < 0) continue;
      bytes = bytes.subarray(end + 1);
      skipping = false;
    }
    bytes = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes;
    // A final \r may be the first half of \r\n, so it waits for the next chunk.
    const end = Math.max(bytes.lastIndexOf(10), bytes.lastIndexOf(13, bytes.length - 2));
    if (end >= 0) yield { bytes: bytes.subarray(0, end + 1), tooLong: false };
    rest = bytes.subarray(end + 1);
    if (rest.length > MAX_LINE_BYTES) {
      yield { bytes: rest.subarray(0, MAX_RAW_CHARACTERS), tooLong: true };
      rest = Buffer.alloc(0);
      skipping = true;
    }
  }
  if (rest.length > 0) yield { bytes: rest, tooLong: false };
}

function firstLineEnd(bytes: Buffer): number {
  const ends = [bytes.indexOf(10), bytes.indexOf(13)].filter((i) => i >= 0);
  return ends.length > 0 ? Math.min(...ends) : -1;
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
  if (/[\x00-\x08\x0e-\x1f]/.test(text)) return 'the file is binary; landing takes JSON lines';
  if (text.startsWith('[')) return 'the file is a JSON array; write one object a line';
  if (text.startsWith('<')) return 'the file is XML or HTML; landing takes JSON lines';
  if (/^[^\n{]*[,;\t][^\n{]*\n/.test(text)) return 'the file looks like CSV; landing takes JSON lines';
  return undefined;
}
