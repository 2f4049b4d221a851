import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { lake } from '../pipeline';
import { type Entity, sampleLines, writeSample } from '../samples/stedi';

/** As many bytes as the real data, about 10 MB. */
const CUSTOMERS = 2500;

/** Per entity, a column for each spelling of its key in lower case. */
const COLUMNS = new Map(
  lake.sources.map((table) => [
    table.entity,
    new Map(
      Object.entries(table.columns).flatMap(([name, column]) =>
        [name, ...(column.aliases ?? [])].map((key) => [key.toLowerCase(), name]),
      ),
    ),
  ]),
);

/** A sample's line in the one spelling that plain SQL reads: the declared keys and no others, no comma after it. */
export function tidied(entity: Entity, line: string): string {
  const record = JSON.parse(line.trimEnd().replace(/,$/, '')) as Record<string, unknown>;
  const known = Object.entries(record).flatMap(([key, value]) => {
    const name = COLUMNS.get(entity)?.get(key.toLowerCase());
    return name === undefined ? [] : [[name, value] as const];
  });
  return JSON.stringify(Object.fromEntries(known));
}

/** Stands in where the real data is not at hand: one file an entity, without faults. Gives its folder. */
export async function sampleUnder(under: string): Promise<string> {
  const dir = join(under, 'sample');
  if (await stat(dir).catch(() => undefined)) return dir;
  const unfinished = `${dir}.tmp`;
  await rm(unfinished, { recursive: true, force: true });
  for (const { entity } of lake.sources) {
    const file = join(unfinished, entity, 'landing', `${entity}.json`);
    await mkdir(dirname(file), { recursive: true });
    await pipeline(Readable.from(linesOf(entity)), createWriteStream(file));
  }
  await rename(unfinished, dir);
  return dir;
}

/** A sample as the sources write it, with a faulty line in a thousand. Made once. Gives its folder. */
export async function writtenSampleUnder(under: string, customers: number): Promise<string> {
  const dir = join(under, `sample-${customers}`);
  if (await stat(dir).catch(() => undefined)) return dir;
  const unfinished = `${dir}.tmp`;
  await rm(unfinished, { recursive: true, force: true });
  await writeSample(unfinished, { customers, seed: 1, dirty: 0.001 });
  await rename(unfinished, dir);
  return dir;
}

/** The entity's lines of the sample; the same for each entity's turn, because the seed is. */
function* linesOf(entity: string): Generator<string> {
  for (const line of sampleLines({ customers: CUSTOMERS, seed: 1, dirty: 0 })) {
    if (line.entity === entity) yield `${tidied(line.entity, String(line.text))}\n`;
  }
}
