// A person who is forgotten on Spark is in no file of its part of the lake, and everything else is as it would be without.
import { createHash, createHmac } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Store } from '../../engines/store';
import {
  type Columns,
  expectation,
  type Pipeline,
  QUARANTINE,
  type SourceTable,
  type Table,
} from '../../model';
import { lake as stedi } from '../../pipeline';
import { ENTITIES, type Entity } from '../../samples/stedi';
import { sparkRows } from '../support/engines-agree';
import { holding, textsBelow } from '../support/file-texts';
import { answer, ended, engineOf, spawnLake, temporaryDir, writeLanding } from '../support/lake';
import { listOf } from '../support/listed';
import { apart, world as generated, linesOf, type World } from '../support/people';
import { childrenOf, untilGone } from '../support/processes';
import { differences, NONE, type TextRows } from '../support/rows';
import { withSpark } from '../support/spark';
import { scratch, session } from './session';

const dir = temporaryDir('spark-forget');
const lake = join(dir, 'lake');
const own = join(lake, 'spark');
const time = new Date();

// Most lines of so little data are bad.
const sources = new Map(stedi.sources.map((source) => [source.name, { ...source, maxQuarantinedShare: 1 }]));
const asHere = (table: Table) => sources.get(table.name) ?? table;
const pipeline: Pipeline = {
  ...stedi,
  sources: [...sources.values()] as readonly SourceTable[],
  tables: new Map([...stedi.tables].map(([name, table]) => [name, asHere(table)])),
  jobs: stedi.jobs.map((job) => ({ ...job, inputs: job.inputs.map(asHere) })),
};
const derived = pipeline.jobs.map(({ name }) => name);

// --- People who share devices, names and numbers ---

const [ANN, BEA, CY] = ['Ann.One@Example.com', 'bea.two@example.com', 'cy.three@example.com'] as const;
const DEVICE = '00000000-dead-4bee-8bad-0000cafe0001';
const SHARED = 'Shared-Device-0002';
const PHONE = '+99 1234 987654321';
const world: World = {
  people: [
    {
      email: ANN,
      spelled: [ANN, ` ${ANN.toUpperCase()}\t`],
      customerName: 'serialNumber',
      phone: PHONE,
      devices: [DEVICE, SHARED],
      agrees: true,
      moved: [0, 1, 2],
    },
    {
      email: BEA,
      spelled: [BEA],
      customerName: 'Bad',
      phone: '10',
      devices: [SHARED.toUpperCase(), 'bea-device-0003'],
      agrees: true,
      moved: [1, 3, 4],
    },
    {
      email: CY,
      spelled: [CY],
      customerName: 'Bad',
      phone: '10',
      devices: ['cy-device-4'],
      agrees: true,
      moved: [5],
    },
  ],
  steps: [DEVICE, SHARED, SHARED.toLowerCase(), 'bea-device-0003', 'cy-device-4'].flatMap((device) =>
    [0, 1, 2, 3, 4, 5].map((at) => ({ device, at })),
  ),
};

/** Generated ones beside it, each with somebody who is forgotten too: by one run of Spark, as it takes so long. */
const seed = Date.now();
const others = fc
  .sample(generated, { numRuns: 12, seed })
  .map((one, i) => apart(one, `w${i}`))
  .map((one, i) => ({ ...one, forgotten: one.people[i % one.people.length]?.email as string }));

const encoded = (email: string) => [
  `user=${email.replace('@', '%40')}&x=1`,
  `{"user":"${email.replace('@', '&#64;')}","x":1`,
  `mailed ${email.replace('@', '=40')} twice`,
  `{"user":"${email.replace('@', '\uff20')}","x":1`,
  `{"b":"${Buffer.from(email).toString('base64')}"`,
  `{"user":"\u00a0${email}\u2003","x":1`,
  [...`{"user":"${email}","x":`].join('\0'),
  [...`{"user":"${email}","x":`].join('\0\0\0'),
];
const BAD: Readonly<Record<Entity, readonly string[]>> = {
  customer: [
    `{"customerName":"serialNumber","phone":"${PHONE}","email":null}`,
    `x;${ANN};${PHONE}`,
    ...encoded(ANN),
  ],
  accelerometer: [`{"x":1,"user":"ann\\u002eone@example.com"`, ...encoded(ANN)],
  step_trainer: [`{"serialNumber":"${DEVICE}"}`, `{"distanceFromObject":1,"serialNumber":"${DEVICE}`],
};
/** Whose lines stay, as bad as they are. */
const STAY: Readonly<Record<Entity, readonly string[]>> = {
  customer: ['{"note":"nobody', '{"serialNumber" "x"', '{"customerName":"x","phone":"10', 'serialNumber'],
  accelerometer: ['{"user":"else@example.org","x":"much"}', ...encoded('else@example.org')],
  step_trainer: [`{"serialNumber":"1${DEVICE.slice(1)}","distanceFromObject":-1}`],
};

