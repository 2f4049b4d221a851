import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { boolean, decimal, int, isoInstant, json, readingOf, type SourceTable, text } from '../../model';
import { type Files, readingTests, sorted } from '../../tests/support/reading';
import { soak } from '../../tests/support/soak';
import {
  anySource,
  BREAKS,
  type Oddities,
  objectOf,
  type Pair,
  prettyOf,
  recordOf,
  SPACINGS,
  type Spacing,
  sourceOf,
  type Verdict,
  verdictOf,
} from './arbitraries';

/** Each is of several files; more of them find more. */
const RUNS = soak(8);

const { read, db } = readingTests();

/** A record in a file: from which line on, and which of that line. */
interface Placed {
  readonly line: number;
  readonly record: number | null;
  readonly verdict: Verdict;
}

/** Lines of a file, and the records in them. */
interface Segment {
  readonly lines: readonly (string | Buffer)[];
  readonly records: readonly Placed[];
}

type Records = readonly (readonly Pair[])[];
type Shape = (records: Records, table: SourceTable, style: Style) => Segment;
interface Style {
  readonly spacing: Spacing;
  readonly before: string;
  readonly after: string;
  readonly between: string;
  readonly broken: number;
}

const style: fc.Arbitrary<Style> = fc.record({
  spacing: fc.constantFrom(...(Object.keys(SPACINGS) as Spacing[])),
  before: fc.constantFrom('', '', '', '\ufeff', ' ', ', '),
  after: fc.constantFrom('', '', ',', ' ,\t', ',,'),
  between: fc.constantFrom('', ' ', ',', ', ', ' ,, ', '\ufeff'),
  broken: fc.nat(BREAKS.length - 1),
});

const PLAIN: Style = { spacing: 'compact', before: '', after: '', between: '', broken: 0 };

const numbered = (records: Records, table: SourceTable, place: (i: number) => Omit<Placed, 'verdict'>) =>
  records.map((pairs, i) => ({ ...place(i), verdict: verdictOf(table, pairs) }));

const aLine: Shape = (records, table, { spacing, before, after }) => ({
  lines: records.map((pairs) => `${before}${objectOf(pairs, spacing)}${after}`),
  records: numbered(records, table, (i) => ({ line: i + 1, record: null })),
});
const oneLine =
  (open: string, close: string): Shape =>
  (records, table, { spacing, between, before, after }) => ({
    lines: [
      `${before.trim()}${open}${records.map((pairs) => objectOf(pairs, spacing)).join(open ? ', ' : between)}${close}${after}`,
    ],
    records: numbered(records, table, (i) => ({ line: 1, record: records.length > 1 ? i + 1 : null })),
  });
const arrayOfLines: Shape = (records, table, { spacing, before }) => ({
  lines: [
    `${before}[`,
    ...records.map((pairs, i) => objectOf(pairs, spacing) + (i < records.length - 1 ? ',' : '')),
    ']',
  ],
  records: numbered(records, table, (i) => ({ line: i + 2, record: null })),
});
const tightArrayOfLines: Shape = (records, table, { spacing }) => ({
  lines: `[${records.map((pairs) => objectOf(pairs, spacing)).join(',\n')}]`.split('\n'),
  records: numbered(records, table, (i) => ({ line: i + 1, record: null })),
});
const pretty: Shape = (records, table, { before, after }) => {
  let line = 1;
  const texts = records.map((pairs) => `${before.trim()}${prettyOf(pairs)}${after}`);
  const begins = texts.map((text) => {
    const begin = line;
    line += text.split('\n').length;
    return begin;
  });
  return {
    lines: texts.flatMap((text) => text.split('\n')),
    records: numbered(records, table, (i) => ({ line: begins[i] as number, record: null })),
  };
};
const prettyArray: Shape = (records, table) => {
  let line = 2;
  const texts = records.map((pairs) => `  ${prettyOf(pairs, '  ')}`);
  const begins = texts.map((text) => {
    const begin = line;
    line += text.split('\n').length;
    return begin;
  });
  return {
    lines: ['[', ...texts.join(',\n').split('\n'), ']'],
    records: numbered(records, table, (i) => ({ line: begins[i] as number, record: null })),
  };
};
/** Between two good lines, since a broken one ends where the next record begins. */
const broken: Shape = (records, table, { spacing, broken: kind }) => {
  const [reason, spoil] = BREAKS[kind] as (typeof BREAKS)[number];
  // Where objects follow each other in what is no JSON, each may have been a record.
  const spoilt = (records[0] ?? []).filter(([, json]) => !/\}\s*,\s*\{/.test(json));
  const good = [records[0] ?? [], records.at(-1) ?? []];
  const [first, last] = numbered(good, table, (i) => ({ line: 2 * i + 1, record: null }));
  return {
    lines: [objectOf(good[0] ?? []), spoil(objectOf(spoilt, spacing)), objectOf(good[1] ?? [])],
    records: [first as Placed, { line: 2, record: null, verdict: { reason } }, last as Placed],
  };
};
const blank: Shape = (_, __, { after }) => ({ lines: ['', ` ${after}`], records: [] });

