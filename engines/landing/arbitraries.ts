import fc from 'fast-check';
import type { Column, Columns, SourceTable } from '../../model';
import { rangeOf } from './read-line';

/** A source of these columns, for tests. */
export const sourceOf = (columns: Columns, name = 'readings'): SourceTable => ({
  name,
  zone: 'landing',
  entity: name,
  description: 'A source in a test.',
  format: 'json',
  columns,
  expectations: [],
  maxQuarantinedShare: 1,
});

/** The largest number of 15 digits; a third of it is whole. */
const LIMIT = 10 ** 15 - 1;
const within = (min: number, max: number) => fc.integer({ min, max });
const ofNumbers = (type: 'int' | 'epochMillis' | 'double') =>
  fc
    .record({
      a: fc.oneof(fc.constantFrom(0, 1, -1, 16, -16), within(-LIMIT / 3, LIMIT / 3), within(-9999, 9999)),
      size: fc.oneof(fc.constantFrom(1, 16), within(1, 99_999), within(1, LIMIT / 3)),
      fraction: fc.constantFrom(0, 0, 0.5, 0.25, 0.1),
      bounded: fc.constantFrom('both', 'both', 'min', 'max', 'no'),
    })
    .map(({ a, size, fraction, bounded }) => ({
      type,
      ...(['both', 'min'].includes(bounded) ? { min: a + fraction } : {}),
      ...(['both', 'max'].includes(bounded) ? { max: a + size + fraction } : {}),
    }));

const columnKind: fc.Arbitrary<Pick<Column, 'type' | 'min' | 'max'>> = fc.oneof(
  fc.constant({ type: 'text' as const }),
  fc.constant({ type: 'isoDate' as const }),
  ofNumbers('int'),
  ofNumbers('epochMillis'),
  ofNumbers('double'),
);

const key = fc.oneof(
  fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,12}$/),
  fc.constantFrom('x', 'user', 'timestamp'),
);

/** Sources of every column type that a source may have, nullable or not, with ranges and aliases. */
export const anySource: fc.Arbitrary<SourceTable> = fc
  .uniqueArray(key, { minLength: 2, maxLength: 12, selector: (k) => k.toLowerCase() })
  .chain((keys) => {
    const names = keys.slice(0, Math.ceil(keys.length / 2));
    const aliases = keys.slice(names.length);
    const column = fc.tuple(columnKind, fc.boolean(), fc.boolean());
    return fc.array(column, { minLength: names.length, maxLength: names.length }).map((columns) =>
      sourceOf(
        Object.fromEntries(
          columns.map(([kind, nullable, aliased], i) => [
            names[i] as string,
            {
              ...kind,
              nullable,
              description: 'A column.',
              aliases: aliased && aliases[i] ? [aliases[i]] : [],
            },
          ]),
        ),
      ),
    );
  });

