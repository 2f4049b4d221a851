import { date, day, lakehouse, parameter, text, timestamp } from '../model';
import { icebergTable } from '../model/schema';
import { column, described, job, table } from '../tests/support/descriptions';
import { contractSection, meaningOf } from './contracts';
import type { Description, TableDescription } from './description';
import { plain } from './text';

const said = (before: Partial<Description>, after: Partial<Description>) =>
  contractSection(described(before), described(after)).findings.map(
    ({ level, text }) => `${level}: ${plain(text)}`,
  );
const saidOfTable = (before: Partial<TableDescription>, after: Partial<TableDescription>) =>
  said({ tables: { t: table(before) } }, { tables: { t: table(after) } });

test('a source: what lines that landed before would meet', () => {
  const { a, b } = { a: column(), b: column() };
  expect(saidOfTable({}, { columns: { b } })).toEqual([
    'loss: t.columns.a is gone: what lines have of it is no longer read',
  ]);
  expect(saidOfTable({}, { columns: { a: { ...a, type: 'int', stored: 'long' }, b } })).toEqual([
    'breaking: t.columns.a was text and is long: lines that are written as before may be refused',
  ]);
  // Another place among the columns is none in a line.
  expect(saidOfTable({}, { columns: { b, a } })).toEqual([]);
  expect(saidOfTable({ entity: 'x' }, { entity: 'y' })).toEqual([
    'breaking: t reads the files of y, and not those of x',
  ]);
  expect(saidOfTable({ each: 'items' }, { each: 'lines' })).toEqual([
    'breaking: a row of t is each of lines; before, each of items',
  ]);
  expect(saidOfTable({ maxQuarantinedShare: 0.1 }, { maxQuarantinedShare: 0.2 })).toHaveLength(1);
});

test('a column: each of its properties', () => {
  const before = column(text('x', { oneOf: ['a', 'b'] }));
  const after = column(
    text('y', { oneOf: ['a'], nullable: true, pii: 'direct', normalize: 'email', aliases: ['A'] }),
  );
  expect(saidOfTable({ columns: { a: before } }, { columns: { a: after } })).toEqual([
    'look: t.columns.a: class of personal data was none, is direct',
    'look: t.columns.a: whether it may be empty was false, is true',
    'look: t.columns.a: values that are allowed was ["a","b"], is ["a"]',
    'look: t.columns.a: form in which it is kept was none, is email',
    'look: t.columns.a: other spellings was [], is ["A"]',
    'note: t.columns.a is described in other words',
  ]);
});

test('keys and expectations', () => {
  const e = (severity: 'fail' | 'warn', sql = 'SELECT 1') => ({ severity, description: 'x', sql });
  expect(
    saidOfTable(
      {
        keys: [['a']],
        expectations: {
          unique_a: e('fail'),
          gone: e('warn'),
          stricter: e('warn'),
          other: e('fail'),
          same: e('fail'),
        },
      },
      {
        keys: [['b']],
        expectations: {
          unique_b: e('fail'),
          new: e('fail'),
          stricter: e('fail'),
          other: e('fail', 'SELECT 2'),
          same: e('fail', 'SELECT 1 -- x'),
        },
      },
    ),
  ).toEqual([
    'look: t: rows may share a now, which were a key',
    'look: t: a run fails where rows share b, a key now',
    'look: t.expectations.gone is gone; it was a warn',
    'look: t.expectations.new is new, a fail',
    'look: t.expectations.stricter was a warn and is a fail',
    'look: t.expectations.other looks for other rows',
  ]);
});

