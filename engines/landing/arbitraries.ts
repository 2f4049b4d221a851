import fc from 'fast-check';
import { type Column, type Columns, rangeOf, type SourceTable } from '../../model';

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

const decimals = fc
  .record({ precision: within(1, 15), scale: within(0, 6), positive: fc.boolean() })
  .map(({ precision, scale, positive }) => ({
    type: 'decimal' as const,
    precision,
    scale: Math.min(scale, precision),
    ...(positive && { min: 0 }),
  }));

type Kind = Pick<Column, 'type' | 'min' | 'max' | 'precision' | 'scale' | 'oneOf' | 'pattern'>;
const columnKind: fc.Arbitrary<Kind> = fc.oneof(
  fc.constant({ type: 'text' as const }),
  fc.constant({ type: 'text' as const, oneOf: ['paid', 'a "b"', 'é\\'] }),
  fc.constant({ type: 'text' as const, pattern: '[A-Z_.]{2,4}-([0-9]+|x*\\$[\\]a-c]?)' }),
  fc.constant({ type: 'boolean' as const }),
  fc.constant({ type: 'isoInstant' as const }),
  fc.constant({ type: 'isoInstant' as const, min: Date.UTC(2000, 0, 1), max: Date.UTC(2030, 0, 1) }),
  decimals,
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
const plainText = fc
  .oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.string({
      maxLength: 12,
      unit: fc.constantFrom('\x7f', '\u0080', '\u2028', '\ufeff', '\u{1f600}', ' ', 'é', ...'{}[],:e'),
    }),
  )
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a string may not hold
  .map((text) => text.toWellFormed().replaceAll(/[\x00-\x1f"\\]/g, ''));

const pad = (n: number, size: number) => String(n).padStart(size, '0');
const day = fc
  .tuple(within(100, 9999), within(1, 12), within(1, 28))
  .map(([y, m, d]) => `"${pad(y, 3)}-${pad(m, 2)}-${pad(d, 2)}"`);

const instant = (column: Column) =>
  fc
    .record({
      at: within(column.min ?? Date.UTC(1, 0, 1), column.max ?? Date.UTC(9998, 0, 1)),
      offset: fc.constantFrom('Z', '+00:00', '+0200', '-11:30', '+13:00'),
      form: fc.constantFrom(16, 19, 23),
    })
    .map(({ at, offset, form }) => {
      const [, sign = '+', hours = 0, minutes = 0] = /^([+-])(\d\d):?(\d\d)$/.exec(offset) ?? [];
      const ahead = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
      return `"${new Date(at + ahead).toISOString().slice(0, form)}${offset}"`;
    })
    .filter((json) => !faultOfText(column, JSON.parse(json)));

function numberText(column: Column): fc.Arbitrary<string> {
  const { min, max } = rangeOf(column);
  if (column.type === 'decimal') {
    const step = 10 ** (column.scale ?? 0);
    return within(Math.round(min * step), Math.round(max * step)).map((n) => String((n + 0) / step));
  }
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

/** A pattern, of the whole of a text. */
const wholeOf = (pattern: string) => new RegExp(`^(?:${pattern})$`);

/** A good value of a column as JSON without an escape. */
export function plainValue(column: Column): fc.Arbitrary<string> {
  if (column.type === 'isoDate') return day;
  if (column.type === 'isoInstant') return instant(column);
  if (column.type === 'boolean') return fc.constantFrom('true', 'false');
  if (column.pattern !== undefined)
    return fc.stringMatching(wholeOf(column.pattern)).map((text) => `"${text}"`);
  if (column.oneOf) return fc.constantFrom(...column.oneOf.map((one) => JSON.stringify(one)));
  if (column.type !== 'text') return numberText(column);
  return plainText.map((text) => `"${text === '' && !column.nullable ? '-' : text}"`);
}

const escaped = (json: string) =>
  json.slice(1, -1).replaceAll(/[\s\S]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
const spelled = (json: string) => {
  if (json.startsWith('"')) return json.includes('\\') ? json : `"${escaped(json)}"`;
  if (/^[tf]/.test(json)) return json;
  return json.includes('.') ? `${json}e0` : `${json}.0`;
};

const ODD_VALUES = [
  ...[
    'null',
    'true',
    'false',
    '""',
    '"1"',
    '[]',
    '{}',
    '{"a":"}{"}',
    '0',
    '-0',
    '-0.0',
    '1.5',
    '16.0',
    '1e2',
    '1E+2',
  ],
  ...['1e-5', '0e0', '1e999', '-1e999', '5e-324', '123456789012345', '9007199254740991', '9007199254740993'],
  ...[
    '16.000000000000000000001',
    'NaN',
    'Infinity',
    '-Infinity',
    '"NaN"',
    '"true"',
    '"a\\u0041"',
    '"\\\\"',
    '"\\""',
  ],
  ...[
    '"\\u0000"',
    '"\\n"',
    '"\x7f"',
    '"2000-02-30"',
    '"2001-02-29T10:00:00Z"',
    '"2023-05-01T10:00:00"',
    '"2023-05-01T10:00:00.123456+02:00"',
    '"2023-05-01 10:00:00Z"',
    '"paid"',
    '"1900-02-29"',
    '"2000-02-29"',
    '"0967-01-01"',
    '"967-01-01"',
  ],
  ...[
    '"2000-1-01"',
    '"20000-01-01"',
    '"2000/01/01"',
    '"067-01-01"',
    '"000-01-01"',
    '"2000-13-01"',
    '"2000-00-10"',
  ],
];

/** A key and its value as JSON. */
export type Pair = readonly [key: string, json: string];

export interface Oddities {
  /** How many of a hundred values are none of the column's usual ones, good or not. */
  readonly values: number;
  /** How many of a hundred records have keys that the first spelling of the contract doesn't have. */
  readonly keys: number;
}

const percent = (n: number) => fc.noBias(fc.nat(99)).map((i) => i >= 100 - n);
const otherCase = (key: string) => (key === key.toUpperCase() ? key.toLowerCase() : key.toUpperCase());
const FURTHER = [
  '"x"',
  '1',
  'null',
  '{"a":[{"b":"}, {"}]}',
  '[{"user":"u"},{"user":1e3}]',
  'true',
  '""',
  '-1.5',
];

/** Records at or near good ones of a table. */
export function recordOf({ columns }: SourceTable, odd: Oddities): fc.Arbitrary<readonly Pair[]> {
  const names = Object.entries(columns);
  const aliases = names.flatMap(([, column]) => column.aliases);
  const value = (column: Column) =>
    percent(odd.values).chain((isOdd) => {
      const good = plainValue(column);
      return isOdd ? fc.oneof(fc.constantFrom(...ODD_VALUES), good.map(spelled)) : good;
    });
  const pair = ([name, column]: (typeof names)[number]) =>
    fc
      .tuple(value(column), percent(column.nullable ? 30 : Math.ceil(odd.values / 4)))
      .map(([json, isMissing]): readonly Pair[] => (isMissing ? [] : [[name, json]]));
  const anyKey = fc.constantFrom(
    ...names.map(([name]) => name),
    ...aliases,
    ...names.map(([n]) => otherCase(n)),
  );
  const further = fc.tuple(fc.constantFrom('extra', 'meta', 'Extra'), fc.constantFrom(...FURTHER));
  const edit: fc.Arbitrary<(pairs: readonly Pair[]) => readonly Pair[]> = fc.oneof(
    fc.tuple(anyKey, fc.nat(20)).map(
      ([key, i]) =>
        (pairs: readonly Pair[]) =>
          pairs.map(([old, json], at): Pair => [at === i % pairs.length ? key : old, json]),
    ),
    fc
      .tuple(anyKey, fc.oneof(fc.constantFrom(...ODD_VALUES), ...names.map(([, c]) => plainValue(c))))
      .map((more) => (pairs: readonly Pair[]) => [...pairs, more]),
    ...[0, 1].map(() => further.map((more) => (pairs: readonly Pair[]) => [more, ...pairs])),
    fc.constant((pairs: readonly Pair[]) => pairs.toReversed()),
  );
  return fc
    .tuple(fc.tuple(...names.map(pair)), percent(odd.keys), fc.array(edit, { minLength: 1, maxLength: 2 }))
    .map(([pairs, isOdd, edits]) => {
      const all: readonly Pair[] = pairs.flat();
      return isOdd ? edits.reduce((some, change) => change(some), all) : all;
    });
}

/** What a contract makes of a record. */
export type Verdict =
  | { readonly row: Readonly<Record<string, string | number | boolean | null>> }
  | { readonly reason: string };

/** The rules of the contract written once more, value by value and by JSON.parse, to hold the SQL to them. */
export function verdictOf({ columns }: SourceTable, pairs: readonly Pair[]): Verdict {
  const row: Record<string, string | number | boolean | null> = {};
  for (const [name, column] of Object.entries(columns)) {
    const keys = [name, ...column.aliases].map((key) => key.toLowerCase());
    const found = pairs.filter(([key]) => keys.includes(key.toLowerCase()));
    if (found.length > 1) return { reason: 'DUPLICATE_KEY' };
    const json = found[0]?.[1] ?? 'null';
    if (json === 'null' || (json === '""' && !column.nullable)) {
      if (!column.nullable) return { reason: 'MISSING_REQUIRED' };
      row[name] = null;
      continue;
    }
    const value: unknown = /^(?:NaN|-?Infinity)$/.test(json) ? undefined : JSON.parse(json);
    const reason =
      column.type === 'text' || column.type === 'isoDate' || column.type === 'isoInstant'
        ? faultOfText(column, value)
        : column.type === 'boolean'
          ? typeof value !== 'boolean' && 'WRONG_TYPE'
          : faultOfNumber(column, value);
    if (reason) return { reason };
    row[name] = typeof value === 'number' ? value + 0 : (value as string);
  }
  return { row };
}

function faultOfText({ type, oneOf, pattern, min, max }: Column, value: unknown) {
  if (typeof value !== 'string') return 'WRONG_TYPE';
  if (value.includes('\0')) return 'INVALID_ENCODING';
  if (type === 'isoDate' && !isDay(value)) return 'WRONG_TYPE';
  if (oneOf && !oneOf.includes(value)) return 'OUT_OF_RANGE';
  if (pattern !== undefined && !wholeOf(pattern).test(value)) return 'OUT_OF_RANGE';
  if (type !== 'isoInstant') return undefined;
  const [, dayOf = '', time = '', zone = ''] =
    /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:?\d\d)$/.exec(value) ?? [];
  const at = Date.parse(`${dayOf}T${time}${zone.replace(/(\d\d)(\d\d)$/, '$1:$2')}`);
  if (!isDay(dayOf) || Number.isNaN(at)) return 'WRONG_TYPE';
  return at < (min ?? at) || at > (max ?? at) ? 'OUT_OF_RANGE' : undefined;
}

function faultOfNumber(column: Column, value: unknown) {
  if (typeof value !== 'number') return 'WRONG_TYPE';
  const { min, max } = rangeOf(column);
  if (/^(?:int|epochMillis)$/.test(column.type) && Number.isFinite(value) && !Number.isInteger(value))
    return 'WRONG_TYPE';
  if (!(value >= min && value <= max)) return 'OUT_OF_RANGE';
  const isExact = column.type !== 'decimal' || Number(value.toFixed(column.scale ?? 0)) === value;
  return isExact ? undefined : 'WRONG_TYPE';
}

function isDay(text: string): boolean {
  const [, y, m, d] = (/^(\d{3,4})-(\d\d)-(\d\d)$/.exec(text) ?? []).map(Number);
  if (!y || !m || !d) return false;
  const isLeap = (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;
  return d <= ([31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][m - 1] ?? 0);
}

/** A record as it stands in a file, and what is to become of it. */
export type Written = { readonly text: string | Buffer; readonly verdict: Verdict };

export const SPACINGS = {
  compact: [',', ':', '{', '}'],
  spaced: [', ', ': ', '{', '}'],
  loose: [' \t, ', '\t :  ', '{\t', ' }'],
} as const;
export type Spacing = keyof typeof SPACINGS;

export const objectOf = (pairs: readonly Pair[], spacing: Spacing = 'compact'): string => {
  const [comma, colon, open, close] = SPACINGS[spacing];
  return `${open}${pairs.map(([k, json]) => `${JSON.stringify(k)}${colon}${json}`).join(comma)}${close}`;
};

/** A record over several lines, as a program that prints JSON for people writes it. */
export const prettyOf = (pairs: readonly Pair[], indent = ''): string => {
  if (pairs.length === 0) return '{}';
  const value = (json: string) =>
    /^[[{]./.test(json) && json.length > 2
      ? JSON.stringify(JSON.parse(json), null, 2).replaceAll('\n', `\n${indent}  `)
      : json;
  return `{\n${pairs.map(([k, json]) => `${indent}  ${JSON.stringify(k)}: ${value(json)}`).join(',\n')}\n${indent}}`;
};

/** Ways in which a line gets broken, so that it holds no record at all. */
export const BREAKS: readonly (readonly [reason: string, (line: string) => string | Buffer])[] = [
  ['TRUNCATED', (line) => line.slice(0, -1)],
  ['TRAILING_TEXT', (line) => `${line} # sent`],
  ['TRAILING_TEXT', (line) => `${line}}`],
  ['NOT_JSON', (line) => `{"a" ${line.slice(1)}`],
  ['NOT_JSON', () => 'a;b;c'],
  ['NOT_AN_OBJECT', () => '"{}"'],
  ['NOT_AN_OBJECT', () => 'null'],
  [
    'INVALID_ENCODING',
    (line) => Buffer.concat([Buffer.from(line.slice(0, -1)), Buffer.from([0xe9]), Buffer.from('}')]),
  ],
  ['INVALID_ENCODING', () => '{"a":"\\ud83d"}'],
];
