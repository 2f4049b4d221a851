import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { lake as pipeline } from '../../pipeline';
import { accelerometerLanding } from '../../pipeline/landing';
import { writeOtherSources, writeSample } from '../../samples';
import { engineOf, temporaryDir } from '../../tests/support/lake';
import { landingFiles } from './files';
import { judge } from './judge';

const dir = temporaryDir('judge');
const GOOD = '{"user":"a@b.c","timestamp":1700000000000,"x":1,"y":2,"z":3}';
const table = accelerometerLanding;

/** Judges files of one source. */
async function judged(name: string, files: Readonly<Record<string, string | Buffer>>) {
  const data = join(dir, name);
  for (const [file, content] of Object.entries(files)) {
    const path = join(data, 'accelerometer', 'landing', file);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
  }
  return judge(table, data, await landingFiles(data, table));
}

test('good lines, packed or not', async () => {
  const lines = `${GOOD}\n${GOOD}\n`;
  expect(await judged('good', { 'a.json': lines, 'b.json.gz': gzipSync(lines) })).toEqual({
    read: 4,
    reasons: {},
    fault: undefined,
  });
});

test('refused lines up to the share are counted, and so are files without a line', async () => {
  const lines = [...Array(19).fill(GOOD), 'secret@b.c'].join('\n');
  expect(await judged('some', { 'a.json': lines, 'b.json': '\n' })).toEqual({
    read: 20,
    reasons: { NOT_JSON: 1, EMPTY_FILE: 1 },
    fault: undefined,
  });
});

test('more than the share is a fault: file, line and reason of each file, and no value', async () => {
  const lines = [...Array(18).fill(GOOD), 'secret@b.c', 'secret@b.c'].join('\n');
  const { fault } = await judged('many', { 'a.json': `${GOOD}\n`, 'below/b.json': lines, 'c.json': '{"x' });
  expect(fault?.split('\n')).toEqual([
    'accelerometer_landing: 3 of 22 lines would be in quarantine, 13.6 %; its limit is 5 %. The first of each file:',
    expect.stringMatching(/^ {2}below\/b\.json, line 19: NOT_JSON, .* \(and 1 more\)$/),
    expect.stringMatching(/^ {2}c\.json, line 1: TRUNCATED, [^(]*$/),
  ]);
  expect(fault).not.toContain('secret');
});

test('damaged files are a fault, all of them', async () => {
  const { fault } = await judged('damaged', {
    'a.json.gz': gzipSync(GOOD).subarray(0, 20),
    'b.json': gzipSync(GOOD),
    'c.json': GOOD,
  });
  expect(fault?.split('\n')).toEqual([
    'accelerometer_landing: 2 file(s) cannot be read:',
    expect.stringMatching(/^ {2}a\.json\.gz: UNREADABLE_FILE, the file cannot be unpacked to its end: /),
    expect.stringMatching(/^ {2}b\.json: UNREADABLE_FILE, packed with gzip, but its name /),
  ]);
});

test('what is refused, and how many lines are, is as in a run', async () => {
  const seen = { good: 0, bad: 0 };
  for (const dirty of [0, 0.03, 0.06, 0.2]) {
    const data = join(dir, `dirty-${dirty}`);
    await writeSample(data, { customers: 6, seed: 5, dirty });
    await writeOtherSources(data, pipeline.sources);
    const { summary, failures } = await engineOf(join(dir, `lake-${dirty}`)).run(pipeline, { data });
    for (const source of pipeline.sources) {
      const { fault, reasons } = await judge(source, data, await landingFiles(data, source));
      const run = summary.tables.find((t) => t.table === source.name);
      expect(reasons).toEqual(run?.reasons);
      const refused = failures.some(
        (text) => text.startsWith(`${source.name}: `) && /in quarantine/.test(text),
      );
      expect(fault !== undefined).toBe(refused);
      seen[refused ? 'bad' : 'good']++;
    }
  }
  expect(seen.good).toBeGreaterThan(3);
  expect(seen.bad).toBeGreaterThan(2);
}, 60_000);
