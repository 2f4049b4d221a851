import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { IngestSummary } from '../engines/aws/ingest';
import { landingFiles } from '../engines/landing/files';
import { lake as pipeline } from '../pipeline';
import { errorOf, S3StandIn } from './standin/s3';
import { AwsServer, awsEnvironment } from './support/aws-server';
import { ended, hasTerminal, lake, lakeOnTerminal, ROOT, spawnLake, temporaryDir } from './support/lake';
import { someOf } from './support/soak';
import { outputsOf } from './support/stack';

const dir = temporaryDir('ingest-cli');
const OUTPUTS = join(dir, 'outputs.json');
const MIB = 1 << 20;

const outputs = outputsOf();
const BUCKET = outputs.buckets.landing;
writeFileSync(OUTPUTS, JSON.stringify(outputs));

const servers: AwsServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

/** A stand-in of S3, and what `lake` is given to reach it. */
async function standIn() {
  const s3 = new S3StandIn([BUCKET]);
  const server = new AwsServer(s3.handle);
  servers.push(server);
  return { s3, server, env: awsEnvironment(await server.start()) };
}

const ingest = (data: string, ...args: string[]) => [
  'ingest',
  data,
  '--stack',
  'dev',
  '--outputs',
  OUTPUTS,
  ...args,
];

/** Text that no two places of have in common. */
function content(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size, `seed ${seed} `);
  for (let at = 0; at + 4 <= size; at += 4096) bytes.writeUInt32BE(at * 31 + seed, at);
  return bytes;
}

function folderOf(name: string, files: Readonly<Record<string, Buffer | string>>): string {
  const data = join(dir, name);
  for (const [key, bytes] of Object.entries(files)) {
    mkdirSync(join(data, key, '..'), { recursive: true });
    writeFileSync(join(data, key), bytes);
  }
  return data;
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const heldBy = (s3: S3StandIn) =>
  Object.fromEntries([...s3.contentOf(BUCKET)].map(([key, body]) => [key, sha256(body)]));

const FILES = {
  'accelerometer/landing/large.json': content(33 * MIB, 1),
  'accelerometer/landing/larger-than-a-part.json': content(16 * MIB + 1, 2),
  'customer/landing/a.json': content(1000, 3),
  'customer/landing/b.json': content(MIB, 4),
};
const ALL = Object.fromEntries(Object.entries(FILES).map(([key, bytes]) => [key, sha256(bytes)]));
const SIZE = Object.values(FILES).reduce((total, { length }) => total + length, 0);

describe('an ingest of large files', () => {
  let data = '';
  /** How many requests it makes. */
  let requests = 0;

  beforeAll(async () => {
    data = folderOf('large', FILES);
    const { s3, server, env } = await standIn();
    const { status, stderr } = await lake(ingest(data, '--no-validate', '--json'), env);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(heldBy(s3)).toEqual(ALL);
    requests = server.requests.length;
    expect(requests).toBeGreaterThanOrEqual(12);
  });

  test('killed at a request leaves whole files only; running it again puts the rest in place', async () => {
    for (const index of someOf(requests)) {
      const { s3, server, env } = await standIn();
      const child = spawnLake(ingest(data, '--no-validate', '--json'), env);
      const end = ended(child);
      server.fault = (request) => {
        if (request.index < index) return undefined;
        if (request.index === index) child.kill('SIGKILL');
        // What it had sent may be done before it dies, or not.
        return index % 2 === 0 ? undefined : 'reset';
      };
      expect((await end).status).toBeNull();
      // What the killed process had sent is answered to the end.
      await pause(100);
      expect(ALL).toMatchObject(heldBy(s3));
      const there = [...(s3.buckets.get(BUCKET)?.values() ?? [])];
      const before = server.requests.length;
      server.fault = () => undefined;
      const { status, stderr } = await lake(ingest(data, '--no-validate', '--json'), env);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(heldBy(s3)).toEqual(ALL);
      const puts = server.requests.slice(before).filter(({ method }) => method === 'PUT');
      const sent = puts.reduce((total, { body }) => total + body.length, 0);
      expect(sent).toBe(SIZE - there.reduce((total, { size }) => total + size, 0));
      await server.stop();
    }
  });

  test('interrupted says how to go on, and leaves no part', async () => {
    const { s3, server, env } = await standIn();
    const child = spawnLake(ingest(data, '--no-validate'), env);
    let parts = 0;
    server.fault = (request) => {
      if (request.query.has('partNumber') && ++parts === 2) child.kill('SIGINT');
      return undefined;
    };
    const { status, stderr } = await ended(child);
    expect(status).toBe(130);
    expect(stderr).toMatch(
      /^\nlake: interrupted; \d of 4 files in place, none in part\. Run this again to go on\n$/,
    );
    expect(ALL).toMatchObject(heldBy(s3));
    // The beginning of an upload may have been cut off from its answer.
    expect([...s3.uploads.values()].flatMap((upload) => [...upload.parts])).toEqual([]);
    expect((await lake(ingest(data, '--no-validate'), env)).status).toBe(0);
    expect(heldBy(s3)).toEqual(ALL);
  });

  test('that fails says how far it came and what failed, in lines without a stack', async () => {
    const { server, env } = await standIn();
    server.fault = (request) =>
      request.query.get('partNumber') === '2' ? errorOf('AccessDenied', 403) : undefined;
    const { status, stderr } = await lake(ingest(data, '--no-validate'), env);
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^lake: stopped; \d of 4 files in place, none in part\. Run this again to go on\nlake: access denied: s3:PutObject on s3:\/\/stedi-lakehouse-dev-landing-123456789012\/accelerometer\/landing\/larger?\S*; your role lacks the right to do this\n$/,
    );
  });
});

