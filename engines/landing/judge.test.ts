import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { readingOf } from '../../model';
import { lake as pipeline } from '../../pipeline';
import { accelerometerLanding } from '../../pipeline/landing';
import { writeSample } from '../../samples/stedi';
import { engineOf, temporaryDir } from '../../tests/support/lake';
import { writeOtherSources } from '../../tests/support/other-sources';
import { openDatabase } from '../database';
import { landingFiles } from './files';
import { judge } from './judge';
import { verdictOn } from './reader';

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
  expect(await judged('good', { 'a.json': lines, 'b.json.gz': gzipSync(lines) })).toMatchObject({
    read: 4,
    refused: 0,
    bytes: 2 * lines.length,
    refusedBytes: 0,
    reasons: {},
    failure: null,
  });
});

test('refused records up to the share are counted, and so are files without a record', async () => {
  const lines = [...Array(19).fill(GOOD), 'secret@b.c'].join('\n');
  expect(await judged('some', { 'a.json': lines, 'b.json': '\n' })).toMatchObject({
    read: 20,
    refused: 1,
    refusedBytes: 10,
    reasons: { NOT_JSON: 1, EMPTY_FILE: 1 },
    failure: null,
  });
});

test('records of people who were forgotten are no part of the share', async () => {
  const db = await openDatabase();
  const first = [{ file: 'a.json', line: 1, record: null, reason: 'NOT_JSON', detail: null, fatal: false }];
  const landed = {
    read: 1000,
    accepted: 7,
    refused: 3,
    filtered: 990,
    bytes: 9,
    refusedBytes: 1,
    reasons: {},
    first,
  };
  const failure = await verdictOn(db, readingOf(table), landed);
  db.closeSync();
  expect(failure).toMatch(/^3 of 10 records are refused, 30 %/);
});

test('more than the share is a failure: the first by file, line and reason, and no value', async () => {
  const lines = [...Array(18).fill(GOOD), '{secret@b.c', '{secret@b.c', '{secret@b.c'].join('\n');
  const { failure } = await judged('many', { 'a.json': `${GOOD}\n`, 'below/b.json': lines, 'c.json': '{"x' });
  expect(failure?.split('\n')).toEqual([
    expect.stringMatching(/^4 of 23 records are refused, 17\.4 %, which are .* %\. The first are:$/),
    expect.stringMatching(/^ {2}below\/b\.json, line 19: TRUNCATED, /),
    expect.stringMatching(/^ {2}below\/b\.json, line 20: TRUNCATED, /),
    expect.stringMatching(/^ {2}below\/b\.json, line 21: TRUNCATED, /),
  ]);
  expect(failure).not.toContain('secret');
});

test('a share is not rounded to the limit that it is above', async () => {
  const lines = [...Array(866).fill(GOOD), ...Array(46).fill('x')].join('\n');
  const { failure } = await judged('near', { 'a.json': lines });
  expect(failure).toMatch(/^46 of 912 records are refused, 5\.05 %, which are .*; the limit is 5 %\./);
});

test('files that are refused as a whole are a failure, all of them, however few', async () => {
  const good = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`good-${i}.json`, `${GOOD}\n`]));
  const { failure, refused } = await judged('damaged', {
    ...good,
    'a.json.gz': gzipSync(GOOD).subarray(0, 20),
    'b.json': gzipSync(GOOD),
    'c.json': Buffer.from('PK\x03\x04zip'),
    'd.json': Buffer.from('BZh91AY'),
    'e.json': Buffer.from('PAR1 and so on'),
    'f.json': '{bad',
  });
  expect(refused).toBe(1);
  expect(failure?.split('\n')).toEqual([
    '5 files cannot be read. The first are:',
    expect.stringMatching(
      /^ {2}a\.json\.gz: UNREADABLE_FILE, it cannot be unpacked to its end: it is cut off; /,
    ),
    expect.stringMatching(/^ {2}b\.json: UNREADABLE_FILE, it is packed with gzip, but its name /),
    expect.stringMatching(/^ {2}c\.json: UNREADABLE_FILE, it is a zip archive; /),
    expect.stringMatching(/^ {2}d\.json: UNREADABLE_FILE, it is packed with bzip2; /),
    expect.stringMatching(/^ {2}e\.json: UNREADABLE_FILE, it is Parquet; /),
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
      const { failure, read, reasons, bytes, refusedBytes } = await judge(
        source,
        data,
        await landingFiles(data, source),
      );
      const run = summary.tables.find((t) => t.table === source.name);
      expect({ reasons, bytes, refusedBytes }).toEqual({
        reasons: run?.reasons,
        bytes: run?.bytes,
        refusedBytes: run?.quarantinedBytes,
      });
      expect(read).toBeGreaterThan(0);
      const told = failures.find((text) => text.startsWith(`${source.name}: `) && /are refused/.test(text));
      const inRun = ` The table ${source.name}_quarantine holds all of them; the first are:`;
      expect(told?.replace(inRun, ' The first are:')).toBe(
        failure === null ? undefined : `${source.name}: ${failure}`,
      );
      if (told) expect(told).toContain(inRun);
      seen[told ? 'bad' : 'good']++;
    }
  }
  expect(seen.good).toBeGreaterThan(3);
  expect(seen.bad).toBeGreaterThan(2);
});
