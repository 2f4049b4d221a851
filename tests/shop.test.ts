// The example of the docs: decimals, booleans, instants with offsets, values by path and enumerations, from files to tables.
import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sampleOf } from '../cli/sample';
import { withDatabase } from '../engines/database';
import { runQuery } from '../engines/named-query';
import { inSql } from '../engines/plan';
import { hasPython } from '../engines/python-syntax';
import shop, { bestCustomers } from '../examples/shop/lakehouse';
import { engineOf, lake, ROOT, result, temporaryDir, writeLanding } from './support/lake';

const dir = temporaryDir('shop');
const FOLDER = join(ROOT, 'examples', 'shop');
const JOBS = join(FOLDER, 'jobs');

const customers = [
  {
    customerId: 1,
    email: ' Ada@Example.com',
    address: { city: 'Ulm' },
    born: '1990-01-31',
    newsletter: true,
    registeredAt: '2026-05-01T01:30:00+02:00',
  },
  {
    customerId: 2,
    email: 'bob@example.com',
    address: { city: 'Bonn', zip: '53111' },
    newsletter: false,
    registeredAt: '2026-05-01T10:00:00.250Z',
  },
];
const orders = [
  {
    orderId: 'o-1',
    customerId: 1,
    status: 'paid',
    orderedAt: '2026-05-02T00:30:00+02:00',
    items: [
      { sku: 'chair', quantity: 2, unitPrice: 127.11 },
      { sku: 'table', quantity: 0, unitPrice: 10 },
    ],
  },
  {
    orderId: 'o-2',
    customerId: 2,
    status: 'sent',
    orderedAt: '2026-05-02T00:30:00-11:30',
    items: [
      { sku: 'nail', quantity: 100, unitPrice: 0.01 },
      { sku: 'nail', quantity: 1, unitPrice: 0 },
    ],
  },
  { orderId: 'o-3', customerId: 2, status: 'lost', orderedAt: '2026-05-02T10:00:00Z', items: [] },
];
const payments = `"paymentId";orderId;amount;method;paidAt;text
p-1;o-1;254.22;card;2026-05-02T10:00:00Z;"Thanks;
for all"
p-2;o-1;-0.1;transfer;2026-05-03T10:00:00Z;
p-3;o-2;0.30;transfer;2026-05-03T10:00:00Z;
`;
const products = `SELECT * FROM (VALUES
  ('b-1', 'Bolt', 0.35, TIMESTAMP '2026-05-01 00:00:00'), ('b-1', 'Bolt', 0.37, TIMESTAMP '2026-05-02 00:00:00')
) t(sku, title, price, changedAt)`;
const lines = (records: readonly object[]) => records.map((record) => JSON.stringify(record)).join('\n');

async function writeFileIn(folder: string, name: string, content: string | Buffer) {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, name), content);
}

async function parquetOf(query: string): Promise<Buffer> {
  const file = join(dir, 'made.parquet');
  await withDatabase((db) => db.run(`COPY (${query}) TO '${file}' (FORMAT parquet)`));
  return readFileSync(file);
}

async function landed(name: string): Promise<string> {
  const data = join(dir, name);
  await writeLanding(data, 'customer', [Buffer.from(lines(customers))]);
  await writeLanding(data, 'order', [Buffer.from(lines(orders))]);
  await writeFileIn(join(data, 'payment', 'landing'), 'payments.csv', payments);
  await writeFileIn(join(data, 'product', 'landing'), 'products.parquet', await parquetOf(products));
  return data;
}

/** One bad order of three is more than the shop allows. */
const { pipeline } = shop;
const lenient = {
  ...pipeline,
  sources: pipeline.sources.map((source) => ({ ...source, maxQuarantinedShare: 0.5 })),
};

/** What DuckDB runs. */
const only = inSql(pipeline).jobs.map(({ name }) => name);
const PYTHON = pipeline.jobs.filter(({ name }) => !only.includes(name)).map(({ name }) => name);