async function land(data: string, without?: string) {
  for (const entity of ENTITIES) {
    // The first of each is of nobody.
    const more = others.flatMap((one) =>
      linesOf(one, without === undefined ? undefined : one.forgotten)[entity].slice(1),
    );
    await writeLanding(data, entity, [...linesOf(world, without)[entity], ...more, ...STAY[entity]]);
    if (without === undefined) {
      const bytes = gzipSync(BAD[entity].join('\r\n'));
      writeFileSync(join(data, entity, 'landing', 'theirs.json.gz'), bytes);
    }
  }
}

const key = () => Buffer.from(readFileSync(join(lake, 'pseudonym.key'), 'utf8').trim(), 'hex');
/** Their beginnings: of texts Iceberg keeps 16 characters as bounds, the last of which may be another. */
const valuesOf = (email: string, ...more: string[]) => {
  const pseudonyms = [email.toLowerCase(), ...more].map((value) =>
    createHmac('sha256', key()).update(value).digest('hex'),
  );
  const values = [email, email.toLowerCase(), email.toUpperCase(), ...more, ...pseudonyms];
  return [...values.map((value) => value.slice(0, 15)), ...encoded(email).slice(0, 4)];
};

const engine = session.engineOf(lake);
function contents(of = engine): Promise<ReadonlyMap<string, TextRows>> {
  const { reason, raw } = QUARANTINE;
  const refused = pipeline.sources.map(({ name }) => [`${name}_quarantine`, { reason, raw }] as const);
  const stored = Array.from(pipeline.tables, ([name, { columns }]) => [name, columns] as const);
  return sparkRows(of, new Map<string, Columns>([...stored, ...refused]));
}
const counted = async (what: string) =>
  Object.fromEntries(
    await answer(
      engine,
      derived
        .map((table) => `SELECT '${table}', COUNT(*) FROM lake.lake.${table}.${what}`)
        .join(' UNION ALL '),
    ),
  );

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

const forget = (subject: string, dryRun = false, of = pipeline) =>
  engineOf(lake).forget(of, { subject, dryRun, other: engine });

