import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  boolean,
  decimal,
  double,
  epochMillis,
  int,
  isoDate,
  isoInstant,
  json,
  type SourceTable,
  text,
} from '../../model';
import { readingTests } from '../../tests/support/reading';
import { sourceOf } from './arbitraries';

const { read, db, dir } = readingTests();

/** What DuckDB writes of a query. */
async function parquetOf(query: string): Promise<Buffer> {
  const file = join(dir(), 'made.parquet');
  await db().run(`COPY (${query}) TO '${file}' (FORMAT parquet)`);
  return readFileSync(file);
}

const asParquet = (columns: SourceTable['columns']): SourceTable => ({
  ...sourceOf(columns),
  format: 'parquet',
});
const readQuery = async (table: SourceTable, ...queries: string[]) => {
  const files: Record<string, Buffer> = {};
  for (const [i, query] of queries.entries()) files[`${i}.parquet`] = await parquetOf(query);
  return read(table, files);
};

const things = asParquet({
  sku: text('Which.', { aliases: ['SKU_ID'] }),
  price: decimal(9, 2, 'How much.'),
  stock: int('How many.', { nullable: true, min: 0 }),
  weight: double('How heavy.', { nullable: true }),
  isNew: boolean('Whether.', { nullable: true }),
  since: isoDate('From when.', { nullable: true }),
  changedAt: isoInstant('When.', { nullable: true }),
  millis: epochMillis('When.', { nullable: true, min: 0 }),
  maker: text('Whose.', { nullable: true, from: 'made.by.name' }),
  more: json('Else.', { nullable: true }),
});
const GOOD = `SELECT 'a' AS sku, 12.5::DECIMAL(12, 3) AS price, 3::INT AS stock, 0.1::DOUBLE AS weight, true AS isNew, DATE '2026-05-01' AS since,
  TIMESTAMP '2026-05-01 10:00:00.5' AS changedAt, 1655564376361::BIGINT AS millis, {'by': {'name': 'm'}} AS made, [1, 2] AS more, 'x' AS other`;
const ROW = {
  sku: 'a',
  price: 12.5,
  stock: 3,
  weight: 0.1,
  isNew: true,
  since: '2026-05-01',
  changedAt: '2026-05-01T10:00:00.5Z',
  millis: 1655564376361,
  maker: 'm',
  more: '[1,2]',
};
const NONE = Object.fromEntries(Object.keys(ROW).map((name) => [name, null]));

describe('what is read', () => {
  test('columns by their names, of any type that holds such values', async () => {
    const { rows, refused } = await readQuery(
      things,
      GOOD,
      `SELECT 5.0::DOUBLE AS STOCK, 7 AS PRICE, 'b' AS sku_id, TIMESTAMPTZ '2026-05-01 12:00:00+02' AS CHANGEDAT, TIMESTAMP '2026-05-01 10:00:00' AS millis, '{"a": 1}' AS more`,
    );
    expect(refused).toEqual([]);
    expect(rows.toSorted((a, b) => String(a.sku).localeCompare(String(b.sku)))).toEqual([
      ROW,
      {
        ...NONE,
        sku: 'b',
        price: 7,
        stock: 5,
        changedAt: '2026-05-01T10:00:00Z',
        millis: Date.UTC(2026, 4, 1, 10),
        more: '{"a":1}',
      },
    ]);
  });

  test('a file without rows', async () => {
    expect((await readQuery(things, `${GOOD} LIMIT 0`)).landed).toMatchObject({ read: 0, failure: null });
  });

  test('timestamps within a struct', async () => {
    const table = asParquet({ at: isoInstant('When.', { from: 'a.at' }) });
    const { rows } = await readQuery(table, `SELECT {'at': TIMESTAMP '2026-05-01 10:00:00'} AS a`);
    expect(rows).toEqual([{ at: '2026-05-01T10:00:00Z' }]);
  });
});

describe('what is refused', () => {
  test.each([
    ['NULL AS sku', 'MISSING_REQUIRED', 'sku is null'],
    ["'' AS sku", 'MISSING_REQUIRED', 'sku is empty'],
    ['1.234::DECIMAL(9, 3) AS price', 'WRONG_TYPE', 'price should have at most 2 digits behind the point'],
    ['12345678.5 AS price', 'OUT_OF_RANGE', 'price should be between -9999999.99 and 9999999.99'],
    ["'nan'::DOUBLE AS price", 'WRONG_TYPE', 'price should be a number, found string'],
    ['1.5::DOUBLE AS stock', 'WRONG_TYPE', 'stock should be a whole number'],
    ['-1 AS stock', 'OUT_OF_RANGE', 'stock should be between 0 and 9007199254740991'],
  ])('%s', async (value, reason, detail) => {
    const odd = `SELECT * REPLACE (${value}) FROM (${GOOD})`;
    const { rows, refused, landed } = await readQuery(
      things,
      `FROM (${GOOD}) UNION ALL BY NAME ${odd} UNION ALL BY NAME FROM (${GOOD})`,
    );
    expect(refused).toMatchObject([{ file: '0.parquet', line: null, record: 2, reason, detail }]);
    expect(JSON.parse(refused[0]?.raw as string)).toMatchObject({ since: '2026-05-01', isNew: true });
    expect(rows).toEqual([ROW, ROW]);
    expect(landed.failure).toBeNull();
  });

  test.each<[string, string | Buffer, string, RegExp]>([
    ['JSON', '{"sku":"a"}', 'UNREADABLE_FILE', /^it is no Parquet; landing takes Parquet/],
    ['a zip', Buffer.from('504b030400', 'hex'), 'UNREADABLE_FILE', /^it is a zip archive/],
    [
      'its beginning alone',
      Buffer.from('PAR1xxxxxxxx'),
      'UNREADABLE_FILE',
      /^its end, which says what it holds/,
    ],
  ])('a file that is %s', async (_, content, reason, detail) => {
    const { refused, landed } = await read(things, { 'a.parquet': content });
    expect(refused).toMatchObject([
      { line: null, record: null, reason, detail: expect.stringMatching(detail) },
    ]);
    expect(landed.failure).toMatch(/^1 file cannot be read/);
  });

  test.each([
    ["SELECT 'a' AS sku", 'MISSING_REQUIRED', 'the file has no column price'],
    [
      "SELECT 'a' AS sku, 'b' AS SKU_ID, 1 AS price",
      'DUPLICATE_KEY',
      'several columns of the file stand for sku',
    ],
    [
      "SELECT 'a' AS sku, '1' AS price",
      'WRONG_TYPE',
      'price is of type VARCHAR, which should be what decimal can be read from',
    ],
    [
      "SELECT 'a' AS sku, 1 AS price, 2 AS made",
      'WRONG_TYPE',
      'maker is of type INTEGER, which should be a struct, as maker is within it',
    ],
    ['SELECT 1 AS x', 'UNREADABLE_FILE', 'the file has no column of the contract; is it of another source?'],
  ])('the file of %s', async (query, reason, detail) => {
    const { refused, landed } = await readQuery(things, query);
    expect(refused).toMatchObject([{ reason, detail }]);
    expect(landed.failure).toMatch(/^1 file cannot be read/);
  });

  test('a file of which a page is damaged', async () => {
    const whole = await parquetOf(`SELECT i::VARCHAR AS sku, i AS price FROM range(5000) t(i)`);
    whole.fill(0xff, 4, 64);
    const { landed } = await read(things, { 'a.parquet': whole });
    expect(landed.failure).toMatch(/^1 file cannot/);
    expect(landed.failure).toMatch(/a.parquet: UNREADABLE_FILE, its pages are damaged; upload it again$/);
  });
});
