import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { double, epochMillis, int, isoDate, lakehouse, text } from '../model';
import { lake } from '../pipeline';
import { writeOtherSources } from '../tests/support/other-sources';
import { readingTests, sorted } from '../tests/support/reading';
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
