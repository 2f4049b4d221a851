import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { DuckDbEngine } from '../engines/duckdb/engine';
import { LakeError } from '../engines/engine';
import { Store } from '../engines/store';
import { lake as pipeline } from '../pipeline';
import { fraction, randomStreams } from '../samples/random';
import { writeSample } from '../samples/stedi';
import { dieAt } from './support/die';
import { answer, ended, engineOf, lake, namesBelow, spawnLake, temporaryDir } from './support/lake';
import { writeOtherSources } from './support/other-sources';
import { STRIDE, soak } from './support/soak';

const dir = temporaryDir('kill');
const random = randomStreams(20231124).next().value;

/** Two data sets, told apart by every table; the second also has refused lines. */
const SETS = { a: join(dir, 'data-a'), b: join(dir, 'data-b') };
type SetName = keyof typeof SETS;
const other = (set: SetName): SetName => (set === 'a' ? 'b' : 'a');

const run = async (engine: DuckDbEngine, set: SetName) => {
  const { summary, failures } = await engine.run(pipeline, { data: SETS[set] });
  expect(failures).toEqual([]);
  return summary.runId;
};

/** Count and checksum of all tables, read in one query; pseudonyms, which differ between lakes, left out if asked. */
async function contentOf(engine: DuckDbEngine, without = ''): Promise<string> {
  const tables = await engine.tables();
  if (tables.length === 0) return 'nothing';
  const parts = tables.map(({ table }) => {
    const columns = table === 'machine_learning_curated' ? `COLUMNS(* ${without})` : 'COLUMNS(*)';
    return `SELECT '${table}', COUNT(*), SUM(hash(r)) FROM (SELECT ${columns} FROM ${table}) r`;
  });
  return JSON.stringify((await answer(engine, parts.join(' UNION ALL '))).toSorted());
}

const RUN_ID = /\d{8}T\d{9}Z-[0-9a-f]{4}/;
// Files of rows are numbered in the order in which pieces were judged.
const ownNames = (root: string) =>
  namesBelow(root).map((name) => name.replace(RUN_ID, 'RUN').replace(/read-\d+/, 'read-N'));
/** What a lake holds, run ids and summaries apart. */
const shapeOf = (root: string) => ownNames(root).filter((name) => !name.startsWith('runs/'));
const summariesOf = (root: string) => readdirSync(join(root, 'runs')).toSorted();

const publishedRun = async (engine: DuckDbEngine) => (await engine.tables())[0]?.runId;

/** Everything below a lake with its bytes; of the lock its time, as a process that reads it lets go of its own hold. */
const bytesOf = (root: string) =>
  namesBelow(root).map((name) => {
    const path = join(root, name);
    const stat = statSync(path);
    if (name === 'lock.duckdb') return [name, stat.mtimeMs];
    return [name, stat.isFile() ? readFileSync(path).toString('base64') : ''];
  });

const shapes = {} as Record<SetName, string[]>;

beforeAll(async () => {
  await writeSample(SETS.a, { customers: 3, seed: 1, dirty: 0 });
  await writeSample(SETS.b, { customers: 4, seed: 2, dirty: 0.03 });
  for (const set of ['a', 'b'] as const) {
    await writeOtherSources(SETS[set], pipeline.sources);
    const fresh = join(dir, `fresh-${set}`);
    await run(engineOf(fresh), set);
    shapes[set] = shapeOf(fresh);
  }
  expect(shapes.a).not.toEqual(shapes.b);
});

/** Waits for the first change in a folder, or until `over`. */
async function firstChange(folder: string, over: AbortSignal): Promise<void> {
  const watcher = watch(folder);
  try {
    await Promise.race([once(watcher, 'change'), once(over, 'abort')]);
  } finally {
    watcher.close();
  }
}

/** Starts a run, and kills it so many milliseconds after the first change in a folder, if it is not over by then. */
async function killedRun(root: string, set: SetName, folder: string, after: number): Promise<void> {
  const over = new AbortController();
  const child = spawnLake(['run', '--data', SETS[set], '--lake', root]);
  const exit = once(child, 'exit').then(() => over.abort());
  await firstChange(folder, over.signal);
  if (after >= 1) await pause(after, undefined, { signal: over.signal }).catch(() => undefined);
  child.kill('SIGKILL');
  await exit;
}

