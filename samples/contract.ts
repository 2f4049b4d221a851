/** Landing files of any lakehouse, by the contracts of its sources alone. */
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Column, SampleReport, SampleRequest, SourceTable } from '../model';
import { SampleError } from './error';
import { chance, fraction, pick, type Random, randomStreams, whole } from './random';

const FILE_LINES = 25_000;
const DAY = 86_400_000;
/** When a sample begins, and how many days it lasts. */
const SINCE = Date.UTC(2026, 4, 1);
const DAYS = 30;

/** Throws a SampleError for every landing folder that holds something, which would mix with the sample. */
export async function mustBeEmpty(sources: readonly SourceTable[], out: string): Promise<void> {
  const full: string[] = [];
  for (const { entity } of sources)
    if (await hasFiles(landingOf(out, entity))) full.push(landingOf(out, entity));
  if (full.length > 0)
    throw new SampleError(`${full.join(', ')}: not empty; give another folder, or remove what is in it`);
}

/**
 * Writes `size` records for every source that has no file in `out` yet, in bounded memory, the same bytes for the same
 * request. What a contract says to refer to another source, the sample makes refer to it.
 */
export async function writeMissing(
  sources: readonly SourceTable[],
  { out, size, seed, dirty }: SampleRequest,
): Promise<SampleReport> {
  const entities: Record<string, { lines: number; faulty: number }> = {};
  const values = new Values(sources, size, seed);
  let files = 0;
  for (const source of sources) {
    const dir = landingOf(out, source.entity);
    await mkdir(dir, { recursive: true });
    if (await hasFiles(dir)) continue;
    const made = { lines: size, faulty: 0 };
    const random = randomOf(seed, source.name);
    for (let first = 0; first < size; first += FILE_LINES) {
      const lines = function* () {
        for (let i = first; i < Math.min(first + FILE_LINES, size); i++) {
          const record = values.recordOf(source, i);
          const faulty = chance(random, dirty);
          if (faulty) made.faulty++;
          yield `${faulty ? pick(random, FAULTS)(record, source) : writtenOf(record, source)}\n`;
        }
      };
      const name = `${source.entity}-${String(first / FILE_LINES + 1).padStart(4, '0')}.json`;
      await pipeline(Readable.from(lines()), createWriteStream(join(dir, name)));
      files++;
    }
    entities[source.entity] = made;
  }
  return { files, entities };
}

/**
 * Adds to every record of a source in `out` the columns that were `added` to its contract since the files were made: the
 * rest of a line stays as it is written, and so does a line that is no object. A value within one that is there already is
 * left out.
 */
export async function addColumns(
  source: SourceTable,
  added: readonly string[],
  { out, size, seed }: Pick<SampleRequest, 'out' | 'size' | 'seed'>,
): Promise<void> {
  const dir = landingOf(out, source.entity);
  const values = new Values([source], size, seed);
  let i = 0;
  for (const name of (await readdir(dir)).sort()) {
    const file = join(dir, name);
    const isZipped = name.endsWith('.gz');
    const bytes = await readFile(file);
    const lines = (isZipped ? gunzipSync(bytes) : bytes)
      .toString()
      .split('\n')
      .map((line) => {
        const record = objectOf(line);
        if (!record) return line;
        const row = values.recordOf(source, i++);
        const all = JSON.parse(
          writtenOf(Object.fromEntries(added.map((column) => [column, row[column]])), source),
        );
        const more = Object.entries(all).filter(([key]) => !Object.hasOwn(record, key));
        const texts = more.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
        if (texts.length === 0) return line;
        const end = `${Object.keys(record).length > 0 ? ',' : ''}${texts.join(',')}}`;
        return line.replace(/\s*\}\s*$/, () => end);
      });
    const text = lines.join('\n');
    await writeFile(file, isZipped ? gzipSync(text) : text);
  }
}

/** The object that a line is, if it is one. */
function objectOf(line: string): object | undefined {
  try {
    const value = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const landingOf = (out: string, entity: string) => join(out, entity, 'landing');

async function hasFiles(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length > 0;
  } catch {
    return false;
  }
}

type Value = string | number | boolean | null;
/** By the names of columns. */
type Row = Record<string, Value>;

/** The record as its source writes it: values where the contract says that they are. */
function writtenOf(row: Readonly<Record<string, unknown>>, { columns }: SourceTable): string {
  const record: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    const path = (columns[name]?.from ?? name).split('.');
    let place = record;
    for (const step of path.slice(0, -1)) {
      place[step] ??= {};
      place = place[step] as Record<string, unknown>;
    }
    place[path.at(-1) as string] = value;
  }
  return JSON.stringify(record);
}

