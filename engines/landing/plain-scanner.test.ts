import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { lake } from '../../pipeline';
import { anySource, nearlyPlainLine, plainPairs, sourceOf, written } from './arbitraries';
import { BYTES_AHEAD, plainScanner } from './plain-scanner';
import { readLine } from './read-line';

/** What the scanner says of a line; after its line end stand no more bytes than it may look at. */
function scanned(scan: ReturnType<typeof plainScanner>, line: Buffer, before = ''): number {
  const bytes = Buffer.concat([Buffer.from(before), line, Buffer.from('\n'), Buffer.alloc(BYTES_AHEAD, '}')]);
  const end = scan(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), before.length);
  return end < 0 ? end : end - before.length;
}

const RUNS = { numRuns: 300 };

test('what is called plain, readLine accepts with the same values', () => {
  let plain = 0;
  fc.assert(
    fc.property(
      anySource.chain((table) =>
        fc.tuple(fc.constant(table), fc.array(nearlyPlainLine(table), { minLength: 20, maxLength: 60 })),
      ),
      ([table, lines]) => {
        const scan = plainScanner(table);
        for (const line of lines) {
          const end = isUtf8(line) ? scanned(scan, line) : -1;
          if (end < 0) continue;
          plain++;
          const text = line.toString('utf8', 0, end);
          const verdict = readLine(text, table);
          if (!('json' in verdict)) throw new Error(`${text} is refused: ${verdict.detail}`);
          const record = Object.entries(JSON.parse(text)).filter(([, value]) => value !== null);
          expect(JSON.parse(verdict.json)).toEqual(Object.fromEntries(record));
          // Numbers keep what they were written with, and each key stands once.
          expect(numbersIn(verdict.json)).toEqual(numbersIn(text));
        }
      },
    ),
    RUNS,
  );
  expect(plain).toBeGreaterThan(1000);
});

const numbersIn = (json: string) => json.replaceAll(/"[^"]*"/g, '').match(/-?\d[\d.]*/g);

test.each(['compact', 'spaced', 'loose'] as const)(
  'a good record is plain where it is written %s',
  (style) => {
    fc.assert(
      fc.property(
        anySource.chain((table) => fc.tuple(fc.constant(table), plainPairs(table), fc.nat({ max: 9 }))),
        ([table, pairs, before]) => {
          const line = Buffer.from(written(pairs, style));
          expect(scanned(plainScanner(table), line, 'x'.repeat(before))).toBe(line.length);
        },
      ),
      RUNS,
    );
  },
);

const one = (column: object) =>
  sourceOf({ v: { nullable: false, description: '', aliases: [], ...column } as never });
const isPlain = (column: object, value: string) => {
  const line = Buffer.from(`{"v":${value}}`);
  return scanned(plainScanner(one(column)), line) === line.length;
};

test.each([
  [
    { type: 'int', min: -3, max: 10 },
    ['-3', '-1', '0', '9', '10'],
    ['-4', '11', '-0', '01', '1.0', '1e1', '"1"', ''],
  ],
  [{ type: 'int', min: 0.5, max: 2.5 }, ['1', '2'], ['0', '3', '-1']],
  [{ type: 'int', min: -2.5, max: -0.5 }, ['-1', '-2'], ['0', '-3', '1']],
  [{ type: 'int' }, ['999999999999999', '-999999999999999'], ['1000000000000000', '9007199254740993']],
  [
    { type: 'epochMillis', min: 946684800000 },
    ['946684800000', '1655564444103'],
    ['946684799999', '-946684800000'],
  ],
  [
    { type: 'double', min: -16, max: 16 },
    ['16', '16.0', '-16.000', '15.999', '-0.0', '-0'],
    ['16.01', '-16.1', '17', '1.', '.5', '1e1', '1.5e1', '01.5', '-', '+1'],
  ],
  [
    { type: 'double', min: 0.25, max: 0.75 },
    ['0.25', '0.750', '0.5'],
    ['0.2499', '0.7501', '-0.5', '1', '0'],
  ],
  [{ type: 'double', min: -1.5, max: -0.5 }, ['-1.5', '-0.5', '-1'], ['-1.51', '-0.49', '1', '0']],
  [
    { type: 'isoDate' },
    ['"2000-02-29"', '"967-12-31"'],
    ['"1900-02-29"', '"0967-12-31"', '"2000-1-01"', '"20000-01-01"', '""', '"2000-01-0:"'],
  ],
  [
    { type: 'text' },
    ['"a"', '"é\x7f\u2028"', '"abc"', '"abcd"', '"abcde"'],
    ['""', '"a\\n"', '"a\tb"', '"abcd\\"', '1', 'null', '"a'],
  ],
  [{ type: 'text', nullable: true }, ['""', 'null', '"null"'], ['nul', 'nullx', 'Null']],
] as const)('%j takes %j and leaves %j to the careful reader', (column, plain, others) => {
  expect(plain.filter((value) => !isPlain(column, value))).toEqual([]);
  expect((others as readonly string[]).filter((value) => isPlain(column, value))).toEqual([]);
});

test('of the bytes below 128 a string may hold all but control characters, quotes and backslashes, anywhere', () => {
  const isText = (c: number) => c >= 0x20 && c !== 0x22 && c !== 0x5c;
  for (let c = 0; c < 0x80; c++) {
    for (let before = 0; before < 4; before++) {
      const value = `"${'é'.repeat(2)}${'x'.repeat(before)}${String.fromCharCode(c)}xx"`;
      expect([c, before, isPlain({ type: 'text' }, value)]).toEqual([c, before, isText(c)]);
    }
  }
});

test('a line is plain with its keys in their order, and with no other key', () => {
  const [table] = [
    sourceOf({
      a: { type: 'int', nullable: true, description: '', aliases: [] },
      b: { type: 'int', nullable: false, description: '', aliases: ['c'] },
    }),
  ];
  const plain = (line: string) => scanned(plainScanner(table), Buffer.from(line)) === line.length;
  expect(
    ['{"a":1,"b":2}', '{"b":2}', '{"a":null,"b":2}', '\t{ "a" :\t1 , "b" : 2 }'].filter((l) => !plain(l)),
  ).toEqual([]);
  const others = [
    '{}',
    '{"a":1}',
    '{"b":2,"a":1}',
    '{"a":1,"b":2,"c":3}',
    '{"c":2}',
    '{,"b":2}',
    '{"a":1"b":2}',
    '{"a":1,,"b":2}',
    '{"a":1,"b":2,}',
    '{"a":1,"a":1,"b":2}',
    '{"B":2}',
    '{"b":2',
    '{"b":',
  ];
  expect(others.filter(plain)).toEqual([]);
  const allNullable = plainScanner(
    sourceOf({ a: { type: 'int', nullable: true, description: '', aliases: [] } }),
  );
  expect(scanned(allNullable, Buffer.from('{}'))).toBe(-1);
});

test.each(lake.sources)('the scanner of $name takes the lines of its source', (table) => {
  const lines = fc
    .sample(plainPairs(table), { numRuns: 100, seed: 1 })
    .map((pairs) => Buffer.from(written(pairs, 'compact')));
  expect(lines.filter((line) => scanned(plainScanner(table), line) !== line.length)).toEqual([]);
});
