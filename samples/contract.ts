/** Landing files of any lakehouse, by the contracts of its sources alone. */
import { createWriteStream } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Column, SampleReport, SampleRequest, SourceTable } from '../model';
import { SampleError } from './options';
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
  let files = 0;
  for (const source of sources) {
    const dir = landingOf(out, source.entity);
    await mkdir(dir, { recursive: true });
    if (await hasFiles(dir)) continue;
    const made = { lines: size, faulty: 0 };
    const values = new Values(sources, size, seed);
    const random = randomOf(seed, source.name);
    for (let first = 0; first < size; first += FILE_LINES) {
      const lines = function* () {
        for (let i = first; i < Math.min(first + FILE_LINES, size); i++) {
          const record = values.recordOf(source, i);
          const faulty = chance(random, dirty);
          if (faulty) made.faulty++;
          yield `${faulty ? pick(random, FAULTS)(record, source) : JSON.stringify(record)}\n`;
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

/** A few good records for every source that has no file in `out` yet. */
export const writeOtherSources = (out: string, sources: readonly SourceTable[]): Promise<SampleReport> =>
  writeMissing(sources, { out, size: 20, seed: 1, dirty: 0 });

const landingOf = (out: string, entity: string) => join(out, entity, 'landing');

async function hasFiles(dir: string): Promise<boolean> {
  try {
    return (await readdir(dir)).length > 0;
  } catch {
    return false;
  }
}

type Value = string | number | null;
type Row = Record<string, Value>;

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
    const instant = SINCE + Math.floor((i * DAYS * DAY) / this.size);
    return valueFor(name, column, i, instant, this.random(source, name, i));
  }
}

function valueFor(
  name: string,
  { type, min, max, normalize }: Column,
  i: number,
  instant: number,
  random: Random,
): Value {
  const least = min ?? Math.min(0, max ?? 0);
  const most = max ?? Math.max(least, 0) + 1000;
  switch (type) {
    case 'text':
      return normalize === 'email' ? `${name}-${i}@example.com` : `${name}-${i}`;
    case 'isoDate':
      return new Date(SINCE - whole(random, 0, 25_000) * DAY).toISOString().slice(0, 10);
    case 'epochMillis':
      return Math.min(Math.max(instant, min ?? instant), max ?? instant);
    case 'int':
      return Math.floor(least + fraction(random) * (most - least + 1));
    default:
      return Math.min(Math.round((least + fraction(random) * (most - least)) * 100) / 100, most);
  }
}

/** Ways in which a record goes bad that a reader has to refuse. */
const FAULTS: readonly [Fault, ...Fault[]] = [
  (row) => JSON.stringify(row).slice(0, -1),
  (row) => JSON.stringify(row).replaceAll('"', "'"),
  (row, { columns }) =>
    JSON.stringify({
      ...row,
      ...on(
        columns,
        () => true,
        () => ({ is: 'no value' }),
      ),
    }),
  (row, { columns }) =>
    JSON.stringify({
      ...row,
      ...on(
        columns,
        (c) => !c.nullable,
        () => null,
      ),
    }),
];
type Fault = (row: Row, source: SourceTable) => string;

/** The first column of a kind, with another value. */
function on(columns: SourceTable['columns'], isIt: (column: Column) => boolean, value: () => unknown) {
  const name = Object.keys(columns).find((key) => isIt(columns[key] as Column));
  // Without one nothing else is faulty.
  return name === undefined ? { [Object.keys(columns)[0] ?? '']: [] } : { [name]: value() };
}
