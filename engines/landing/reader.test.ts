import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { SourceTable } from '../../model';
import { type Files, readingTests, sorted } from '../../tests/support/reading';
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
  type Verdict,
  verdictOf,
} from './arbitraries';

const { read } = readingTests();

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
  const some = records.slice(0, 2);
  return {
    lines: [
      objectOf(records[0] ?? []),
      spoil(objectOf(records[0] ?? [], spacing)),
      objectOf(records.at(-1) ?? []),
    ],
    records: [
      ...numbered(some.slice(0, 1), table, () => ({ line: 1, record: null })),
      { line: 2, record: null, verdict: { reason } },
      ...numbered([records.at(-1) ?? []], table, () => ({ line: 3, record: null })),
    ],
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
const filesOf = (table: SourceTable, shapes: readonly Shape[], odd: Oddities) => {
  const segment = fc
    .tuple(fc.constantFrom(...shapes), fc.array(recordOf(table, odd), { minLength: 1, maxLength: 4 }), style)
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
      { numRuns: Number(process.env.RUNS ?? 15), endOnFailure: true },
    );
  },
  600_000,
);
