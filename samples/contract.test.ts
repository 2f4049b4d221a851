import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  boolean,
  csv,
  decimal,
  double,
  epochMillis,
  int,
  isoDate,
  isoInstant,
  json,
  lakehouse,
  position,
  type SourceTable,
  text,
} from '../model';
import { lake } from '../pipeline';
import { writeOtherSources } from '../tests/support/other-sources';
import { readingTests, sorted } from '../tests/support/reading';
import { addColumns, writeMissing } from './contract';
import { ENTITIES } from './stedi';

const device = lakehouse(['landing']).source({
  name: 'gadget_landing',
  zone: 'landing',
  entity: 'gadget',
  description: 'A device.',
  columns: {
    serialNumber: text('Which.', { pattern: '[A-Z]{2}-[0-9]{4}(\\.[a-f0-9]+)?' }),
    madeOn: isoDate('When.'),
    registeredAt: epochMillis('When.', { min: 0, max: 1 }),
    weight: double('How heavy.', { min: 2.5 }),
    load: int('How much.', { max: -3, nullable: true }),
  },
});

const { read } = readingTests();

const orders = lakehouse(['landing']).source({
  name: 'order_landing',
  zone: 'landing',
  entity: 'order',
  description: 'An order.',
  columns: {
    // Another source may want what this one does not.
    customer: int('Who.', { from: 'by.customer', min: 1, nullable: true }),
    items: json('What.', { nullable: true }),
  },
});
const items = lakehouse(['landing']).source({
  name: 'item_landing',
  zone: 'landing',
  entity: 'order',
  each: 'items',
  description: 'An item of an order.',
  columns: {
    by: int('Who.', { from: 'by.customer', min: 1 }),
    nth: position('Which.'),
    sku: text('What.', { from: 'items.sku' }),
    price: double('How much.', { from: 'items.price.net', min: 0, nullable: true }),
  },
});

test('writes one file for two sources, good for both: the elements of its arrays are rows of one', async () => {
  const out = mkdtempSync(join(tmpdir(), 'each-test-'));
  try {
    for (const sources of [
      [orders, items],
      [items, orders],
    ]) {
      await writeMissing(sources, { out, size: 60, seed: 1, dirty: 0 });
      const content = readFileSync(join(out, 'order', 'landing', 'order-0001.json'), 'utf8');
      const ofOrders = await read(orders, { 'a.json': content });
      const ofItems = await read(items, { 'a.json': content });
      expect([ofOrders.landed.refused, ofItems.landed.refused]).toEqual([0, 0]);
      expect(ofOrders.rows).toHaveLength(60);
      // None to five in each.
      expect(ofItems.rows).toHaveLength((60 / 6) * 15);
      expect(new Set(ofItems.rows.map(({ nth }) => nth))).toEqual(new Set([1, 2, 3, 4, 5]));
      expect(new Set(ofItems.rows.map(({ sku }) => sku)).size).toBe(150);
      rmSync(join(out, 'order'), { recursive: true });
    }
    await writeMissing([orders, items], { out, size: 400, seed: 1, dirty: 0.2 });
    const content = readFileSync(join(out, 'order', 'landing', 'order-0001.json'), 'utf8');
    const { refused } = await read(items, { 'a.json': content });
    expect(refused.map(({ detail }) => detail)).toContainEqual(
      expect.stringMatching(/^element 1 of items: sku/),
    );
  } finally {
    rmSync(out, { recursive: true });
  }
});

test('writes good lines for a source that the sample does not know, and leaves all others alone', async () => {
  const out = mkdtempSync(join(tmpdir(), 'other-test-'));
  try {
    const known = lake.sources.filter(({ entity }) => ENTITIES.some((own) => own === entity));
    await writeOtherSources(out, [...known, device]);
    expect(readdirSync(out)).toEqual(['gadget']);
    const file = join(out, 'gadget', 'landing', 'gadget-0001.json');
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(20);
    const { rows } = await read(device, { 'all.json': lines.join('\n') });
    expect(sorted(rows)).toEqual(lines.toSorted());
    await writeOtherSources(out, [{ ...device, columns: {} }]);
    expect(readFileSync(file, 'utf8').trimEnd().split('\n')).toEqual(lines);
  } finally {
    rmSync(out, { recursive: true });
  }
});

test('gives every record the columns that came later, and leaves the rest of each line as it is', async () => {
  const out = mkdtempSync(join(tmpdir(), 'added-test-'));
  try {
    const dir = join(out, 'gadget', 'landing');
    mkdirSync(dir, { recursive: true });
    const plain =
      '{"serialNumber": "$&", "weight": 3.0} \n{"serialNumber\n[]\n{}\n{"load":-9,"serialNumber":"b"}\n';
    writeFileSync(join(dir, 'a.json'), plain);
    writeFileSync(join(dir, 'b.json.gz'), gzipSync(plain));
    const added = ['madeOn', 'load'];
    await addColumns(device, added, { out, size: 10, seed: 1 });
    const text = readFileSync(join(dir, 'a.json'), 'utf8');
    const [first = '', broken, list, empty = '', last = '', end] = text.split('\n');
    expect([broken, list, end]).toEqual(['{"serialNumber', '[]', '']);
    expect(first).toMatch(
      /^\{"serialNumber": "\$&", "weight": 3\.0,"madeOn":"\d{4}-\d\d-\d\d","load":(?:null|-\d+)\}$/,
    );
    expect(Object.keys(JSON.parse(empty))).toEqual(added);
    // What a line has stays.
    expect(JSON.parse(last)).toMatchObject({ load: -9, madeOn: expect.any(String) });
    expect(
      gunzipSync(readFileSync(join(dir, 'b.json.gz')))
        .toString()
        .split('\n'),
    ).toHaveLength(6);
  } finally {
    rmSync(out, { recursive: true });
  }
});

test.each<SourceTable['format']>([
  'json',
  'parquet',
  csv(),
  csv({ delimiter: ';', quote: "'", header: false }),
])('what it writes as %j is read, but for what it makes faulty', async (format) => {
  const out = mkdtempSync(join(tmpdir(), 'formats-test-'));
  const source: SourceTable = {
    ...device,
    format,
    maxQuarantinedShare: 1,
    columns: {
      ...device.columns,
      price: decimal(9, 2, 'P.'),
      at: isoInstant('A.'),
      isNew: boolean('N.', { nullable: true }),
      more: json('M.', { nullable: true }),
      ...(typeof format === 'string' && { city: text('C.', { from: 'address.city' }) }),
    },
  };
  try {
    const { entities } = await writeMissing([source], { out, size: 300, seed: 1, dirty: 0.1 });
    const folder = join(out, 'gadget', 'landing');
    const [name = ''] = readdirSync(folder);
    const { landed } = await read(source, { [name]: readFileSync(join(folder, name)) });
    const { faulty } = entities.gadget as { faulty: number };
    expect(faulty).toBeGreaterThan(10);
    expect(landed).toMatchObject({ read: 300, refused: faulty, failure: null });
  } finally {
    rmSync(out, { recursive: true });
  }
});