test('decimals are exact, instants are those of their offsets, one bad value is in quarantine with its place', async () => {
  const engine = engineOf(join(dir, 'lake'), JOBS);
  const { failures } = await engine.run(lenient, { data: await landed('data'), only });
  expect(failures).toEqual([]);
  expect((await result(engine, 'SELECT * FROM customer_trusted ORDER BY customerId')).rows).toEqual([
    ['1', 'ada@example.com', 'Ulm', '1990-01-31', 'true', '2026-04-30 23:30:00.000'],
    ['2', 'bob@example.com', 'Bonn', null, 'false', '2026-05-01 10:00:00.250'],
  ]);
  expect((await result(engine, 'SELECT * FROM order_trusted ORDER BY orderId')).rows).toEqual([
    ['o-1', '1', '2026-05-01 22:30:00.000', '254.12', 'true'],
    ['o-2', '2', '2026-05-02 12:00:00.000', '0.3', 'false'],
  ]);
  expect((await result(engine, 'SELECT sku, price, changedAt FROM product_trusted')).rows).toEqual([
    ['b-1', '0.37', '2026-05-02 00:00:00.000'],
  ]);
  expect(
    (await result(engine, 'SELECT day, revenue, meanOrder FROM daily_revenue ORDER BY day')).rows,
  ).toEqual([
    ['2026-05-01', '254.12', '254.12'],
    ['2026-05-02', '0.3', '0.3'],
  ]);
  expect(
    (await result(engine, 'SELECT file, line, reason, detail FROM order_landing_quarantine')).rows,
  ).toEqual([
    [expect.any(String), '3', 'OUT_OF_RANGE', 'status should be one of open, paid, sent, cancelled'],
  ]);
  expect((await result(engine, 'SELECT * FROM order_item_trusted ORDER BY orderId, line')).rows).toEqual([
    ['o-1', '1', 'chair', '2', '127.11'],
    ['o-2', '1', 'nail', '100', '0.01'],
    ['o-2', '2', 'nail', '1', '0'],
  ]);
  expect(
    (await result(engine, 'SELECT line, reason, detail FROM order_item_landing_quarantine')).rows,
  ).toEqual([
    ['1', 'OUT_OF_RANGE', expect.stringMatching(/^element 2 of items: quantity should be between 1 and /)],
  ]);
  expect(await runQuery(engine, bestCustomers, join(FOLDER, 'queries'))).toEqual([
    { customerId: 1, lifetimeValue: '254.12', daysSinceOrder: 0 },
    { customerId: 2, lifetimeValue: '0.3', daysSinceOrder: 0 },
  ]);
});

test('who is forgotten by their number is gone, and nobody else', async () => {
  const engine = engineOf(join(dir, 'forgotten'), JOBS);
  expect((await engine.run(lenient, { data: await landed('people'), only })).failures).toEqual([]);
  await engine.forget(lenient, { subject: '1', dryRun: false });
  for (const table of [
    'customer_landing',
    'order_landing',
    'order_item_landing',
    'customer_trusted',
    'order_trusted',
    'customer_orders',
  ]) {
    expect((await result(engine, `SELECT DISTINCT customerId FROM ${table}`)).rows).toEqual([['2']]);
  }
  expect((await result(engine, 'SELECT DISTINCT orderId FROM order_item_trusted')).rows).toEqual([['o-2']]);
  // An item that was refused says by the order around it whose it is.
  expect((await result(engine, 'SELECT * FROM order_item_landing_quarantine')).rows).toEqual([]);
  expect((await engine.run(lenient, { data: join(dir, 'people'), only })).failures).toEqual([]);
  expect((await result(engine, 'SELECT customerId FROM customer_orders')).rows).toEqual([['2']]);
});

test('its sample is good but for the faults that were asked for, and refers to itself', async () => {
  const data = join(dir, 'sample');
  const { entities } = await sampleOf(shop).write({ out: data, size: 400, seed: 7, dirty: 0.05 });
  const engine = engineOf(join(dir, 'sampled'), JOBS);
  const { summary, failures } = await engine.run(lenient, { data, only });
  expect(failures).toEqual([]);
  for (const { entity, name } of pipeline.sources) {
    const { read = 0, quarantined = 0 } = summary.tables.find(({ table }) => table === name) ?? {};
    const { lines = 0, faulty = 0 } = entities[entity] ?? {};
    const isAlone = pipeline.sources.filter((source) => source.entity === entity).length === 1;
    // What is faulty to one source of the same files may be good to another; objects in a broken line count each.
    if (isAlone) expect([read, quarantined]).toEqual([lines, faulty]);
    expect(quarantined).toBeGreaterThan(0);
  }
  const unknown = 'SELECT COUNT(*) AS n FROM order_landing o WHERE o.customerId NOT BETWEEN 1 AND 400';
  expect((await result(engine, unknown)).rows).toEqual([['0']]);
  const again = join(dir, 'sample-again');
  await sampleOf(shop).write({ out: again, size: 400, seed: 7, dirty: 0.05 });
  const file = join('payment', 'landing', 'payment-0001.csv');
  expect(readFileSync(join(again, file))).toEqual(readFileSync(join(data, file)));
});

