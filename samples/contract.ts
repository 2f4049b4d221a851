/** Landing files of any lakehouse, by the contracts of its sources alone. */
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  type Column,
  type ColumnType,
  type SampleReport,
  type SampleRequest,
  type SourceTable,
  spelled,
  valuePlace,
} from '../model';
import { type Part, type Sequence, sequencesOf } from '../model/pattern';
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
  for (const entity of new Set(sources.map((source) => source.entity)))
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
  for (const entity of new Set(sources.map((source) => source.entity))) {
    const own = sources.filter((source) => source.entity === entity);
    const dir = landingOf(out, entity);
    await mkdir(dir, { recursive: true });
    if (await hasFiles(dir)) continue;
    const made = { lines: size, faulty: 0 };
    const random = randomOf(seed, own[0]?.name ?? '');
    const [written] = own as [SourceTable];
    const { extension, head, lineOf, faults } = writerOf(written);
    for (let first = 0; first < size; first += FILE_LINES) {
      const lines = function* () {
        yield head;
        for (let i = first; i < Math.min(first + FILE_LINES, size); i++) {
          const record = values.recordOf(own, i);
          const faulty = chance(random, dirty);
          if (faulty) made.faulty++;
          yield `${faulty ? pick(random, faults)(record, pick(random, own as [SourceTable, ...SourceTable[]])) : lineOf(record, written)}\n`;
        }
      };
      const name = `${entity}-${String(first / FILE_LINES + 1).padStart(4, '0')}.${extension}`;
      const to = join(dir, name);
      if (written.format === 'parquet') await writeParquet(written, [...lines()].join(''), to);
      else await pipeline(Readable.from(lines()), createWriteStream(to));
      files++;
    }
    entities[entity] = made;
  }
  return { files, entities };
}

/**
 * Adds to every record of a source of JSON in `out` the columns that were `added` to its contract since the files were made: the
 * rest of a line stays as it is written, and so does a line that is no object. A value within one that is there already is
 * left out.
 */
