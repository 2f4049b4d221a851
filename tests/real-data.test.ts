import { createHmac } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DuckDbEngine } from '../engines/duckdb/engine';
import type { RunRequest } from '../engines/engine';
import { lake as pipeline } from '../pipeline';
import { ENTITIES } from '../samples/stedi';
import { findValues } from './support/file-texts';
import { answer } from './support/lake';
import { writeOtherSources } from './support/other-sources';

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
  });

  test('with consent since-grant fewer readings are trusted', async () => {
    const written = await run('since-grant', { data: dataOf(), parameters: { consent: 'since-grant' } });
    expect(written).toMatchObject({
      customer_trusted: 482,
      accelerometer_trusted: 32_025,
      customers_curated: 464,
      step_trainer_trusted: 11_297,
      machine_learning_curated: 32_025,
    });
    // What the scripts of the course's rubric give, which leave out no step for being older than the consent.
    expect(
      await answer(
        engineOf('since-grant'),
        `WITH steps AS (SELECT * FROM step_trainer_landing SEMI JOIN customers_curated USING (serialNumber))
         SELECT (SELECT COUNT(*) FROM steps),
           (SELECT COUNT(*) FROM steps JOIN accelerometer_trusted a ON a.timestamp = epoch_ms(sensorReadingTime))`,
      ),
    ).toEqual([['13920', '34437']]);
    const again = { only: ['machine_learning_curated'], parameters: { pairing: 'timestamp' } };
    expect(await run('since-grant', again)).toMatchObject({ machine_learning_curated: 34_253 });
  });

  test('a customer is forgotten, and all others stay', async () => {
    const { read, ask } = forgetting();
    const before = await run('forget', { data: dataOf() });
    const [[email, serial] = []] = await ask(
      `SELECT c.email, c.serialNumber FROM customers_curated c JOIN accelerometer_trusted a ON a.user = c.email
       GROUP BY ALL ORDER BY COUNT(*) DESC, c.email LIMIT 1`,
    );
    const of = (column: string) => ` WHERE lower(${column}) = '${email}'`;
    const own = {
      customer_landing: await read('customer_landing', of('email')),
      accelerometer_landing: await read('accelerometer_landing', of('"user"')),
      customer_trusted: await read('customer_trusted', of('email')),
      accelerometer_trusted: await read('accelerometer_trusted', of('"user"')),
      customers_curated: await read('customers_curated', of('email')),
    };
    const key = Buffer.from((await readFile(join(dir, 'forget', 'pseudonym.key'), 'utf8')).trim(), 'hex');
    const subject = createHmac('sha256', key)
      .update(email as string)
      .digest('hex');
    const curated = await read('machine_learning_curated', ` WHERE subject = '${subject}'`);
    expect(curated).toBeGreaterThan(0);
    const owners = await ask(
      `SELECT DISTINCT email FROM customer_landing WHERE lower(serialNumber) = lower('${serial}')`,
    );
    // Of a device that others have too, only what was measured when this customer moved.
    const theirs = `(SELECT timestamp FROM accelerometer_landing${of('"user"')})`;
    const moments = owners.length > 1 ? ` AND sensorReadingTime IN ${theirs}` : '';
    const steps = await read('step_trainer_landing', ` WHERE serialNumber = '${serial}'${moments}`);
    const receipt = await engineOf('forget').forget(pipeline, { subject: email as string, dryRun: false });
    const removed = Object.fromEntries(receipt.places.map(({ table, removed }) => [table, removed]));
    expect(removed).toMatchObject({ ...own, machine_learning_curated: curated });
    expect(removed.step_trainer_landing ?? 0).toBe(steps);
    for (const [table, rows] of Object.entries(before)) {
      expect(await read(table)).toBe(rows - (removed[table] ?? 0));
    }
    expect(await findValues(join(dir, 'forget'), [email as string, subject])).toEqual([]);
    process.stderr.write(
      `real data, one customer forgotten: ${JSON.stringify({ removed, shared: receipt.sharedDevices })}\n`,
    );
    const again = await run('forget', { data: dataOf() });
    for (const [table, rows] of Object.entries(before))
      expect(again[table]).toBe(rows - (removed[table] ?? 0));
    expect(await findValues(join(dir, 'forget'), [email as string, subject])).toEqual([]);
  });

  const forgetting = () => {
    const ask = (sql: string) => answer(engineOf('forget'), sql);
    const read = async (table: string, where = '') =>
      Number((await ask(`SELECT COUNT(*) FROM ${table}${where}`))[0]?.[0]);
    return { ask, read };
  };
});
