import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { decimal, position, type SourceTable, text } from '../../model';
import { listOf } from '../../tests/support/listed';
import { readingTests, sorted } from '../../tests/support/reading';
import { soak } from '../../tests/support/soak';
import { readyList } from '../forgotten';
import { SPACINGS, type Spacing, sourceOf } from './arbitraries';
import { forgetLines } from './forget-lines';
import { oddLayouts, writeOneALine } from './layout';
import { madeOf, nested, textOf, verdictsOf } from './nested-arbitraries';

const RUNS = soak(8);

const { read, write, db } = readingTests();

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
    { numRuns: RUNS, seed: 22 },
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
    // What is no JSON keeps DuckDB from reading the file as a whole.
    const root = await write({ 'a.json': `[${records.join(',')}]\nno JSON` });
    const file = join(root, 'a.json');
    expect((await oddLayouts(ORDERS, [file])).get(file)).toMatchObject({ records: 3, canRewrite: true });
    await writeOneALine(ORDERS, file, join(root, 'to'));
    expect(readFileSync(join(root, 'to'), 'utf8')).toBe(`${records.join('\n')}\nno JSON\n`);
  });

  test('has none of a person who was forgotten, not even where only an element that cannot be read says so', async () => {
    const source = {
      ...ORDERS,
      columns: {
        ...ORDERS.columns,
        gift: text('To whom.', { pii: 'direct', nullable: true, from: 'items.gift' }),
      },
    };
    const lines = [
      ...records,
      '{"items":[{"sku":"d","gift":"Ada Byron"}',
      order(bob, { sku: 'd', gift: 'Ada Byron' }),
    ];
    const file = join(await write({ 'a.json': lines.join('\n') }), 'a.json');
    const list = listOf(Buffer.alloc(32, 7), { person: [ada], hint: ['Ada Byron'] });
    await readyList(db(), list, ada);
    expect(await forgetLines(db(), file, source, `${file}.temporary`)).toBe(2);
    expect(readFileSync(file, 'utf8')).toBe(`${[records[1], records[2], lines[4]].join('\n')}\n`);
  });
});