const SHAPES: Readonly<Record<string, readonly Shape[]>> = {
  'a record a line': [aLine],
  'several on a line': [oneLine('', '')],
  'an array on a line': [oneLine('[', ']')],
  'an array on several lines': [arrayOfLines],
  'an array that begins and ends on the lines of its records': [tightArrayOfLines],
  'pretty-printed': [pretty],
  'a pretty-printed array': [prettyArray],
  'broken lines': [aLine, broken],
  'all of them': [
    aLine,
    aLine,
    oneLine('', ''),
    oneLine('[', ']'),
    arrayOfLines,
    tightArrayOfLines,
    pretty,
    broken,
    blank,
  ],
};

interface File {
  readonly bytes: Buffer;
  readonly records: readonly Placed[];
}

function fileOf(segments: readonly Segment[], end: string, isEnded: boolean): File {
  const lines: Buffer[] = [];
  const records: Placed[] = [];
  for (const segment of segments) {
    for (const record of segment.records) records.push({ ...record, line: record.line + lines.length });
    lines.push(...segment.lines.map((line) => Buffer.from(line)));
  }
  const parts = lines.flatMap((line, i) => (i > 0 ? [Buffer.from(end), line] : [line]));
  return { bytes: Buffer.concat([...parts, Buffer.from(isEnded ? end : '')]), records };
}

const PACKINGS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  json: (bytes) => bytes,
  'json.gz': (bytes) => gzipSync(bytes),
  'members.json.gz': (bytes) => {
    const half = bytes.length >> 1;
    return Buffer.concat([gzipSync(bytes.subarray(0, half)), gzipSync(bytes.subarray(half))]);
  },
  'padded.json.gz': (bytes) => Buffer.concat([gzipSync(bytes), Buffer.alloc(700)]),
};

/** Files of a table with records at or near good ones, in a shape. */
const filesOf = (table: SourceTable, shapes: readonly Shape[], odd: Oddities, styles = style) => {
  const segment = fc
    .tuple(fc.constantFrom(...shapes), fc.array(recordOf(table, odd), { minLength: 1, maxLength: 4 }), styles)
    .map(([shape, records, own]) => shape(records, table, own));
  const file = fc
    .tuple(
      fc.array(segment, { minLength: 1, maxLength: shapes[0] === prettyArray ? 1 : 6 }),
      fc.constantFrom('\n', '\n', '\r\n'),
      fc.boolean(),
      fc.constantFrom(...Object.keys(PACKINGS)),
    )
    .map(([segments, end, isEnded, packing]) => ({ packing, ...fileOf(segments, end, isEnded) }));
  return fc.array(file, { minLength: 1, maxLength: 5 });
};