/** A generator of its own for each thing that is drawn: the same thing gives the same numbers, in any order. */
function randomOf(...of: readonly (string | number)[]): Random {
  let hash = 0x811c9dc5;
  for (const character of of.join('\n')) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  }
  return randomStreams(hash).next().value;
}

/** Makes the nth record of a source from nothing but its contract, n and the seed, so that others can refer to it. */
class Values {
  constructor(
    private readonly sources: readonly SourceTable[],
    private readonly size: number,
    private readonly seed: number,
  ) {}

  recordOf(source: SourceTable, i: number): Row {
    const row = Object.fromEntries(
      Object.keys(source.columns).map((name) => [name, this.valueOf(source, name, i)]),
    );
    for (const [name, { nullable }] of Object.entries(source.columns)) {
      if (nullable && chance(this.random(source, name, i, 'null'), 0.1)) row[name] = null;
    }
    return row;
  }

  private random(source: SourceTable, name: string, ...of: readonly (string | number)[]): Random {
    return randomOf(this.seed, source.name, name, ...of);
  }

  private valueOf(source: SourceTable, name: string, i: number): Value {
    for (const { counterparts } of source.expectations) {
      const other = this.sources.find((table) => table.name === counterparts?.table);
      const column = counterparts?.columns[name];
      // Columns that refer together, refer to one record.
      if (other && column !== undefined && other !== source) {
        return this.valueOf(other, column, whole(this.random(source, other.name, i), 0, this.size - 1));
      }
    }
    const column = source.columns[name] as Column;
    // As many as there are records, where no two may share one.
    const isUnique = source.expectations.some(({ groups, columns }) => groups && columns.includes(name));
    if (isUnique && column.type === 'int') return (column.min ?? 1) + i;
    const instant = SINCE + Math.floor((i * DAYS * DAY) / this.size);
    return valueFor(name, column, i, instant, this.random(source, name, i));
  }
}

function valueFor(
  name: string,
  { type, min, max, normalize, oneOf, precision = 0, scale = 0 }: Column,
  i: number,
  instant: number,
  random: Random,
): Value {
  const least = min ?? Math.min(0, max ?? 0);
  const most = max ?? Math.max(least, 0) + 1000;
  const within = (at: number) => Math.min(Math.max(at, min ?? at), max ?? at);
  if (oneOf) return pick(random, oneOf as [string, ...string[]]);
  switch (type) {
    case 'boolean':
      return chance(random, 0.5);
    case 'json':
      return null;
    case 'isoInstant':
      return new Date(within(instant)).toISOString();
    case 'decimal': {
      // Of many digits, no more than a price has.
      const limit = Math.min(10 ** (precision - scale) - 1, 1000);
      const [from, to] = [Math.max(min ?? 0, -limit), Math.min(max ?? limit, limit)];
      return Number((from + fraction(random) * (to - from)).toFixed(scale));
    }
    case 'text':
      return normalize === 'email' ? `${name}-${i}@example.com` : `${name}-${i}`;
    case 'isoDate':
      return new Date(SINCE - whole(random, 0, 25_000) * DAY).toISOString().slice(0, 10);
    case 'epochMillis':
      return within(instant);
    case 'int':
      return Math.floor(least + fraction(random) * (most - least + 1));
    default:
      return Math.min(Math.round((least + fraction(random) * (most - least)) * 100) / 100, most);
  }
}

type Fault = (row: Row, source: SourceTable) => string;

/** Ways in which a record goes bad that a reader has to refuse. */
const FAULTS: readonly [Fault, ...Fault[]] = [
  (row, source) => writtenOf(row, source).slice(0, -1),
  (row, source) => writtenOf(row, source).replaceAll('"', "'"),
  (row, source) => writtenOf({ ...row, [columnOf(source, ({ type }) => type !== 'json')]: [] }, source),
  (row, source) => writtenOf({ ...row, [columnOf(source, ({ nullable }) => !nullable)]: null }, source),
];

/** The first column of a kind. */
const columnOf = ({ columns }: SourceTable, isIt: (column: Column) => boolean): string =>
  Object.keys(columns).find((name) => isIt(columns[name] as Column)) ?? '';
