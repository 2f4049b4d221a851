import type { DuckDBConnection } from '@duckdb/node-api';
import { openDatabase, rowsOf } from '../engines/database';
import {
  type Columns,
  type DerivedTable,
  date,
  double,
  type Expectation,
  epochMillis,
  expectation,
  expectationsOf,
  int,
  keepsUpWith,
  lakehouse,
  references,
  text,
  timestamp,
  unique,
} from '.';

const words = lakehouse(['raw', 'clean']);
const tableOf = <const C extends Columns>(
  columns: C,
  more: Partial<Pick<DerivedTable, 'keys' | 'expectations'>> = {},
): DerivedTable => ({
  ...words.table({ name: 'thing', zone: 'clean', description: 'T.', columns }),
  ...more,
});
const other = words.table({
  name: 'other',
  zone: 'clean',
  description: 'O.',
  columns: { id: int('I.'), part: text('P.'), moment: timestamp('A.') },
});
const D = { description: 'Why.' };

/** The expectation of that name of a table. */
const named = (table: DerivedTable, name: string) =>
  expectationsOf(table).find((e) => e.name === name) as Expectation;

describe('what an expectation says of itself', () => {
  test('unique', () => {
    expect({ ...unique(['a', 'b'], D), sql: undefined }).toEqual({
      name: 'unique_a_b',
      severity: 'fail',
      description: 'Why.',
      columns: ['a', 'b'],
      counts: ['records'],
      groups: 'records',
      per: ['a', 'b'],
      reads: [],
    });
    expect(unique(['a', 'b'], D).sql('"t 1"')).toBe(
      'SELECT t.a, t.b, COUNT(*) AS records FROM "t 1" t GROUP BY t.a, t.b HAVING COUNT(*) > 1',
    );
    expect(unique(['a'], { ...D, severity: 'warn', name: 'one' })).toMatchObject({
      name: 'one',
      severity: 'warn',
    });
  });

  test('references', () => {
    const e = references(other, { mine: 'id', piece: 'part' }, D);
    expect({ ...e, sql: undefined }).toEqual({
      name: 'references_other',
      severity: 'fail',
      description: 'Why.',
      columns: ['mine', 'piece'],
      counts: [],
      reads: ['other'],
      counterparts: { table: 'other', columns: { mine: 'id', piece: 'part' } },
      per: 'row',
    });
    expect(e.sql('thing')).toBe(
      'SELECT t.* FROM thing t WHERE NOT EXISTS (SELECT 1 FROM (SELECT DISTINCT c.id, c.part FROM other c) o WHERE o.id = t.mine AND o.part = t.piece)',
    );
    expect(references(other, { id: 'id' }, { ...D, severity: 'quarantine', name: 'known' })).toMatchObject({
      name: 'known',
      severity: 'quarantine',
    });
  });

  test('keepsUpWith', () => {
    const e = keepsUpWith('seen', other, 'moment', 2);
    expect({ ...e, sql: undefined }).toEqual({
      name: 'keeps_up_with_other',
      severity: 'warn',
      description: 'The newest seen is at most 2 day(s) behind the newest of other.',
      columns: ['seen'],
      counts: [],
      reads: ['other'],
    });
    expect(e.sql('thing')).toBe(
      'SELECT n.newest AS seen, m.newest AS moment FROM (SELECT MAX(t.seen) AS newest FROM thing t) n ' +
        'CROSS JOIN (SELECT MAX(o.moment) AS newest FROM other o) m ' +
        "WHERE n.newest + INTERVAL '2' DAY < m.newest OR (n.newest IS NULL AND m.newest IS NOT NULL)",
    );
  });

  test('expectation', () => {
    const sql = (table: string) => `SELECT * FROM ${table} t`;
    expect(
      expectation({ name: 'e', severity: 'warn', description: 'D.', columns: ['a'], reads: [other], sql }),
    ).toEqual({
      name: 'e',
      severity: 'warn',
      description: 'D.',
      columns: ['a'],
      counts: [],
      reads: ['other'],
      sql,
    });
    expect(
      expectation({ name: 'e', severity: 'warn', description: 'D.', columns: ['a'], sql }).reads,
    ).toEqual([]);
  });
});

