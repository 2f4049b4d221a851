import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Upload } from '@aws-sdk/lib-storage';
import fc from 'fast-check';
import { text } from '../../model';
import { accelerometerLanding, customerLanding, stepTrainerLanding } from '../../pipeline/landing';
import { errorOf, type S3Object, type S3Settings, S3StandIn } from '../../tests/standin/s3';
import {
  type AwsRequest,
  type AwsResponse,
  AwsServer,
  awsEnvironment,
  type Fault,
} from '../../tests/support/aws-server';
import { temporaryDir } from '../../tests/support/lake';
import { soak, someOf } from '../../tests/support/soak';
import { outputsOf } from '../../tests/support/stack';
import { LakeError } from '../engine';
import { checksumOf } from './checksum';
import { type IngestEvent, type IngestRequest, ingest } from './ingest';
import type { Stack } from './stack';

const dir = temporaryDir('ingest');
const SOURCES = [customerLanding, accelerometerLanding, stepTrainerLanding];
const OUTPUTS = outputsOf();
const BUCKET = OUTPUTS.buckets.landing;
const PART = 1 << 14;

// The library takes no smaller parts than S3 does.
Object.assign(Upload, { MIN_PART_SIZE: 1 });

const stackOf = (maxAttempts = 4): Stack => ({
  name: 'dev',
  client: { region: 'us-east-1', maxAttempts },
  outputs: OUTPUTS,
});

const servers: AwsServer[] = [];
const saved = { ...process.env };

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  process.env = { ...saved };
});

/** A stand-in that this process's clients speak to; `before` sees each request before it is answered. */
async function s3Of(
  settings: S3Settings = {},
  before?: (request: AwsRequest) => Promise<AwsResponse | undefined>,
) {
  const s3 = new S3StandIn([BUCKET], { leastPart: 1, ...settings });
  const server = new AwsServer(async (request) => (await before?.(request)) ?? s3.handle(request));
  servers.push(server);
  Object.assign(process.env, awsEnvironment(await server.start()));
  return { s3, server };
}

let folders = 0;
/** A folder of landing files by key. */
function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const data = join(dir, `data-${folders++}`);
  mkdirSync(data);
  for (const [key, content] of Object.entries(files)) {
    mkdirSync(join(data, key, '..'), { recursive: true });
    writeFileSync(join(data, key), content);
  }
  return data;
}

const REQUEST: Omit<IngestRequest, 'data'> = {
  validate: false,
  replace: false,
  rewrite: false,
  dryRun: false,
};
const run = (
  data: string,
  request: Partial<IngestRequest> = {},
  stack = stackOf(),
  tell: (event: IngestEvent) => void = () => undefined,
) => ingest(stack, SOURCES, { ...REQUEST, data, ...request }, tell, { partBytes: PART, silence: 500 });

const bytes = (length: number, seed = 1) =>
  Buffer.from(Array.from({ length }, (_, i) => (i * 7 + seed * 13 + (i >> 8)) % 251));

const FILES = {
  'customer/landing/a.json': bytes(100),
  'customer/landing/below/b c+d & é%20.json': bytes(200, 2),
  'accelerometer/landing/large.json': bytes(5 * PART + 10, 3),
  'accelerometer/landing/other.json': bytes(2 * PART, 4),
  'step_trainer/landing/empty.json': Buffer.alloc(0),
  'step_trainer/landing/one-part.json': bytes(PART, 5),
};
const LEFT_OUT = {
  'customer/landing/_SUCCESS': 'x',
  'customer/landing/.hidden': 'x',
  'customer/other/a.json': 'x',
  'unknown/landing/a.json': 'x',
};
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
/** Contents by key in a form that is quickly compared. */
const hashed = (content: Readonly<Record<string, Buffer>>) =>
  Object.fromEntries(Object.entries(content).map(([key, body]) => [key, sha256(body)]));
/** What a stand-in's bucket holds. */
const heldBy = (s3: S3StandIn) => hashed(Object.fromEntries(s3.contentOf(BUCKET)));
const ALL = hashed(FILES);
const SIZE = Object.values(FILES).reduce((total, { length }) => total + length, 0);