const GOOD = '{"user":"a@b.c","timestamp":1700000000000,"x":1,"y":2,"z":3}\n';

test('a plan, an upload, and a file that differs', async () => {
  const { s3, server, env } = await standIn();
  const key = 'accelerometer/landing/a.json';
  const data = folderOf('small', { [key]: GOOD, 'accelerometer/landing/_SUCCESS': '' });
  const run = (...args: string[]) => lake(ingest(data, ...args), env);

  const plan = await run('--dry-run');
  const warning = 'lake: warning: 1 entry of accelerometer/landing is not read: _SUCCESS (hidden)\n';
  expect({ status: plan.status, stderr: plan.stderr }).toEqual({ status: 0, stderr: warning });
  expect(plan.stdout).toMatch(
    /^new {6}s3:\/\/stedi-lakehouse-dev-landing-123456789012\/accelerometer\/landing\/a\.json {2}61 B\n/,
  );
  expect(plan.stdout).toMatch(/\nDry run: nothing was uploaded\.\n$/);
  expect(server.requests.map(({ method }) => method)).toEqual(['GET']);

  const first = await run();
  expect({ status: first.status, stderr: first.stderr }).toEqual({ status: 0, stderr: warning });
  expect(first.stdout).toMatch(/\naccelerometer_landing +1 +0 +0 +0 of 1 +s3:/);
  expect(first.stdout).toMatch(/\nUploaded 1 file, 61 B, in [\d.]+ s\.\n/);
  expect((await run()).stdout).toContain('All files are in place already.');

  writeFileSync(join(data, key), `${GOOD}{"secret@b.c"\n`);
  const differs = await run();
  expect({ status: differs.status, stdout: differs.stdout }).toEqual({ status: 1, stdout: '' });
  expect(differs.stderr).toContain('a.json, line 2: ');
  expect(differs.stderr).toMatch(
    / 1 of 2 records are refused, 50 %, which are .*; the limit is 5 %\. The first are:\n/,
  );
  expect(differs.stderr).toContain(`75 bytes, but 61 in s3://${BUCKET}/${key}`);
  expect(differs.stderr).toMatch(/\nNothing was uploaded\n$/);
  expect(differs.stderr).not.toContain('secret');
  expect((await run('--dry-run')).status).toBe(1);

  const replaced = await run('--replace', '--no-validate', '--json');
  expect({ status: replaced.status, stderr: replaced.stderr }).toEqual({ status: 0, stderr: warning });
  expect(JSON.parse(replaced.stdout)).toMatchObject({
    stack: 'dev',
    outcome: 'uploaded',
    files: 1,
    bytes: 75,
  });
  expect(s3.contentOf(BUCKET).get(key)).toEqual(readFileSync(join(data, key)));
});

test('what Athena would misread is a warning, and --rewrite puts it up with a record a line', async () => {
  const { s3, env } = await standIn();
  const line = GOOD.trim();
  const key = 'accelerometer/landing/list.json';
  const data = folderOf('misread', { [key]: `[${line},\n${line}]`, 'accelerometer/landing/a.json': GOOD });
  const run = (...args: string[]) => lake(ingest(data, ...args), env);
  const named = [
    'lake: warning: Athena reads one object a line, and misreads 1 file:',
    `  ${key}: 1 of 2 records lost (1 record after a bracket or a comma)`,
  ];
  const plain = await run();
  expect({ status: plain.status, stderr: plain.stderr.split('\n') }).toEqual({
    status: 0,
    stderr: [
      ...named,
      'A run reads them as they are. Give --rewrite to put them up with one record a line',
      '',
    ],
  });
  expect(s3.contentOf(BUCKET).get(key)).toEqual(readFileSync(join(data, key)));

  const planned = await run('--dry-run', '--rewrite');
  expect(planned.stdout).toMatch(/^rewrite {2}s3:\S+list\.json {2}\d+ B, rewritten\n\n/);
  expect(planned.stderr.split('\n')).toEqual([...named, 'They would be put up with one record a line', '']);

  const done = await run('--rewrite', '--json');
  expect(done.status).toBe(0);
  expect(JSON.parse(done.stdout)).toMatchObject({
    files: 1,
    misread: [{ file: join(data, key), records: 2, lost: 1, rewritten: true }],
  });
  expect(done.stderr.split('\n')).toEqual([...named, 'They were put up with one record a line', '']);
  expect(s3.contentOf(BUCKET).get(key)?.toString()).toBe(`${GOOD}${GOOD}`);
  const again = await run();
  expect({ status: again.status, stderr: again.stderr }).toEqual({ status: 0, stderr: '' });
  expect(again.stdout).toContain('All files are in place already.');
});