withSpark('a person is forgotten on Spark', () => {
  const data = join(dir, 'data');
  beforeAll(async () => {
    await land(data);
    expect((await engine.run(pipeline, { data, time })).failures).toEqual([]);
    // A branch that was never published, a table in place of another, and what a Spark that was killed had spilled.
    const moved = await engine.run(failing('accelerometer_trusted', { partitionBy: [] }), {
      only: ['accelerometer_trusted'],
    });
    expect(moved.summary.outcome).toBe('failed');
    expect(
      (await engine.run(failing('customers_curated'), { only: ['customers_curated'] })).summary.outcome,
    ).toBe('failed');
    mkdirSync(join(own, 'tmp', 'killed', 'blockmgr-1'), { recursive: true });
    writeFileSync(join(own, 'tmp', 'killed', 'blockmgr-1', 'shuffle_0_0_0.data'), ANN);
  });

  test('they are everywhere before, and what Spark spills is for its user only', async () => {
    const found = holding(await textsBelow(own), valuesOf(ANN, DEVICE));
    for (const table of derived) {
      expect(
        found.filter((name) => RegExp(`^warehouse/lake/${table}/data/.*parquet$`).test(name)),
      ).not.toEqual([]);
    }
    for (const part of [
      /^quarantine\/customer_landing\/.*json$/,
      /accelerometer_trusted__next/,
      /^tmp\/killed\//,
    ]) {
      expect(found.filter((name) => part.test(name))).not.toEqual([]);
    }
    for (const name of readdirSync(scratch)) expect(statSync(join(scratch, name)).mode & 0o777).toBe(0o700);
  });

  test('a dry run tells what it would do, and does nothing', async () => {
    const files = async () =>
      [...(await textsBelow(lake))].map(([name, text]) => [
        name,
        createHash('sha256').update(text).digest('hex'),
      ]);
    const before = await files();
    const receipt = await forget(ANN, true);
    expect(receipt).toMatchObject({ sharedDevices: 1, unread: [] });
    expect(receipt.remade.map(({ table }) => table)).toEqual(derived);
    expect(receipt.seconds).toBeGreaterThan(0);
    expect(await files()).toEqual(before);
  });

  test('afterwards no file has anything of theirs, and all is as if they had never been', async () => {
    const before = await contents();
    // What was begun for others is ended by it.
    const begun = listOf(key(), { person: others.map(({ forgotten }) => forgotten) });
    await new Store(lake).beginForgetting(begun, begun.entries[0]?.hash as string);
    // What others' rows break only warns.
    const receipt = await forget(` ${ANN.toUpperCase()}`, false, failing('customer_trusted'));
    expect(receipt.unread).toEqual([]);
    expect(receipt.sharedDevices).toBeGreaterThan(1);
    expect(receipt.warnings.join()).toMatch(/^customer_trusted: expectation never failed/);
    expect(JSON.stringify(receipt).toLowerCase()).not.toContain(ANN.toLowerCase());
    const plan = await engine.plan(pipeline, {});
    expect(plan.map(({ does }) => does)).toEqual(derived.map(() => 'make'));
    const gone = [...valuesOf(ANN, DEVICE, PHONE), ...others.flatMap((one) => valuesOf(one.forgotten))];
    expect(holding(await textsBelow(lake), gone)).toEqual([]);
    expect(await counted('snapshots')).toEqual(Object.fromEntries(derived.map((table) => [table, '1'])));
    expect(await counted('refs')).toEqual(Object.fromEntries(derived.map((table) => [table, '1'])));
    expect(existsSync(join(own, 'warehouse', 'lake', 'accelerometer_trusted__next'))).toBe(false);

    const other = join(dir, 'other');
    mkdirSync(other);
    cpSync(join(lake, 'pseudonym.key'), join(other, 'pseudonym.key'));
    await land(join(dir, 'without'), ANN);
    const never = session.engineOf(other);
    expect((await never.run(pipeline, { data: join(dir, 'without'), time })).failures).toEqual([]);
    const [after, expected] = [await contents(), await contents(never)];
    for (const [name, rows] of expected) {
      expect([name, seed, differences(after.get(name) ?? [], rows)]).toEqual([name, seed, NONE]);
    }
    const removed = derived.map((name) => (before.get(name)?.length ?? 0) - (after.get(name)?.length ?? 0));
    expect(derived.map((name) => receipt.places.find(({ table }) => table === name)?.removed)).toEqual(
      removed,
    );
    for (const { table, rows } of await engine.tables()) {
      expect([table, rows]).toEqual([table, after.get(table)?.length]);
    }
  });

  test('a lake whose runs all failed loses what they wrote and refused', async () => {
    const failed = join(dir, 'failed');
    const spark = session.engineOf(failed);
    expect((await spark.run(failing('customer_trusted'), { data, time })).summary.outcome).toBe('failed');
    const parts = new Set(
      holding(await textsBelow(failed), [ANN, PHONE]).map((name) => name.split('/').slice(0, 2).join('/')),
    );
    expect([...parts].toSorted()).toEqual(['spark/quarantine', 'spark/warehouse']);
    const { unread } = await engineOf(failed).forget(pipeline, { subject: ANN, dryRun: false, other: spark });
    expect(unread).toEqual([]);
    expect(holding(await textsBelow(failed), [ANN, PHONE])).toEqual([]);
  });

  test('one that is killed is ended by the next run, of whatever job', async () => {
    const metadata = join(own, 'warehouse', 'lake', 'accelerometer_trusted', 'metadata');
    const names = () => readdirSync(metadata).join();
    const before = names();
    const child = spawnLake(['forget', '--subject', BEA, '--lake', lake]);
    const end = ended(child);
    let started: number[] = [];
    while (names() === before && child.exitCode === null) {
      const python = childrenOf(child.pid);
      started = [...python, ...python.flatMap(childrenOf)];
      await pause(20);
    }
    child.kill('SIGKILL');
    await end;
    await untilGone(started);
    expect(existsSync(join(lake, 'suppressed.json.pending'))).toBe(true);
    expect(holding(await textsBelow(own), valuesOf(BEA))).not.toEqual([]);
    const { failures, summary } = await engine.run(pipeline, { only: ['machine_learning_curated'] });
    expect(failures).toEqual([]);
    expect(summary.tables.map(({ unchanged }) => unchanged)).toEqual([undefined]);
    expect(holding(await textsBelow(own), valuesOf(BEA, 'bea-device-0003'))).toEqual([]);
    expect(existsSync(join(lake, 'suppressed.json.pending'))).toBe(false);
    const left = (await answer(engine, 'SELECT email FROM customers_curated')).flat();
    expect(left.filter((email) => !/^.w\d+-/.test(email ?? '')).toSorted()).toEqual([
      CY,
      'nobody@example.com',
    ]);
  });
});