const sent = (requests: readonly AwsRequest[]) =>
  requests.filter(({ method }) => method === 'PUT').reduce((total, { body }) => total + body.length, 0);

const partsIn = (s3: S3StandIn) => [...s3.uploads.values()].flatMap(({ parts }) => [...parts.keys()]);

/** Waits for what the client no longer waits for. */
async function quiet(server: AwsServer) {
  let before = -1;
  while (server.requests.length > before) {
    before = server.requests.length;
    await pause(30);
  }
}

const messageOf = async (work: Promise<unknown>): Promise<string> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(LakeError);
  return (error as LakeError).message;
};

test('a folder is put in place as it is, each byte once, and again nothing', async () => {
  const { s3, server } = await s3Of({ pageSize: 2 });
  const data = folderOf({ ...FILES, ...LEFT_OUT });
  const events: IngestEvent[] = [];
  const { summary } = await run(data, {}, stackOf(), (event) => events.push(event));
  expect(heldBy(s3)).toEqual(ALL);
  expect(sent(server.requests)).toBe(SIZE);
  expect(s3.uploads.size).toBe(0);
  expect(summary).toMatchObject({ outcome: 'uploaded', files: 6, bytes: SIZE });
  expect(summary.sources[0]).toEqual({
    table: 'customer_landing',
    uri: `s3://${BUCKET}/customer/landing/`,
    new: 2,
    changed: 0,
    unchanged: 0,
  });
  const told = events.flatMap((event) => (event.kind === 'sent' ? [event.bytes] : []));
  expect(told.reduce((n, size) => n + size, 0)).toBe(SIZE);
  expect(events.filter(({ kind }) => kind === 'placed')).toHaveLength(6);

  const before = server.requests.length;
  expect((await run(data)).summary).toMatchObject({ files: 0, bytes: 0 });
  const again = server.requests.slice(before).map(({ method }) => method);
  expect(again).not.toContain('PUT');
  expect(again.filter((method) => method === 'HEAD')).toHaveLength(6);
});

test('an object of another size is asked for once: it may be the file rewritten', async () => {
  const { s3, server } = await s3Of();
  await run(folderOf(FILES));
  const before = server.requests.length;
  await expect(run(folderOf({ 'customer/landing/a.json': bytes(101) }))).rejects.toThrow(/differ/);
  expect(server.requests.slice(before).map(({ method }) => method)).toEqual(['GET', 'HEAD']);
  expect(heldBy(s3)).toEqual(ALL);
});

type There = 'absent' | 'crc32' | 'crc64nvme' | 'no checksum' | 'another size' | 'another content';
const EXPECTED: Readonly<Record<There, string>> = {
  absent: 'new',
  crc32: 'unchanged',
  crc64nvme: 'unchanged',
  'no checksum': 'changed',
  'another size': 'changed',
  'another content': 'changed',
};

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }).map(
  // As names of files may be, and count.
  (text) => `n${text.replaceAll(/[/\0\\]/g, '-')}`,
);

