import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import {
  boolean,
  type Column,
  type CsvFormat,
  csv,
  decimal,
  epochMillis,
  int,
  isoDate,
  isoInstant,
  json,
  type SourceTable,
  text,
} from '../../model';
import { readingTests, sorted } from '../../tests/support/reading';
import { soak } from '../../tests/support/soak';
import { anySource, plainValue, sourceOf, verdictOf } from './arbitraries';
import { USUAL_BYTES } from './bytes';

const { read } = readingTests();

const payments: SourceTable = {
  ...sourceOf({
    id: text('Number.', { aliases: ['payment id'] }),
    amount: decimal(9, 2, 'How much.'),
    count: int('How many.', { nullable: true, min: 0, max: 1000 }),
    method: text('How.', { oneOf: ['card', 'transfer'], nullable: true }),
    day: isoDate('When.', { nullable: true }),
    at: isoInstant('When.', { nullable: true }),
    millis: epochMillis('When.', { nullable: true, min: 0 }),
    isNew: boolean('Whether.', { nullable: true }),
    more: json('Else.', { nullable: true }),
  }),
  format: csv({ delimiter: ';' }),
};
const HEADER = 'id;amount;count;method;day;at;millis;isNew;more';
const GOOD = [
  'p-1;12.50;3;card;2026-05-01;2026-05-01T10:00:00Z;1655564376361;true;"{""a"": 1}"',
  'p-2;-0.1;;;;;;FALSE;',
];
const NONE = { count: null, method: null, day: null, at: null, millis: null, isNew: null, more: null };
const ROWS = [
  {
    id: 'p-1',
    amount: 12.5,
    count: 3,
    method: 'card',
    day: '2026-05-01',
    at: '2026-05-01T10:00:00Z',
    millis: 1655564376361,
    isNew: true,
    more: '{"a":1}',
  },
  { ...NONE, id: 'p-2', amount: -0.1, isNew: false },
];
const fileOf = (...lines: string[]) => `${lines.join('\n')}\n`;

const readAs = async (name: string, content: string | Buffer, table = payments) =>
  read(table, { [name]: content });

describe('what is read', () => {
  const good = fileOf(HEADER, ...GOOD);
  test.each<[string, string | Buffer]>([
    ['a.csv', good],
    ['crlf.csv', good.replaceAll('\n', '\r\n')],
    ['mixed ends.csv', good.replace('\n', '\r\n')],
    ['bom.csv', `\ufeff${good}`],
    ['no end.csv', good.trimEnd()],
    ['blank lines.csv', `\n${good.replaceAll('\n', '\n\n')}`],
    ['a.csv.gz', gzipSync(good)],
    ['quoted.csv', good.replaceAll(/p-\d|12.50/g, '"$&"')],
    ['case.csv', good.replace('amount', 'AMOUNT').replace('id;', '"Payment ID" ;')],
  ])('%s', async (name, content) => {
    const { rows, landed } = await readAs(name, content);
    expect(rows).toEqual(ROWS);
    expect(landed).toMatchObject({ read: 2, accepted: 2, refused: 0, failure: null });
  });
});

const places = ({ refused }: Awaited<ReturnType<typeof readAs>>) =>
  refused.map(({ line, record, reason, detail, raw }) => [line, record, reason, detail, raw]);

