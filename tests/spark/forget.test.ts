// A person who is forgotten on Spark is in no file of its part of the lake, and everything else is as it was.
import { createHash, createHmac } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { expectation, type Pipeline, type SourceTable, type Table } from '../../model';
import { lake as stedi } from '../../pipeline';
import { type Entity, writeSample } from '../../samples';
import { holding, textsBelow } from '../support/file-texts';
import { answer, ended, spawnLake, temporaryDir } from '../support/lake';
import { childrenOf, untilGone } from '../support/processes';
import { differences, NONE, type TextRows } from '../support/rows';
import { Spark, withSpark } from '../support/spark';

jest.setTimeout(900_000);

const dir = temporaryDir('spark-forget');
const session = new Spark(dir);
afterAll(() => session.stop());
const [lake, data] = [join(dir, 'lake'), join(dir, 'data')];
const engine = session.engineOf(lake);
const own = join(lake, 'spark');

// Most lines of so little data are bad.
const sources = new Map(stedi.sources.map((source) => [source.name, { ...source, maxQuarantinedShare: 1 }]));
const asHere = (table: Table) => sources.get(table.name) ?? table;
const pipeline: Pipeline = {
  ...stedi,
  sources: [...sources.values()] as readonly SourceTable[],
  tables: new Map([...stedi.tables].map(([name, table]) => [name, asHere(table)])),
  jobs: stedi.jobs.map((job) => ({ ...job, inputs: job.inputs.map(asHere) })),
};

// --- Somebody of whom everything is known ---

const SPELLINGS = ['Cana.Ry@Example.org', 'cana.ry@example.org', 'CANA.RY@example.org '];
const [SUBJECT = ''] = SPELLINGS;
const NAME = 'Wilhelmina Quux-Canary';
const PHONE = '+99 1234 987654321';
// The first in any order, and so a bound of its file that Iceberg writes down.
const DEVICE = '00000000-dead-4bee-8bad-0000cafe0001';
const AT = Date.UTC(2023, 4, 2, 10);

const customer = (email: string, serialNumber: string, more: object = {}) =>
  JSON.stringify({
    customerName: NAME,
    email,
    phone: PHONE,
    birthDay: '1970-01-31',
    serialNumber,
    registrationDate: AT - 1000,
    lastUpdateDate: AT,
    shareWithResearchAsOfDate: AT,
    ...more,
  });
const reading = (user: string, i: number) =>
  JSON.stringify({ user, timestamp: AT + 1000 * i, x: 0.5, y: 0, z: -0.5 });
const step = (serialNumber: string, i: number) =>
  JSON.stringify({ sensorReadingTime: AT + 1000 * i, serialNumber, distanceFromObject: 100 + i });

const SOMEBODY = 'else@example.org';
const somebody = (serialNumber: string, more: object = {}) =>
  customer(SOMEBODY, serialNumber, { customerName: 'Somebody Else', phone: '+1', ...more });
/** Whose lines stay, as bad as they are. */
const STAY: Readonly<Record<Entity, readonly string[]>> = {
  customer: [somebody('x', { birthDay: 'never' }), '{"note":"nobody'],
  accelerometer: [`{"user":"${SOMEBODY}","x":"much"}`],
  step_trainer: [`{"serialNumber":"1${DEVICE.slice(1)}","distanceFromObject":-1}`],
};
const linesOf = (shared: string): Readonly<Record<Entity, { good: string[]; bad: string[] }>> => ({
  customer: {
    good: [customer(SUBJECT, DEVICE), customer('cana.ry@example.org', shared)],
    bad: [
      customer(SUBJECT, DEVICE, { birthDay: '1970-02-31' }),
      customer(SUBJECT, DEVICE).slice(0, -40),
      JSON.stringify([customer(SUBJECT, DEVICE)]),
      `{"customerName":"${NAME}","email":null}`,
      `${NAME};${SUBJECT};${PHONE}`,
    ],
  },
  accelerometer: {
    good: SPELLINGS.flatMap((user) => [0, 1, 2, 3].map((i) => reading(user, i))),
    bad: [reading(SUBJECT, 1).replace('0.5', '99'), `{"x":1,"user":"cana\\u002ery@example.org"`],
  },
  step_trainer: {
    good: [...[0, 1, 2].map((i) => step(DEVICE, i)), step(DEVICE.toUpperCase(), 3)],
    bad: [`{"serialNumber":"${DEVICE}"}`, `{"distanceFromObject":1,"serialNumber":"${DEVICE}`],
  },
});

