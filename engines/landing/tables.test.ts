import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { csv, decimal, int, type SourceTable, text } from '../../model';
import { listOf } from '../../tests/support/listed';
import { readingTests } from '../../tests/support/reading';
import { rowsOf } from '../database';
import { readyList } from '../forgotten';
import { sourceOf } from './arbitraries';
import { forgetLines } from './forget-lines';
import { oddLayouts } from './layout';

const { write, db, dir } = readingTests();

describe('of tables, Athena misreads', () => {
  const columns = { id: text('I.'), amount: decimal(9, 2, 'A.'), note: text('N.', { nullable: true }) };
  const layoutOf = async (table: SourceTable, name: string, content: string) => {
    const path = join(await write({ [name]: content }), name);
    return (await oddLayouts(table, [path])).get(path);
  };
  const payments = { ...sourceOf(columns), format: csv() };

  test.each([
    ['nothing of lines', 'id,amount,note\r\n"a",1,"x ""y"""\r\n', undefined],
    ['nothing of columns behind', 'id,amount,note,more\na,1,,x\n', undefined],
    ['nothing of lines without the last columns', 'id,amount\na,1\n', undefined],
    ['lines within quotes', 'id,amount,note\na,1,"x\ny"\nb,2,\n', [2, 1, ['1 record over several lines']]],
    ['another order', 'amount,id\n1,a\nx,b\n', [2, 2, ['columns in another order than in the contract']]],
  ])('%s', async (_, content, expected) => {
    const found = await layoutOf(payments, 'a.csv', content);
    expect(found && [found.records, found.lost, found.details]).toEqual(expected);
    expect(found?.canRewrite ?? false).toBe(false);
  });

  test('types of Parquet that are not those of its table', async () => {
    const folder = await write({});
    const path = join(folder, 'a.parquet');
    const table: SourceTable = { ...sourceOf(columns), format: 'parquet' };
    const put = (query: string) => db().run(`COPY (${query}) TO '${path}' (FORMAT parquet)`);
    await put(`SELECT 'a' AS id, 1.5::DOUBLE AS amount FROM range(3)`);
    expect((await oddLayouts(table, [path])).get(path)).toMatchObject({
      records: 3,
      lost: 3,
      details: ['amount as DOUBLE, where Athena reads decimal(9,2)'],
    });
    await put(`SELECT 'a' AS id, 1.5::DECIMAL(12, 2) AS amount`);
    expect((await oddLayouts(table, [path])).size).toBe(0);
  });
});

describe('forgetting takes out of a file', () => {
  const KEY = Buffer.from('key');
  const columns = { who: text('W.', { pii: 'direct', identifies: 'person' }), n: int('N.', { min: 0 }) };
  const forget = async (table: SourceTable, path: string) => {
    const list = listOf(KEY, { person: ['ann@x.org'] });
    await readyList(db(), list);
    const counted = await forgetLines(db(), path, table, undefined);
    const before = readFileSync(path);
    expect(await forgetLines(db(), path, table, join(dir(), 'temporary'))).toBe(counted);
    return { counted, before };
  };

  test.each(['a.csv', 'a.csv.gz'])('of CSV, %s, their records and no more', async (name) => {
    const pack = name.endsWith('.gz') ? gzipSync : Buffer.from;
    const unpack = name.endsWith('.gz') ? gunzipSync : (bytes: Buffer) => bytes;
    const theirs = 'ann@x.org,1\r\n"Ann@X.org",x\r\n1,"x\nann@x.org"\r\n';
    const others = '"bob\n@x.org",1\r\n\r\nbob@x.org,x\r\nb@x.org,2';
    const path = join(await write({ [name]: pack(`who,n\r\n${theirs}${others}`) as Buffer }), name);
    const { counted } = await forget({ ...sourceOf(columns), format: csv() }, path);
    expect(counted).toBe(3);
    expect(unpack(readFileSync(path)).toString()).toBe(`who,n\r\n${others}`);
  });

  test('of Parquet, their rows and no more', async () => {
    const path = join(await write({}), 'a.parquet');
    await db().run(
      `COPY (SELECT * FROM (VALUES ('ann@x.org', 1, 1.5), ('bob@x.org', -1, 2), ('ANN@x.org', -1, 3), ('bob@x.org', 1, 4)) t(who, n, more)) TO '${path}' (FORMAT parquet)`,
    );
    const { counted } = await forget({ ...sourceOf(columns), format: 'parquet' }, path);
    expect(counted).toBe(2);
    expect(await rowsOf(db(), `SELECT who, n, more::DOUBLE AS more FROM '${path}' ORDER BY n`)).toEqual([
      { who: 'bob@x.org', n: -1, more: 2 },
      { who: 'bob@x.org', n: 1, more: 4 },
    ]);
    expect(existsSync(join(dir(), 'temporary.parquet'))).toBe(false);
  });
});