describe('what is refused', () => {
  const named = (amount: string, more = '') =>
    `{"id":"p","amount":"${amount}","count":"${more}","method":"","day":"","at":"","millis":"","isNew":"","more":""}`;
  test.each<[string, string, readonly unknown[]]>([
    ['too few fields', 'p;1', ['FIELD_COUNT', '2 fields, where the header has 9', 'p;1']],
    ['too many fields', 'p;1;;;;;;;;x', ['FIELD_COUNT', '10 fields, where the header has 9', 'p;1;;;;;;;;x']],
    ['an unclosed quote', '"p;1;;;;;;;', ['TRUNCATED', 'a quote is not closed', '"p;1;;;;;;;']],
    [
      'text behind a quote',
      '"p"x;1;;;;;;;',
      ['TRAILING_TEXT', 'text behind a quote that closes a field', '"p"x;1;;;;;;;'],
    ],
    ['no number', 'p;1,5;;;;;;;', ['WRONG_TYPE', 'amount should be a number, found string', named('1,5')]],
    ['an empty one', 'p;;;;;;;;', ['MISSING_REQUIRED', 'amount is empty', named('')]],
    [
      'a digit too many',
      'p;999999.991;;;;;;;',
      ['WRONG_TYPE', 'amount should have at most 2 digits behind the point', named('999999.991')],
    ],
    [
      'a digit that no double has',
      'p;12.3400000000000000000001;;;;;;;',
      [
        'WRONG_TYPE',
        'amount should have at most 2 digits behind the point',
        named('12.3400000000000000000001'),
      ],
    ],
    ['a fraction', 'p;1;1.5;;;;;;', ['WRONG_TYPE', 'count should be a whole number', named('1', '1.5')]],
    ['a range', 'p;1;1001;;;;;;', ['OUT_OF_RANGE', 'count should be between 0 and 1000', named('1', '1001')]],
    [
      'blanks around a number',
      'p;1; 1;;;;;;',
      ['WRONG_TYPE', 'count should be a number, found string', named('1', ' 1')],
    ],
    [
      'a number that only programs write',
      'p;1;1_0;;;;;;',
      ['WRONG_TYPE', 'count should be a number, found string', named('1', '1_0')],
    ],
  ])('%s', async (_, line, [reason, detail, raw]) => {
    const outcome = await readAs('a.csv', fileOf(HEADER, GOOD[0] as string, line, GOOD[1] as string));
    expect(places(outcome)).toEqual([[3, null, reason, detail, raw]]);
    expect(outcome.rows).toEqual(ROWS);
  });

  test.each<[string, string | Buffer, string, RegExp]>([
    ['a required column', 'id;count\np;1\n', 'MISSING_REQUIRED', /^the header has no column amount$/],
    [
      'a column twice',
      'id;amount;Payment ID\np;1;q\n',
      'DUPLICATE_KEY',
      /^several columns of the header stand for id$/,
    ],
    [
      'another delimiter',
      'id,amount\np,1\n',
      'UNREADABLE_FILE',
      /no column of the contract; is there a header, and does ; stand/,
    ],
    ['no header', 'p;1;;;;;;;\n', 'UNREADABLE_FILE', /no column of the contract/],
    ['JSON', '{"id":"p","amount":1}\n', 'UNREADABLE_FILE', /^it is JSON; landing takes CSV/],
    ['Parquet', Buffer.from('PAR1....PAR1'), 'UNREADABLE_FILE', /^it is Parquet; landing takes CSV/],
    ['an unclosed quote', '"id;amount\np;1\n', 'UNREADABLE_FILE', /a quote that is not closed/],
  ])('a header with %s', async (_, content, reason, detail) => {
    const { refused, landed } = await readAs('a.csv', content);
    expect(refused).toMatchObject([
      { line: null, record: null, reason, detail: expect.stringMatching(detail) },
    ]);
    expect(landed.failure).toMatch(/^1 file cannot be read/);
  });

  test('a file of nothing counts for nothing, and one of a header alone is read', async () => {
    expect((await readAs('a.csv', '')).refused).toMatchObject([{ reason: 'EMPTY_FILE' }]);
    expect((await readAs('a.csv', HEADER)).landed).toMatchObject({ read: 0, failure: null, reasons: {} });
  });

  test('a line that is no UTF-8', async () => {
    const content = Buffer.concat([
      Buffer.from(fileOf(HEADER, GOOD[0] as string)),
      Buffer.from('p\xe9;1;;;;;;;\n', 'latin1'),
      Buffer.from(GOOD[1] as string),
    ]);
    expect((await readAs('a.csv', content)).refused).toMatchObject([{ line: 3, reason: 'INVALID_ENCODING' }]);
  });
});

