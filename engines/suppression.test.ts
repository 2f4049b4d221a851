import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { epochMillis, forgottenOf, int, normalisedSql, type Table, text } from '../model';
import { hashOf, listOf, normalised } from '../tests/support/listed';
import { openDatabase, rowsOf } from './database';
import { hashesFound, readyList, theirIds } from './forgotten';
import { quoteString } from './sql';
import { type Kind, Suppression } from './suppression';

interface Case {
  readonly raw: string;
  readonly person?: string;
  readonly device?: string;
  readonly hints?: readonly string[];
  readonly theirs: boolean;
  /** Where forgetting knows more than a run does. */
  readonly whenForgetting?: boolean;
  readonly why: string;
}

const { key: hex, hashes } = JSON.parse(readFileSync(join(__dirname, 'suppression-hashes.json'), 'utf8')) as {
  readonly key: string;
  readonly hashes: readonly { readonly kind: Kind; readonly value: string; readonly hash: string }[];
};
const KEY = Buffer.from(hex, 'hex');
const SINCE = '2026-11-25T16:00:00.000Z';

/** What the SQL asks of a contract: its keys, and whether a column holds hints. */
const CONTRACT = {
  columns: {
    customerName: text('A name.', { pii: 'direct' }),
    phone: text('A number.', { pii: 'direct' }),
    email: text('A person.', { identifies: 'person' }),
    serialNumber: text('A device.', { identifies: 'device' }),
  },
};
const NO_HINTS = { columns: {} };

let db: DuckDBConnection;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.closeSync());

test.each(hashes)('the hash of $kind $value is what lists hold', async ({ kind, value, hash }) => {
  expect(hashOf(KEY, kind, value)).toBe(hash);
  await readyList(db, new Suppression(KEY), value);
  expect(await hashesFound(db)).toEqual([{ kind: 'person', hash: hashOf(KEY, 'person', value) }]);
});

test('a subject of nothing but white space has no hash, nor has none', async () => {
  for (const subject of [' \u00a0\t', '', undefined]) {
    await readyList(db, new Suppression(KEY), subject);
    expect(await hashesFound(db)).toEqual([]);
  }
});

/** Which texts are of people on a list; with a subject, as a forget judges. */
async function theirs(
  list: Suppression,
  raws: readonly string[],
  { contract = CONTRACT as Pick<Table, 'columns'>, subject = '' } = {},
): Promise<boolean[]> {
  await readyList(db, list);
  if (subject !== '') await db.run('SET VARIABLE _subject = $1', [subject]);
  await db.run('CREATE OR REPLACE TEMP TABLE _raws (id BIGINT, raw VARCHAR)');
  const rows = await db.createAppender('_raws');
  for (const [i, raw] of raws.entries()) {
    rows.appendBigInt(BigInt(i));
    rows.appendVarchar(raw);
    rows.endRow();
  }
  rows.closeSync();
  const ids = new Set(await theirIds(db, 'FROM _raws', forgottenOf(contract).refused));
  return raws.map((_, i) => ids.has(i));
}

const CASES: readonly Case[] = JSON.parse(readFileSync(join(__dirname, 'suppression-cases.json'), 'utf8'));

/** By who is on the list: a question takes as long for one text as for many. */
const GROUPS = new Map<string, Case[]>();
for (const one of CASES) {
  const list = JSON.stringify({ person: one.person, device: one.device, hints: one.hints });
  GROUPS.set(list, [...(GROUPS.get(list) ?? []), one]);
}

test.each([...GROUPS])('refused texts, of a list of %s', async (_, cases) => {
  const { person, device, hints = [] } = cases[0] as Case;
  const some = (value?: string) => (value === undefined ? [] : [value]);
  const list = listOf(KEY, { person: some(person), device: some(device), hint: hints });
  const raws = cases.map(({ raw }) => raw);
  const told = (found: readonly boolean[]) => cases.map(({ why }, i) => [why, found[i]]);
  expect(told(await theirs(list, raws))).toEqual(cases.map((one) => [one.why, one.theirs]));
  expect(told(await theirs(list, raws, { subject: person ?? '' }))).toEqual(
    cases.map((one) => [one.why, one.whenForgetting ?? one.theirs]),
  );
});