/** Where a run first shows that it works, or that it publishes, and how long either takes at most. */
const SIGNS = [
  { folder: 'versions', most: 600 },
  { folder: 'runs', most: 30 },
] as const;
/** At each sign. */
const KILLS = soak(3);

test(`a run killed at any of ${2 * KILLS} random moments leaves the old state or the new one, and the next one no litter`, async () => {
  const root = await madeLake('killed');
  const engine = engineOf(root);
  const content = { b: await contentOf(engine) } as Record<SetName, string>;
  await run(engine, 'a');
  content.a = await contentOf(engine);
  const runs = summariesOf(root);
  let current: SetName = 'a';
  for (let i = 0; i < 2 * KILLS; i++) {
    const { folder, most } = SIGNS[i % 2 === 0 ? 0 : 1];
    const next: SetName = other(current);
    const before = await publishedRun(engine);
    await killedRun(root, next, join(root, folder), fraction(random) * most);
    const after = (await publishedRun(engine)) as string;
    expect(await contentOf(engine)).toBe(content[after === before ? current : next]);
    if (after !== before) runs.push(`${after}.json`);

    current = fraction(random) < 0.5 ? current : next;
    runs.push(`${await run(engine, current)}.json`);
    expect(await contentOf(engine)).toBe(content[current]);
    expect(shapeOf(root)).toEqual(shapes[current]);
    expect(summariesOf(root)).toEqual(runs);
  }
});

test('the very first run killed leaves no table or all, and the next one begins the lake', async () => {
  const content = await contentOf(engineOf(join(dir, 'fresh-a')), 'EXCLUDE (subject, device)');
  for (let i = 0; i < soak(2); i++) {
    const parent = join(dir, `first-${i}`);
    mkdirSync(parent);
    const root = join(parent, 'lake');
    await killedRun(root, 'a', parent, fraction(random) * 900);
    const engine = engineOf(root);
    expect(['nothing', content]).toContain(await contentOf(engine, 'EXCLUDE (subject, device)'));
    await run(engine, 'a');
    expect(await contentOf(engine, 'EXCLUDE (subject, device)')).toBe(content);
    expect(shapeOf(root)).toEqual(shapes.a);
    rmSync(parent, { recursive: true });
  }
});

async function madeLake(name: string): Promise<string> {
  const root = join(dir, name);
  await run(engineOf(root), 'b');
  return root;
}

/** From the summary on. */
const isSummary = (name: string, [path]: readonly unknown[]) =>
  name === 'mkdir' && String(path).endsWith('runs');

test('a run that dies at a single step of publishing leaves the old state or the new one', async () => {
  const root = await madeLake('steps');
  const engine = engineOf(root);
  const content = { b: await contentOf(engine) } as Record<SetName, string>;
  await run(engine, 'a');
  content.a = await contentOf(engine);
  const states = { old: 0, new: 0 };
  for (let step = 0; ; step += STRIDE) {
    const before = await publishedRun(engine);
    const revive = dieAt(step, isSummary);
    await engine.run(pipeline, { data: SETS.b }).catch(() => undefined);
    const died = revive();
    const published = (await publishedRun(engine)) !== before;
    expect(await contentOf(engine)).toBe(content[published ? 'b' : 'a']);
    states[published ? 'new' : 'old']++;
    await run(engine, 'a');
    expect(await contentOf(engine)).toBe(content.a);
    expect(shapeOf(root)).toEqual(shapes.a);
    if (!died) break;
  }
  expect(states.old * STRIDE).toBeGreaterThanOrEqual(5);
  expect(states.new * STRIDE).toBeGreaterThanOrEqual(10);
});