test.each([
  [['ingest'], /missing required argument 'dir'/],
  [['ingest', dir], /give --stack NAME/],
  [ingest(join(dir, 'nowhere')), /nowhere is no folder/],
])('a wrong call: %j', async (args, message) => {
  const { status, stderr } = await lake(args);
  expect(status).toBe(2);
  expect(stderr).toMatch(message);
});

test('progress is no part of what is printed, so that | head -1 ends no upload', async () => {
  const s3 = new S3StandIn([BUCKET]);
  const server = new AwsServer(async (request) => {
    // Longer than it takes to the first line.
    if (request.method === 'PUT') await pause(11_000);
    return s3.handle(request);
  });
  servers.push(server);
  const env = awsEnvironment(await server.start());
  const data = folderOf('progress', { 'customer/landing/a.json': content(10_000, 1) });
  const { status, stdout, stderr } = await lake(ingest(data, '--no-validate'), env);
  expect(status).toBe(0);
  expect(stderr).toMatch(/^0 of 1 file, .* of 10 kB, .*\/s\n$/);
  expect(stdout).toMatch(/^source /);
});

(hasTerminal ? test : test.skip)(
  'a terminal shows a bar with bytes, rate and files in one line, and nothing of it at the end',
  async () => {
    const { server, env } = await standIn();
    const data = folderOf('bar', { 'customer/landing/a.json': content(3 * MIB, 1) });
    server.fault = ({ method, index }) =>
      method === 'PUT' && index < 3 ? errorOf('SlowDown', 503) : undefined;
    const { status, stdout } = await lakeOnTerminal(ingest(data, '--no-validate'), env);
    expect(status).toBe(0);
    const drawn = stdout.split('\r\u001b[K');
    expect(drawn).toContainEqual(expect.stringMatching(/^\[-{20}\] 0 of 1 file, 0 B of 3\.1 MB, 0 B\/s$/));
    for (const line of drawn.slice(0, -1)) expect(line.length).toBeLessThan(80);
    expect(drawn.at(-1)).toMatch(/^source .*Uploaded 1 file, 3\.1 MB, in /s);
  },
);

const REAL = '/work/shared/data/stedi';
const hasReal = existsSync(REAL);
if (!hasReal) process.stderr.write(`the ingest of STEDI's own data is skipped: there is no ${REAL}\n`);

(hasReal ? test : test.skip)("STEDI's own data, judged by contract, byte for byte", async () => {
  const { s3, env } = await standIn();
  const { status, stdout, stderr } = await lake(ingest(REAL, '--json'), env);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const { sources } = JSON.parse(stdout) as IngestSummary;
  expect(sources.map(({ records }) => records?.read)).toEqual([956, 81273, 28680]);
  const files = (await Promise.all(pipeline.sources.map((s) => landingFiles(REAL, s)))).flat();
  expect(heldBy(s3)).toEqual(
    Object.fromEntries(files.map((path) => [relative(REAL, path), sha256(readFileSync(path))])),
  );
});

const present = existsSync('/proc/self/status');
if (!present) process.stderr.write('the memory of an ingest is not tested: there is no /proc/self/status\n');

(present ? test : test.skip)('300 files of 1 MB are uploaded with the memory of 10', async () => {
  const peakOf = async (files: number) => {
    const args = ['--require', './cli/typescript.js', join(ROOT, 'bench', 'aws-ingest.ts'), String(files)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    const measured = JSON.parse(stdout) as { files: number; bytes: number; peakBytes: number };
    expect(measured.bytes).toBeGreaterThanOrEqual(files * 1_000_000);
    return measured.peakBytes;
  };
  const few = await peakOf(10);
  expect(few).toBeGreaterThan(32 * MIB);
  // Half of what 290 files more would fill: the rest is what the garbage collector leaves for later.
  expect(await peakOf(300)).toBeLessThan(few + 145 * MIB);
});
