import { link, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary } from '../engines/engine';
import { lake as pipeline } from '../pipeline';
import { copiesOf } from './copies';
import { CLI } from './lake';
import { measureNode } from './measure';
import { BENCH, inFreshFolder } from './source';

/** Seconds of whole processes. */
export interface Increment {
  /** A run of everything on so many copies, and one more. */
  readonly full: number;
  /** A run after the first copies for which nothing is new. */
  readonly idle: number;
  /** A run for which one more copy is. */
  readonly more: number;
  /** `lake status` of that lake. */
  readonly status: number;
}

/** Lands copies of the data, then nothing, then one more. Throws where the tables are not those of a run of everything. */
export async function increment(source: string, copies: number): Promise<Increment> {
  const all = await copiesOf(source, copies + 1, BENCH);
  return inFreshFolder(async (dir) => {
    const [data, lake] = [join(dir, 'data'), join(dir, 'lake')];
    const land = async (isDue: (name: string) => boolean) => {
      for (const { entity } of pipeline.sources) {
        const folder = join(entity, 'landing');
        await mkdir(join(data, folder), { recursive: true });
        for (const name of (await readdir(join(all, folder))).filter(isDue))
          await link(join(all, folder, name), join(data, folder, name));
      }
    };
    const isLast = (name: string) => name.includes(`-copy-${copies}.`);
    const run = async (...options: readonly string[]) => {
      const args = [CLI, 'run', ...options, '--data', data, '--lake', lake, '--json'];
      const { seconds, stdout } = await measureNode(args);
      const { tables } = JSON.parse(stdout) as RunSummary;
      return { seconds, rows: JSON.stringify(tables.map(({ table, written }) => [table, written])) };
    };
    await land((name) => !isLast(name));
    await run();
    const idle = await run();
    await land(isLast);
    const more = await run();
    const full = await run('--full');
    if (more.rows !== full.rows) throw new Error(`the rows are ${more.rows}, and of all ${full.rows}`);
    const { seconds: status } = await measureNode([CLI, 'status', '--lake', lake]);
    return { full: full.seconds, idle: idle.seconds, more: more.seconds, status };
  });
}