/** What a string of JSON may hold without an escape. */
export const plainText = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({
      unit: fc.constantFrom('\x7f', '\u0080', '\u2028', '\ufeff', '\u{1f600}', ' ', 'é', '{', ','),
    }),
  )
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a string may not hold
  .map((text) => text.toWellFormed().replaceAll(/[\x00-\x1f"\\]/g, ''));

const pad = (n: number, size: number) => String(n).padStart(size, '0');
const day = fc
  .tuple(within(100, 9999), within(1, 12), within(1, 28))
  .map(([y, m, d]) => `"${pad(y, 3)}-${pad(m, 2)}-${pad(d, 2)}"`);

function numberText(column: Column): fc.Arbitrary<string> {
  const { min, max } = rangeOf(column);
  const low = Math.max(Math.ceil(min), -LIMIT);
  const high = Math.min(Math.floor(max), LIMIT);
  const whole = fc.oneof(within(low, high), fc.constantFrom(low, high)).map((n) => String(n + 0));
  if (column.type !== 'double') return whole;
  const digits = fc.stringMatching(/^\d{1,25}$/);
  return fc
    .tuple(whole, fc.option(digits), fc.boolean())
    .map(([n, fraction, minus]) => `${n === '0' && minus ? '-' : ''}${n}${fraction ? `.${fraction}` : ''}`)
    .filter((text) => Number(text) >= min && Number(text) <= max);
}

/** A good value of a column as plain JSON. */
export function plainValue(column: Column): fc.Arbitrary<string> {
  if (column.type === 'isoDate') return day;
  if (column.type !== 'text') return numberText(column);
  return plainText.map((text) => `"${text === '' && !column.nullable ? '-' : text}"`);
}

/** The pairs of a good record: keys in their order, nullable ones missing or null at times, never all missing. */
export const plainPairs = (table: SourceTable): fc.Arbitrary<(readonly [string, string])[]> =>
  fc
    .tuple(
      ...Object.entries(table.columns).map(([name, column]) =>
        fc
          .tuple(plainValue(column), fc.constantFrom('value', 'value', 'null', 'missing'))
          .map(([value, state]) => {
            if (!column.nullable || state === 'value') return [name, value] as const;
            return state === 'null' ? ([name, 'null'] as const) : undefined;
          }),
      ),
    )
    .map((pairs) => pairs.filter((pair) => pair !== undefined))
    .filter((pairs) => pairs.length > 0);

export const STYLES = {
  compact: { comma: ',', colon: ':', open: '{', close: '}' },
  spaced: { comma: ', ', colon: ': ', open: '{', close: '}' },
  loose: { comma: ' \t, ', colon: '\t :  ', open: ' {\t', close: ' }' },
} as const;

export const written = (
  pairs: readonly (readonly [string, string])[],
  style: keyof typeof STYLES,
): string => {
  const { comma, colon, open, close } = STYLES[style];
  return `${open}${pairs.map(([k, value]) => `"${k}"${colon}${value}`).join(comma)}${close}`;
};

const STRAY = [
  ...'{}[],:"\\ \t0-+.eE/\x00\x1f\x7f\n\r',
  '\u00a0',
  '\u2028',
  'null',
  'true',
  '\\u0041',
  '\\n',
  '""',
  '1e2',
  '0',
  '00',
  '-0',
  '.5',
  '9999999999999999',
];

const index = fc.nat({ max: 10_000 });
type Edit = (line: Buffer) => Buffer;
const at = (line: Buffer, i: number) => (line.length === 0 ? 0 : i % line.length);

const byteEdit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(index, fc.nat({ max: 255 })).map(([i, byte]) => (line: Buffer) => {
    const copy = Buffer.from(line);
    copy[at(line, i)] = byte;
    return copy;
  }),
  fc.tuple(index, fc.constantFrom(...STRAY)).map(
    ([i, text]) =>
      (line: Buffer) =>
        Buffer.concat([line.subarray(0, at(line, i)), Buffer.from(text), line.subarray(at(line, i))]),
  ),
  fc.tuple(index, fc.nat({ max: 5 })).map(
    ([i, size]) =>
      (line: Buffer) =>
        Buffer.concat([line.subarray(0, at(line, i)), line.subarray(at(line, i) + size)]),
  ),
);

const oddValue = fc.oneof(
  fc.constantFrom(
    ...[
      'null',
      'true',
      'false',
      '""',
      '"1"',
      '[]',
      '{}',
      '0',
      '-0',
      '-0.0',
      '00',
      '01',
      '-01',
      '1.',
      '.5',
      '+1',
    ],
    ...[
      '1e5',
      '1E5',
      '-1e-5',
      '0e0',
      '1e999',
      '5e-324',
      '123456789012345',
      '1234567890123456',
      '9007199254740993',
    ],
    ...[
      '0.1',
      '0.10000000000000000000001',
      '16.000000000000000000001',
      'NaN',
      '-',
      '"a\\u0041"',
      '"\\\\"',
      '"\x7f"',
    ],
    ...['"2000-02-30"', '"1900-02-29"', '"2000-02-29"', '"0967-01-01"', '"967-01-01"', '"2000-1-01"', '"\t"'],
    ...['"20000-01-01"', '"2000/01/01"', '"067-01-01"', '"2000-13-01"', '"2000-00-10"', '"2000-01-00"'],
  ),
  fc.double().map(String),
  fc.integer().map(String),
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
);

/** A line at or near a good record of the table; bytes that may be anything. */
export const nearlyPlainLine = (table: SourceTable): fc.Arbitrary<Buffer> => {
  const names = Object.keys(table.columns);
  const aliases = Object.values(table.columns).flatMap((c) => c.aliases);
  const someKey = fc.constantFrom(...names, ...aliases, ...names.map((n) => n.toUpperCase()), 'extra');
  type Pairs = (readonly [string, string])[];
  const pairEdit: fc.Arbitrary<(pairs: Pairs) => Pairs> = fc.oneof(
    fc.tuple(index, oddValue).map(
      ([i, value]) =>
        (pairs: Pairs) =>
          pairs.map(([k, old], j) => [k, j === i % pairs.length ? value : old] as const),
    ),
    fc.tuple(index, someKey).map(
      ([i, k]) =>
        (pairs: Pairs) =>
          pairs.map(([old, value], j) => [j === i % pairs.length ? k : old, value] as const),
    ),
    fc.tuple(index, someKey, oddValue).map(
      ([i, k, value]) =>
        (pairs: Pairs) =>
          pairs.toSpliced(i % (pairs.length + 1), 0, [k, value]),
    ),
    index.map((i) => (pairs: Pairs) => pairs.toSpliced(i % (pairs.length + 1), 1)),
    index.map((i) => (pairs: Pairs) => [
      ...pairs.slice(i % (pairs.length + 1)),
      ...pairs.slice(0, i % (pairs.length + 1)),
    ]),
  );
  return fc
    .tuple(
      plainPairs(table),
      fc.array(pairEdit, { maxLength: 2 }),
      fc.constantFrom('compact' as const, 'spaced' as const, 'loose' as const),
      fc.array(byteEdit, { maxLength: 2 }),
    )
    .map(([pairs, pairEdits, style, byteEdits]) => {
      const edited = pairEdits.reduce<Pairs>((all, edit) => edit(all), pairs);
      return byteEdits.reduce<Buffer>((line, edit) => edit(line), Buffer.from(written(edited, style)));
    });
};
