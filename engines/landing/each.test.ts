import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { decimal, position, type SourceTable, text } from '../../model';
import { readingTests, sorted } from '../../tests/support/reading';
import { soak } from '../../tests/support/soak';
import { readyList } from '../forgotten';
import { Suppression } from '../suppression';
import {
  anySource,
  objectOf,
  type Pair,
  recordOf,
  SPACINGS,
  type Spacing,
  sourceOf,
  type Verdict,
  verdictOf,
} from './arbitraries';
import { forgetLines } from './forget-lines';
import { oddLayouts, writeOneALine } from './layout';

const RUNS = soak(8);

const { read, write, db } = readingTests();

/** A source of which each element of an array is a row, and what it reads of a record and of an element. */
interface Nested {
  readonly source: SourceTable;
  readonly record: SourceTable;
  readonly element: SourceTable;
  /** The array's key, and the key within its value, if it is not the value. */
  readonly keys: readonly [key: string, inner: string | undefined];
}

const nested: fc.Arbitrary<Nested> = fc
  .tuple(
    anySource,
    anySource,
    fc.constantFrom<Nested['keys']>(['items', undefined], ['the-list', 'all of it']),
  )
  .map(([record, element, keys]) => {
    const each = keys.filter((key) => key !== undefined).join('.');
    // Keys within a value are taken as they are written.
    const within = Object.entries(element.columns).map(
      ([key, column]) => [key, { ...column, aliases: [] }] as const,
    );
    const columns = {
      ...Object.fromEntries(Object.entries(record.columns).filter(([key]) => key.toLowerCase() !== keys[0])),
      nth_: position('Which.'),
      ...Object.fromEntries(within.map(([key, c]) => [`of_${key}_`, { ...c, from: `${each}.${key}` }])),
    };
    const own = Object.fromEntries(Object.entries(columns).filter(([key]) => key in record.columns));
    return {
      source: { ...sourceOf(columns), each },
      record: sourceOf(own),
      element: sourceOf(Object.fromEntries(within)),
      keys,
    };
  });

/** An element is a record of its own, or any other JSON. */
type Element = readonly Pair[] | string;
/** A record: its own keys, and its array or what stands in place of it; `twice` where that has two keys. */
interface Made {
  readonly pairs: readonly Pair[];
  readonly elements: readonly Element[] | string | undefined;
  readonly isTwice: boolean;
}

const often = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: odd });

function madeOf({ record, element }: Nested, oddities: number): fc.Arbitrary<Made> {
  const odd = { values: oddities, keys: oddities };
  const one = often<Element>(
    recordOf(element, odd),
    fc.constantFrom('null', '3', '"{}"', '[]', 'NaN', 'true'),
  );
  return fc.record({
    pairs: recordOf(record, odd),
    elements: often<Made['elements']>(
      fc.array(one, { maxLength: 5 }),
      fc.constantFrom('null', '{}', '""', '"[]"', '1', undefined),
    ),
    isTwice: often(fc.constant(false), fc.constant(true)),
  });
}

function textOf({ pairs, elements, isTwice }: Made, [key, inner]: Nested['keys'], spacing: Spacing): string {
  if (elements === undefined) return objectOf(pairs, spacing);
  const array =
    typeof elements === 'string'
      ? elements
      : `[${elements.map((one) => (typeof one === 'string' ? one : objectOf(one, spacing))).join(' ,')}]`;
  const more: Pair[] = isTwice ? [[inner ?? key, '[]']] : [];
  if (inner === undefined) return objectOf([[key, array], ...pairs, ...more], spacing);
  return objectOf([...pairs, [key, objectOf([...more, [inner, array]], spacing)]], spacing);
}

