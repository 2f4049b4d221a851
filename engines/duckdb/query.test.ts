import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../database';
import { LakeError, UsageError } from '../engine';
import { newRunId } from '../run-id';
import { quoteString } from '../sql';
import { Store } from '../store';
import { writeTable } from './output';
import { queryLake } from './query';

let root: string;
let store: Store;
const runId = newRunId();
beforeAll(async () => {
  // DuckDB takes such names for patterns, and such folders for Hive's partitions.
  root = mkdtempSync(join(tmpdir(), 'query-[test]*n=1-'));
  store = new Store(root);
  const db = await openDatabase();
  const things = `SELECT * FROM (VALUES (1::BIGINT, 'a', 1.5::DOUBLE, TIMESTAMP '2023-05-01 10:00:00.12', DATE '0967-01-02', true),
      (9007199254740993, '', 1e300, NULL, NULL, NULL)) t(n, s, d, at_time, on_day, yes)`;
  const dir = store.tableDir(runId, 'things');
  await writeTable(db, dir, `${things} WHERE n = 1`);
  // As of files that are read in other ways.
  const other = quoteString(join(dir, 'other.parquet'));
  await db.run(`COPY (SELECT *, 1 AS _marks FROM (${things}) WHERE n > 1) TO ${other} (FORMAT parquet)`);
  db.closeSync();
  await store.pseudonymKey();
  await store.publish({ runId, tables: { things: { runId, rows: 2 } } });
});
afterAll(() => rmSync(root, { recursive: true }));

async function answer(sql: string) {
  const { columns, rows } = await queryLake(store, sql);
  const all: (readonly (string | null)[])[] = [];
  for await (const chunk of rows) all.push(...chunk);
  return { columns, rows: all };
}

test('gives every type as text, exactly, and NULL apart from the empty string', async () => {
  expect(await answer('SELECT t.*, [1, 2] AS list FROM things t ORDER BY n')).toEqual({
    columns: [
      { name: 'n', type: 'number' },
      { name: 's', type: 'text' },
      { name: 'd', type: 'number' },
      { name: 'at_time', type: 'instant' },
      { name: 'on_day', type: 'date' },
      { name: 'yes', type: 'boolean' },
      { name: 'list', type: 'other' },
    ],
    rows: [
      ['1', 'a', '1.5', '2023-05-01 10:00:00.120', '0967-01-02', 'true', '[1,2]'],
      ['9007199254740993', '', '1e+300', null, null, null, '[1,2]'],
    ],
  });
});

test('gives decimals exactly, without the zeros that end them', async () => {
  const { columns, rows } = await answer(
    "SELECT CAST(v AS DECIMAL(38, 2)), [CAST(1.50 AS DECIMAL(4, 2))] FROM (VALUES ('1.50'), ('-100'), ('0'), ('123456789012345678901234567890123456.7')) t(v)",
  );
  expect(columns.map(({ type }) => type)).toEqual(['number', 'other']);
  expect(rows).toEqual([
    ['1.5', '[1.5]'],
    ['-100', '[1.5]'],
    ['0', '[1.5]'],
    ['123456789012345678901234567890123456.7', '[1.5]'],
  ]);
});

test('a large result comes in pieces', async () => {
  const { rows } = await queryLake(store, 'SELECT a.n FROM things a, range(100000)');
  let pieces = 0;
  let count = 0;
  for await (const chunk of rows) {
    pieces++;
    count += chunk.length;
  }
  expect(count).toBe(200_000);
  expect(pieces).toBeGreaterThan(50);
});

test.each([
  ["COPY things TO '/tmp/things.csv'", UsageError],
  ['CREATE TABLE x AS SELECT 1', UsageError],
  ['DROP VIEW things', UsageError],
  ['INSERT INTO things SELECT * FROM things', UsageError],
  ['DELETE FROM things', UsageError],
  ['PRAGMA database_list', UsageError],
  ["SELECT * FROM glob('/etc/*')", UsageError],
  ["ATTACH '/tmp/x.db'", UsageError],
  ["SET allowed_directories = ['/']", UsageError],
  ['INSTALL httpfs', UsageError],
  ['SELECT 1; SELECT 2', UsageError],
  ['', UsageError],
  ['-- nothing', UsageError],
  ['SELECT nothing FROM things', LakeError],
  ['SELECT * FROM nothing', LakeError],
  ['SELEC 1', LakeError],
  ["SELECT * FROM read_text('/etc/passwd')", UsageError],
  ["SELECT * FROM '/etc/passwd'", LakeError],
])('refuses %s', async (sql, kind) => {
  await expect(answer(sql)).rejects.toThrow(kind);
});

test('reads nothing of a lake but its tables', async () => {
  writeFileSync(join(root, 'versions', 'beside.csv'), 'a\n1\n');
  for (const file of [
    'pseudonym.key',
    'current.json',
    'versions/beside.csv',
    `versions/${runId}/../beside.csv`,
  ]) {
    await expect(answer(`SELECT * FROM read_text('${join(root, file)}')`)).rejects.toThrow(/no other file/);
    await expect(answer(`SELECT * FROM read_text('${root}/${file}')`)).rejects.toThrow(/no other file/);
  }
});

test('tells an error while rows come, without the values it is about', async () => {
  await expect(answer("SELECT CAST('Canary' || s AS BIGINT) FROM things")).rejects.toThrow(
    /^Conversion Error: Could not convert string '…' to INT…/,
  );
});

test('of a column that is not grouped it says what all engines take', async () => {
  await expect(answer('SELECT s, COUNT(*) FROM things')).rejects.toThrow(
    /"s" must appear in the GROUP BY clause.*Add it to the GROUP BY list, or take MIN or MAX of it\./,
  );
});

test('an empty lake says what makes its tables', async () => {
  const empty = new Store(join(root, 'empty'));
  await expect(queryLake(empty, 'SELECT 1')).rejects.toThrow(
    /no table is published in .*empty; npx lake run makes them/,
  );
});
