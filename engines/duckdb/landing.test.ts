import { isUtf8 } from 'node:buffer';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { int, type SourceTable, text } from '../../model';
import { lake } from '../../pipeline';
import { anySource, nearlyPlainLine, plainPairs, sourceOf, written } from '../landing/arbitraries';
import { landingDir, landingFiles } from '../landing/files';
import { SourceReader } from '../landing/read-file';
import { readLine } from '../landing/read-line';
import { quoteName } from '../sql';
import { Suppression } from '../suppression';
import { openDatabase, parquetFile, parquetIn, rowsOf } from './database';
import { land } from './landing';

let dir: string;
let db: DuckDBConnection;
let lakes = 0;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'landing-'));
  db = await openDatabase(join(dir, 'spill'));
});
afterAll(async () => {
  db.closeSync();
  await rm(dir, { recursive: true });
});

type Row = Record<string, unknown>;
interface Quarantined {
  readonly file: string;
  readonly line: number;
  readonly reason: string;
  readonly detail: string;
  readonly raw: string;
}

/** Text comes in hex, since the client of DuckDB leaves out a byte-order mark. */
async function rowsIn(table: SourceTable, folder: string): Promise<Row[]> {
  const columns = Object.entries(table.columns);
  const isText = ([, { type }]: (typeof columns)[number]) => type === 'text' || type === 'isoDate';
  const select = columns.map((c) => (isText(c) ? `hex(${quoteName(c[0])})` : quoteName(c[0])));
  const names = columns.map(([name], i) => `${select[i]} AS ${quoteName(name)}`);
  const rows = await rowsOf<Row>(db, `SELECT ${names.join(', ')} FROM ${parquetIn(folder)}`);
  const texts = columns.filter(isText).map(([name]) => name);
  const decoded = (hex: unknown) => (hex === null ? null : Buffer.from(hex as string, 'hex').toString());
  return rows.map((row) => ({
    ...row,
    ...Object.fromEntries(texts.map((name) => [name, decoded(row[name])])),
  }));
}