test('lines within quotes are of one record, and a quote that is not closed spoils no other', async () => {
  const outcome = await readAs(
    'a.csv',
    fileOf(HEADER, '"p', 'q";1;;;;;;;', '"r;1;;;;;;;', 'p-2;5" x;;;;;;;', '"s', '";0.5;;;;;;;'),
  );
  expect(places(outcome).map(([line, , reason]) => [line, reason])).toEqual([
    [4, 'TRUNCATED'],
    [5, 'WRONG_TYPE'],
  ]);
  expect(outcome.rows.map(({ id }) => id).toSorted()).toEqual(['p\nq', 's\n']);
});

test('without a header the columns stand in the contract’s order', async () => {
  const table = {
    ...sourceOf({ a: text('A.'), b: int('B.') }),
    format: csv({ header: false, quote: "'", delimiter: '\t' }),
  };
  const { rows, refused } = await readAs('a.csv', "'x''\ty'\t1\nz\t2\nz\n", table);
  expect(rows.toSorted((a, b) => Number(a.b) - Number(b.b))).toEqual([
    { a: "x'\ty", b: 1 },
    { a: 'z', b: 2 },
  ]);
  expect(refused).toMatchObject([
    { line: 3, reason: 'FIELD_COUNT', detail: '1 field, where the contract has 2' },
  ]);
});