test('the plan is what should be, whatever the folder and the bucket hold', async () => {
  const { s3 } = await s3Of({ pageSize: 3 });
  const objects = s3.buckets.get(BUCKET) as NonNullable<ReturnType<typeof s3.buckets.get>>;
  const seen = new Set<string>();
  const file = fc.record({
    source: fc.constantFrom(...SOURCES),
    path: fc.array(name, { minLength: 1, maxLength: 2 }),
    size: fc.constantFrom(1, 2, 50, PART, PART + 1, 3 * PART),
    there: fc.constantFrom(...(Object.keys(EXPECTED) as There[])),
    seed: fc.nat(250),
  });
  const files = fc.uniqueArray(file, {
    minLength: 1,
    maxLength: 8,
    // A name that is a file's is no folder's, on file systems that fold case too.
    selector: ({ source, path }) => `${source.name}/${path[0]?.normalize('NFKC').toLowerCase()}`,
  });
  await fc.assert(
    fc.asyncProperty(files, fc.boolean(), async (entries, replace) => {
      objects.clear();
      const content: Record<string, Buffer> = {};
      const before: Record<string, Buffer> = {};
      const expected = new Map<string, string>();
      for (const { source, path, size, there, seed } of entries) {
        const key = `${source.entity}/landing/${path.join('/')}`;
        const own = bytes(size, seed);
        content[key] = own;
        expected.set(key, EXPECTED[there]);
        seen.add(`${there}, ${replace}`);
      }
      const data = folderOf(content);
      for (const { source, path, there } of entries) {
        if (there === 'absent') continue;
        const key = `${source.entity}/landing/${path.join('/')}`;
        const own = content[key] as Buffer;
        const body = Buffer.from(there === 'another size' ? Buffer.concat([own, own]) : own);
        if (there === 'another content') body[0] = (body[0] as number) ^ 1;
        const algorithm = there === 'crc64nvme' ? ('CRC64NVME' as const) : ('CRC32' as const);
        const scratch = join(dir, 'scratch');
        writeFileSync(scratch, body);
        const checksum = await checksumOf(scratch, algorithm);
        objects.set(key, {
          body,
          size: body.length,
          etag: `"${key.length}-${checksum}"`,
          checksums:
            there === 'no checksum' ? {} : { [`x-amz-checksum-${algorithm.toLowerCase()}`]: checksum },
        });
        before[key] = body;
      }
      const { plan } = await run(data, { dryRun: true, replace });
      expect(new Map(plan.map(({ key, state }) => [key, state]))).toEqual(expected);
      expect(heldBy(s3)).toEqual(hashed(before));
      const changed = [...expected].filter(([, state]) => state === 'changed');
      if (changed.length > 0 && !replace) {
        const message = await messageOf(run(data));
        for (const [key] of changed) expect(message).toContain(`s3://${BUCKET}/${key}`);
        expect(message).toMatch(
          changed.length === 1 ? /1 file differs/ : new RegExp(`${changed.length} files differ`),
        );
        expect(heldBy(s3)).toEqual(hashed(before));
      } else {
        await run(data, { replace });
        expect(heldBy(s3)).toEqual(hashed(content));
      }
      expect(s3.uploads.size).toBe(0);
      rmSync(data, { recursive: true });
    }),
    { numRuns: soak(30) },
  );
  expect(seen.size).toBe(12);
});

