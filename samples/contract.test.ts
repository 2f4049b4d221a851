import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  type SourceTable,
  text,
} from '../model';
import { lake } from '../pipeline';
import { writeOtherSources } from '../tests/support/other-sources';
import { readingTests, sorted } from '../tests/support/reading';
import { writeMissing } from './contract';
import { ENTITIES } from './stedi';

const device = lakehouse(['landing']).source({
  name: 'gadget_landing',
  zone: 'landing',
  entity: 'gadget',
  description: 'A device.',
  columns: {
    serialNumber: text('Which.'),
    madeOn: isoDate('When.'),
    registeredAt: epochMillis('When.', { min: 0, max: 1 }),
    weight: double('How heavy.', { min: 2.5 }),
    load: int('How much.', { max: -3, nullable: true }),
  },
});

const { read } = readingTests();

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