test('hints count only in sources that have such a column', async () => {
  const list = listOf(KEY, { hint: ['Anna'] });
  expect(await theirs(list, ['{"customerName":"Anna"'])).toEqual([true]);
  expect(await theirs(list, ['{"customerName":"Anna"'], { contract: NO_HINTS })).toEqual([false]);
});

test('a number is known however it is spelled, where a column of numbers says whose a row is', async () => {
  const contract = {
    columns: { account: int('A.', { identifies: 'person' }), meter: int('M.', { identifies: 'device' }) },
  };
  const list = listOf(KEY, { person: ['4711001'], device: ['77'] });
  const theirOwn = ['4711001.0', '4.711001e6', '04711001', '+4711001', '"4711001.00"'];
  const others = ['4711001.4', '47110010', '4711001e1', '4711.001', '1.2.3'];
  const lines = (values: readonly string[]) => values.map((value) => `{"account":${value},"meter":"x"`);
  const told = [...lines(theirOwn), '{"meter":77.0,', ...lines(others), '{"meter":77.5,', '{"n":77.0,'];
  const expected = told.map((_, i) => i <= theirOwn.length);
  expect(await theirs(list, told, { contract })).toEqual(expected);
  expect(await theirs(list, ['{"serialNumber":77.0'])).toEqual([false]);
});

test('a key is taken as it is written, and for no pattern', async () => {
  const contract = { columns: { 'no.(1': text('A device.', { identifies: 'device' as const }) } };
  const list = listOf(KEY, { device: ['10'] });
  expect(await theirs(list, ['{"no.(1":"10"', '{"no_(1":"10"'], { contract })).toEqual([true, false]);
});

test('an entry of format 1 still holds, whose form was that of A to Z only', async () => {
  const hash = createHmac('sha256', KEY).update('person:jÖrg@x.org').digest('hex');
  const list = new Suppression(KEY, [{ kind: 'person', hash, since: SINCE }]);
  expect(await theirs(list, ['{"email":"JÖRG@X.org"', '{"email":"jörg@x.org"'])).toEqual([true, false]);
});

test('a shared device is theirs at the moments on the list, and only where nobody is named', async () => {
  const hashes = ['d1', 'd1 5'].map((value) => ({
    kind: 'moment' as const,
    hash: hashOf(KEY, 'moment', value),
  }));
  await readyList(db, new Suppression(KEY).plus(hashes, SINCE));
  await db.run(`CREATE OR REPLACE TEMP TABLE _landed AS FROM (VALUES
    (1, NULL, 'D1 ', 5), (2, NULL, 'd1', 6), (3, NULL, 'd2', 5), (4, 'bob@x.org', 'd1', 5)) t(n, "user", device, "at")`);
  const columns = {
    user: text('A person.', { identifies: 'person' }),
    device: text('A device.', { identifies: 'device' }),
    at: epochMillis('When.', { identifies: 'moment' }),
  };
  expect(await rowsOf(db, `SELECT n FROM _landed t WHERE ${forgottenOf({ columns }).rows}`)).toEqual([
    { n: 1 },
  ]);
});

test('a row is theirs by its person, and without one by its device', async () => {
  const list = listOf(KEY, { person: ['ann@x.org'], device: ['d1'], hint: ['d0'] });
  await readyList(db, list);
  await db.run(`CREATE OR REPLACE TEMP TABLE _landed AS FROM (VALUES (1, 'ann@x.org', 'd0'), (2, NULL, 'd1'),
    (3, ' ANN@X.org\t', NULL), (4, ' \t', 'D1'), (5, 'bob@x.org', 'D1'), (6, NULL, NULL)) t(n, "user", device)`);
  const columns = {
    user: text('A person.', { identifies: 'person' }),
    device: text('A device.', { identifies: 'device' }),
  };
  const rows = await rowsOf(db, `SELECT n FROM _landed t WHERE ${forgottenOf({ columns }).rows} ORDER BY n`);
  expect(rows).toEqual([1, 2, 3, 4].map((n) => ({ n })));
});

/** Texts with what stands around values in lines, in every mixture. */
const odd = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '"',
        "'",
        '\\',
        '\\"',
        '\\u0040',
        '\\ud83d',
        '@',
        ',',
        ';',
        '{',
        '}',
        ':',
        ' ',
        '\t',
        '.',
        '-',
        '=',
        'É',
      ),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));