describe('a fault at any single request', () => {
  const denied: Fault = errorOf('AccessDenied', 403);
  const slow: Fault = errorOf('SlowDown', 503);
  /** How many requests an ingest without a fault makes. */
  let requests = 0;
  const data = () => folderOf(FILES);

  beforeAll(async () => {
    const { server } = await s3Of();
    await run(data());
    requests = server.requests.length;
    expect(requests).toBeGreaterThan(15);
  });

  test.each<[string, Fault]>([
    ['500', errorOf('InternalError', 500)],
    ['SlowDown', slow],
    ['reset', 'reset'],
    ['cut', 'cut'],
  ])('%s once: it is tried again, nothing is lost or doubled', async (_name, fault) => {
    const folder = data();
    let tries = 0;
    const places = someOf(requests);
    for (const index of places) {
      const { s3, server } = await s3Of();
      server.fault = (request) => (request.index === index ? fault : undefined);
      const { summary } = await run(folder);
      expect(summary.files).toBe(6);
      expect(heldBy(s3)).toEqual(ALL);
      // Of an upload whose beginning was not answered nobody knows.
      expect(partsIn(s3)).toEqual([]);
      tries += server.requests.length - requests;
    }
    expect(tries).toBeGreaterThanOrEqual(places.length);
  });

  test.each<[string, Fault, RegExp]>([
    [
      'access denied',
      denied,
      /^access denied: s3:\w+ on s3:\/\/stedi-lakehouse-dev-landing-123456789012\/\S+[^\n]*$/,
    ],
    [
      'SlowDown',
      slow,
      /^AWS throttles: s3:\w+ on s3:\/\/stedi-lakehouse-dev-landing-123456789012\/[^\n]* was refused 2 times in a row/,
    ],
    // Jest's own Error is not the one of Node's network, which the SDK then does not know by its code.
    [
      'reset',
      'reset',
      /^s3:\w+ on s3:\/\/stedi-lakehouse-dev-landing-123456789012\/[^\n]* (?:AWS cannot be reached|failed: Error)/,
    ],
  ])('%s from then on: told in a line, and the next call goes on', async (_name, fault, message) => {
    const folder = data();
    for (const index of someOf(requests)) {
      const { s3, server } = await s3Of();
      server.fault = (request) => (request.index >= index ? fault : undefined);
      expect(await messageOf(run(folder, {}, stackOf(2)))).toMatch(message);
      expect(ALL).toMatchObject(heldBy(s3));
      await quiet(server);
      const stopped = server.requests.length;
      // What is left at once: calls that were under way beside each other.
      expect(stopped).toBeLessThanOrEqual(index + 2 * 16);
      server.fault = () => undefined;
      const there = [...(s3.buckets.get(BUCKET)?.values() ?? [])];
      await run(folder);
      expect(heldBy(s3)).toEqual(ALL);
      expect(sent(server.requests.slice(stopped))).toBe(SIZE - there.reduce((n, { size }) => n + size, 0));
    }
  });

  test('one that cannot be mended stops what goes on beside it', async () => {
    const { s3, server } = await s3Of();
    server.fault = ({ path }) => (path.endsWith('denied.json') ? denied : undefined);
    const folder = folderOf({
      'customer/landing/denied.json': bytes(2 * PART),
      'accelerometer/landing/large.json': bytes(200 * PART),
    });
    await expect(run(folder)).rejects.toThrow(/^access denied/);
    await quiet(server);
    expect(server.requests.length).toBeLessThan(100);
    expect([heldBy(s3), partsIn(s3)]).toEqual([{}, []]);
  });

  test('no answer: the connection is given up, and tried again', async () => {
    for (const index of [0, 5, 10, requests - 1]) {
      const { s3, server } = await s3Of({}, (request) =>
        request.index === index ? new Promise<never>(() => undefined) : Promise.resolve(undefined),
      );
      await run(data());
      expect(heldBy(s3)).toEqual(ALL);
      expect(s3.uploads.size).toBe(0);
      expect(server.requests.length).toBeGreaterThan(requests);
    }
  });
});

describe('an upload in parts that fails leaves none of them', () => {
  const KEY = 'accelerometer/landing/large.json';
  const isPart = ({ query }: AwsRequest) => query.has('partNumber');
  const isLast = ({ method, query }: AwsRequest) => method === 'POST' && query.has('uploadId');

  test.each([
    ['a part is refused', (r: AwsRequest) => isPart(r) && r.query.get('partNumber') === '4'],
    ['its completion is refused', isLast],
  ])('%s', async (_name, isRefused) => {
    const { s3, server } = await s3Of();
    server.fault = (request) => (isRefused(request) ? errorOf('AccessDenied', 403) : undefined);
    expect(await messageOf(run(folderOf({ [KEY]: bytes(6 * PART) })))).toMatch(
      /^access denied: s3:PutObject/,
    );
    expect(server.requests.filter(isPart).length).toBeGreaterThan(0);
    expect([heldBy(s3), s3.uploads.size]).toEqual([{}, 0]);
  });

  test('it is stopped: what is under way is cut off', async () => {
    const stop = new AbortController();
    const { s3, server } = await s3Of({}, async (request) => {
      if (!isPart(request)) return undefined;
      stop.abort(new Error('stopped'));
      return new Promise<never>(() => undefined);
    });
    const settings = { partBytes: PART, signal: stop.signal };
    const data = folderOf({ [KEY]: bytes(20 * PART) });
    await expect(ingest(stackOf(), SOURCES, { ...REQUEST, data }, () => undefined, settings)).rejects.toThrow(
      'stopped',
    );
    expect(server.requests.filter(isPart).length).toBeLessThanOrEqual(4);
    expect([heldBy(s3), s3.uploads.size]).toEqual([{}, 0]);
  });

  test('it is aborted by somebody else: that is reported', async () => {
    const { s3 } = await s3Of({}, async (request) => {
      if (request.query.get('partNumber') === '4') s3.uploads.clear();
      return undefined;
    });
    const work = run(folderOf({ [KEY]: bytes(6 * PART) }));
    expect(await messageOf(work)).toMatch(/another upload meanwhile; run this again/);
  });
});

