/** Landing files of any lakehouse, by the contracts of its sources alone. */
import { createWriteStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  type Column,
  type Columns,
  type ColumnType,
  type SampleReport,
  type SampleRequest,
  type SourceTable,
  spelled,
} from '../model';
import { quoteString } from '../model/sql';
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
    const { extension, head, lineOf, faults } = writerOf(source);
    for (let first = 0; first < size; first += FILE_LINES) {
      const lines = function* () {
        yield head;
        for (let i = first; i < Math.min(first + FILE_LINES, size); i++) {
          const record = values.recordOf(source, i);
          const faulty = chance(random, dirty);
          if (faulty) made.faulty++;
          yield `${faulty ? pick(random, faults)(record, source) : lineOf(record, source)}\n`;
        }
      };
      const name = `${source.entity}-${String(first / FILE_LINES + 1).padStart(4, '0')}.${extension}`;
      const to = join(dir, name);
      if (source.format === 'parquet') await writeParquet(source, [...lines()].join(''), to);
      else await pipeline(Readable.from(lines()), createWriteStream(to));
      files++;
    }
    entities[source.entity] = made;
  }
  return { files, entities };
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
  return JSON.stringify(nested(Object.entries(row), columns));
}

/** What columns have, where the contract says that their values are. */
function nested(entries: readonly (readonly [string, unknown])[], columns: Columns): Record<string, unknown> {
  const record: Record<string, unknown> = {};
  for (const [name, value] of entries) {
    const path = (columns[name]?.from ?? name).split('.');
    let place = record;
    for (const step of path.slice(0, -1)) {
      place[step] ??= {};
      place = place[step] as Record<string, unknown>;
    }
    place[path.at(-1) as string] = value;
  }
  return record;
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

type Line = (row: Row, source: SourceTable) => string;

/** Ways in which a record goes bad that a reader has to refuse. */
const FAULTS: readonly [Line, ...Line[]] = [
  (row, source) => writtenOf(row, source).slice(0, -1),
  (row, source) => writtenOf(row, source).replaceAll('"', "'"),
  (row, source) => writtenOf({ ...row, [columnOf(source, ({ type }) => type !== 'json')]: [] }, source),
  (row, source) => writtenOf({ ...row, [columnOf(source, ({ nullable }) => !nullable)]: null }, source),
];

/** How a source writes its files. */
interface Writer {
  readonly extension: string;
  /** Begins each file. */
  readonly head: string;
  readonly lineOf: Line;
  readonly faults: readonly [Line, ...Line[]];
}

function writerOf({ format, columns }: SourceTable): Writer {
  const json = { extension: 'json', head: '', lineOf: writtenOf, faults: FAULTS };
  if (format === 'json') return json;
  const withNull: Line = (row, source) =>
    writerOf(source).lineOf({ ...row, [columnOf(source, ({ nullable }) => !nullable)]: null }, source);
  // Parquet is made of JSON, of which a value of another type would be another column.
  if (format === 'parquet') return { ...json, extension: 'parquet', faults: [withNull] };
  const { delimiter, quote, header } = format;
  const fieldOf = (value: Value) => {
    const text = value === null ? '' : String(value);
    const isPlain = ![delimiter, quote, '\n', '\r'].some((mark) => text.includes(mark));
    return isPlain ? text : quote + text.replaceAll(quote, quote + quote) + quote;
  };
  const lineOf: Line = (row) =>
    Object.keys(columns)
      .map((name) => fieldOf(row[name] ?? null))
      .join(delimiter);
  const names = Object.entries(columns).map(([name, { from = name }]) => fieldOf(from));
  return {
    extension: 'csv',
    head: header ? `${names.join(delimiter)}\n` : '',
    lineOf,
    faults: [
      withNull,
      (row, source) => `${lineOf(row, source)}${delimiter}?`,
      (row, source) => `${quote}${quote}?${lineOf(row, source)}`,
    ],
  };
}

/** Writes lines of JSON as Parquet: instants as timestamps in UTC, days as dates. */
async function writeParquet(source: SourceTable, lines: string, to: string): Promise<void> {
  // It takes a while to load, and most samples need none.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  try {
    const types = nested(
      Object.entries(source.columns).map(([name, column]) => [
        name,
        PARQUET_TYPES[column.type] ?? spelled(column).duckdb,
      ]),
      source.columns,
    );
    const records = `[${lines.trimEnd().replaceAll('\n', ',')}]`;
    await db.run('SET VARIABLE records = $1', [records]);
    const made = `json_transform(getvariable('records'), ${quoteString(JSON.stringify([types]))})`;
    await db.run(
      `COPY (SELECT unnest(record) FROM (SELECT unnest(${made}) AS record)) TO ${quoteString(to)} (FORMAT parquet)`,
    );
  } finally {
    db.closeSync();
  }
}

const PARQUET_TYPES: Partial<Record<ColumnType, string>> = { isoInstant: 'TIMESTAMP', isoDate: 'DATE' };

/** The first column of a kind. */
const columnOf = ({ columns }: SourceTable, isIt: (column: Column) => boolean): string =>
  Object.keys(columns).find((name) => isIt(columns[name] as Column)) ?? '';
