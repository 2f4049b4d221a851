import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { accelerometerLanding, customerLanding, stepTrainerLanding } from '../../pipeline/landing';
import { readingTests } from '../../tests/support/reading';
import { SampleError } from '../error';
import { ENTITIES, type Entity, type SampleOptions, sampleLines, writeSample } from '.';

const TABLES = {
  customer: customerLanding,
  accelerometer: accelerometerLanding,
  step_trainer: stepTrainerLanding,
};

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sample-'));
});
afterEach(() => rm(dir, { recursive: true }));

const filesOf = async (entity: Entity, out = dir) =>
  (await readdir(join(out, entity, 'landing'))).toSorted().map((name) => join(out, entity, 'landing', name));

const textOf = async (path: string) => {
  const bytes = await readFile(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
};

async function digest(out: string): Promise<string> {
  const hash = createHash('sha256');
  for (const entity of ENTITIES) {
    for (const path of await filesOf(entity, out))
      hash.update(path.slice(out.length)).update(await readFile(path));
  }
  return hash.digest('hex');
}

const { read } = readingTests();

test('writes the same bytes for the same options and others for another seed', async () => {
  const options: SampleOptions = { customers: 50, seed: 7, dirty: 0.05 };
  const digests: string[] = [];
  for (const [name, seed] of [
    ['a', 7],
    ['b', 7],
    ['c', 8],
  ] as const) {
    await writeSample(join(dir, name), { ...options, seed });
    digests.push(await digest(join(dir, name)));
  }
  expect(digests[1]).toBe(digests[0]);
  expect(digests[2]).not.toBe(digests[0]);
});

// Above that, broken lines follow each other, and may be one record.
test.each([0, 0.03, 0.5])(
  'reports what a careful reader finds, dirty %d',
  async (dirty) => {
    const options = { customers: 300, seed: 11, dirty };
    const report = await writeSample(dir, options);
    const lines = [...sampleLines(options)];
    let files = 0;
    for (const entity of ENTITIES) {
      const paths = await filesOf(entity);
      files += paths.length;
      const contents = await Promise.all(
        paths.map(async (path) => [basename(path), await readFile(path)] as const),
      );
      const { landed } = await read(TABLES[entity], Object.fromEntries(contents));
      const own = lines.filter((line) => line.entity === entity);
      expect(landed.reasons).toEqual(report.faults[entity]);
      expect(landed.accepted).toBe(own.filter((line) => line.fault === undefined).length);
      expect(report.lines[entity]).toBe(own.length);
    }
    expect(report.files).toBe(files);
  },
  30_000,
);

test('has the oddities that leave a line good, in a small sample already', async () => {
  await writeSample(dir, { customers: 20, seed: 5, dirty: 0 });
  for (const entity of ENTITIES) {
    const files = await filesOf(entity);
    expect(files.length).toBeGreaterThanOrEqual(2);
    expect(files.map((path) => path.slice(-8))).toContain('.json.gz');
    const texts = await Promise.all(files.map(textOf));
    expect(texts.some((text) => /^(?:\{.*\},\n)+$/.test(text))).toBe(true);
  }
  const texts = await Promise.all((await filesOf('accelerometer')).map(textOf));
  const oddities = {
    timeStamp: /"timeStamp"/,
    byteOrderMark: /^\ufeff\{/,
    carriageReturn: /\}\r\n\{/,
    blankLine: /\r\n\r\n/,
    noFinalLineEnd: /\}$(?![\r\n])/,
    otherCase: /"USER"|"User"/,
    otherOrder: /^\{"z":/m,
    extraKey: /"appVersion"/,
    spaces: /^ \t\{/m,
  };
  for (const [name, pattern] of Object.entries(oddities)) {
    expect({ name, files: texts.filter((text) => pattern.test(text)).length }).not.toEqual({
      name,
      files: 0,
    });
  }
  expect(texts.filter((text) => /^(?:\{"user":"[^"]+","timestamp":\d+,.*\}\n)+$/.test(text))).not.toEqual([]);
});

test('has the oddities of customers in a sample of usual size', async () => {
  await writeSample(dir, { customers: 1000, seed: 5, dirty: 0 });
  const text = (await Promise.all((await filesOf('customer')).map(textOf))).join('\n');
  for (const pattern of [
    /"shareWithResearchAsOfDate": null/,
    /"birthDay": "2000-02-29"/,
    /"birthDay": "\d{3}-/,
    /\\u00[0-9a-f]{2}/,
    /[é-ř]/,
    /O'Rourke/,
  ]) {
    expect(text).toMatch(pattern);
  }
});

test('touches no folder that holds something', async () => {
  const landing = join(dir, 'step_trainer', 'landing');
  await mkdir(landing, { recursive: true });
  await writeFile(join(landing, 'mine.json'), 'mine');
  const attempt = writeSample(dir, { customers: 1, seed: 1, dirty: 0 });
  await expect(attempt).rejects.toThrow(SampleError);
  await expect(attempt).rejects.toThrow(/step_trainer.landing is not empty/);
  expect(await filesOf('customer')).toEqual([]);
  expect(await textOf(join(landing, 'mine.json'))).toBe('mine');
});

test('creates no folder for options out of bounds', async () => {
  await expect(writeSample(join(dir, 'new'), { customers: 1, seed: 1, dirty: 2 })).rejects.toThrow(
    SampleError,
  );
  expect(await readdir(dir)).toEqual([]);
});