describe('what changes meanwhile', () => {
  test.each([
    ['customer/landing/a.json', 100],
    ['customer/landing/large.json', 4 * PART],
  ])('%s that is written to is told', async (key, size) => {
    const data = folderOf({ [key]: bytes(size) });
    const before = readFileSync(join(data, key));
    const { s3 } = await s3Of({}, async (request) => {
      if (request.method === 'PUT') appendFileSync(join(data, key), 'more');
      return undefined;
    });
    expect(await messageOf(run(data))).toMatch(/^\S+ changed while it was uploaded; /);
    // Never half of it.
    expect({ [key]: sha256(before) }).toMatchObject(heldBy(s3));
  });

  test('a file that changes between its parts is not in place with some of the old and some of the new', async () => {
    const key = 'customer/landing/large.json';
    const data = folderOf({ [key]: Buffer.alloc(12 << 20, 'a') });
    const { s3 } = await s3Of({}, async (request) => {
      if (request.query.get('partNumber') === '1')
        writeFileSync(join(data, key), Buffer.alloc(12 << 20, 'b'));
      return undefined;
    });
    const work = ingest(stackOf(), SOURCES, { ...REQUEST, data }, () => undefined, { partBytes: 1 << 20 });
    expect(await messageOf(work)).toMatch(/^\S+ changed while it was uploaded; it is not in place\./);
    expect([heldBy(s3), s3.uploads.size]).toEqual([{}, 0]);
  });

  test.each([
    ['small', 100],
    ['large', 4 * PART],
  ])('an object that appears is not overwritten: %s', async (_name, size) => {
    const key = 'customer/landing/a.json';
    const theirs = bytes(size, 9);
    const { s3 } = await s3Of({}, async (request) => {
      if (request.method === 'PUT') s3.put(BUCKET, key, theirs);
      return undefined;
    });
    expect(await messageOf(run(folderOf({ [key]: bytes(size) })))).toMatch(
      /changed by another upload meanwhile/,
    );
    expect(heldBy(s3)).toEqual(hashed({ [key]: theirs }));
    expect(s3.uploads.size).toBe(0);
  });

  test('nor is one that changes while it is to be replaced', async () => {
    const key = 'customer/landing/a.json';
    const { s3 } = await s3Of({}, async (request) => {
      if (request.method === 'PUT' && request.headers['if-match'] !== undefined)
        s3.put(BUCKET, key, 'theirs');
      return undefined;
    });
    await run(folderOf({ [key]: bytes(10, 1) }));
    const work = run(folderOf({ [key]: bytes(10, 2) }), { replace: true });
    expect(await messageOf(work)).toMatch(/changed by another upload meanwhile/);
    expect(heldBy(s3)).toEqual(hashed({ [key]: Buffer.from('theirs') }));
  });
});