const landing = (entity: Entity, name: string) => join(data, entity, 'landing', name);
const isTheirs = (value: string | null | undefined) =>
  value?.trim().toLowerCase() === SUBJECT.toLowerCase() || value?.toLowerCase() === DEVICE;

function pseudonyms(): string[] {
  const key = Buffer.from(readFileSync(join(lake, 'pseudonym.key'), 'utf8').trim(), 'hex');
  // Tables have the pseudonym of the normal form.
  return [SUBJECT.toLowerCase(), ...SPELLINGS, DEVICE, DEVICE.toUpperCase()].map((value) =>
    createHmac('sha256', key).update(value).digest('hex'),
  );
}
/** Their beginnings: of texts Iceberg keeps 16 characters as bounds, the last of which may be another. */
const values = () =>
  [SUBJECT, SUBJECT.toLowerCase(), NAME, PHONE, DEVICE, ...pseudonyms()].map((value) => value.slice(0, 15));

const tables = [...pipeline.tables.values()];
const derived = pipeline.jobs.map(({ name }) => name);
const quarantines = pipeline.sources.map(({ name }) => `${name}_quarantine`);

async function contents(): Promise<ReadonlyMap<string, TextRows>> {
  const rows = new Map<string, TextRows>();
  for (const { name, columns } of tables) {
    rows.set(name, await answer(engine, `SELECT ${Object.keys(columns)} FROM ${name}`));
  }
  for (const name of quarantines) {
    rows.set(name, await answer(engine, `SELECT file, line, reason, detail, raw FROM ${name}`));
  }
  return rows;
}

const snapshots = async () => {
  const counts = derived.map((table) => `SELECT '${table}', COUNT(*) FROM lake.lake.${table}.snapshots`);
  return Object.fromEntries(await answer(engine, counts.join(' UNION ALL ')));
};
const refs = async () => {
  const names = derived.map((table) => `SELECT DISTINCT name FROM lake.lake.${table}.refs`);
  return (await answer(engine, names.join(' UNION '))).flat().toSorted();
};

/** Fails where a job has made its table. */
const failing = (table: string, change: object = {}): Pipeline => ({
  ...pipeline,
  jobs: pipeline.jobs.map((job) => {
    if (job.name !== table) return job;
    const never = expectation({
      name: 'never',
      severity: 'fail',
      description: 'It is not.',
      columns: [],
      sql: (of) => `SELECT t.* FROM ${of} t`,
    });
    return { ...job, output: { ...job.output, ...change, expectations: [never] } };
  }),
});

const fingerprint = async () => {
  const texts = await textsBelow(lake);
  return [...texts].map(([name, text]) => [name, createHash('sha256').update(text).digest('hex')]);
};

const forget = (dryRun = false) => {
  const key = Buffer.from(readFileSync(join(lake, 'pseudonym.key'), 'utf8').trim(), 'hex');
  return engine.forget(pipeline, { subject: ` ${SUBJECT.toUpperCase()}`, dryRun, key });
};

/** Forgets them in processes of their own, one of which is killed as soon as it may be. */
async function killed(victim: 'lake' | 'Java', when: () => boolean) {
  const child = spawnLake(['forget', '--subject', SUBJECT, '--lake', lake]);
  const end = ended(child);
  const until = performance.now() + 120_000;
  let java: number[] = [];
  let python: number[] = [];
  while (java.length === 0 || !when()) {
    if (performance.now() > until || child.exitCode !== null) throw new Error('it was never to be killed');
    python = childrenOf(child.pid);
    java = python.flatMap(childrenOf);
    await pause(20);
  }
  process.kill(victim === 'lake' ? (child.pid as number) : (java[0] as number), 'SIGKILL');
  const ran = await end;
  await untilGone([...python, ...java]);
  return ran;
}

