import { mkdirSync, statSync } from 'node:fs';
import { link, mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunSummary, TableSummary } from '../engines/engine';
import { lake as pipeline } from '../pipeline';
import { writeSample } from '../samples/stedi';
import { CLI } from './lake';
import { measureNode, timed } from './measure';
import { BENCH, inFreshFolder } from './source';

/** One run of a lake to which something has come. */
export interface Delivered {
  readonly seconds: number;
  readonly peakBytes: number;
  readonly cpuSeconds: number;
  readonly tables: readonly TableSummary[];
}

export interface Deliveries {
  readonly runs: readonly Delivered[];
  /** A run for which a customer has withdrawn their consent. */
  readonly withdrawal: Delivered;
  /** A run of everything after it. */
  readonly full: Delivered;
}

/**
 * Lands a sample in so many deliveries with a run after each, then a customer withdraws. Throws where the tables are not
 * those of a run of everything.
 */
export async function deliveries(
  customers: number,
  count: number,
  tell: (run: Delivered) => void = () => undefined,
): Promise<Deliveries> {
  return inFreshFolder(async (dir) => {
    const [all, data, lake] = [join(dir, 'all'), join(dir, 'data'), join(dir, 'lake')];
    await writeSample(all, { customers, seed: 22, dirty: 0.001 });
    const run = async (...options: readonly string[]): Promise<Delivered> => {
      const args = [CLI, 'run', ...options, '--data', data, '--lake', lake, '--json'];
      const { stdout, ...measured } = await measureNode(args);
      const delivered = { ...measured, tables: (JSON.parse(stdout) as RunSummary).tables };
      tell(delivered);
      return delivered;
    };
    const runs: Delivered[] = [];
    for (let i = 0; i < count; i++) {
      for (const { entity } of pipeline.sources) {
        const folder = join(entity, 'landing');
        await mkdir(join(data, folder), { recursive: true });
        const files = (await readdir(join(all, folder)))
          .sort()
          .map((name) => ({ name, bytes: statSync(join(all, folder, name)).size }));
        const whole = files.reduce((sum, { bytes }) => sum + bytes, 0);
        let before = 0;
        for (const { name, bytes } of files) {
          // By where they begin: files are filled in the order of customers, each larger than the one before.
          if (Math.floor((count * before) / whole) === i)
            await link(join(all, folder, name), join(data, folder, name));
          before += bytes;
        }
      }
      runs.push(await run());
    }
    const [customer] = await ask(
      lake,
      'SELECT c.email, c.registrationDate FROM customers_curated c ORDER BY c.email DESC LIMIT 1',
    );
    const record = {
      customerName: 'Withdrawn',
      email: customer?.email,
      phone: '1',
      birthDay: '1980-01-01',
      serialNumber: 'none',
      registrationDate: Date.parse(`${customer?.registrationDate?.replace(' ', 'T')}Z`),
      lastUpdateDate: Date.UTC(2099, 0, 1),
    };
    await writeFile(join(data, 'customer', 'landing', 'withdrawn.json'), `${JSON.stringify(record)}\n`);
    const withdrawal = await run();
    const left = await ask(
      lake,
      `SELECT c.email FROM customers_curated c WHERE c.email = '${customer?.email}'`,
    );
    if (left.length > 0) throw new Error('a customer who withdrew is still there');
    const full = await run('--full');
    if (said(withdrawal) !== said(full))
      throw new Error(`it says ${said(withdrawal)}, and of all ${said(full)}`);
    return { runs, withdrawal, full };
  });
}

/** What is said of the rows of a run, however it came to them. */
const said = ({ tables }: Delivered) =>
  JSON.stringify(tables.map(({ seconds: _, unchanged: __, part: ___, ...table }) => table));

async function ask(lake: string, sql: string): Promise<Readonly<Record<string, string>>[]> {
  const { stdout } = await timed(process.execPath, [
    CLI,
    'query',
    '-e',
    sql,
    '--lake',
    lake,
    '--format',
    'json',
  ]);
  return JSON.parse(stdout);
}

if (require.main === module) {
  const [customers, count] = [Number(process.argv[2] ?? 100_000), Number(process.argv[3] ?? 10)];
  mkdirSync(BENCH, { recursive: true });
  deliveries(customers, count, ({ seconds, peakBytes, cpuSeconds, tables }) =>
    process.stdout.write(
      `${seconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s, ${Math.round(peakBytes / (1 << 20))} MB; ${tables.map(({ table, written, unchanged, part }) => `${table} ${written}${unchanged ? ' kept' : part ? ` by ${part.key} (${part.values})` : ''}`).join(', ')}\n`,
    ),
  ).catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