describe('what a contract implies', () => {
  const table = tableOf(
    {
      id: int('I.', { min: 1 }),
      share: double('S.', { min: -0.5, max: 1e21, nullable: true }),
      at: timestamp('A.', { min: 0, max: Date.UTC(2100, 0, 1, 0, 0, 0, 5) }),
      note: text('N.', { nullable: true }),
    },
    { keys: [['id'], ['share', 'at']], expectations: [unique(['note'], D)] },
  );

  test('stands before what is declared', () => {
    expect(expectationsOf(table).map(({ name, severity, columns }) => [name, severity, columns])).toEqual([
      ['required_values', 'fail', ['id', 'at']],
      ['values_in_range', 'fail', ['id', 'share', 'at']],
      ['unique_id', 'fail', ['id']],
      ['unique_share_at', 'fail', ['share', 'at']],
      ['unique_note', 'fail', ['note']],
    ]);
    expect(named(table, 'required_values').sql('thing')).toBe(
      'SELECT t.* FROM thing t WHERE t.id IS NULL OR t.at IS NULL',
    );
    expect(named(table, 'values_in_range').sql('thing')).toBe(
      'SELECT t.* FROM thing t WHERE t.id < 1 OR t.share < -0.5 OR t.share > 1e+21 ' +
        "OR t.at < TIMESTAMP '1970-01-01 00:00:00.000' OR t.at > TIMESTAMP '2100-01-01 00:00:00.005'",
    );
    expect(named(table, 'unique_share_at').description).toBe('No two rows share share, at.');
  });

  test('is nothing where nothing is required, ranged or a key', () => {
    expect(expectationsOf(tableOf({ note: text('N.', { nullable: true }) }))).toEqual([]);
  });

  test('is nothing of a source, whose reader keeps it', () => {
    const source = words.source({
      name: 'raw_thing',
      zone: 'raw',
      entity: 'thing',
      description: 'R.',
      columns: { at: epochMillis('A.', { min: 0 }) },
      expectations: [unique(['at'], D)],
    });
    expect(expectationsOf(source).map((e) => e.name)).toEqual(['unique_at']);
  });
});

