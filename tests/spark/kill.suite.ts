// A run on Spark that is killed leaves each table as it was or as the run makes it, and nothing for long.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { TableSummary } from '../../engines/engine';
import { lake as pipeline } from '../../pipeline';
import { fraction, randomStreams } from '../../samples/random';
import { writeSample } from '../../samples/stedi';
import {
  answer,
  ended,
  hasTerminal,
  namesBelow,
  spawnLake,
  spawnLakeOnTerminal,
  temporaryDir,
} from '../support/lake';
import { writeOtherSources } from '../support/other-sources';
import { childrenOf, untilGone } from '../support/processes';
import { soak } from '../support/soak';
import { withSpark } from '../support/spark';
import { session } from './session';

/** At random moments, beside those at chosen ones. */
const KILLS = soak(4) - 4;

const dir = temporaryDir('spark-kill');
const random = randomStreams(20261125).next().value;

const lake = join(dir, 'lake');
const engine = session.engineOf(lake);
const tables = pipeline.jobs.map(({ name }) => name);

/** Two data sets, told apart by every table; the second also has refused lines. */
const SETS = { a: join(dir, 'data-a'), b: join(dir, 'data-b') };
type SetName = keyof typeof SETS;
type Contents = Readonly<Record<string, string>>;

const argumentsOf = (set: SetName) => ['run', '--engine', 'spark', '--data', SETS[set], '--lake', lake];

/** Count and checksum of each table. */
async function contents(): Promise<Contents> {
  const parts = tables.map((table) => {
    const { columns } = pipeline.tables.get(table) ?? { columns: {} };
    return `SELECT '${table}', COUNT(*), SUM(CAST(xxhash64(${Object.keys(columns)}) AS DECIMAL(38, 0))) FROM ${table}`;
  });
  const rows = await answer(engine, parts.join(' UNION ALL '));
  return Object.fromEntries(rows.map(([table, ...state]) => [table, state.join(' ')]));
}

/** When it is killed: as its first job writes or ends, or so many milliseconds after. */
interface Kill {
  readonly set: SetName;
  readonly at: 'its first file' | 'the end of its first job';
  readonly after?: number;
  readonly victim: 'lake' | 'Java';
}

/** Starts a run, and kills `lake` or its Java if it is not over by then. */
async function killedRun({ set, at, after = 0, victim }: Kill): Promise<void> {
  const [first] = tables;
  const written = () => namesBelow(join(lake, 'spark', 'warehouse', 'lake', `${first}`, 'data')).join();
  const before = written();
  const child = spawnLake(argumentsOf(set));
  let said = '';
  child.stdout?.on('data', (text: Buffer) => {
    said += text;
  });
  const over = new AbortController();
  const exit = ended(child).finally(() => over.abort());
  const python = () => childrenOf(child.pid);
  const java = () => python().flatMap(childrenOf);
  const isThere = () => (at === 'its first file' ? written() !== before : said.includes(`${first}: `));
  while (!isThere() && !over.signal.aborted) await pause(20);
  await pause(after, undefined, { signal: over.signal }).catch(() => undefined);
  const started = [...python(), ...java()];
  const [javaPid] = java();
  if (victim === 'Java' && javaPid !== undefined) process.kill(javaPid, 'SIGKILL');
  else child.kill('SIGKILL');
  const { status, stderr } = await exit;
  await untilGone(started);
  if (victim === 'Java' && javaPid !== undefined && status !== 0) {
    expect(status).toBe(1);
    expect(stderr).toContain('lake: ');
    expect(stderr).not.toMatch(/Traceback|^\s+at /m);
  }
}

