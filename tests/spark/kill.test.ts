// A run on Spark that is killed leaves each table as it was or as the run makes it, and nothing for long.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { lake as pipeline } from '../../pipeline';
import { fraction, randomStreams } from '../../samples/random';
import { writeSample } from '../../samples/stedi';
import { answer, ended, namesBelow, spawnLake, temporaryDir } from '../support/lake';
import { writeOtherSources } from '../support/other-sources';
import { childrenOf, untilGone } from '../support/processes';
import { soak } from '../support/soak';
import { Spark, withSpark } from '../support/spark';

jest.setTimeout(900_000);

const KILLS = soak(4);

const dir = temporaryDir('spark-kill');
const random = randomStreams(20261125).next().value;
// Reads the lake, in this process; the runs that are killed have processes of their own.
const session = new Spark(dir);
afterAll(() => session.stop());

const lake = join(dir, 'lake');
const engine = session.engineOf(lake);
const tables = pipeline.jobs.map(({ name }) => name);

/** Two data sets, told apart by every table; the second also has refused lines. */
const SETS = { a: join(dir, 'data-a'), b: join(dir, 'data-b') };
type SetName = keyof typeof SETS;
type Contents = Readonly<Record<string, string>>;

const startRun = (set: SetName) =>
  spawnLake(['run', '--engine', 'spark', '--data', SETS[set], '--lake', lake]);

/** Count and checksum of each table. */
async function contents(): Promise<Contents> {
  const parts = tables.map((table) => {
    const { columns } = pipeline.tables.get(table) ?? { columns: {} };
    return `SELECT '${table}', COUNT(*), SUM(CAST(xxhash64(${Object.keys(columns)}) AS DECIMAL(38, 0))) FROM ${table}`;
  });
  const rows = await answer(engine, parts.join(' UNION ALL '));
  return Object.fromEntries(rows.map(([table, ...state]) => [table, state.join(' ')]));
}

interface Kill {
  readonly set: SetName;
  /** Counted from the start of the run, or from the end of its first job. */
  readonly from: 'start' | 'first job';
  readonly after: number;
  readonly victim: 'lake' | 'Java';
}

/** Starts a run, and kills `lake` or its Java after so many milliseconds, if it is not over by then. */
async function killedRun({ set, from, after, victim }: Kill): Promise<void> {
  const child = startRun(set);
  const over = new AbortController();
  const exit = ended(child).finally(() => over.abort());
  if (from === 'first job') {
    const [first] = tables;
    await new Promise<void>((told) => {
      let said = '';
      child.stdout?.on('data', (text: Buffer) => {
        said += text;
        if (said.includes(`${first}: `)) told();
      });
      void exit.then(() => told());
    });
  }
  await pause(after, undefined, { signal: over.signal }).catch(() => undefined);
  const python = childrenOf(child.pid);
  const java = python.flatMap(childrenOf);
  const [javaPid] = java;
  if (victim === 'Java' && javaPid !== undefined) process.kill(javaPid, 'SIGKILL');
  else child.kill('SIGKILL');
  const { status, stderr } = await exit;
  await untilGone([...python, ...java]);
  if (victim === 'Java' && javaPid !== undefined && status !== 0) {
    expect(status).toBe(1);
    expect(stderr).toContain('lake: ');
    expect(stderr).not.toMatch(/Traceback|^\s+at /m);
  }
}

withSpark(`a run on Spark killed at ${KILLS} random moments`, () => {
  const wanted = {} as Record<SetName, Contents>;
  const found = { 'before it published': 0, 'between two jobs': 0, 'after all': 0 };
  let took = 0;

  beforeAll(async () => {
    await writeSample(SETS.a, { customers: 20, seed: 1, dirty: 0 });
    await writeSample(SETS.b, { customers: 24, seed: 2, dirty: 0.02 });
    for (const set of ['a', 'b'] as const) {
      await writeOtherSources(SETS[set], pipeline.sources);
      const child = startRun(set);
      const started = performance.now();
      const { status, stderr } = await ended(child);
      expect([status, stderr]).toEqual([0, expect.any(String)]);
      // The first run also keeps Java's classes.
      took = performance.now() - started;
      wanted[set] = await contents();
    }
    for (const table of tables) expect(wanted.a[table]).not.toBe(wanted.b[table]);
  });

  const kills = Array.from({ length: KILLS }, (_, i) => ({
    number: i + 1,
    // Spread evenly, in no order that the victims have.
    share: (((i * 7) % KILLS) + fraction(random)) / KILLS,
    from: i % 2 === 0 ? ('start' as const) : ('first job' as const),
    victim: i % 4 === 2 ? ('Java' as const) : ('lake' as const),
  }));

  test.each(kills)('kill $number, of $victim, at $share from the $from', async ({ share, ...kill }) => {
    const before = await contents();
    // Not what the first table is of already: a run of the same would change nothing.
    const [first = ''] = tables;
    const set = before[first] === wanted.a[first] ? ('b' as const) : ('a' as const);
    // Most of a run is over when its first job is: Spark has started, and what the sources hold is read.
    await killedRun({ ...kill, set, after: share * took * (kill.from === 'first job' ? 0.2 : 1) });
    const after = await contents();
    const made = tables.filter((table) => after[table] !== before[table]);
    expect(Object.fromEntries(made.map((table) => [table, after[table]]))).toEqual(
      Object.fromEntries(made.map((table) => [table, wanted[set][table]])),
    );
    if (made.length === 0) found['before it published']++;
    else if (made.length < tables.length) found['between two jobs']++;
    else found['after all']++;
  });

  test('met runs before they published and between two jobs', () => {
    process.stderr.write(`kills on Spark: ${JSON.stringify(found)}\n`);
    expect(found['before it published']).toBeGreaterThan(0);
    expect(found['between two jobs']).toBeGreaterThan(0);
  });

  test('the next run publishes, and leaves nothing of those before', async () => {
    let goesOn = true;
    const run = ended(startRun('b')).finally(() => {
      goesOn = false;
    });
    // Whoever reads meanwhile sees each table as it was or as it will be.
    const before = await contents();
    while (goesOn) {
      const seen = await contents();
      for (const table of tables) expect([before[table], wanted.b[table]]).toContain(seen[table]);
    }
    const { status, stderr } = await run;
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    expect(await contents()).toEqual(wanted.b);
    const own = join(lake, 'spark');
    expect(existsSync(join(own, 'running'))).toBe(false);
    for (const table of tables) {
      const refs = await answer(engine, `SELECT name FROM lake.lake.${table}.refs`);
      expect([table, refs]).toEqual([table, [['main']]]);
      const snapshots = await answer(engine, `SELECT snapshot_id FROM lake.lake.${table}.snapshots`);
      expect(snapshots.length).toBeLessThanOrEqual(2);
      const listed = await answer(engine, `SELECT DISTINCT file_path FROM lake.lake.${table}.all_data_files`);
      const data = join(own, 'warehouse', 'lake', table, 'data');
      const files = namesBelow(data).filter((name) => name.endsWith('.parquet'));
      expect(files.map((name) => `file:${join(data, name)}`)).toEqual(
        listed.map(([path]) => path).toSorted(),
      );
    }
    for (const source of readdirSync(join(own, 'quarantine'))) {
      expect(readdirSync(join(own, 'quarantine', source)).length).toBeLessThanOrEqual(1);
    }
  });
});