describe('two runs at once on one lake', () => {
  test('the second, in a process of its own, says so and changes nothing', async () => {
    const root = await madeLake('held');
    await new Store(root).hold(async () => {
      const before = bytesOf(root);
      const { status, stdout, stderr } = await lake(['run', '--data', SETS.a, '--lake', root]);
      expect({ status, stdout, stderr }).toEqual({
        status: 1,
        stdout: '',
        stderr: `lake: another run is going on in ${root}; wait for it to end. Nothing was changed\n`,
      });
      expect(bytesOf(root)).toEqual(before);
    });
    expect((await lake(['run', '--data', SETS.a, '--lake', root])).status).toBe(0);
  });

  test('nor does it make a sample', async () => {
    const root = join(dir, 'held-without-sample');
    await new Store(root).hold(async () => {
      const { status, stderr } = await lake(['run', '--lake', root]);
      expect({ status, stderr }).toEqual({
        status: 1,
        stderr: expect.stringContaining(`another run is going on in ${root}`),
      });
      expect(readdirSync(root)).toEqual(['lock.duckdb']);
    });
  });

  test('the second is refused while the first, in a process of its own, goes on', async () => {
    const root = await madeLake('busy');
    const child = spawnLake(['run', '--data', SETS.a, '--lake', root]);
    const first = ended(child);
    const over = new AbortController();
    await firstChange(join(root, 'versions'), over.signal);
    child.kill('SIGSTOP');
    const before = bytesOf(root);
    await expect(engineOf(root).run(pipeline, { data: SETS.b })).rejects.toThrow(
      /another run is going on in/,
    );
    expect(bytesOf(root)).toEqual(before);
    child.kill('SIGCONT');
    expect((await first).status).toBe(0);
    expect(shapeOf(root)).toEqual(shapes.a);
  });

  test('the second is refused in the same process too, by whatever path it comes', async () => {
    const root = await madeLake('twice');
    const link = join(dir, 'linked');
    symlinkSync(root, link);
    const results = await Promise.allSettled(
      [root, link].map((path) => engineOf(path).run(pipeline, { data: SETS.a })),
    );
    const refused = results.flatMap((r) => (r.status === 'rejected' ? [r.reason as Error] : []));
    expect(refused).toHaveLength(1);
    expect(refused[0]).toBeInstanceOf(LakeError);
    expect(refused[0]?.message).toMatch(/another run is going on/);
    expect(shapeOf(root)).toEqual(shapes.a);
  });
});

test.each([
  ['nonsense', () => Buffer.from('nonsense '.repeat(2000))],
  ['cut off', (whole: Buffer) => whole.subarray(0, 5000)],
])('a lock file that is damaged (%s) is told, and can be removed', async (name, damaged) => {
  const root = await madeLake(`damaged-${name.replace(' ', '-')}`);
  const lock = join(root, 'lock.duckdb');
  writeFileSync(lock, damaged(readFileSync(lock)));
  const before = bytesOf(root);
  const { status, stdout, stderr } = await lake(['run', '--data', SETS.a, '--lake', root]);
  expect({ status, stdout, stderr }).toEqual({
    status: 1,
    stdout: '',
    stderr: `lake: ${lock} cannot be opened; is the folder writable? If no run is going on, remove the file\n`,
  });
  expect(bytesOf(root)).toEqual(before);
  rmSync(lock);
  await run(engineOf(root), 'a');
  expect(shapeOf(root)).toEqual(shapes.a);
});

test('queries that go on while runs publish see one state as a whole, or say that it changed', async () => {
  const root = await madeLake('read');
  const engine = engineOf(root);
  const content = { b: await contentOf(engine) } as Record<SetName, string>;
  await run(engine, 'a');
  content.a = await contentOf(engine);
  let over = false;
  const seen = { a: 0, b: 0, anew: 0 };
  const read = async () => {
    while (!over) {
      try {
        const state = await contentOf(engine);
        expect([content.a, content.b]).toContain(state);
        seen[state === content.a ? 'a' : 'b']++;
      } catch (error) {
        if (!(error instanceof LakeError)) throw error;
        expect(error.message).toBe('a run published anew while the query went on; ask again');
        seen.anew++;
      }
    }
  };
  const readers = Promise.all([read(), read()]);
  try {
    for (let i = 0; i < 6; i++) {
      const set = i % 2 === 0 ? 'b' : 'a';
      if (i < 4) await run(engine, set);
      else expect((await lake(['run', '--data', SETS[set], '--lake', root])).status).toBe(0);
    }
  } finally {
    over = true;
  }
  await readers;
  expect(seen.a).toBeGreaterThan(0);
  expect(seen.b).toBeGreaterThan(0);
});

test('a query sees no refused line of a run that goes on', async () => {
  const root = join(dir, 'unfinished');
  const engine = engineOf(root);
  await run(engine, 'a');
  const going = join(root, 'versions', '29991231T000000000Z-0000', 'quarantine');
  mkdirSync(going, { recursive: true });
  writeFileSync(join(going, 'accelerometer_landing.parquet'), 'half a file');
  expect(await answer(engine, 'SELECT COUNT(*) FROM accelerometer_landing_quarantine')).toEqual([['0']]);
  await run(engine, 'a');
  expect(existsSync(going)).toBe(false);
});