/** What a contract makes of a record: of each element, which counts from 1, or of it as a whole. */
function verdictsOf(
  nested: Nested,
  made: Made,
): readonly (readonly [element: number | undefined, Verdict])[] {
  const { record, element } = nested;
  const { pairs, elements, isTwice } = made;
  const whole = (reason: string) => [[undefined, { reason }]] as const;
  const outer = verdictOf(record, pairs);
  if ('reason' in outer) return whole(outer.reason);
  if (isTwice && elements !== undefined) return whole('DUPLICATE_KEY');
  if (elements === undefined || elements === 'null') return whole('MISSING_REQUIRED');
  // At the record's own level a text that is empty counts as missing, as it does elsewhere.
  if (elements === '""') return whole('MISSING_REQUIRED');
  if (typeof elements === 'string') return whole('WRONG_TYPE');
  return elements.map((one, i) => {
    if (typeof one === 'string' && one !== 'null') return [i + 1, { reason: 'WRONG_TYPE' }] as const;
    const own = one === 'null' ? [] : (one as readonly Pair[]);
    const verdict = verdictOf(
      element,
      own.filter(([key]) => key in element.columns),
    );
    if ('reason' in verdict) return [i + 1, verdict] as const;
    const inElement = Object.entries(verdict.row).map(([key, value]) => [`of_${key}_`, value]);
    return [i + 1, { row: { ...outer.row, nth_: i + 1, ...Object.fromEntries(inElement) } }] as const;
  });
}

test('every element is a row or refused alone, and what is wrong with a record refuses it whole', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(
      nested.chain((of) =>
        fc.record({
          of: fc.constant(of),
          records: fc
            .constantFrom(0, 3, 30)
            .chain((oddities) => fc.array(madeOf(of, oddities), { minLength: 1, maxLength: 12 })),
          spacing: fc.constantFrom(...(Object.keys(SPACINGS) as Spacing[])),
        }),
      ),
      async ({ of, records, spacing }) => {
        const texts = records.map((made) => textOf(made, of.keys, spacing));
        const verdicts = records.map((made) => verdictsOf(of, made));
        const rows = verdicts.flat().flatMap(([, v]) => ('row' in v ? [v.row] : []));
        const files = {
          'lines.json': [texts.join('\n'), 'line'],
          'array.json': [`[${texts.join(', ')}]`, 'record'],
          'beside.json': [texts.join(''), 'record'],
        } as const;
        for (const [name, [content, counts]] of Object.entries(files)) {
          const found = await read(of.source, { [name]: content });
          expect(sorted(found.rows.map((row) => inOrder(row)))).toEqual(
            sorted(rows.map((row) => inOrder(row))),
          );
          const refused = verdicts.flatMap((all, i) =>
            all.flatMap(([nth, v]) =>
              'reason' in v ? [[counts === 'line' || texts.length > 1 ? i + 1 : null, nth, v.reason]] : [],
            ),
          );
          expect(
            found.refused
              .map((one) => [
                counts === 'line' ? one.line : one.record,
                nthOf(one.detail, of.source),
                one.reason,
              ])
              .toSorted(),
          ).toEqual(refused.toSorted());
          for (const [nth, v] of verdicts.flat())
            seen.add(`${nth === undefined} ${'reason' in v ? v.reason : 'row'}`);
        }
      },
    ),
    { numRuns: RUNS },
  );
  // Else the records say little.
  expect([...seen]).toEqual(
    expect.arrayContaining([
      'false row',
      'false WRONG_TYPE',
      'false MISSING_REQUIRED',
      'true WRONG_TYPE',
      'true DUPLICATE_KEY',
    ]),
  );
});

const inOrder = (row: object) => Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1));

const nthOf = (detail: string, { each }: SourceTable) => {
  const [, nth, list] = /^element (\d+) of (.+?): /.exec(detail) ?? [];
  if (nth === undefined) return undefined;
  expect(list).toBe(each);
  return Number(nth);
};