/** Writes files below a folder of their own and lands them. */
async function landed(
  table: SourceTable,
  files: Record<string, string | Buffer>,
  folder = `data-${lakes}`,
  forgotten?: Suppression,
) {
  const root = join(dir, `${lakes++}`);
  const data = join(root, folder);
  await mkdir(join(data, table.entity, 'landing'), { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await writeFile(join(data, table.entity, 'landing', name), content);
  }
  const to = {
    table: join(root, folder, 'out'),
    landing: landingDir(data, table),
    quarantine: join(root, folder, 'q', 'q.parquet'),
    scratch: join(root, 'scratch'),
    ...(forgotten && { forgotten }),
  };
  const result = await land(db, table, await landingFiles(data, table), to);
  const rows = await rowsIn(table, to.table);
  const refused =
    result.quarantined > 0
      ? await rowsOf<Quarantined>(db, `SELECT * FROM ${parquetFile(to.quarantine)} ORDER BY file, line`)
      : [];
  expect(result.read).toBe(result.written + result.quarantined + result.filtered);
  expect(rows.length).toBe(result.written);
  expect(refused.length).toBe(result.quarantined);
  const left = await readdir(to.scratch, { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([]);
  await rm(root, { recursive: true });
  return { result, rows, refused };
}

/** The row that a canonical JSON line means. */
const rowOf = (json: string, table: SourceTable): Row => {
  const record = JSON.parse(json);
  return Object.fromEntries(Object.keys(table.columns).map((name) => [name, record[name] ?? null]));
};

/** A multiset of rows; -0 counts as 0. */
const multiset = (rows: readonly Row[]) => rows.map((row) => JSON.stringify(row)).toSorted();

/** What the lines should give, each judged by itself. */
function judged(lines: readonly Buffer[], table: SourceTable): Row[] {
  return lines.flatMap((line) => {
    const verdict = isUtf8(line) ? readLine(line.toString(), table) : undefined;
    return verdict && 'json' in verdict ? [rowOf(verdict.json, table)] : [];
  });
}

const line = (table: SourceTable) =>
  nearlyPlainLine(table).map((bytes) => Buffer.from(bytes.filter((c) => c !== 10 && c !== 13)));
const goodLine = (table: SourceTable) =>
  fc
    .tuple(plainPairs(table), fc.constantFrom('compact' as const, 'spaced' as const, 'loose' as const))
    .map(([pairs, style]) => Buffer.from(written(pairs, style)));

const isBlank = (bytes: Buffer) => /^[ \t\f\v]*$/.test(bytes.toString('latin1'));

test('whatever files hold, the rows are the accepted records, and the quarantine all the others', async () => {
  const files = anySource.chain((table) =>
    fc.tuple(
      fc.constant(table),
      fc.array(
        fc.record({
          lines: fc.oneof(
            fc.array(goodLine(table), { maxLength: 20 }),
            fc.array(line(table), { maxLength: 20 }),
          ),
          end: fc.constantFrom('\n', '\r\n', '\r'),
          gzip: fc.boolean(),
          ended: fc.boolean(),
        }),
        { minLength: 1, maxLength: 6 },
      ),
    ),
  );
  await fc.assert(
    fc.asyncProperty(files, async ([table, parts]) => {
      const contents = parts.map(({ lines, end, gzip, ended }, i) => {
        const body = Buffer.from(
          lines.map((l) => l.toString('latin1')).join(end) + (ended ? end : ''),
          'latin1',
        );
        return gzip ? ([`part-${i}.json.gz`, gzipSync(body)] as const) : ([`part-${i}.json`, body] as const);
      });
      const { result, rows, refused } = await landed(table, Object.fromEntries(contents));
      const expected = parts.flatMap(({ lines }) => judged(lines, table));
      expect(multiset(rows)).toEqual(multiset(expected));
      const filled = parts.map(({ lines }) => lines.filter((l) => !isBlank(l)).length);
      expect(result.read).toBe(filled.reduce((total, n) => total + Math.max(n, 1), 0));
      for (const { file, line: number, reason, detail, raw } of refused) {
        const part = parts[Number(/\d+/.exec(file)?.[0])];
        const bytes = part?.lines[number - 1];
        expect(result.reasons[reason]).toBeGreaterThan(0);
        expect(detail).not.toBe('');
        if (number > 0)
          expect([
            bytes?.toString('latin1'),
            bytes?.toString(),
            bytes?.toString().replace('\ufeff', ''),
          ]).toContain(raw);
      }
    }),
    { numRuns: 40 },
  );
}, 120_000);

test('what is plain, the reader of DuckDB reads with the same values', async () => {
  let plain = 0;
  const lines = anySource.chain((table) =>
    fc.tuple(fc.constant(table), fc.array(line(table), { minLength: 100, maxLength: 200 })),
  );
  await fc.assert(
    fc.asyncProperty(lines, async ([table, all]) => {
      const reader = new SourceReader(table);
      const path = join(dir, 'one-line.json');
      const taken: Buffer[] = [];
      for (const one of all) {
        await writeFile(path, one);
        if ((await reader.plainLines(path)) === 1) taken.push(one);
      }
      fc.pre(taken.length > 0);
      plain += taken.length;
      const { result, rows } = await landed(table, { 'plain.json': `${taken.join('\n')}\r\n` });
      expect(result.quarantined).toBe(0);
      expect(multiset(rows)).toEqual(multiset(taken.map((one) => rowOf(one.toString(), table))));
    }),
    { numRuns: 30 },
  );
  expect(plain).toBeGreaterThan(300);
}, 120_000);

const column = { description: '', aliases: [], nullable: false };

test('numbers keep their value, and text its characters, to the last one', async () => {
  const table = sourceOf({
    d: { ...column, type: 'double', nullable: true },
    i: { ...column, type: 'int', nullable: true },
    t: { ...column, type: 'text', nullable: true },
  });
  const doubles = [
    '0.1',
    '-0.0',
    '-0',
    '0',
    '5e-324',
    '2.2250738585072014e-308',
    '2.225073858507201e-308',
    '1.7976931348623157e308',
    '-1.7976931348623157E+308',
    '0.30000000000000004',
    '123456789012345.67890123456789012345',
    '999999999999999',
    '9007199254740993',
    '9007199254740993.0',
    '123456789012345678901234567890',
    `0.${'0'.repeat(320)}12345`,
    `1${'0'.repeat(300)}`,
    '1e22',
    '1e23',
    '8.41e21',
    '9.5367431640625e-07',
    '100000000000000016777215',
    '18446744073709551616',
    '-9223372036854775809',
    `0.${'3'.repeat(1000)}`,
  ];
  const ints = [
    '0',
    '-0',
    '-1',
    '999999999999999',
    '-999999999999999',
    '9007199254740991',
    '-9007199254740991',
  ];
  const texts = [
    '',
    ' ',
    '\x7f',
    '\u0080',
    '\u2028\u2029',
    '\ufeff',
    '\u{1f600}',
    '\u{10ffff}',
    'null',
    '1',
    '{"d":1}',
    "'",
    '\\"\t\n\r',
    '\u0001',
    '-',
    '%',
    'x'.repeat(1_000_000),
  ];
  const anyDouble = fc.double({ noNaN: true, noDefaultInfinity: true }).map((d) => JSON.stringify(d));
  const digits = fc
    .tuple(fc.nat({ max: 10 ** 9 }), fc.stringMatching(/^\d{1,40}$/))
    .map((parts) => parts.join('.'));
  doubles.push(...fc.sample(fc.oneof(anyDouble, digits), { numRuns: 1000, seed: 7 }));
  const lines = [
    ...doubles.map((d) => `{"d":${d}}`),
    ...ints.map((i) => `{"i":${i}}`),
    ...texts.map((t) => `{"t":${JSON.stringify(t)}}`),
  ];
  const expected = multiset(lines.map((l) => rowOf(l.replace('"i":-0', '"i":0'), table)));
  // All of them in one file are read with care; each by itself in the way that it calls for.
  for (const files of [
    { 'all.json': lines.join('\n') },
    Object.fromEntries(lines.map((l, i) => [`${i}.json`, l])),
  ]) {
    const { result, rows, refused } = await landed(table, files);
    expect(refused.map(({ raw, reason }) => [reason, raw.slice(0, 50)])).toEqual([]);
    expect(multiset(rows).map((r) => r.slice(0, 100))).toEqual(expected.map((r) => r.slice(0, 100)));
    expect(multiset(rows)).toEqual(expected);
    expect(result.written).toBe(lines.length);
  }
}, 60_000);

const TABLE = sourceOf(
  { a: { ...column, type: 'text' }, n: { ...column, type: 'int', nullable: true } },
  'things',
);
const NAMES = [
  'a b',
  "it's",
  '"quoted"',
  '[x]',
  '[',
  ']',
  'a*',
  'a?',
  '100%',
  '%s',
  'ü ñ 日本',
  'a\\b',
  '{a,b}',
  '~',
  '#',
  '$HOME',
  'a;b',
  '**',
  '[!a]',
  '-a',
  'a=b',
  'year=2024',
  'http:',
  'a\tb',
];

test.each(NAMES)('files and folders may be called %j', async (name) => {
  // The second name is what the first would match, were it a pattern.
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
      reason: 'WRONG_TYPE',
      detail: 'a should be a string, found number',
      raw: '{"a":1}',
    },
  ]);
});

