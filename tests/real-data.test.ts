import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DuckDbEngine } from '../engines/duckdb/engine';
import type { RunRequest } from '../engines/engine';
import { lake as pipeline } from '../pipeline';
import { ENTITIES, writeOtherSources } from '../samples';

const ROOT = join(__dirname, '..');
const DATA = resolve(ROOT, '..', 'shared', 'data', 'stedi');

const present = existsSync(DATA);
if (!present) process.stderr.write(`tests/real-data.test.ts is skipped: there is no folder ${DATA}\n`);

(present ? describe : describe.skip)(`on the real data${present ? '' : `, which is not in ${DATA}`}`, () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'real-data-'));
    await mkdir(dataOf());
    for (const entity of ENTITIES) await symlink(join(DATA, entity), join(dataOf(), entity));
    await writeOtherSources(dataOf(), pipeline.sources);
  });
  afterAll(() => rm(dir, { recursive: true }));

  /** The real data, and what stands in for sources that it does not have. */
  const dataOf = () => join(dir, 'data');
  const engineOf = (lake: string) => new DuckDbEngine({ lake: join(dir, lake), jobs: join(ROOT, 'jobs') });

  /** Runs into a lake; returns the rows written to each table. */
  async function run(lake: string, request: RunRequest): Promise<Record<string, number>> {
    const { summary, failures } = await engineOf(lake).run(pipeline, request);
    expect(failures).toEqual([]);
    return Object.fromEntries(summary.tables.map(({ table, written }) => [table, written]));
  }

  test('the default parameters give the known counts, and the pairing rules their known difference', async () => {
    expect(await run('default', { data: dataOf() })).toMatchObject({
      customer_landing: 956,
      accelerometer_landing: 81_273,
      step_trainer_landing: 28_680,
      customer_trusted: 482,
      accelerometer_trusted: 40_981,
      customers_curated: 482,
      step_trainer_trusted: 14_460,
      machine_learning_curated: 40_981,
    });

    const sql = await readFile(join(ROOT, 'queries', 'pairing_compared.sql'), 'utf8');
    const { columns, rows } = await engineOf('default').query(sql);
    const found: (readonly (string | null)[])[] = [];
    for await (const chunk of rows) found.push(...chunk);
    expect(columns.map(({ name }) => name)).toEqual([
      'customer_pairs',
      'timestamp_pairs',
      'wrong_pairs',
      'ambiguous_pairs',
    ]);
    expect(found).toEqual([['40981', '43681', '2700', '0']]);

    const again = { only: ['machine_learning_curated'], parameters: { pairing: 'timestamp' } };
    expect(await run('default', again)).toMatchObject({ machine_learning_curated: 43_681 });
  }, 60_000);

  test('with consent since-grant fewer readings are trusted', async () => {
    const written = await run('since-grant', { data: dataOf(), parameters: { consent: 'since-grant' } });
    expect(written).toMatchObject({ customer_trusted: 482, accelerometer_trusted: 32_025 });
  }, 60_000);
});
