import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDir } from '../../tests/support/lake';
import { withDatabase } from '../database';
import { type Comparable, compareLakes } from './compare';

const dir = temporaryDir('compare');
let made = 0;

/** A lake that has published one table, of what a query gives. */
async function lakeOf(query: string): Promise<string> {
  const lake = join(dir, String(made++));
  const runId = '20260501T000000000Z-0000';
  const folder = join(lake, 'versions', runId, 't');
  mkdirSync(folder, { recursive: true });
  await withDatabase((db) => db.run(`COPY (${query}) TO '${join(folder, 'part.parquet')}' (FORMAT parquet)`));
  writeFileSync(
    join(lake, 'current.json'),
    JSON.stringify({ version: 1, runId, tables: { t: { runId, rows: 1 } } }),
  );
  return lake;
}

async function compared(before: string, after: string, of: Partial<Comparable> = {}) {
  const lakes = { before: await lakeOf(before), after: await lakeOf(after) };
  const columns = of.columns ?? ['id', 'name', 'value'];
  const [found] = await compareLakes(lakes, { t: { columns, open: columns, keys: [['id']], ...of } });
  return found;
}

const ROWS = "SELECT * FROM (VALUES (1, 'a', 1.5), (2, 'b', NULL), (3, 'c', 3)) r (id, name, value)";

test('rows are the same by their key', async () => {
  const after = "SELECT * FROM (VALUES (1, 'a', 2.5), (2, 'B', NULL), (4, 'd', 4)) r (id, name, value)";
  expect(await compared(ROWS, after)).toEqual({
    table: 't',
    before: 3,
    after: 3,
    key: ['id'],
    added: 1,
    removed: 1,
    changed: 2,
    columns: [
      { column: 'name', rows: 1 },
      { column: 'value', rows: 1, means: { before: 1.5, after: 2.5, most: 1 } },
    ],
    examples: [
      { kind: 'changed', row: { id: '1', name: 'a', value: '1.5 → 2.5' } },
      { kind: 'added', row: { id: '4', name: 'd', value: '4' } },
      { kind: 'removed', row: { id: '3', name: 'c', value: '3' } },
      { kind: 'changed', row: { id: '2', name: 'b → B', value: 'NULL' } },
    ],
  });
});

test('what may not be shown is masked, in rows and in means, and rows that then look alike are one', async () => {
  const found = await compared(ROWS, ROWS.replaceAll("'a'", "'x'").replace('1.5', '9').replace('3)', '8)'), {
    open: [],
  });
  expect(found?.columns).toEqual([
    { column: 'name', rows: 1 },
    { column: 'value', rows: 2 },
  ]);
  expect(found?.examples).toEqual([{ kind: 'changed', row: { id: '•••', name: '•••', value: '•••' } }]);
});

test('a key that rows share is none: rows are compared as a whole, as often as they are there', async () => {
  const twice = `${ROWS} UNION ALL ${ROWS}`;
  expect(await compared(ROWS, twice)).toMatchObject({
    before: 3,
    after: 6,
    added: 3,
    removed: 0,
    changed: 0,
    columns: [],
  });
  expect(await compared(twice, twice)).toMatchObject({ added: 0, removed: 0, examples: [] });
});

test('of rows without a key, the columns are told whose values changed', async () => {
  const found = await compared(ROWS, ROWS.replace("'b'", "'x'"), { keys: [] });
  expect(found).toMatchObject({ added: 1, removed: 1, columns: [{ column: 'name', rows: 1 }] });
});

test('what only one revision has is no change of rows; nor is a number in another type, or its last digits', async () => {
  const before = 'SELECT 1 AS id, 0.1::DOUBLE + 0.2::DOUBLE AS value, 5 AS gone';
  const after = 'SELECT 1::DOUBLE AS id, 0.3::DOUBLE AS value, 6 AS new';
  const found = await compared(before, after, { columns: ['id', 'value'] });
  expect(found).toMatchObject({ added: 0, removed: 0, changed: 0, columns: [] });
});

test('NULLs are a key like others', async () => {
  const rows = (value: number) => `SELECT NULL::INTEGER AS id, 'a' AS name, ${value} AS value`;
  expect(await compared(rows(1), rows(2))).toMatchObject({ key: ['id'], changed: 1, added: 0, removed: 0 });
});