describe('which rows of DuckDB are bad', () => {
  let db: DuckDBConnection;
  beforeAll(async () => {
    db = await openDatabase();
  });
  afterAll(() => db.closeSync());

  /** What an expectation finds in a table of these rows (as SQL gives them), in any order. */
  async function found(e: Expectation, thing: string, others = 'SELECT 1 AS id WHERE false') {
    await db.run(`CREATE OR REPLACE TEMP TABLE "the thing" AS ${thing}`);
    await db.run(`CREATE OR REPLACE TEMP TABLE other AS ${others}`);
    const rows = await rowsOf<Record<string, unknown>>(db, e.sql('"the thing"'));
    return rows.map((row) => JSON.stringify(Object.values(row))).toSorted();
  }
  const values = (columns: string, ...rows: string[]) =>
    `SELECT * FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) v(${columns})`;

  test('unique: those that share all the values, NULLs too, each group once', async () => {
    const rows = values('a, b', "1, 'x'", "1, 'x'", "1, 'x'", "1, 'y'", "2, 'x'", '3, NULL', '3, NULL');
    expect(await found(unique(['a', 'b'], D), rows)).toEqual(['[1,"x",3]', '[3,null,2]']);
    expect(await found(unique(['b'], D), values('b', "'A'", "'a'"))).toEqual([]);
  });

  test('references: those without a counterpart in all the columns; NULL has none', async () => {
    const e = references(other, { mine: 'id', piece: 'part' }, D);
    const rows = values('mine, piece', "1, 'x'", "1, 'y'", "2, 'x'", "NULL, 'x'", '1, NULL', '4, NULL');
    const others = values('id, part', "1, 'x'", "1, 'x'", "2, 'z'", 'NULL, NULL', '4, NULL');
    expect(await found(e, rows, others)).toEqual([
      '[1,"y"]',
      '[1,null]',
      '[2,"x"]',
      '[4,null]',
      '[null,"x"]',
    ]);
    expect(await found(e, values('mine, piece', "1, 'x'"), `${others} WHERE false`)).toEqual(['[1,"x"]']);
  });

  const instant = (at: string) => `TIMESTAMP '${at}'`;
  test.each([
    ['exactly two days behind', '2023-05-01 00:00:00', '2023-05-03 00:00:00', 0],
    ['a millisecond more', '2023-05-01 00:00:00', '2023-05-03 00:00:00.001', 1],
    ['ahead', '2023-05-09 00:00:00', '2023-05-03 00:00:00', 0],
  ])('keepsUpWith: %s', async (_what, own, others, bad) => {
    const older = instant('2000-01-01 00:00:00');
    const rows = await found(
      keepsUpWith('seen', other, 'moment', 2),
      values('seen', instant(own), older, 'NULL'),
      values('moment', older, instant(others)),
    );
    expect(rows).toHaveLength(bad);
  });

  test('keepsUpWith: an empty table is behind one that holds anything', async () => {
    const e = keepsUpWith('seen', other, 'moment', 2);
    const none = 'SELECT CAST(NULL AS TIMESTAMP) AS seen, CAST(NULL AS TIMESTAMP) AS moment WHERE false';
    const some = values('moment', instant('2023-05-01 00:00:00'));
    expect(await found(e, none, some)).toEqual(['[null,"2023-05-01T00:00:00.000Z"]']);
    expect(await found(e, none, none)).toEqual([]);
    expect(await found(e, some.replace('(moment)', '(seen)'), none)).toEqual([]);
  });

  test('gives_rows: an empty table of a job, where each of its inputs has rows', async () => {
    const output = words.table({ name: 'thing', zone: 'clean', description: 'T.', columns: other.columns });
    const job = words.job({ output, inputs: [other], description: 'J.' });
    const e = expectationsOf(output, job).at(-1) as Expectation;
    expect(e).toMatchObject({ name: 'gives_rows', severity: 'warn', counts: ['other'], onlyEmpty: true });
    const [none, two] = ['SELECT 1 AS id WHERE false', 'SELECT unnest([1, 2]) AS id'];
    expect(await found(e, none, two)).toEqual(['[2]']);
    expect(await found(e, none, none)).toEqual([]);
    expect(await found(e, two, two)).toEqual([]);
  });

  test('required_values: a NULL in any column that may have none', async () => {
    const e = named(
      tableOf({ a: int('A.'), b: date('B.'), c: text('C.', { nullable: true }) }),
      'required_values',
    );
    const rows = values(
      'a, b, c',
      "1, DATE '2023-05-01', NULL",
      "NULL, DATE '2023-05-01', 'x'",
      "2, NULL, 'y'",
    );
    expect(await found(e, rows)).toEqual(['[2,null,"y"]', '[null,"2023-05-01T00:00:00.000Z","x"]']);
  });

  test('values_in_range: the bounds are in, to the millisecond; NULL is in no range and no fault', async () => {
    const max = Date.UTC(2100, 0, 1, 0, 0, 0, 5);
    const e = named(
      tableOf({
        n: int('N.', { min: 0, max: 10_000, nullable: true }),
        x: double('X.', { max: 0.5, nullable: true }),
        made: timestamp('A.', { min: 1, max, nullable: true }),
      }),
      'values_in_range',
    );
    const first = instant('1970-01-01 00:00:00.001');
    const last = instant('2100-01-01 00:00:00.005');
    const good = [`0, 0.5, ${first}`, `10000, -1e300, ${last}`, 'NULL, NULL, NULL'];
    expect(await found(e, values('n, x, made', ...good))).toEqual([]);
    const bad = [
      `-1, 0.0, ${first}`,
      `10001, 0.0, ${first}`,
      `1, 0.5000001, ${first}`,
      `2, 0.0, ${instant('1970-01-01 00:00:00.000')}`,
      `3, 0.0, ${instant('2100-01-01 00:00:00.006')}`,
    ];
    const firsts = (await found(e, values('n, x, made', ...good, ...bad))).map((row) => JSON.parse(row)[0]);
    expect(firsts.toSorted((a, b) => a - b)).toEqual([-1, 1, 2, 3, 10_001]);
  });

  test('values_in_range: a text of which the contract names the values is one of them', async () => {
    const columns = { size: text('S.', { oneOf: ['small', "o'large"], nullable: true }) };
    const e = named(tableOf(columns), 'values_in_range');
    expect(await found(e, values('size', "'small'", "'o''large'", 'NULL', "'Small'", "''"))).toEqual([
      '[""]',
      '["Small"]',
    ]);
  });
});