describe('what is refused before anything is uploaded', () => {
  test('bad lines and files that differ, all at once; not with --no-validate and --replace', async () => {
    const { s3, server } = await s3Of();
    await run(folderOf({ 'step_trainer/landing/a.json': 'old' }));
    const before = server.requests.length;
    const data = folderOf({
      'customer/landing/a.json': '{nonsense}\n',
      'accelerometer/landing/a.json': '{}\n',
      'step_trainer/landing/a.json': '{new',
    });
    const message = await messageOf(run(data, { validate: true }));
    for (const source of SOURCES)
      expect(message).toContain(`${source.name}: 1 of 1 records are refused, 100 %, `);
    expect(message).toContain('  a.json, line 1: NOT_JSON, ');
    expect(message).toContain('1 file differs');
    expect(message).toMatch(/\nNothing was uploaded$/);
    expect(message).not.toContain('_quarantine');
    expect(server.requests.slice(before).some(({ method }) => method === 'PUT')).toBe(false);
    const { refusal } = await run(data, { validate: true, dryRun: true });
    expect(`${refusal}\nNothing was uploaded`).toBe(message);
    await run(data, { replace: true });
    expect(s3.contentOf(BUCKET).size).toBe(3);
  });

  test('a folder without a landing file', async () => {
    const { server } = await s3Of();
    expect(await messageOf(run(folderOf(LEFT_OUT)))).toMatch(
      /^there is nothing to upload\.\n {2}customer_landing: /,
    );
    expect(server.requests).toEqual([]);
  });

  test('a stack without the bucket', async () => {
    await s3Of();
    const stack = stackOf();
    const outputs = { ...stack.outputs, buckets: { artifacts: 'x' } };
    const work = run(folderOf(FILES), {}, { ...stack, outputs });
    expect(await messageOf(work)).toMatch(/no bucket of the zone landing/);
  });
});

describe('what Athena would misread', () => {
  const reading = (x: number) => `{"user":"a@b.c","timestamp":1700000000000,"x":${x}.10,"y":2,"z":3}`;
  const KEY = 'accelerometer/landing/list.json';
  const PACKED = 'accelerometer/landing/packed.json.gz';
  const LIST = `[${reading(1)},${reading(2)}]`;
  const FINE = 'accelerometer/landing/fine.json';
  const data = () =>
    folderOf({ [KEY]: LIST, [PACKED]: gzipSync(`\ufeff${reading(3)}`), [FINE]: `${reading(4)}\n` });
  const misread = (rewritten: boolean) => [
    expect.objectContaining({ file: expect.stringMatching(/list\.json$/), records: 2, lost: 2, rewritten }),
    expect.objectContaining({
      file: expect.stringMatching(/packed\.json\.gz$/),
      records: 1,
      lost: 1,
      rewritten,
    }),
  ];
  const textsOf = (s3: S3StandIn) =>
    Object.fromEntries(
      [...s3.contentOf(BUCKET)].map(([key, body]) => [
        key,
        (key.endsWith('.gz') ? gunzipSync(body) : body).toString(),
      ]),
    );
  const REWRITTEN = {
    [KEY]: `${reading(1)}\n${reading(2)}\n`,
    [PACKED]: `${reading(3)}\n`,
    [FINE]: `${reading(4)}\n`,
  };

  test('is named and uploaded as it is; with --rewrite it gets a record a line, and is in place then', async () => {
    const { s3, server } = await s3Of();
    const folder = data();
    const asIs = await run(folder, { validate: true });
    expect(asIs.summary).toMatchObject({ files: 3, misread: misread(false) });
    expect(textsOf(s3)[KEY]).toBe(LIST);

    const plan = await run(folder, { validate: true, rewrite: true, dryRun: true });
    expect(plan.summary).toMatchObject({ files: 0, misread: misread(true) });
    expect(textsOf(s3)[KEY]).toBe(LIST);

    const rewritten = await run(folder, { validate: true, rewrite: true });
    expect(rewritten.summary).toMatchObject({ files: 2, misread: misread(true) });
    expect(textsOf(s3)).toEqual(REWRITTEN);

    for (const request of [{}, { validate: true }, { validate: true, rewrite: true }]) {
      const before = server.requests.length;
      const { summary } = await run(folder, request);
      expect(summary).toMatchObject({ files: 0, misread: [] });
      expect(summary.sources[1]).toMatchObject({ new: 0, changed: 0, unchanged: 3 });
      expect(server.requests.slice(before).some(({ method }) => method === 'PUT')).toBe(false);
    }
    expect(textsOf(s3)).toEqual(REWRITTEN);
  });

  test('a file that changed since it was rewritten differs', async () => {
    const { s3 } = await s3Of();
    const folder = data();
    await run(folder, { rewrite: true });
    expect(textsOf(s3)).toEqual(REWRITTEN);
    // As many bytes, another content.
    writeFileSync(join(folder, KEY), LIST.replace('1.10', '5.10'));
    expect(await messageOf(run(folder, { rewrite: true }))).toMatch(
      /^1 file differs [^\n]*\n {2}\S+list\.json: /,
    );
    await run(folder, { rewrite: true, replace: true });
    expect(textsOf(s3)[KEY]).toBe(REWRITTEN[KEY]?.replace('1.10', '5.10'));
  });

  test('in parts too', async () => {
    const { s3 } = await s3Of();
    const many = Array.from({ length: 1500 }, (_, i) => reading(i % 8));
    const folder = folderOf({ [KEY]: `[${many.join(',')}]` });
    await run(folder, { rewrite: true });
    expect(textsOf(s3)).toEqual({ [KEY]: `${many.join('\n')}\n` });
    expect(s3.uploads.size).toBe(0);
    expect((await run(folder, { rewrite: true })).summary).toMatchObject({ files: 0, misread: [] });
  });

  test('metadata that are of another object say nothing', async () => {
    const { s3 } = await s3Of();
    const folder = data();
    await run(folder, { rewrite: true });
    const objects = s3.buckets.get(BUCKET);
    const { metadata } = objects?.get(KEY) ?? {};
    expect(metadata).toMatchObject({ 'x-amz-meta-original-bytes': String(LIST.length) });
    await run(folderOf({ [KEY]: `${reading(9)}\n` }), { replace: true });
    objects?.set(KEY, { ...(objects.get(KEY) as S3Object), metadata: metadata ?? {} });
    await expect(run(folder)).rejects.toThrow(/1 file differs/);
  });

  test('files that are no text refuse the ingest, and are named', async () => {
    const { server } = await s3Of();
    const good = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [`accelerometer/landing/good-${i}.json`, `${reading(1)}\n`]),
    );
    const bad = { 'accelerometer/landing/bad.json': Buffer.from('PK\x03\x04') };
    const message = await messageOf(run(folderOf({ ...good, ...bad }), { validate: true, rewrite: true }));
    expect(message).toContain('accelerometer_landing: 1 file cannot be read. The first are:');
    expect(message).toContain('\n  bad.json: UNREADABLE_FILE, it is a zip archive; ');
    expect(server.requests.some(({ method }) => method === 'PUT')).toBe(false);
  });
});