const ORDERS = {
  ...sourceOf({
    customer: text('Who.', { pii: 'direct', identifies: 'person' }),
    sku: text('What.', { from: 'items.sku' }),
    price: decimal(9, 2, 'How much.', { from: 'items.price', nullable: true }),
  }),
  each: 'items',
};
const order = (customer: string, ...items: readonly unknown[]) => JSON.stringify({ customer, items });
const [ada, bob] = ['ada@example.com', 'bob@example.com'];

test('a refused element keeps what is around it, and not the elements beside it', async () => {
  const { landed, refused } = await read(ORDERS, {
    'a.json': [
      order(ada, { sku: 'a' }, { sku: 'b', price: 1.234 }, {}),
      order(ada),
      '{"customer":"bob@example.com"}',
    ].join('\n'),
  });
  expect(landed).toMatchObject({ read: 4, accepted: 1, refused: 3 });
  expect(refused.toSorted((a, b) => (a.detail < b.detail ? -1 : 1))).toEqual([
    {
      file: 'a.json',
      line: 1,
      record: null,
      reason: 'WRONG_TYPE',
      detail: 'element 2 of items: price should have at most 2 digits behind the point',
      raw: order(ada, { sku: 'b', price: 1.234 }),
    },
    {
      file: 'a.json',
      line: 1,
      record: null,
      reason: 'MISSING_REQUIRED',
      detail: 'element 3 of items: sku is missing',
      raw: order(ada, {}),
    },
    {
      file: 'a.json',
      line: 3,
      record: null,
      reason: 'MISSING_REQUIRED',
      detail: 'items is missing',
      raw: '{"customer":"bob@example.com"}',
    },
  ]);
});

test('an element may be the value itself', async () => {
  const source = {
    ...sourceOf({ nth: position('Which.'), tag: text('A tag.', { from: 'post.tags', aliases: ['entry'] }) }),
    each: 'post.tags',
  };
  const { rows, refused } = await read(source, { 'a.json': '{"Entry":{"tags":["a",1,"",null,"b"]}}' });
  expect(rows).toEqual([
    { nth: 1, tag: 'a' },
    { nth: 5, tag: 'b' },
  ]);
  expect(refused.map(({ detail }) => detail).toSorted()).toEqual([
    'element 2 of post.tags: tag should be a string, found number',
    'element 3 of post.tags: tag is empty',
    'element 4 of post.tags: tag is null',
  ]);
});

describe('a file that is written anew', () => {
  const records = [order(ada, { sku: 'a' }, { sku: 'b' }), order(bob), order(bob, { sku: 1 }, { sku: 'c' })];

  test('with a record a line has each of them once, whatever is in its array', async () => {
    const root = await write({ 'a.json': `[${records.join(',')}]` });
    const file = join(root, 'a.json');
    expect((await oddLayouts(ORDERS, [file])).get(file)).toMatchObject({ records: 3, canRewrite: true });
    await writeOneALine(ORDERS, file, join(root, 'to'));
    expect(readFileSync(join(root, 'to'), 'utf8')).toBe(`${records.join('\n')}\n`);
  });

  test.each([
    ['a record', ORDERS],
    [
      'an element',
      {
        ...ORDERS,
        columns: { ...ORDERS.columns, customer: text('Who.', { from: 'items.by', identifies: 'person' }) },
      },
    ],
  ] as const)('without those of a person whom %s names', async (_, source: SourceTable) => {
    const isInRecord = source === ORDERS;
    const lines = isInRecord
      ? records
      : records.map((line) =>
          line
            .replaceAll('"sku"', `"by":"${JSON.parse(line).customer}","sku"`)
            .replace(/"customer":[^,]*,/, ''),
        );
    const root = await write({ 'a.json': lines.join('\n') });
    const file = join(root, 'a.json');
    await readyList(
      db(),
      new Suppression(Buffer.alloc(32, 7)).with({ person: [ada] }, '2026-11-28T00:00:00Z'),
      ada,
    );
    expect(await forgetLines(db(), file, source, join(root, 'temporary'))).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(`${lines.slice(1).join('\n')}\n`);
  });
});