test('a table that a job writes: what Iceberg does not survive, and who reads what goes', () => {
  const shop = lakehouse(['z']);
  const iceberg = (
    columns: Parameters<typeof shop.table>[0]['columns'],
    at = 'z/t',
    partitionBy = [] as ReturnType<typeof day>[],
  ) => {
    const made = shop.table({ name: 't', zone: 'z', description: 'x', columns });
    return {
      format: 'iceberg' as const,
      zone: 'z',
      columns: Object.fromEntries(Object.entries(columns).map(([name, one]) => [name, column(one)])),
      iceberg: icebergTable({ ...made, partitionBy }, at),
    };
  };
  const before = iceberg({ a: text('x'), b: timestamp('x') });
  const readers: Partial<Description> = {
    jobs: {
      j: job({ inputs: ['t'], code: 'SELECT A FROM t' }),
      k: job({ inputs: ['t'], code: 'SELECT b FROM t -- a' }),
    },
    queries: { q: { description: '', tables: ['t'], columns: {}, sql: 'SELECT a FROM t' } },
  };
  const of = (after: Partial<TableDescription>) =>
    said({ tables: { t: table(before) }, ...readers }, { tables: { t: table(after) }, ...readers });
  expect(of(iceberg({ b: timestamp('x') }))).toEqual([
    expect.stringMatching(
      /^loss: t\.columns\.a is column 1 of the deployed table and is gone .*; it was read by jobs\/j\.sql, queries\/q\.sql$/,
    ),
    expect.stringMatching(/^breaking: t\.columns\.b was column 2 .* and is 1 now; /),
  ]);
  expect(of(iceberg({ a: text('x'), b: timestamp('x') }, 'other/t'))).toEqual([
    expect.stringMatching(/^breaking: t is at z\/t and would be at other\/t/),
  ]);
  expect(of(iceberg({ a: text('x'), b: timestamp('x') }, 'z/t', [day('b')]))).toEqual([
    expect.stringMatching(/^breaking: t\.partitionBy differs/),
  ]);
  expect(of(iceberg({ a: text('x'), b: timestamp('x'), c: date('x', { pii: 'quasi' }) }))).toEqual([
    'note: t.columns.c is new (date, quasi personal data)',
  ]);
  expect(said({ tables: { t: table(before) }, ...readers }, { tables: {} })).toEqual(
    expect.arrayContaining([
      'loss: the table t is gone: no query finds its rows, and its entry of the catalog goes; it was read by jobs/j.sql, jobs/k.sql, queries/q.sql',
    ]),
  );
});

test('parameters, queries and faults', () => {
  const rule = (values: readonly [string, ...string[]]) => {
    const { name, ...rest } = parameter('rule', 'x', values);
    return { parameters: { [name]: rest } };
  };
  expect(said(rule(['a', 'b']), rule(['c', 'b']))).toEqual([
    'breaking: the parameter rule no longer takes a',
    'note: the parameter rule takes c too',
    'look: the parameter rule is c where a run says nothing; before, a',
  ]);
  const query = (columns: Readonly<Record<string, string>>) => ({
    queries: { q: { description: '', tables: [], columns, sql: '' } },
  });
  expect(said(query({ a: 'BIGINT', b: 'DATE' }), query({ a: 'DOUBLE', c: 'DATE' }))).toEqual([
    'breaking: the query q no longer gives b',
    'note: the query q gives c too (DATE)',
    'breaking: the query q gives a as DOUBLE; before, BIGINT',
  ]);
  expect(said(query({}), { queries: {} })).toEqual([
    'breaking: the query q is gone: who asks for it by name gets an error',
  ]);
  // A fault that was there, on another line by now, is none of this change.
  const fault = (path: string, message: string) => ({ path, message });
  expect(
    said(
      { faults: [fault('jobs/a.sql:3', 'x')] },
      { faults: [fault('jobs/a.sql:4', 'x'), fault('jobs/a.sql:4', 'y')] },
    ),
  ).toEqual(['breaking: jobs/a.sql:4 does not fit the contracts: y']);
});

test('SQL means the same with other comments and white space, not with other strings', () => {
  expect(meaningOf('-- a\nSELECT  1\n  /* b */ FROM t')).toBe(meaningOf('SELECT 1 FROM t -- c'));
  expect(meaningOf("SELECT 'a  b'")).not.toBe(meaningOf("SELECT 'a b'"));
  expect(meaningOf("SELECT '--'")).not.toBe(meaningOf("SELECT ''"));
});
