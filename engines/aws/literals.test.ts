import type { DuckDBConnection } from '@duckdb/node-api';
import fc from 'fast-check';
import { openDatabase } from '../database';
import { UsageError } from '../engine';
import { tokensOf } from '../sql';
import { literalOf } from './literals';

let db: DuckDBConnection;
beforeAll(async () => {
  db = await openDatabase();
});
afterAll(() => db.closeSync());

/** What a literal means to an engine of SQL. */
const meant = async (literal: string) =>
  (await db.runAndReadAll(`SELECT ${literal} AS value`)).getRowsJS()[0]?.[0];

const RUNS = { numRuns: 300 };

test('a text stays the same text, whatever it holds', async () => {
  const texts = fc.oneof(
    // DuckDB ends its SQL at a NUL.
    fc.string({ unit: 'binary', maxLength: 400 }).filter((text) => !text.includes('\0')),
    fc.string({
      unit: fc.constantFrom("'", "''", '"', '\\', '--', ';', '/*', '\n', 'a', '?'),
      maxLength: 40,
    }),
  );
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const literal = literalOf(text);
      expect(tokensOf(literal)).toEqual([{ kind: 'string', text: literal, line: 1 }]);
      expect(await meant(literal)).toBe(text);
    }),
    RUNS,
  );
});

test('a number stays the same number', async () => {
  const numbers = fc.double({ noNaN: true, noDefaultInfinity: true });
  const isTaken = (n: number) => !Number.isInteger(n) || Number.isSafeInteger(n) || Math.abs(n) >= 2 ** 63;
  await fc.assert(
    fc.asyncProperty(fc.oneof(numbers.filter(isTaken), fc.maxSafeInteger()), async (n) => {
      expect(Number(await meant(literalOf(n)))).toBe(n === 0 ? 0 : n);
    }),
    RUNS,
  );
});

test('a fraction is a double, and no decimal, to every engine', () => {
  expect(literalOf(0.1)).toBe('1E-1');
  expect(literalOf(-1234.5)).toBe('-1.2345E3');
  expect(literalOf(1e300)).toBe('1E300');
});

test('a bigint stays exact', async () => {
  await fc.assert(
    fc.asyncProperty(fc.bigInt({ min: 1n - 2n ** 63n, max: 2n ** 63n - 1n }), async (n) => {
      expect(literalOf(n)).toBe(String(n));
    }),
    RUNS,
  );
});

test('an instant stays the same to the millisecond, and a date the same day', async () => {
  const instants = fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  await fc.assert(
    fc.asyncProperty(instants, async (at) => {
      expect(await meant(literalOf(at))).toEqual(at);
      const date = at.toISOString().slice(0, 10);
      expect(await meant(literalOf({ date }))).toEqual(new Date(`${date}T00:00:00Z`));
    }),
    RUNS,
  );
});

test.each([true, false])('%s', async (value) => expect(await meant(literalOf(value))).toBe(value));

test.each([
  ['x'.repeat(1023), /a parameter of 1025 characters is too long: Athena takes 1024/],
  ["'".repeat(512), /a parameter of 1026 characters/],
  [Number.NaN, /NaN has no literal/],
  [Number.POSITIVE_INFINITY, /Infinity has no literal/],
  [2 ** 53, /9007199254740992 may have lost digits/],
  [2n ** 63n, /beyond a bigint literal/],
  [-(2n ** 63n), /beyond a bigint literal/],
  [new Date(Number.NaN), /no instant/],
  [new Date('+012345-01-01T00:00:00Z'), /no instant/],
  [{ date: '2023-02-30' }, /"2023-02-30" is no date/],
  [{ date: "2023-02-20' OR '1'='1" }, /is no date/],
])('refuses %p', (value, said) => {
  expect(() => literalOf(value)).toThrow(UsageError);
  expect(() => literalOf(value)).toThrow(said);
});

test('the longest text that Athena takes is taken', () => {
  expect(literalOf('x'.repeat(1022))).toHaveLength(1024);
});
