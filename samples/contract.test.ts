import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { double, epochMillis, int, isoDate, lakehouse, text } from '../model';
import { lake } from '../pipeline';
import { writeOtherSources } from '../tests/support/other-sources';
import { readingTests, sorted } from '../tests/support/reading';
import { addColumns } from './contract';
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