const email = fc
  .tuple(fc.stringMatching(/^[a-z][a-z0-9._-]{0,10}[a-z0-9]$/), fc.stringMatching(/^[a-z]{1,8}\.[a-z]{2,3}$/))
  .map((parts) => parts.join('@'));
const spelled = (value: string) =>
  fc.array(fc.nat(3), { minLength: value.length, maxLength: value.length }).map((how) =>
    [...value]
      .map((c, i) => {
        if (how[i] === 0) return c.toUpperCase();
        return how[i] === 1 ? `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}` : c;
      })
      .join(''),
  );

test('a text of a line is found, however it is spelled and whatever stands around its quotes', async () => {
  await fc.assert(
    fc.asyncProperty(
      email.chain((value) => fc.record({ value: fc.constant(value), text: spelled(value), tail: odd })),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.string(), fc.integer())),
      async ({ value, text, tail }, others) => {
        const list = listOf(KEY, { person: [value] });
        const line = JSON.stringify({ ...others, user: '' }).replace('"user":""', () => `"user":" ${text}"`);
        const lines = [line, `${line}${tail}`, JSON.stringify(`${line}${tail}`)];
        expect(await theirs(list, lines)).toEqual([true, true, true]);
        const other = listOf(KEY, { person: [`x${value}`] });
        expect(await theirs(other, [line])).toEqual([false]);
      },
    ),
    { numRuns: 30 },
  );
});

test('any texts are judged, each as if it were alone', async () => {
  const list = listOf(KEY, { person: ['a@b.c'], device: ['='], hint: ['x', ''] });
  await fc.assert(
    fc.asyncProperty(fc.array(odd, { minLength: 2, maxLength: 100 }), async (raws) => {
      const [last] = (await theirs(list, raws)).slice(-1);
      expect(await theirs(list, raws.slice(-1))).toEqual([last]);
    }),
    { numRuns: 20 },
  );
});

test('a raw text as long as quarantine keeps takes no quadratic time', async () => {
  const list = listOf(KEY, { person: ['a@b.c'], hint: ['x-1234567'] });
  const fillings = [' ', '-', '.', '\\', '"', 'a', '@', 'a@', '\\"', '\t', '% ', '+-', '\\u005c', ',"', "='"];
  const raws = fillings.map((c) => `"x-1234567" ${c.repeat((1 << 16) / c.length)};y`);
  expect(await theirs(list, raws)).toEqual(fillings.map((c) => !c.includes('@')));
});

test('SQL and TypeScript compare values alike', async () => {
  const value = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          ' ',
          '\t',
          '\n',
          '\v',
          '\f',
          '\r',
          '\u00a0',
          '\u2003',
          'A',
          'z',
          'İ',
          'ß',
          'É',
          'K',
          "'",
        ),
        fc.string({ unit: 'grapheme', maxLength: 3 }),
      ),
    )
    .map((parts) => parts.join(''))
    .filter((text) => !text.includes('\0') && text.isWellFormed());
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 20, maxLength: 40 }), async (values) => {
      const rows = await rowsOf<{ n: string }>(
        db,
        `SELECT hex(${normalisedSql('v')}) AS n FROM (VALUES ${values.map((v, i) => `(${i}, ${quoteString(v)})`).join(', ')}) t(i, v) ORDER BY i`,
      );
      expect(rows.map(({ n }) => Buffer.from(n, 'hex').toString())).toEqual(values.map(normalised));
    }),
    { numRuns: 50 },
  );
});

test('a list has every hash once, keeps since when, and holds no value', () => {
  const first = listOf(KEY, { person: ['a@b.c'], device: ['a@b.c'] });
  expect(first.entries).toHaveLength(2);
  const later = '2027-01-01T00:00:00.000Z';
  const person = (value: string) => ({ kind: 'person' as const, hash: hashOf(KEY, 'person', value) });
  const second = first.plus([person('A@b.c '), person('d@e.f')], later);
  expect(second.entries).toEqual([...first.entries, { ...person('d@e.f'), since: later }]);
  expect(second.since(person('a@b.c').hash)).toBe(SINCE);
  expect(second.since(hashOf(KEY, 'device', 'd@e.f'))).toBeUndefined();
  expect(second.text()).not.toMatch(/b\.c|e\.f/);
});