describe('its job in Python', () => {
  const asked = (...args: readonly string[]) => lake(['--project', FOLDER, ...args]);

  test('is refused by DuckDB before anything is read or made, with the ways out', async () => {
    const to = join(dir, 'refused');
    const { status, stdout, stderr } = await asked('run', '--lake', to);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe(
      `lake: DuckDB runs SQL only: ${PYTHON.join()} is in Python. Give --engine spark, or leave them out: --data DIR --only ${only.join(' ')}\n`,
    );
    expect(existsSync(to)).toBe(false);
    await expect(engineOf(to, JOBS).run(pipeline, { only: PYTHON })).rejects.toThrow(
      /is in Python\. Give --/,
    );
  });

  test('is on the page about jobs as it is', () => {
    const page = readFileSync(join(ROOT, 'docs', 'add-a-job.md'), 'utf8');
    const code = readFileSync(join(JOBS, 'customer_segments.py'), 'utf8');
    expect(page).toContain(`\`\`\`python\n${code}\`\`\``);
    const definition = readFileSync(join(FOLDER, 'lakehouse.ts'), 'utf8');
    const [, quoted = 'none'] = /^```ts\n( {4}shop\.job\([\s\S]*?)```/m.exec(page) ?? [];
    expect(definition).toContain(quoted);
  });

  test('is checked by its text, and its cases are left to Spark, in words', async () => {
    const checked = await asked('check');
    expect(checked).toMatchObject({ status: 0, stderr: '' });
    expect(checked.stdout).toMatch(/^Not checked of customer_segments, in Python: .*--engine spark/m);
    const tested = await asked('test', ...PYTHON);
    expect(tested).toEqual({
      status: 0,
      stdout: expect.stringMatching(
        /^customer_segments: \d+ cases skipped, as it is in Python; --engine spark runs them\n$/,
      ),
      stderr: '',
    });
  });

  (hasPython() ? test : test.skip)('a fault in it has its file and its line', async () => {
    const project = join(dir, 'faulty');
    cpSync(FOLDER, project, { recursive: true });
    const file = join(project, 'jobs', 'customer_segments.py');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('inputs["customer_orders"]', 'inputs["order_trusted"]'));
    const { status, stderr } = await lake(['--project', project, 'check', 'customer_segments']);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /customer_segments\.py:10: reads "order_trusted", which the job does not declare: its inputs are customer_orders; /,
    );
  });
});

test('what DuckDB made by SQL that is Python now goes with the next forget: nobody could make it again', async () => {
  const inSqlOnly = {
    ...lenient,
    jobs: lenient.jobs.map((job) => ({ ...job, language: 'sql' as const })),
  };
  const jobs = join(dir, 'sql-jobs');
  cpSync(JOBS, jobs, { recursive: true });
  renameSync(join(jobs, 'customer_segments.py'), join(jobs, 'customer_segments.sql'));
  writeFileSync(
    join(jobs, 'customer_segments.sql'),
    "SELECT c.customerId, 'low' AS segment, c.lifetimeValue FROM customer_orders c",
  );
  const to = join(dir, 'changed');
  const before = engineOf(to, jobs);
  expect((await before.run(inSqlOnly, { data: await landed('changing') })).failures).toEqual([]);
  expect((await before.tables()).map(({ table }) => table)).toContain('customer_segments');
  const after = engineOf(to, JOBS);
  await after.forget(lenient, { subject: '1', dryRun: false });
  const tables = (await after.tables()).map(({ table }) => table);
  expect(tables.toSorted()).toEqual([...inSql(pipeline).tables.keys()].toSorted());
  expect((await result(after, 'SELECT customerId FROM customer_orders')).rows).toEqual([['2']]);
});