describe('any file', () => {
  const { delimiter, quote } = {
    delimiter: fc.constantFrom(',', ';', '\t', '|', '^'),
    quote: fc.constantFrom('"', "'"),
  };
  const style = fc.record({
    delimiter,
    quote,
    end: fc.constantFrom('\n', '\n', '\r\n'),
    bom: fc.boolean(),
    lastEnd: fc.boolean(),
    always: fc.boolean(),
    order: fc.infiniteStream(fc.nat(1000)),
    further: fc.nat(2),
    blanks: fc.boolean(),
  });
  type Style = typeof style extends fc.Arbitrary<infer S> ? S : never;

  const isBad = fc.noBias(fc.nat(99)).map((n) => n > 96);
  const ODD = [
    '',
    ' ',
    '0',
    '-0',
    '1.5',
    '1e2',
    '+7',
    '007',
    '1_0',
    ' 1',
    '9007199254740993',
    'NaN',
    'null',
    'TRUE',
    'x;y',
    'x,y\tz',
    'a"b',
    "a''b",
    '"',
    "'",
    'a\nb',
    'a\r\nb',
    '\n',
    '2000-02-30',
    '2000-02-29',
    '12.345',
    '12.3000000000000000000000',
  ];
  const textFor = (column: Column) =>
    fc.tuple(isBad, plainValue(column), fc.constantFrom(...ODD), fc.nat(9)).map(([bad, good, odd, empty]) => {
      if (bad) return odd;
      if (column.nullable && empty === 0) return '';
      return /^"/.test(good) ? (JSON.parse(good) as string) : good;
    });

  /** What JSON would have for a text, by the rules of the contract written once more. */
  function pairOf(column: Column, text: string): string {
    if (text === '') return column.nullable ? 'null' : '""';
    if (column.type === 'boolean' && /^(?:true|false)$/i.test(text)) return text.toLowerCase();
    if (['int', 'double', 'decimal', 'epochMillis'].includes(column.type)) {
      if (!/^[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i.test(text)) return JSON.stringify(text);
      return String(Number(text));
    }
    return JSON.stringify(text);
  }

  const broken = fc.constantFrom('', '', '', 'few', 'many', 'behind', 'open');

  test('gives every record to the table or to quarantine', async () => {
    await fc.assert(
      fc.asyncProperty(
        anySource.chain((source) => {
          const columns = Object.values(source.columns);
          const row = fc.tuple(
            fc.tuple(...columns.map(textFor)),
            fc.tuple(isBad, broken).map(([bad, how]) => (bad ? how : '')),
          );
          const file = fc.tuple(style, fc.array(row, { maxLength: 40 }), fc.boolean());
          return fc.tuple(
            fc.constant(source),
            delimiter,
            quote,
            fc.array(file, { minLength: 1, maxLength: 3 }),
          );
        }),
        async ([source, mark, within, files]) => {
          const table: SourceTable = { ...source, format: csv({ delimiter: mark, quote: within }) };
          const contents: Record<string, string> = {};
          const good: unknown[] = [];
          const refused: unknown[] = [];
          for (const [i, [how, records]] of files.entries()) {
            const name = `${i}.csv`;
            contents[name] = written(table, how, records, name, good, refused);
          }
          const outcome = await read(table, contents);
          expect(sorted(outcome.rows)).toEqual(sorted(good));
          const found = outcome.refused.filter(({ line }) => line !== null);
          expect(found.map(({ file, line, reason }) => [file, line, reason])).toEqual(refused);
          expect(outcome.landed.failure).toBeNull();
        },
      ),
      { numRuns: soak(60) },
    );
  });

  function written(
    table: SourceTable,
    { end, bom, lastEnd, always, order, further, blanks }: Style,
    records: readonly (readonly [readonly string[], string])[],
    file: string,
    good: unknown[],
    refused: unknown[],
  ): string {
    const { delimiter: d, quote: q } = table.format as CsvFormat;
    const columns = Object.entries(table.columns);
    const quoted = (text: string) => `${q}${text.replaceAll(q, q + q)}${q}`;
    const field = (text: string) =>
      always || text.includes(d) || text.includes(q) || /[\r\n]|^ | $/.test(text) ? quoted(text) : text;
    const slots = [...columns.map((_, i) => i), ...Array.from({ length: further }, () => -1)]
      .map((slot) => [order.next().value as number, slot] as const)
      .toSorted(([a], [b]) => a - b)
      .map(([, slot]) => slot);
    const header = slots.map((slot, i) => {
      const [name, column] = columns[slot] ?? [`extra ${i}`, undefined];
      return field(column?.aliases[0] && i % 2 ? column.aliases[0].toUpperCase() : name);
    });
    let line = 1;
    const lines: string[] = [];
    const add = (text: string) => {
      const at = line;
      lines.push(text);
      line += text.split('\n').length;
      return at;
    };
    add(header.join(d));
    for (const [at, [texts, isBroken]] of records.entries()) {
      if (blanks) add('');
      // Where a quote is not closed, what follows may be within it.
      const open = isBroken === 'open' && at === records.length - 1 && slots.length > 0;
      const fields = slots.map((slot) => field(texts[slot] ?? 'x'));
      const row = fields.join(d);
      // A line without a field is blank.
      if (row === '') continue;
      if (isBroken === 'many') refused.push([file, add(`${row}${d}x`), 'FIELD_COUNT']);
      else if (isBroken === 'few' && slots.length > 1 && fields.slice(0, -1).join('') !== '')
        refused.push([file, add(fields.slice(0, -1).join(d)), 'FIELD_COUNT']);
      else if (isBroken === 'behind')
        refused.push([
          file,
          add(`${quoted('a')}b${d}${fields.slice(1).join(d)}`.split(/\r?\n/)[0] as string),
          'TRAILING_TEXT',
        ]);
      else if (open) refused.push([file, add(`${q}a`), 'TRUNCATED']);
      else {
        const found = verdictOf(
          table,
          columns.map(([name, column], i) => [name, pairOf(column, texts[i] as string)]),
        );
        const begins = add(row);
        if ('row' in found) good.push(found.row);
        else refused.push([file, begins, found.reason]);
      }
    }
    return `${bom ? '\ufeff' : ''}${lines.join(end)}${lastEnd ? end : ''}`;
  }
});

test('a file of several pieces is cut where no record is', async () => {
  const note = 'x'.repeat(100);
  const record = (i: number) => `"p-${i}\na;b\n${note}";1;;;;;;;\n`;
  const count = 150_000;
  const lines = Array.from({ length: count }, (_, i) => record(i));
  const { landed, refused } = await readAs('a.csv', `${HEADER}\n${lines.join('')}p;x;;;;;;;\n`);
  expect(landed.bytes).toBeGreaterThan(2 * USUAL_BYTES - (1 << 20));
  expect(landed).toMatchObject({ accepted: count, refused: 1 });
  expect(refused).toMatchObject([{ line: 2 + 3 * count, reason: 'WRONG_TYPE' }]);
});