export async function addColumns(
  source: SourceTable,
  added: readonly string[],
  { out, size, seed }: Pick<SampleRequest, 'out' | 'size' | 'seed'>,
): Promise<void> {
  const dir = landingOf(out, source.entity);
  const columns = Object.fromEntries(
    Object.entries(source.columns).filter(([column]) => added.includes(column)),
  );
  const later: SourceTable = { ...source, columns };
  const values = new Values([later], size, seed);
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
        const all = Object.entries(values.recordOf([later], i++));
        const more = all.filter(([key]) => !Object.hasOwn(record, key));
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
/** As its source writes it. */
type Written = Record<string | number, unknown>;

/** Puts a value where a column's is; of an element, in the nth of the array. */
function put(record: Written, source: SourceTable, name: string, value: unknown, nth = 0) {
  const column = source.columns[name] as Column;
  const { of, path } = valuePlace(source, name, column);
  putAt(record, of === 'element' ? [...arrayOf(source), nth, ...path] : path, value);
}

function putAt(record: Written, path: readonly (string | number)[], value: unknown) {
  let place = record;
  for (const [i, step] of path.slice(0, -1).entries()) {
    place[step] ??= typeof path[i + 1] === 'number' ? [] : {};
    place = place[step] as Written;
  }
  place[path.at(-1) as string] = value;
}

/** The keys on the way to the array whose elements are rows. */
const arrayOf = ({ each = '' }: SourceTable) => each.split('.');

/** How many elements an array has at most. */
const MOST_ELEMENTS = 5;
const elementsOf = (i: number) => (i + 1) % (MOST_ELEMENTS + 1);

/** A generator of its own for each thing that is drawn: the same thing gives the same numbers, in any order. */
function randomOf(...of: readonly (string | number)[]): Random {
  let hash = 0x811c9dc5;
  for (const character of of.join('\n')) {
    hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
  }
  return randomStreams(hash).next().value;
}

/** The column whose contract makes a value. */
type Maker = readonly [source: SourceTable, name: string];

/** Makes the nth record of a source from nothing but its contract, n and the seed, so that others can refer to it. */
class Values {
  private readonly makers = new Map<string, Maker>();

  constructor(
    private readonly sources: readonly SourceTable[],
    private readonly size: number,
    private readonly seed: number,
  ) {}

  /** With the values of all sources that read it. */
  recordOf(own: readonly SourceTable[], i: number): Written {
    const record: Written = {};
    // What is an array to one source may be any JSON to another.
    for (const source of own.toSorted(
      (a, b) => Number(a.each !== undefined) - Number(b.each !== undefined),
    )) {
      for (const name of columnsOf(source, 'record'))
        put(record, source, name, this.written(source, name, i));
      if (source.each === undefined) continue;
      putAt(record, arrayOf(source), []);
      for (let nth = 0; nth < elementsOf(i); nth++) {
        for (const name of columnsOf(source, 'element'))
          put(record, source, name, this.written(source, name, i, nth), nth);
      }
    }
    return record;
  }

  /** A value, or null in place of it. */
  private written(reader: SourceTable, called: string, i: number, nth = 0): Value {
    const [source, name] = this.makerOf(reader, called);
    const isNull =
      source.columns[name]?.nullable &&
      chance(this.random(source, name, numberOf(source, name, i, nth), 'null'), 0.1);
    return isNull ? null : this.valueOf(source, name, i, nth);
  }

  /** Of columns that read the same value, one that needs it; else the first. */
  private makerOf(source: SourceTable, name: string): Maker {
    const key = `${source.name}.${name}`;
    const maker = this.makers.get(key) ?? this.findMaker(source, name);
    this.makers.set(key, maker);
    return maker;
  }

  private findMaker(source: SourceTable, name: string): Maker {
    const placeOf = (table: SourceTable, own: string) => {
      const { of, path } = valuePlace(table, own, table.columns[own] as Column);
      return JSON.stringify([of, of === 'element' && table.each, path]);
    };
    const same = this.sources
      .filter(({ entity }) => entity === source.entity)
      .flatMap((table) => Object.keys(table.columns).map((own) => [table, own] as const))
      .filter(([table, own]) => placeOf(table, own) === placeOf(source, name));
    return same.find(([table, own]) => !table.columns[own]?.nullable) ?? same[0] ?? [source, name];
  }

  private random(source: SourceTable, name: string, ...of: readonly (string | number)[]): Random {
    return randomOf(this.seed, source.name, name, ...of);
  }

  private valueOf(reader: SourceTable, called: string, i: number, nth: number): Value {
    const [source, name] = this.makerOf(reader, called);
    const n = numberOf(source, name, i, nth);
    for (const { counterparts } of source.expectations) {
      const other = this.sources.find((table) => table.name === counterparts?.table);
      const column = counterparts?.columns[name];
      // Columns that refer together, refer to one record.
      if (other && column !== undefined && other !== source) {
        const to = whole(this.random(source, other.name, n), 0, this.size - 1);
        const isThere = other.each === undefined || elementsOf(to) > 0;
        return this.valueOf(other, column, isThere ? to : to - 1, 0);
      }
    }
    const column = source.columns[name] as Column;
    // As many as there are records, where no two may share one.
    const isUnique = source.expectations.some(({ groups, columns }) => groups && columns.includes(name));
    if (isUnique && column.type === 'int') return (column.min ?? 1) + n;
    const instant = SINCE + Math.floor((i * DAYS * DAY) / this.size);
    return valueFor(name, column, n, instant, this.random(source, name, n));
  }
}

/** The columns that are read of a record, or of its elements. */
const columnsOf = (source: SourceTable, place: 'record' | 'element') =>
  Object.entries(source.columns).flatMap(([name, column]) =>
    valuePlace(source, name, column).of === place ? [name] : [],
  );

/** Counts the values of a column. */
const numberOf = (source: SourceTable, name: string, i: number, nth: number) =>
  valuePlace(source, name, source.columns[name] as Column).of === 'record' ? i : i * MOST_ELEMENTS + nth;

function valueFor(
  name: string,
  { type, min, max, normalize, oneOf, pattern, precision = 0, scale = 0 }: Column,
  i: number,
  instant: number,
  random: Random,
): Value {
  const least = min ?? Math.min(0, max ?? 0);
  const most = max ?? Math.max(least, 0) + 1000;
  const within = (at: number) => Math.min(Math.max(at, min ?? at), max ?? at);
  if (oneOf) return pick(random, oneOf as [string, ...string[]]);
  if (pattern !== undefined) return drawn(sequencesOf(pattern), random);
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

/** Of what has no end, so many are written. */
const MANY = 8;

/** A text of a pattern. */
function drawn(sequences: readonly Sequence[], random: Random): string {
  const timesOf = ({ least, most }: Part) => whole(random, least, Math.min(most, least + MANY));
  return pick(random, sequences as [Sequence, ...Sequence[]])
    .flatMap((part) => Array.from({ length: timesOf(part) }, () => part.of))
    .map((of) =>
      typeof of === 'string' ? pick(random, [...of] as [string, ...string[]]) : drawn(of, random),
    )
    .join('');
}

type Line = (record: Written, source: SourceTable) => string;

/** Ways in which a record goes bad that a reader has to refuse, or an element of it. */
const FAULTS: readonly [Line, ...Line[]] = [
  (record) => JSON.stringify(record).slice(0, -1),
  (record) => JSON.stringify(record).replaceAll('"', "'"),
  (record, source) => spoilt(record, source, ({ type }) => type !== 'json', []),
  (record, source) => spoilt(record, source, ({ nullable }) => !nullable, null),
];

/** With another value in the first column of a kind; of an element, if any. */
function spoilt(
  record: Written,
  source: SourceTable,
  isIt: (column: Column) => boolean,
  value: unknown,
): string {
  const names = [...columnsOf(source, 'element'), ...columnsOf(source, 'record')];
  const found = names.find((name) => isIt(source.columns[name] as Column));
  if (found !== undefined) put(record, source, found, value);
  return JSON.stringify(record);
}

/** How a source writes its files. */
interface Writer {
  readonly extension: string;
  /** Begins each file. */
  readonly head: string;
  readonly lineOf: Line;
  readonly faults: readonly [Line, ...Line[]];
}

function writerOf({ format, columns }: SourceTable): Writer {
  const json = {
    extension: 'json',
    head: '',
    lineOf: (record: Written) => JSON.stringify(record),
    faults: FAULTS,
  };
  if (format === 'json') return json;
  const withNull: Line = (record, source) => {
    const required = Object.keys(columns).find((name) => !columns[name]?.nullable);
    if (required !== undefined) put(record, source, required, null);
    return writerOf(source).lineOf(record, source);
  };
  // Parquet is made of JSON, of which a value of another type would be another column.
  if (format === 'parquet') return { ...json, extension: 'parquet', faults: [withNull] };
  const { delimiter, quote, header } = format;
  const fieldOf = (value: unknown) => {
    const text = String(value ?? '');
    const isPlain = ![delimiter, quote, '\n', '\r'].some((mark) => text.includes(mark));
    return isPlain ? text : quote + text.replaceAll(quote, quote + quote) + quote;
  };
  const lineOf: Line = (row) =>
    Object.entries(columns)
      .map(([name, { from = name }]) => fieldOf(row[from]))
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
    const types: Written = {};
    for (const [name, column] of Object.entries(source.columns)) {
      put(types, source, name, PARQUET_TYPES[column.type] ?? spelled(column).duckdb);
    }
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
