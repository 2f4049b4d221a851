import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBConnection } from '@duckdb/node-api';
import { int, type SourceTable, text } from '../../model';
import { listOf } from '../../tests/support/listed';
import { type Files, filesBelow, type Refusal, readingTests, rowsIn } from '../../tests/support/reading';
import { parquetFile, rowsOf } from '../database';
import { sourceOf } from '../landing/arbitraries';
import { landingDir, landingFiles } from '../landing/files';
import { Suppression } from '../suppression';
import { land } from './landing';

const { dir, db } = readingTests();
let lakes = 0;

/** Writes files below a folder of their own and lands them. */
async function landed(table: SourceTable, files: Files, folder = 'data', forgotten?: Suppression) {
  const root = join(dir(), `lake-${lakes++}`);
  const data = join(root, folder);
  await mkdir(landingDir(data, table), { recursive: true });
  for (const [name, content] of Object.entries(files))
    await writeFile(join(landingDir(data, table), name), content);
  const to = {
    table: join(root, 'out'),
    landing: landingDir(data, table),
    quarantine: join(root, 'q', 'q.parquet'),
    ...(forgotten && { forgotten }),
  };
  const result = await land(
    db(),
    table,
    { how: '', fits: '', kept: [], files: await landingFiles(data, table) },
    to,
  );
  const rows = await rowsIn(db(), table, to.table);
  const isRefused = Object.keys(result.reasons).length > 0;
  expect((await filesBelow(root)).includes('q.parquet')).toBe(isRefused);
  const order = 'ORDER BY file, line';
  const refused = isRefused ? await rowsOf<Refusal>(db(), `FROM ${parquetFile(to.quarantine)} ${order}`) : [];
  expect(result.read).toBe(result.accepted + result.refused + result.filtered);
  expect(rows).toHaveLength(result.accepted);
  return { result, rows, refused };
}

const TABLE = sourceOf({ a: text('A.', {}), n: int('N.', { nullable: true }) }, 'things');

test.each([
  'a b',
  "it's",
  '"quoted"',
  '[x]',
  '[',
  'a*',
  'a?',
  '100%',
  'ü ñ 日本',
  'a\\b',
  '{a,b}',
  '**',
  '[!a]',
  'a=b',
  'http:',
])('files and folders may be called %j', async (name) => {
  // The others are what the first would match, were it a pattern.
  const files = {
    [`${name}.json`]: '{"a":"plain"}\n',
    [`${name}.bad.json`]: '{"a":"careful"},\n{"a":1}\n',
    'ab.json': '{"a":"other"}\n',
    'ax.json': '{"a":"other"}\n',
  };
  const { rows, refused } = await landed(TABLE, files, name.replace('\\', ''));
  expect(rows.map(({ a }) => a).toSorted()).toEqual(['careful', 'other', 'other', 'plain']);
  expect(refused).toEqual([
    {
      file: `${name}.bad.json`,
      line: 2,
      record: null,
      reason: 'WRONG_TYPE',
      detail: 'a should be a string, found number',
      raw: '{"a":1}',
    },
  ]);
});

test('no accepted record gives a table without rows, of the right columns', async () => {
  const { result, rows, refused } = await landed(TABLE, {
    'a.json': 'x{\n',
    'b.json': ' \n',
    'c.json.gz': gzipSync('{"a":1}'),
  });
  expect(result).toMatchObject({
    read: 2,
    refused: 2,
    accepted: 0,
    reasons: { NOT_JSON: 1, EMPTY_FILE: 1, WRONG_TYPE: 1 },
  });
  expect(rows).toEqual([]);
  expect(refused.map(({ file, line, reason }) => [file, line, reason])).toEqual([
    ['a.json', 1, 'NOT_JSON'],
    ['b.json', null, 'EMPTY_FILE'],
    ['c.json.gz', 1, 'WRONG_TYPE'],
  ]);
});

test('hidden files and folders are left out', async () => {
  const data = join(dir(), 'hidden');
  await mkdir(join(data, 'things', 'landing', 'folder'), { recursive: true });
  for (const name of ['.a.json', '_b.json', 'c.json'])
    await writeFile(join(data, 'things', 'landing', name), '');
  expect(await landingFiles(data, TABLE)).toEqual([join(data, 'things', 'landing', 'c.json')]);
  expect(await landingFiles(join(dir(), 'nowhere'), TABLE)).toEqual([]);
});