withSpark('a run on Spark that is killed', () => {
  const wanted = {} as Record<SetName, Contents>;
  let took = 0;

  beforeAll(async () => {
    await writeSample(SETS.a, { customers: 20, seed: 1, dirty: 0 });
    await writeSample(SETS.b, { customers: 24, seed: 2, dirty: 0.02 });
    for (const set of ['a', 'b'] as const) {
      await writeOtherSources(SETS[set], pipeline.sources);
      const started = performance.now();
      expect((await engine.run(pipeline, { data: SETS[set] })).failures).toEqual([]);
      took = performance.now() - started;
      wanted[set] = await contents();
    }
    for (const table of tables) expect(wanted.a[table]).not.toBe(wanted.b[table]);
  });

  /** What a killed run of the set that is not there made whole. */
  async function madeBy(kill: Omit<Kill, 'set'>): Promise<readonly string[]> {
    const before = await contents();
    // Not what the first table is of already: a run of the same would change nothing.
    const [first = ''] = tables;
    const set = before[first] === wanted.a[first] ? ('b' as const) : ('a' as const);
    await killedRun({ ...kill, set });
    const after = await contents();
    const made = tables.filter((table) => after[table] !== before[table]);
    for (const table of made) expect([table, after[table]]).toEqual([table, wanted[set][table]]);
    return made;
  }

  test.each([
    { at: 'its first file', victim: 'Java' },
    { at: 'the end of its first job', victim: 'lake' },
  ] as const)('at $at, with $victim, leaves later tables as they were', async (kill) => {
    const made = await madeBy(kill);
    expect(made.length).toBeLessThan(tables.length);
    if (kill.victim === 'lake') expect(made).toContain(tables[0]);
  });

  if (KILLS > 0)
    test(`at ${KILLS} random moments`, async () => {
      for (let i = 0; i < KILLS; i++) {
        // Spread evenly, in no order that the victims have.
        const after = ((((i * 7) % KILLS) + fraction(random)) / KILLS) * took;
        const at = i % 2 === 0 ? 'its first file' : 'the end of its first job';
        await madeBy({ at, after, victim: i % 4 === 2 ? 'Java' : 'lake' });
      }
    });

  (hasTerminal ? test : test.skip)(
    'the next run says on a terminal what one waits for, and readers see each table as it was or will be',
    async () => {
      const bad = join(SETS.b, 'accelerometer', 'landing', 'bad.json');
      await writeFile(bad, '{bad\n'.repeat(5000));
      const FAILS = 'accelerometer_landing';
      const before = await contents();
      const child = spawnLakeOnTerminal(argumentsOf('b').concat('--full'));
      let [said, goesOn] = ['', true];
      child.stdout?.on('data', (text: Buffer) => {
        said += text;
      });
      const run = ended(child).finally(() => {
        goesOn = false;
      });
      while (goesOn && !said.includes('Spark has started')) await pause(20);
      const seen: Contents[] = [];
      while (goesOn) seen.push(await contents());
      const { status, stdout } = await run;
      await rm(bad);
      const after: Contents = { ...before, customer_trusted: `${wanted.b.customer_trusted}` };
      expect(await contents()).toEqual(after);
      expect(seen.length).toBeGreaterThan(1);
      for (const one of seen)
        for (const table of tables) expect([before[table], after[table]]).toContain(one[table]);

      expect(status).toBe(1);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are steered by them
      const shown = stdout.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, '');
      const begins = shown.indexOf('Spark has started');
      const [starting, running] = [shown.slice(0, begins), shown.slice(begins)];
      const spins = (name: string) => new RegExp(`[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏] ${name}\\b`);
      // Until Spark is there no table is in the making; then the job is, with its source, and no other one.
      expect(starting).toMatch(spins('Spark starts'));
      expect(starting).not.toMatch(spins('customer_landing'));
      const first = running.split('✔ customer_landing')[0] as string;
      for (const name of ['customer_landing', 'customer_trusted']) expect(first).toMatch(spins(name));
      expect(first).not.toMatch(spins(FAILS));
      expect(shown).toContain(`✖ ${FAILS}: failed`);
      expect(shown.replaceAll(/\s+/g, ' ')).toContain(
        'Published anew: customer_landing, customer_trusted. All else stays as it is.',
      );
      // Nothing that Spark spilled stays, nor what those spilled that were killed.
      expect(existsSync(join(lake, 'spark', 'tmp'))).toBe(false);
      const newest =
        readdirSync(join(lake, 'spark', 'runs'))
          .toSorted()
          .at(-1) ?? '';
      const { seconds, tables: told } = JSON.parse(readFileSync(join(lake, 'spark', 'runs', newest), 'utf8'));
      // What was waited: more than the engine counts, which began later.
      expect(Number(/ failed in (\d+\.\d+) s/.exec(stdout)?.[1])).toBeGreaterThan(seconds);
      // A source is read while its job runs.
      const tookOf = (name: string) =>
        (told as TableSummary[]).find(({ table }) => table === name)?.seconds ?? 0;
      expect(tookOf('customer_landing')).toBeGreaterThan(tookOf('customer_trusted') / 10);
    },
  );

  test('the next good run publishes, and leaves nothing of those before', async () => {
    expect((await engine.run(pipeline, { data: SETS.b })).failures).toEqual([]);
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