test('what is not read of a landing folder is named', async () => {
  await s3Of();
  const { summary } = await run(folderOf({ ...FILES, ...LEFT_OUT }));
  expect(summary.warnings).toEqual([
    '2 entries of customer/landing are not read: .hidden (hidden), _SUCCESS (hidden)',
  ]);
});

test('files that two sources read are put in place once, and judged by each', async () => {
  const { s3 } = await s3Of();
  const { name, zone, entity, description, expectations } = customerLanding;
  const contract = {
    zone,
    entity,
    description,
    expectations,
    format: 'json',
    maxQuarantinedShare: 1,
  } as const;
  const orders = { ...contract, name, columns: { id: text('I.') } };
  const items = {
    ...contract,
    name: 'items',
    each: 'items',
    columns: { sku: text('S.', { from: 'items.sku' }) },
  };
  const records = [
    { id: 'a', items: [{ sku: 'x' }, {}] },
    { id: 'b', items: [] },
  ];
  const data = folderOf({
    'customer/landing/a.json': JSON.stringify(records),
    'customer/landing/_hidden': 'x',
  });
  const { summary } = await ingest(
    stackOf(),
    [orders, items],
    { ...REQUEST, data, validate: true, rewrite: true },
    () => undefined,
  );
  expect([...s3.contentOf(BUCKET)].map(([key, body]) => [key, String(body)])).toEqual([
    ['customer/landing/a.json', records.map((record) => `${JSON.stringify(record)}\n`).join('')],
  ]);
  expect(summary).toMatchObject({
    files: 1,
    sources: [
      { table: name, new: 1, records: { read: 2, refused: 0 } },
      { table: 'items', new: 1, records: { read: 2, refused: 1, reasons: { MISSING_REQUIRED: 1 } } },
    ],
  });
  expect(summary.misread).toHaveLength(1);
  expect(summary.warnings).toHaveLength(1);
});
