import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { SampleRequest } from '../../model';
import { SampleError } from '../error';
import type { FaultReason } from './faults';
import { FileBody, styleOf } from './files';
import { sampleLines } from './lines';
import { checkOptions, ENTITIES, type Entity, type SampleOptions } from './options';

const compress = promisify(gzip);

/** What a sample holds, to be compared with what a reader made of it. */
export interface SampleReport {
  /** Lines written, faulty ones too and blank ones not. */
  readonly lines: Readonly<Record<Entity, number>>;
  /** Faulty lines by the reason they are to be refused for. */
  readonly faults: Readonly<Record<Entity, Readonly<Partial<Record<FaultReason, number>>>>>;
  readonly files: number;
}

/** STEDI's sample, as `lake sample` asks for it. */
export async function writeStediSample({ out, size, seed, dirty }: SampleRequest) {
  const { files, lines, faults } = await writeSample(out, { customers: size, seed, dirty });
  const entities = ENTITIES.map((entity) => {
    const faulty = Object.values(faults[entity]).reduce((a, b) => a + b, 0);
    return [entity, { lines: lines[entity], faulty }] as const;
  });
  return { files, entities: Object.fromEntries(entities) };
}

/**
 * Writes `<out>/<entity>/landing/*.json` and `*.json.gz`, the same bytes for the same options. Holds one file an
 * entity in memory, at most 25,000 lines. Throws a SampleError for options out of bounds and where a landing folder
 * already holds something, which would mix with the sample.
 */
export async function writeSample(out: string, options: SampleOptions): Promise<SampleReport> {
  checkOptions(options);
  for (const entity of ENTITIES) await makeEmpty(landingOf(out, entity));
  const written = { customer: nothing(), accelerometer: nothing(), step_trainer: nothing() };
  for (const line of sampleLines(options)) {
    const source = written[line.entity];
    if (source.name !== line.file) {
      await writeOpen(landingOf(out, line.entity), source);
      source.name = line.file;
      source.body = new FileBody(styleOf(++source.files));
    }
    source.body?.add(line.text);
    source.lines++;
    if (line.fault !== undefined) source.faults[line.fault] = (source.faults[line.fault] ?? 0) + 1;
  }
  for (const entity of ENTITIES) await writeOpen(landingOf(out, entity), written[entity]);
  const each = <T>(of: (source: Written) => T): Record<Entity, T> => ({
    customer: of(written.customer),
    accelerometer: of(written.accelerometer),
    step_trainer: of(written.step_trainer),
  });
  return {
    lines: each((source) => source.lines),
    faults: each((source) => source.faults),
    files: Object.values(written).reduce((total, source) => total + source.files, 0),
  };
}

/** How far an entity is written. */
interface Written {
  name: string;
  files: number;
  lines: number;
  readonly faults: Partial<Record<FaultReason, number>>;
  /** The open file, absent before the first. */
  body?: FileBody;
}

const nothing = (): Written => ({ name: '', files: 0, lines: 0, faults: {} });

const landingOf = (out: string, entity: Entity): string => join(out, entity, 'landing');

async function makeEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0) {
    throw new SampleError(`${folder} is not empty: give another folder, or remove what is in it.`);
  }
}

/** Writes the open file as a whole: the caller goes on making lines only once it is on the disk. */
async function writeOpen(folder: string, source: Written): Promise<void> {
  if (source.body === undefined) return;
  const bytes = source.body.end();
  await writeFile(join(folder, source.name), styleOf(source.files).gzip ? await compress(bytes) : bytes);
}