withSpark('a person is forgotten on Spark', () => {
  let before: ReadonlyMap<string, TextRows>;
  let shared = '';
  let lines: ReturnType<typeof linesOf>;

  beforeAll(async () => {
    await writeSample(data, { customers: 12, seed: 7, dirty: 0.02 });
    writeFileSync(landing('customer', 'other.json'), `${somebody('device of two')}\n`);
    shared = 'device of two';
    lines = linesOf(shared);
    for (const entity of ['customer', 'accelerometer', 'step_trainer'] as const) {
      const { good, bad } = lines[entity];
      const [some, more] = [
        [...good.slice(1), ...STAY[entity]],
        [...bad, ...good.slice(0, 1)],
      ];
      writeFileSync(landing(entity, 'mixed.json'), some.join('\n'));
      writeFileSync(landing(entity, 'theirs.json.gz'), gzipSync(`${more.join('\r\n')}\r\n`));
    }
    // Readings of the shared device, which belong to nobody who could be told.
    writeFileSync(landing('step_trainer', 'shared.json'), [5, 6].map((i) => step(shared, i)).join('\n'));
    writeFileSync(landing('accelerometer', 'other.json'), reading(SOMEBODY, 5));
    expect((await engine.run(pipeline, { data })).failures).toEqual([]);
    before = await contents();
    const curated = await engine.run(failing('customers_curated'), {});
    expect(curated.summary.outcome).toBe('failed');
    const moved = await engine.run(failing('accelerometer_trusted', { partitionBy: [] }), {});
    expect(moved.summary.outcome).toBe('failed');
    // What a Spark that was killed had spilled.
    mkdirSync(join(own, 'tmp', 'killed', 'blockmgr-1'), { recursive: true });
    writeFileSync(join(own, 'tmp', 'killed', 'blockmgr-1', 'shuffle_0_0_0.data'), customer(SUBJECT, DEVICE));
  });

  test('Spark spills into a folder of its own that only its user may enter', () => {
    const scratch = join(dir, 'spark-tmp');
    const [process = '', ...others] = readdirSync(scratch);
    expect(others).toEqual([]);
    expect(statSync(join(scratch, process)).mode & 0o777).toBe(0o700);
    const below = readdirSync(join(scratch, process), { recursive: true }).map(String);
    expect(below.some((name) => /blockmgr-[^/]*$/.test(name))).toBe(true);
    expect(below.some((name) => /(?:^|\/)pyspark-[^/]*$/.test(name))).toBe(true);
  });

  test('they are everywhere before', async () => {
    const found = holding(await textsBelow(own), values());
    const has = (part: RegExp) => expect(found.filter((name) => part.test(name))).not.toEqual([]);
    for (const table of derived) {
      has(RegExp(`^warehouse/lake/${table}/data/.*parquet$`));
      // Of pseudonyms nobody knows which is a bound.
      if (table !== 'machine_learning_curated') has(RegExp(`^warehouse/lake/${table}/metadata/.*avro$`));
    }
    for (const { name } of pipeline.sources) has(RegExp(`^quarantine/${name}/.*json$`));
    has(/accelerometer_trusted__next/);
    has(/^tmp\/killed\//);
    expect(await refs()).toEqual(['audit', 'main']);
    expect(before.get('machine_learning_curated')?.flat()).toEqual(
      expect.arrayContaining(pseudonyms().slice(0, 1)),
    );
  });

  let dry: Awaited<ReturnType<typeof forget>>;
  test('a dry run tells what it would do, and does nothing', async () => {
    const files = await fingerprint();
    dry = await forget(true);
    expect(dry.found).toBe(true);
    expect(await fingerprint()).toEqual(files);
    expect(existsSync(join(lake, 'suppressed.json'))).toBe(false);
  });

  test('afterwards no file has anything of theirs, and all else is as it was', async () => {
    const part = await forget();
    expect(part.places).toEqual(dry.places);
    expect(part).toMatchObject({ found: true, unread: [], sharedDevices: dry.sharedDevices });
    expect(part.oldVersions).toBeGreaterThanOrEqual(dry.oldVersions);
    expect(JSON.stringify(part).toLowerCase()).not.toContain(SUBJECT.toLowerCase());
    expect(holding(await textsBelow(own), values())).toEqual([]);
    expect(holding(await textsBelow(lake), values())).toEqual([]);
    expect(readdirSync(join(own, 'tmp'))).toEqual([]);

    const after = await contents();
    const hidden = pseudonyms();
    const stays = (row: readonly (string | null)[]) =>
      !row.some((value) => isTheirs(value) || hidden.includes(value ?? ''));
    const bad = Object.values(lines).flatMap((source) => source.bad);
    const removed: Record<string, number> = {};
    for (const [name, rows] of before) {
      const isRefused = quarantines.includes(name);
      const kept = rows.filter((row) =>
        isRefused ? !bad.includes(row.at(-1)?.trimEnd() ?? '') : stays(row),
      );
      expect([name, differences(after.get(name) ?? [], kept)]).toEqual([name, NONE]);
      const isSource = pipeline.sources.some((source) => source.name === name);
      if (!isSource) removed[name.replace(/_quarantine$/, '')] = rows.length - kept.length;
    }
    expect(Object.fromEntries(part.places.map((place) => [place.table, place.removed]))).toEqual(removed);
    expect(Object.values(removed).every((count) => count > 0)).toBe(true);
    // One device of two, and the readings of it that count.
    const left = (before.get('step_trainer_trusted') ?? []).filter((row) => row.includes(shared)).length;
    expect(part.sharedDevices).toEqual({ devices: 1, rows: left });
    expect(left).toBeGreaterThan(0);
    expect(await snapshots()).toEqual(Object.fromEntries(derived.map((table) => [table, '1'])));
    expect(await refs()).toEqual(['main']);
    expect(existsSync(join(own, 'warehouse', 'lake', 'accelerometer_trusted__next'))).toBe(false);
    for (const { table, rows, runId } of await engine.tables()) {
      expect([table, rows]).toEqual([table, after.get(table)?.length]);
      expect(runId).toMatch(/^\d{8}T\d{9}Z-/);
    }
  });

  test('a second call finds nothing left', async () => {
    const files = await fingerprint();
    const again = await forget();
    expect(again).toMatchObject({ places: [], oldVersions: 0, unread: [], found: false });
    expect(await fingerprint()).toEqual(files);
  });

  test('a run on the same files does not bring them back', async () => {
    const after = await contents();
    const { summary, failures } = await engine.run(pipeline, { data });
    expect(failures).toEqual([]);
    for (const { name, entity } of pipeline.sources) {
      const { good, bad } = lines[entity as Entity];
      const counted = summary.tables.find(({ table }) => table === name);
      expect([name, counted?.filtered]).toEqual([name, good.length + bad.length]);
      expect(counted?.read).toBe(
        (counted?.written ?? 0) + (counted?.quarantined ?? 0) + (counted?.filtered ?? 0),
      );
    }
    const now = await contents();
    for (const [name, rows] of after) {
      expect([name, differences(now.get(name) ?? [], rows)]).toEqual([name, NONE]);
    }
    expect(holding(await textsBelow(own), values())).toEqual([]);
    expect(await forget()).toMatchObject({ places: [], found: false });
  });

  test('who has their device later keeps their records, and not its readings', async () => {
    const before = await contents();
    const later = 'later@example.org';
    const bad = customer(later, DEVICE, { birthDay: 'never' });
    const good = customer(later, DEVICE.toUpperCase(), { customerName: 'Later', phone: '+1' });
    writeFileSync(landing('customer', 'later.json'), `${good}\n${bad}\n`);
    expect((await engine.run(pipeline, { data })).failures).toEqual([]);
    const kept = async () => {
      const now = await contents();
      return Object.fromEntries(
        [...now].map(([name, rows]) => [name, differences(rows, before.get(name) ?? []).unexpected.length]),
      );
    };
    const whole = { customer_landing: 1, customer_trusted: 1, customer_landing_quarantine: 1 };
    expect(await kept()).toMatchObject({ ...whole, step_trainer_landing: 0, step_trainer_trusted: 0 });
    // Nor do they lose them to the next call.
    const again = await forget();
    // The device of two; this one has no readings that could stay.
    expect(again).toMatchObject({ places: [], sharedDevices: { devices: 1 } });
    expect(await kept()).toMatchObject(whole);
  });

  test('whoever is killed while they forget is called again, and does the rest', async () => {
    for (const file of [landing('customer', 'later.json'), join(lake, 'suppressed.json')]) {
      rmSync(file, { force: true });
    }
    expect((await engine.run(pipeline, { data })).failures).toEqual([]);
    expect(holding(await textsBelow(own), values())).not.toEqual([]);
    const whole = await contents();
    // In the order in which they are cleaned; those before one that changes are clean.
    const [, second = '', , fourth = ''] = derived.toReversed();
    const changed = (table: string) => {
      const metadata = join(own, 'warehouse', 'lake', table, 'metadata');
      const before = readdirSync(metadata).join();
      return () => readdirSync(metadata).join() !== before;
    };
    const touched = async () => {
      const now = await contents();
      return derived.toReversed().filter((name) => now.get(name)?.length !== whole.get(name)?.length);
    };
    const moments = [
      { victim: 'Java', when: changed(second) },
      { victim: 'lake', when: changed(fourth) },
    ] as const;
    const left: number[] = [];
    for (const { victim, when } of moments) {
      const { status, stderr } = await killed(victim, when);
      expect([victim, status]).toEqual([victim, victim === 'lake' ? null : 1]);
      expect(stderr).not.toMatch(/Traceback|^\s+at /m);
      expect(stderr.toLowerCase()).not.toContain(SUBJECT.toLowerCase());
      expect(existsSync(join(lake, 'suppressed.json.pending'))).toBe(true);
      left.push((await touched()).length);
    }
    process.stderr.write(`tables without the person when it was killed: ${left}\n`);
    expect(left[0]).toBeGreaterThan(0);
    expect(left[1]).toBeGreaterThan(left[0] as number);
    expect(left[1]).toBeLessThan(derived.length);
    expect(holding(await textsBelow(own), values())).not.toEqual([]);

    expect(await forget()).toMatchObject({ found: true, unread: [] });
    expect(holding(await textsBelow(own), values())).toEqual([]);
    const bad = Object.values(lines).flatMap((source) => source.bad);
    const hidden = pseudonyms();
    for (const [name, rows] of await contents()) {
      const others = (whole.get(name) ?? []).filter((row) =>
        quarantines.includes(name)
          ? !bad.includes(row.at(-1)?.trimEnd() ?? '')
          : !row.some((value) => isTheirs(value) || hidden.includes(value ?? '')),
      );
      expect([name, differences(rows, others)]).toEqual([name, NONE]);
    }
  });

  test('a damaged list stops a run', async () => {
    const file = join(lake, 'suppressed.json');
    const whole = readFileSync(file);
    writeFileSync(file, whole.subarray(0, 100));
    const { failures } = await engine.run(pipeline, { data });
    expect(failures).toEqual([
      expect.stringContaining(`${file} is no list of who was forgotten; restore it`),
    ]);
    await expect(forget()).rejects.toThrow('is no list of who was forgotten');
    writeFileSync(file, whole);
  });
});