test('no accepted line gives a table without rows, of the right columns', async () => {
  const { result, rows, refused } = await landed(TABLE, {
    'a.json': 'x\n',
    'b.json': '',
    'c.json.gz': gzipSync('{"a":1}'),
  });
  expect(result).toEqual({
    read: 3,
    filtered: 0,
    quarantined: 3,
    written: 0,
    reasons: { NOT_JSON: 1, EMPTY_FILE: 1, WRONG_TYPE: 1 },
  });
  expect(rows).toEqual([]);
  expect(refused.map(({ file, line: number, reason }) => [file, number, reason])).toEqual([
    ['a.json', 1, 'NOT_JSON'],
    ['b.json', 0, 'EMPTY_FILE'],
    ['c.json.gz', 1, 'WRONG_TYPE'],
  ]);
});

test('a record without any value gives a row without any', async () => {
  const table = sourceOf({ n: { ...column, type: 'int', nullable: true } });
  const ofFile = async (content: string) =>
    (await landed(table, { 'a.json': content })).rows.map(({ n }) => n);
  expect(await ofFile('{"other":1}\n')).toEqual([null]);
  expect((await ofFile('{}\n{"other":1}\n{"n":2}\n')).toSorted()).toEqual([2, null, null]);
});

test('hidden files and folders are left out', async () => {
  const data = join(dir, 'hidden');
  await mkdir(join(data, 'things', 'landing', 'folder'), { recursive: true });
  for (const name of ['.a.json', '_b.json', 'c.json'])
    await writeFile(join(data, 'things', 'landing', name), '');
  expect(await landingFiles(data, TABLE)).toEqual([join(data, 'things', 'landing', 'c.json')]);
  expect(await landingFiles(join(dir, 'nowhere'), TABLE)).toEqual([]);
});

test('many small files, some of them bad, and one above the size of a batch', async () => {
  const many = Array.from({ length: 600 }, (_, i) => [
    `${i}.json`,
    i % 7 === 0 ? `{"n":${i}}` : `{"a":"${i}","n":${i}}`,
  ]);
  const big = `{"a":"${'x'.repeat(1000)}"}\n`.repeat(70_000);
  const { result, rows } = await landed(TABLE, { ...Object.fromEntries(many), '0-big.json': big });
  const bad = Math.ceil(600 / 7);
  expect(result).toEqual({
    read: 70_600,
    quarantined: bad,
    filtered: 0,
    written: 70_600 - bad,
    reasons: { MISSING_REQUIRED: bad },
  });
  expect(
    rows
      .filter(({ n }) => n !== null)
      .map(({ a, n }) => Number(a) - (n as number))
      .every((d) => d === 0),
  ).toBe(true);
});

