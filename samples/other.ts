import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Column, SourceTable } from '../model';
import { ENTITIES } from './options';

const LINES = 20;

/**
 * Writes a few good lines by contract for every source that is none of STEDI's three and has no file in `out` yet:
 * so a new source can be run before anyone knows what its data looks like.
 */
export async function writeOtherSources(out: string, sources: readonly SourceTable[]): Promise<void> {
  const known: readonly string[] = ENTITIES;
  for (const { entity, columns } of sources.filter((source) => !known.includes(source.entity))) {
    const dir = join(out, entity, 'landing');
    await mkdir(dir, { recursive: true });
    if ((await readdir(dir)).length > 0) continue;
    const lines = Array.from({ length: LINES }, (_, i) =>
      JSON.stringify(
        Object.fromEntries(
          Object.entries(columns).map(([name, column]) => [name, valueFor(name, column, i)]),
        ),
      ),
    );
    await writeFile(join(dir, `${entity}-0001.json`), `${lines.join('\n')}\n`);
  }
}

function valueFor(name: string, { type, min, max }: Column, i: number): string | number {
  if (type === 'text') return `${name}-${i}`;
  if (type === 'isoDate') return `2000-01-${String(i + 1).padStart(2, '0')}`;
  const usual = type === 'epochMillis' ? Date.UTC(2023, 4, 1) + i * 60_000 : i;
  return Math.min(Math.max(usual, min ?? usual), max ?? Number.POSITIVE_INFINITY);
}