test('files of all the ways of reading make one table', async () => {
  const { rows } = await landed(TABLE, {
    'plain.json': '{"a":"1","n":1}\n',
    'further.json': '{"a":"2","n":2,"b":{"c":[3]}}\n',
    'objects.json': '{\n"a":"3",\n"n":null}\n{"a":"\\u0034"}\n',
    'lines.json': '{"a":"5","n":5},\n{"A":"6"}{"n":7,"a":"7"}\n',
  });
  expect(rows.map(({ a, n }) => [a, n]).toSorted()).toEqual([
    ['1', 1],
    ['2', 2],
    ['3', null],
    ['4', null],
    ['5', 5],
    ['6', null],
    ['7', 7],
  ]);
});

describe('who was forgotten', () => {
  const PEOPLE: SourceTable = {
    ...TABLE,
    columns: {
      a: text('Who.', { pii: 'direct', identifies: 'person' }),
      n: int('How many.', { nullable: true }),
      d: text('Device.', { pii: 'quasi', identifies: 'device', nullable: true }),
      b: text('Name.', { pii: 'direct', nullable: true }),
    },
  };
  const KEY = Buffer.alloc(32, 7);
  const list = listOf(KEY, { person: ['a@b.c'], device: ['D1'], hint: ['Anna'] });
  const LINES = [
    '{"a":"a@b.c","n":1}',
    '{"a":" A@B.c ","n":2}',
    '{"a":" \\t","n":3,"d":"d1"}',
    // They have it by now.
    '{"a":"d@e.f","n":4,"d":"D1"}',
    '{"a":"d@e.f","n":5}',
    '{"a":"Anna","n":6}',
    '{"a":"a@b.c","n":"x"}',
    '{"a":"d@e.f","n":"x"}',
    '{"b":"Anna"}',
    '{"a":"a@b',
  ];

  test.each(['plain.json', 'packed.json.gz'])('is left out of %s and counted', async (name) => {
    const packed = (content: string) => (name.endsWith('.gz') ? gzipSync(content) : content);
    const files = {
      [`1-${name}`]: packed(LINES.slice(0, 6).join('\n')),
      [`2-${name}`]: packed(LINES.join('\n')),
      // On one line each is a record of its own.
      [`3-${name}`]: packed(LINES.slice(3, 8).join(',')),
    };
    const { result, rows, refused } = await landed(PEOPLE, files, undefined, list);
    expect(rows.map(({ n }) => n).toSorted()).toEqual([4, 4, 4, 5, 5, 5, 6, 6, 6]);
    expect(refused.map(({ raw }) => raw)).toEqual([LINES[7], LINES[9], LINES[7]]);
    expect(result).toMatchObject({
      read: 21,
      filtered: 9,
      refused: 3,
      accepted: 9,
      reasons: { WRONG_TYPE: 2, TRUNCATED: 1 },
    });
  });

  test('leaves a table without rows of the right columns where nobody else is in it', async () => {
    const { result, rows } = await landed(PEOPLE, { 'a.json': LINES[0] as string }, undefined, list);
    expect(result).toMatchObject({ read: 1, filtered: 1, accepted: 0 });
    expect(rows).toEqual([]);
  });

  test('refused records of somebody else are refused, however many, where a name is a common word', async () => {
    const words = listOf(KEY, { hint: ['serialNumber', 'Bad'] });
    const broken = Array.from({ length: 50 }, (_, i) => `{"a":"u${i}@b.c","serialNumber":"s${i}","n":"Bad`);
    const { result } = await landed(PEOPLE, { 'a.json': broken.join('\n') }, undefined, words);
    expect(result).toMatchObject({ refused: 50, filtered: 0 });
  });

  test('costs nothing where the list is empty', async () => {
    const asked = jest.spyOn(DuckDBConnection.prototype, 'run');
    const { result } = await landed(PEOPLE, { 'a.json': LINES.join('\n') }, undefined, new Suppression(KEY));
    expect(result.filtered).toBe(0);
    expect(asked.mock.calls.filter(([sql]) => sql.includes('_list'))).toEqual([]);
    asked.mockRestore();
  });

  test('is left out of what a source of nobody refuses, as by a file in the wrong folder', async () => {
    const { refused } = await landed(TABLE, { 'a.json': LINES.join('\n') }, undefined, list);
    expect(refused.map(({ raw }) => raw)).not.toContain(LINES[6]);
    expect(refused.map(({ raw }) => raw)).toContain(LINES[9]);
  });
});