async function agree(table: SourceTable, files: readonly (File & { packing: string })[]) {
  const packed: [string, Buffer][] = files.map(({ bytes, packing }, i) => [
    `${i}.${packing}`,
    (PACKINGS[packing] as (b: Buffer) => Buffer)(bytes),
  ]);
  const { rows, refused, landed } = await read(table, Object.fromEntries(packed) as Files);
  const all = files.flatMap(({ records, packing }, i) =>
    records.map((r) => ({ file: `${i}.${packing}`, ...r })),
  );
  const good = all.flatMap(({ verdict }) => ('row' in verdict ? [verdict.row] : []));
  const bad = all.flatMap(({ file, line, record, verdict }) =>
    'reason' in verdict ? [[file, line, record, verdict.reason]] : [],
  );
  const isEmpty = files.filter(({ records }) => records.length === 0);
  const found = refused.filter(({ line }) => line !== null);
  expect(sorted(found.map(({ file, line, record, reason }) => [file, line, record, reason]))).toEqual(
    sorted(bad),
  );
  expect(sorted(rows)).toEqual(sorted(good));
  expect(landed).toMatchObject({ read: all.length, refused: bad.length, filtered: 0, failure: null });
  expect(landed.reasons.EMPTY_FILE ?? 0).toBe(isEmpty.length);
}

