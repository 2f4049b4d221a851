import { date, double, int, namedQuery, text, timestamp } from '../model';
import { LakeError, type QueryColumn } from './engine';
import { runQuery, streamQuery } from './named-query';

const query = namedQuery('counts', {
  who: text('Who.'),
  many: int('How many.'),
  share: double('Share.'),
  since: timestamp('Since.', { nullable: true }),
  on: date('On.'),
});

const COLUMNS: readonly QueryColumn[] = [
  { name: 'on', type: 'date' },
  { name: 'WHO', type: 'text' },
  { name: 'many', type: 'number' },
  { name: 'share', type: 'number' },
  { name: 'since', type: 'instant' },
];
const ROW = ['0967-01-02', '', '9007199254740991', '1e+300', '2023-05-01 10:00:00.120'];

function answering(rows: readonly (readonly (string | null)[])[], columns = COLUMNS) {
  const asked: string[] = [];
  return {
    asked,
    query: async (sql: string) => {
      asked.push(sql);
      return {
        columns,
        rows: (async function* () {
          for (const row of rows) yield [row];
        })(),
      };
    },
  };
}

test('gives rows by the definition, wherever the result has its columns', async () => {
  const engine = answering([ROW, ['2024-02-29', 'ada', '-1', 'NaN', null]]);
  expect(await runQuery(engine, query)).toEqual([
    {
      who: '',
      many: Number.MAX_SAFE_INTEGER,
      share: 1e300,
      since: new Date('2023-05-01T10:00:00.120Z'),
      on: '0967-01-02',
    },
    { who: 'ada', many: -1, share: Number.NaN, since: null, on: '2024-02-29' },
  ]);
  expect(engine.asked).toEqual([expect.stringMatching(/^-- How many rows each table holds/)]);
});

test.each<[string, number, string | null, string]>([
  ['NULL', 1, null, 'counts: column "who" in row 2 is NULL, and its definition is not nullable'],
  ['beyond 2^53', 2, '9007199254740993', 'counts: column "many" in row 2 is no whole number of at most 2^53'],
  ['a fraction', 2, '1.5', 'counts: column "many" in row 2 is no whole number'],
])('%s is an error with its place, without the value', async (_, place, value, said) => {
  const read = runQuery(answering([ROW, ROW.with(place, value as string)]), query);
  await expect(read).rejects.toThrow(LakeError);
  await expect(read).rejects.toThrow(said);
  if (value !== null) await expect(read).rejects.not.toThrow(value);
});

test.each([
  [
    COLUMNS.slice(1),
    'counts gives no column "on", which its definition has; it gives who, many, share, since',
  ],
  [
    COLUMNS.with(0, { name: 'on', type: 'text' }),
    'counts: column "on" is text, and its definition says date',
  ],
])('a result of other columns is an error', async (columns, said) => {
  await expect(runQuery(answering([ROW], columns), query)).rejects.toThrow(said);
});

test('rows come as they are taken', async () => {
  const rows = streamQuery(answering([ROW, ROW.with(1, null as never)]), query);
  expect((await rows.next()).value).toMatchObject({ who: '' });
  await expect(rows.next()).rejects.toThrow('row 2');
});
