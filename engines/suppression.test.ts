import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { openDatabase, rowsOf } from './duckdb/database';
import { normalisedSql } from './duckdb/forgotten';
import { ROOT } from './root';
import { quoteString } from './sql';
import { hashOf, type Kind, normalised, Suppression, tokensOf } from './suppression';

const shared = (name: string) =>
  JSON.parse(readFileSync(join(ROOT, 'jobs', 'runner', 'tests', name), 'utf8'));

interface Case {
  readonly raw: string;
  readonly person?: string;
  readonly device?: string;
  readonly hints?: readonly string[];
  readonly pseudonyms?: readonly string[];
  readonly theirs: boolean;
  /** Where forgetting knows more than a run does. */
  readonly whenForgetting?: boolean;
  readonly why: string;
}

const { key: hex, hashes } = shared('suppression_hashes.json') as {
  readonly key: string;
  readonly hashes: readonly { readonly kind: Kind; readonly value: string; readonly hash: string }[];
};
const KEY = Buffer.from(hex, 'hex');
const SINCE = '2026-11-25T16:00:00.000Z';

test.each(hashes)('the hash of $kind $value is that of the other language', ({ kind, value, hash }) => {
  expect(hashOf(KEY, kind, value)).toBe(hash);
});

test.each(shared('suppression_cases.json') as Case[])(
  'theirs: $theirs, $why',
  ({ raw, person, device, hints = [], pseudonyms = [], theirs, whenForgetting = theirs }) => {
    const some = (value?: string) => (value === undefined ? [] : [value]);
    const list = new Suppression(KEY).with(
      { person: some(person), device: some(device), hint: hints },
      SINCE,
    );
    expect(list.isTheirs(raw)).toBe(theirs);
    const known = { person: person ?? '', pseudonyms: new Set(pseudonyms) };
    expect(list.isTheirs(raw, known)).toBe(whenForgetting);
  },
);

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

test('a text of a line is found, however it is spelled and whatever stands around its quotes', () => {
  fc.assert(
    fc.property(
      email.chain((value) => fc.record({ value: fc.constant(value), text: spelled(value), tail: odd })),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.oneof(fc.string(), fc.integer())),
      ({ value, text, tail }, others) => {
        const list = new Suppression(KEY).with({ person: [value] }, SINCE);
        const line = JSON.stringify({ ...others, user: '' }).replace('"user":""', () => `"user":" ${text}"`);
        expect(list.isTheirs(line)).toBe(true);
        expect(list.isTheirs(`${line}${tail}`)).toBe(true);
        expect(list.isTheirs(JSON.stringify(`${line}${tail}`))).toBe(true);
        expect(new Suppression(KEY).with({ person: [`x${value}`] }, SINCE).isTheirs(line)).toBe(false);
      },
    ),
  );
});

test('any text is judged, and tokens are whole texts of it', () => {
  fc.assert(
    fc.property(odd, (raw) => {
      for (const token of tokensOf(raw)) expect(token).toBe(normalised(token));
      const list = new Suppression(KEY).with({ person: ['a@b.c'], hint: ['x'] }, SINCE);
      expect(typeof list.isTheirs(raw)).toBe('boolean');
    }),
    { numRuns: 1000 },
  );
});

test('a raw text as long as quarantine keeps takes no quadratic time', () => {
  const list = new Suppression(KEY).with({ person: ['a@b.c'], hint: ['x'] }, SINCE);
  for (const c of [' ', '-', '.', '\\', '"', 'a', '@', 'a@', '\\"', '\t', '% ', '+-']) {
    expect(list.isTheirs(`"x" ${c.repeat((1 << 16) / c.length)};y`)).toBe(!c.includes('@'));
  }
});

test('SQL and TypeScript compare values alike', async () => {
  const db = await openDatabase();
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
  db.closeSync();
});

describe('a list', () => {
  test('has every value once, and keeps since when', () => {
    const first = new Suppression(KEY).with({ person: ['a@b.c', ' A@B.C'], device: ['a@b.c'] }, SINCE);
    expect(first.entries).toHaveLength(2);
    const later = '2027-01-01T00:00:00.000Z';
    expect(first.with({ person: ['A@b.c'] }, later)).toBe(first);
    const second = first.with({ person: ['d@e.f'], hint: ['a@b.c'] }, later);
    expect(second.entries.slice(0, 2)).toEqual(first.entries);
    expect([second.since('person', 'A@b.c'), second.since('person', 'd@e.f')]).toEqual([SINCE, later]);
    expect(second.since('device', 'd@e.f')).toBeUndefined();
  });

  test('knows each value by its kind only, and holds none', () => {
    const list = new Suppression(KEY).with({ device: ['serial-1'], hint: ['Anna'] }, SINCE);
    expect(list.has('device', 'SERIAL-1 ')).toBe(true);
    expect(list.has('person', 'serial-1')).toBe(false);
    expect(list.has('device', 'Anna')).toBe(false);
    expect(list.text()).not.toMatch(/serial|anna/i);
  });
});