test.each(Object.entries(SHAPES))(
  '%s: rows are the good records, quarantine all others in their places',
  async (_, shapes) => {
    const sources = anySource.chain((table) =>
      fc.tuple(fc.constant(table), filesOf(table, shapes, { values: 4, keys: 25 })),
    );
    await fc.assert(
      fc.asyncProperty(sources, ([table, files]) => agree(table, files)),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
  600_000,
);

test('what is read without a look at each key is never wrong', async () => {
  const oddities = fc.constantFrom({ values: 0, keys: 0 }, { values: 0, keys: 2 }, { values: 1, keys: 0 });
  const shapes = fc.constantFrom(aLine, pretty, prettyArray);
  // Of booleans and escapes the marks say nothing.
  const countable = anySource.map((table) => ({
    ...table,
    columns: Object.fromEntries(
      Object.entries(table.columns).map(([name, { oneOf, ...column }]) => [
        name,
        column.type === 'boolean' ? { ...column, type: 'text' as const } : column,
      ]),
    ),
  }));
  const nearlyPlain = fc
    .tuple(countable, oddities, shapes)
    .chain(([table, odd, shape]) =>
      fc.tuple(fc.constant(table), filesOf(table, [shape], odd, fc.constant(PLAIN))),
    );
  let plain = 0;
  await fc.assert(
    fc.asyncProperty(nearlyPlain, async ([table, files]) => {
      const run = jest.spyOn(db(), 'run');
      await agree(table, files);
      const { objects, lines } = readingOf(table);
      const texts = run.mock.calls.map(([sql]) => sql);
      run.mockRestore();
      if (!texts.some((sql) => sql.includes(objects) || sql.includes(lines))) plain++;
    }),
    { numRuns: 4 * RUNS, endOnFailure: true },
  );
  expect(plain).toBeGreaterThan(0);
});

describe('values by their path, and JSON as text', () => {
  const order = sourceOf({
    id: int('Which.'),
    city: text('Where.', { from: 'address.city' }),
    zip: text('Where, too.', { from: 'address.zip', nullable: true }),
    more: json('The rest.', { nullable: true }),
  });
  const rest = { zip: null, more: null };

  test.each([
    [
      'a line',
      '{"id":1,"address":{"city":"Ulm","zip":"89073"}}',
      { id: 1, city: 'Ulm', zip: '89073', more: null },
    ],
    ['a key of another case', '{"ID":1,"Address":{"city":"Ulm"}}', { id: 1, city: 'Ulm', ...rest }],
    [
      'JSON of any kind',
      '{"id":1,"address":{"city":"Ulm"},"more":{"a":[1,"\\u0022"]}}',
      { id: 1, city: 'Ulm', zip: null, more: '{"a":[1,"\\""]}' },
    ],
    [
      'pretty-printed',
      '{\n  "id": 1,\n  "address": {\n    "city": "Ulm"\n  }\n}',
      { id: 1, city: 'Ulm', ...rest },
    ],
  ])('%s', async (_, record, row) => {
    const { rows } = await read(order, { 'a.json': record, 'b.json': `${record}\n${record}` });
    expect(rows).toEqual([row, row, row]);
  });

  test.each([
    ['{"id":1,"address":{}}', 'MISSING_REQUIRED', 'city is missing'],
    [
      '{"id":1,"address":"Ulm"}',
      'WRONG_TYPE',
      'city is within address, and what should hold it is no object',
    ],
    [
      '{"id":1,"address":{"city":"Ulm","city":"Bonn"}}',
      'DUPLICATE_KEY',
      'a key on the way to city stands twice in address',
    ],
    [
      '{"id":1,"address":{"city":"Ulm"},"more":[NaN]}',
      'WRONG_TYPE',
      'more holds NaN or Infinity, which JSON does not have',
    ],
    ['{"id":1,"address":{"city":7}}', 'WRONG_TYPE', 'city should be a string, found number'],
    ['{"id":1,"address":{"city":"Ulm"},"address":{"city":"Ulm"}}', 'DUPLICATE_KEY', '"address" stands twice'],
  ])('%s is refused alone', async (record, reason, detail) => {
    const good = '{"id":1,"address":{"city":"Ulm"}}';
    const { rows, refused } = await read(order, { 'a.json': `${good}\n${record}\n${good}` });
    expect(rows).toHaveLength(2);
    expect(refused).toMatchObject([{ line: 2, reason, detail }]);
  });
});

test('a value under another key is not taken from one of its own name', async () => {
  const table = sourceOf({ id: int('Which.'), note: text('What.', { from: 'remark', nullable: true }) });
  // So many that the first bytes of the file, by which its keys are told, have none of either.
  const records = Array.from({ length: 1000 }, (_, id) => ({ id }));
  const file = [...records, { id: 1000, note: 'no' }].map((record) => JSON.stringify(record)).join('\n');
  const { rows } = await read(table, { 'a.json': file });
  expect(rows.filter(({ note }) => note !== null)).toEqual([]);
});

describe('decimals, instants, booleans and enumerations', () => {
  const payment = sourceOf({
    amount: decimal(7, 2, 'How much.', { min: 0 }),
    at: isoInstant('When.', { min: Date.UTC(2000, 0, 1) }),
    paid: boolean('Whether.'),
    by: text('How.', { oneOf: ['card', 'cash'] }),
  });
  const written = { amount: 254.22, at: '2026-05-01T10:00:00+02:00', paid: true, by: 'card' };
  const line = (change: object) => JSON.stringify({ ...written, ...change });

  test('are read as they are', async () => {
    const { rows } = await read(payment, {
      'a.json': [line({}), line({ amount: 0, by: 'cash', paid: false })].join('\n'),
    });
    expect(rows).toEqual([written, { ...written, amount: 0, by: 'cash', paid: false }]);
  });

  test.each([
    [{ amount: 1.005 }, 'WRONG_TYPE', 'amount should have at most 2 digits behind the point'],
    [{ amount: 100_000 }, 'OUT_OF_RANGE', 'amount should be between 0 and 99999.99'],
    [
      { at: '2026-05-01T10:00:00+24:00' },
      'WRONG_TYPE',
      'at should be an instant with its offset, written 2026-05-01T10:00:00Z',
    ],
    [
      { at: '0000-05-01T10:00:00Z' },
      'WRONG_TYPE',
      'at should be an instant with its offset, written 2026-05-01T10:00:00Z',
    ],
    [{ amount: '1.00' }, 'WRONG_TYPE', 'amount should be a number, found string'],
    [
      { at: '2026-05-01T10:00:00' },
      'WRONG_TYPE',
      'at should be an instant with its offset, written 2026-05-01T10:00:00Z',
    ],
    [{ at: '1999-12-31T23:30:00-00:00' }, 'OUT_OF_RANGE', 'at should be not before 2000-01-01T00:00:00.000Z'],
    [{ paid: 'true' }, 'WRONG_TYPE', 'paid should be true or false, found string'],
    [{ paid: 1 }, 'WRONG_TYPE', 'paid should be true or false, found number'],
    [{ by: 'cheque' }, 'OUT_OF_RANGE', 'by should be one of card, cash'],
  ])('%j is refused', async (change, reason, detail) => {
    const { rows, refused } = await read(payment, { 'a.json': `${line({})}\n${line(change)}\n` });
    expect(rows).toHaveLength(1);
    expect(refused).toMatchObject([{ line: 2, reason, detail }]);
  });
});

const PAIRS: readonly (readonly string[])[] = [
  ['another spelling of a key beside it', '{"a":"1","n":1,"A":"2"}'],
  ['an alias beside its key', '{"a":"1","n":1,"m":2}'],
  ['a key twice', '{"a":"1","n":1,"n":1}'],
  ['a number in quotes', '{"a":"1","n":"1"}'],
  ['a number in quotes, and a key that is missing elsewhere', '{"a":"1","n":"1"}', '{"a":"1"}'],
  ['a boolean', '{"a":"1","n":true}'],
  ['null', '{"a":"1","n":null}', '{"a":"1","n":2,"k":null}'],
  [
    'fractions and exponents',
    '{"a":"1","n":1.0}',
    '{"a":"1","n":1.5}',
    '{"a":"1","n":1e1}',
    '{"a":"1","n":15e-1}',
  ],
  ['a number for a text', '{"a":1,"n":1}', '{"a":"1","n":1,"k":"v"}'],
  ['an object for a text', '{"a":{"b":"c"},"n":1}'],
  ['one key less here and one more there', '{"a":"1"}', '{"a":"1","n":1,"k":2}'],
  ['one text less here and two keys more there', '{"n":1}', '{"a":"1","n":1,"k":2,"l":3}'],
  ['a key less, and a text with marks of its own', '{"a":"1"}', '{"a":"\\"","n":1}'],
  [
    'the same further key with quotes inside',
    '{"a":"1","n":1,"k":{"n":"2","a":[{"k":"x"}]}}',
    '{"a":"1","n":1,"k":3}',
  ],
  ['a further key in two spellings', '{"a":"1","n":1,"k":1,"K":2}', '{"a":"1","n":1}'],
  ['a record in a record', '{"k":{"a":"1","n":1}}', '{"a":"1","n":1}'],
  ['NaN and infinity', '{"a":"1","n":NaN}', '{"a":"1","n":Infinity}', '{"a":"1","n":1e999}'],
  ['an empty text', '{"a":"","n":1}'],
];

test.each(PAIRS)('%s, among plain records', async (_, ...texts) => {
  const column = { description: '', nullable: false };
  for (const nullable of [false, true]) {
    const table = sourceOf({
      a: { ...column, type: 'text', aliases: [] },
      n: { ...column, nullable, type: 'int', aliases: ['m'] },
    });
    const verdicts = texts.map((text) => verdictOf(table, pairsOf(text)));
    const plain = Array(5).fill('{"a":"1","n":1}');
    const all = [...plain, ...texts, ...plain];
    for (const content of [all.join('\n'), `[${all.join(',')}]`]) {
      const { rows, refused } = await read(table, { 'a.json': content });
      const good = verdicts.flatMap((v) => ('row' in v ? [v.row] : []));
      expect(sorted(rows)).toEqual(sorted([...plain, ...plain].map((text) => JSON.parse(text)).concat(good)));
      expect(refused.map(({ reason }) => reason)).toEqual(
        verdicts.flatMap((v) => ('reason' in v ? [v.reason] : [])),
      );
    }
  }
});

/** The pairs of a compact record, also where a key stands twice. */
function pairsOf(text: string): readonly Pair[] {
  let depth = 0;
  const marked = [...text.slice(1, -1)].map((c) => {
    depth += '{['.includes(c) ? 1 : '}]'.includes(c) ? -1 : 0;
    return c === ',' && depth === 0 ? '\n' : c;
  });
  return marked
    .join('')
    .split('\n')
    .map((part): Pair => [part.slice(1, part.indexOf('"', 1)), part.slice(part.indexOf(':') + 1)]);
}