test('the longest lines that are taken arrive, plain or not, and longer ones do not', async () => {
  const of = (size: number, comma = '') => `{"a":"${'x'.repeat(size - 8 - comma.length)}"}${comma}`;
  const { result, rows } = await landed(TABLE, {
    'plain.json': `${of(1 << 20)}\n{"a":"b"}\n`,
    'careful.json': of(1 << 20, ','),
    'long.json': of((1 << 20) + 1),
    'escapes.json': `{"a":"${'\\u0041'.repeat(170_000)}"}`,
  });
  expect(rows.map(({ a }) => (a as string).length).toSorted((x, y) => x - y)).toEqual([
    1,
    170_000,
    (1 << 20) - 9,
    (1 << 20) - 8,
  ]);
  expect(result.reasons).toEqual({ LINE_TOO_LONG: 1 });
});

test('control characters and halves of surrogate pairs in a raw text reach the quarantine', async () => {
  const raw = `{"a":"\x00\x01\x1f\x7f \u{1f600}`;
  const { refused } = await landed(TABLE, {
    'a.json': Buffer.concat([Buffer.from(`${raw}\n`), Buffer.from('{"a":"é"}\n', 'latin1')]),
  });
  expect(refused.map((r) => r.raw)).toEqual([raw, '{"a":"é"}']);
});

test.each(lake.sources)('the columns of $name arrive in their types', async (table) => {
  const pairs = fc.sample(plainPairs(table), { numRuns: 50, seed: 3 });
  const { rows } = await landed(table, { 'a.json': pairs.map((p) => written(p, 'compact')).join('\n') });
  expect(multiset(rows)).toEqual(multiset(pairs.map((p) => rowOf(written(p, 'compact'), table))));
});

describe('who was forgotten', () => {
  const PEOPLE: SourceTable = {
    ...TABLE,
    columns: {
      a: { ...text('Who.', { pii: 'direct', identifies: 'person' }) },
      n: int('How many.', { nullable: true }),
      d: text('Device.', { pii: 'quasi', identifies: 'device', nullable: true }),
    },
  };
  const KEY = Buffer.alloc(32, 7);
  const list = new Suppression(KEY).with({ person: ['a@b.c'], device: ['D1'], hint: ['Anna'] }, '2026-01-01');
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
    // Good lines alone are read by DuckDB, with bad ones among them line by line.
    const good = LINES.slice(0, 6).join('\n');
    const all = LINES.join('\n');
    const packed = (content: string) => (name.endsWith('.gz') ? gzipSync(content) : content);
    const { result, rows, refused } = await landed(
      PEOPLE,
      { [`1-${name}`]: packed(good), [`2-${name}`]: packed(all) },
      undefined,
      list,
    );
    expect(rows.map(({ n }) => n).toSorted()).toEqual([4, 4, 5, 5, 6, 6]);
    expect(refused.map(({ raw }) => raw)).toEqual([LINES[7], LINES[9]]);
    expect(result).toEqual({
      read: 16,
      filtered: 8,
      quarantined: 2,
      written: 6,
      reasons: { WRONG_TYPE: 1, TRUNCATED: 1 },
    });
  });

  test('leaves a table without rows of the right columns where nobody else is in it', async () => {
    const { result, rows } = await landed(PEOPLE, { 'a.json': LINES[0] as string }, undefined, list);
    expect(result).toMatchObject({ read: 1, filtered: 1, written: 0 });
    expect(rows).toEqual([]);
  });

  test.each([
    ['the list is empty', PEOPLE, new Suppression(KEY)],
    ['no column says whose a row is', TABLE, list],
  ])('costs nothing where %s', async (_, table, some) => {
    const asked = jest.spyOn(Suppression.prototype, 'isTheirs');
    const sql = jest.spyOn(db, 'run');
    const { result } = await landed(table, { 'a.json': LINES.join('\n') }, undefined, some);
    expect(result.filtered).toBe(0);
    expect(asked).not.toHaveBeenCalled();
    expect(sql.mock.calls.map(([text]) => text).filter((text) => /_list|_pseudonym/.test(text))).toEqual([]);
    asked.mockRestore();
    sql.mockRestore();
  });
});
