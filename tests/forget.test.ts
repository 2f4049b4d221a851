import { createHmac } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { LakeError, Receipt } from '../engines/engine';
import { readList } from '../engines/suppression';
import { epochMillis, expectation, int, lakehouse, type Pipeline, type SourceTable } from '../model';
import { lake as stedi } from '../pipeline';
import { appliesTo, ENTITIES, type Entity, FAULT_KINDS, spoil, writeSample } from '../samples/stedi';
import { dieAt } from './support/die';
import { findValues } from './support/file-texts';
import {
  answer,
  ended,
  engineOf,
  JOBS,
  lake,
  namesBelow,
  shell,
  spawnLake,
  temporaryDir,
  writeLanding,
} from './support/lake';
import { hashOf } from './support/listed';
import { writeOtherSources } from './support/other-sources';
import { linesOf as linesOfWorld, world } from './support/people';
import { differences, NONE } from './support/rows';

const dir = temporaryDir('forget');
/** With every share of faulty lines a run goes on. */
const pipeline: Pipeline = {
  ...stedi,
  sources: stedi.sources.map((source) => ({ ...source, maxQuarantinedShare: 1 })),
};

const START = Date.UTC(2023, 4, 1);
const person = {
  email: 'Canary.Person@Example.com',
  customerName: 'Canary Unique-Name',
  phone: '+49 555 0987-0605',
  birthDay: '0987-06-05',
  serialNumber: 'Canary-Serial-Number-01',
};
const SPELLINGS = [person.email, 'CANARY.person@example.COM', ' canary.person@example.com\t'];

/** Record `n` of the person, by one of the spellings of the e-mail. */
function record(entity: Entity, n: number, email = person.email, of = person): string {
  const at = START + n * 1000;
  return JSON.stringify(
    {
      customer: {
        ...of,
        email,
        registrationDate: at,
        lastUpdateDate: at,
        shareWithResearchAsOfDate: at,
      },
      accelerometer: { user: email, timestamp: at, x: 0.5, y: -1, z: 1 },
      step_trainer: { sensorReadingTime: at, serialNumber: of.serialNumber, distanceFromObject: 50 },
    }[entity],
  );
}

/** Good lines of the person in several spellings, and lines with every fault there is. */
const linesOf = (entity: Entity): (string | Buffer)[] => [
  ...SPELLINGS.map((email, n) => record(entity, 100 + n, email)),
  ...Array.from({ length: 30 }, (_, n) => record(entity, n)),
  record(entity, 40).replace('@', '\\u0040'),
  ...FAULT_KINDS.filter((kind) => appliesTo(kind, entity)).map((kind) =>
    spoil(record(entity, 50), kind, entity),
  ),
];

function addLines(
  data: string,
  entity: Entity,
  lines: readonly (string | Buffer)[],
  name = 'zz-canary.json',
) {
  const bytes = Buffer.concat(lines.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]));
  const path = join(data, entity, 'landing', name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(bytes) : bytes);
}

const WITHOUT = join(dir, 'without');
const WITH = join(dir, 'with');
/** A lake that holds the person. Tests work on copies of it. */
const FULL = join(dir, 'full');
const KEY = () => Buffer.from(readFileSync(join(FULL, 'pseudonym.key'), 'utf8').trim(), 'hex');
const pseudonym = (value: string) => createHmac('sha256', KEY()).update(value).digest('hex');
/** All by which the person could be known. */
const values = () => [
  ...Object.values(person),
  ...SPELLINGS,
  ...[...SPELLINGS, person.email.toLowerCase(), person.serialNumber].map(pseudonym),
];

let copies = 0;
function copyOf(root: string): string {
  const copy = join(dir, `copy-${copies++}`);
  cpSync(root, copy, { recursive: true });
  return copy;
}

const forget = (root: string, subject: string = person.email, dryRun = false, of = pipeline) =>
  engineOf(root).forget(of, { subject, dryRun });

async function run(root: string, data: string, of = pipeline) {
  const { failures, summary } = await engineOf(root).run(of, { data });
  expect(failures).toEqual([]);
  return summary;
}

const NAMES = [...stedi.tables.keys()];
const QUARANTINES = stedi.sources.map(({ name }) => `${name}_quarantine`);
const sorted = (rows: (string | null)[][]) => rows.toSorted((a, b) => (String(a) < String(b) ? -1 : 1));
type Tables = Readonly<Record<string, (string | null)[][]>>;
/** The rows of tables, and of what was refused; where it stood is no matter. */
async function rowsOfLake(root: string): Promise<Tables> {
  const rows: Record<string, (string | null)[][]> = {};
  for (const name of NAMES) rows[name] = sorted(await answer(engineOf(root), `SELECT * FROM ${name}`));
  for (const name of QUARANTINES) {
    rows[name] = sorted(await answer(engineOf(root), `SELECT file, reason, detail, raw FROM ${name}`));
  }
  return rows;
}

/** The tables alone: a line that breaks off within the address is found only by who knows it. */
const tablesOf = async (root: string) =>
  JSON.stringify(Object.entries(await rowsOfLake(root)).filter(([name]) => NAMES.includes(name)));

const mentions = (row: readonly (string | null)[]) =>
  values().some((value) => JSON.stringify(row).toLowerCase().includes(value.trim().toLowerCase()));

beforeAll(async () => {
  await writeSample(WITHOUT, { customers: 25, seed: 3, dirty: 0.02 });
  await writeOtherSources(WITHOUT, stedi.sources);
  cpSync(WITHOUT, WITH, { recursive: true });
  for (const entity of ENTITIES) addLines(WITH, entity, linesOf(entity));
  await run(FULL, WITH);
});

/** Everything below a lake with its bytes; of the lock its size. */
const bytesOf = (root: string) =>
  namesBelow(root).map((name) => {
    const path = join(root, name);
    if (!statSync(path).isFile()) return [name];
    return [name, name === 'lock.duckdb' ? statSync(path).size : readFileSync(path).toString('base64')];
  });

describe('after a person is forgotten', () => {
  let root: string;
  let before: Tables;
  let dry: Receipt;
  let receipt: Receipt;
  beforeAll(async () => {
    root = copyOf(FULL);
    before = await rowsOfLake(root);
    const bytes = bytesOf(root);
    dry = await forget(root, person.email, true);
    expect(bytesOf(root)).toEqual(bytes);
    receipt = await forget(root);
  });

  test('the search finds every value where the lake holds the person, and none after', async () => {
    const found = await findValues(FULL, values());
    // Tables have the pseudonym of the normal form, and of no spelling.
    const there = values().filter((value) => !SPELLINGS.map(pseudonym).includes(value));
    expect([...new Set(found.map(({ value }) => value))].toSorted()).toEqual([...new Set(there)].toSorted());
    for (const table of NAMES) expect(found.some(({ file }) => file.includes(`/${table}/`))).toBe(true);
    for (const source of stedi.sources) {
      expect(found.some(({ file }) => file.endsWith(`/quarantine/${source.name}.parquet`))).toBe(true);
    }
    expect(await findValues(root, values())).toEqual([]);
  });

  test('the tables are as if the person had never been, and so is what was refused', async () => {
    const other = join(dir, 'never');
    mkdirSync(other);
    cpSync(join(FULL, 'pseudonym.key'), join(other, 'pseudonym.key'));
    await run(other, WITHOUT);
    const [never, after] = [await rowsOfLake(other), await rowsOfLake(root)];
    for (const name of NAMES) expect(differences(after[name] ?? [], never[name] ?? [])).toEqual(NONE);
    for (const name of QUARANTINES) {
      const { unexpected, missing } = differences(after[name] ?? [], never[name] ?? []);
      expect(missing).toEqual([]);
      // What says nothing of anyone stays: a line that is null, or a reading without its user.
      for (const row of unexpected) expect(mentions([row])).toBe(false);
    }
  });

  test('the receipt counts what went where, and a dry run said so', async () => {
    const after = await rowsOfLake(root);
    const removed = Object.fromEntries(
      [...NAMES, ...QUARANTINES].map((name) => [
        name,
        (before[name]?.length ?? 0) - (after[name]?.length ?? 0),
      ]),
    );
    const counts = ({ places }: Receipt) =>
      Object.fromEntries(
        places.map((p) => [p.kind === 'rows' ? p.table : `${p.table}_${p.kind}`, p.removed]),
      );
    expect(counts(receipt)).toEqual(removed);
    expect(counts(receipt)).toMatchObject(counts(dry));
    expect(dry.places).toHaveLength(2 * stedi.sources.length);
    expect(dry.remade.map(({ table }) => table)).toEqual(receipt.remade.map(({ table }) => table));
    expect(receipt).toMatchObject({ dryRun: false, sharedDevices: 0, unread: [], warnings: [] });
    expect(receipt.oldVersions).toBeGreaterThan(NAMES.length);
    expect(receipt.listedSince).toBeUndefined();
    expect(JSON.parse(readFileSync(join(root, 'receipts', `${receipt.id}.json`), 'utf8'))).toEqual(receipt);
    for (const { table, rows } of await engineOf(root).tables()) expect(rows).toBe(after[table]?.length);
  });

  test('the list has hashes only, and a second call says that there is nothing left', async () => {
    const entries = await readList(join(root, 'suppressed.json'));
    const kinds = {
      person: [person.email],
      device: [person.serialNumber],
      hint: [person.customerName, person.phone],
    };
    const hashes = Object.entries(kinds).flatMap(([kind, all]) =>
      all.map((v) => hashOf(KEY(), kind as 'hint', v)),
    );
    expect(entries.map(({ hash }) => hash).toSorted()).toEqual(hashes.toSorted());
    const again = await forget(root, SPELLINGS[1]);
    expect(again).toMatchObject({ places: [], unread: [], subject: receipt.subject });
    expect(Date.parse(again.listedSince as string)).toBeLessThanOrEqual(Date.parse(receipt.at));
    expect(await readList(join(root, 'suppressed.json'))).toHaveLength(4);
  });

  test('a run on the same files does not bring them back, and counts what it left out', async () => {
    const [place, after] = [copyOf(root), await rowsOfLake(root)];
    const { tables } = await run(place, WITH);
    expect(await findValues(place, values())).toEqual([]);
    const again = await rowsOfLake(place);
    for (const name of NAMES) expect(differences(again[name] ?? [], after[name] ?? [])).toEqual(NONE);
    for (const { name } of stedi.sources) {
      const source = tables.find(({ table }) => table === name);
      expect(source?.read).toBe(
        (source?.written ?? 0) + (source?.quarantined ?? 0) + (source?.filtered ?? 0),
      );
      expect(source?.written).toBe(after[name]?.length);
      expect(source?.filtered).toBeGreaterThan(0);
    }
  });
});

test('people who share devices, names and numbers: the lake is that of files without the person', async () => {
  let n = 0;
  await fc.assert(
    fc.asyncProperty(world, fc.nat({ max: 3 }), async (made, who) => {
      const at = join(dir, `world-${n++}`);
      const [root, other] = [join(at, 'lake'), join(at, 'other')];
      const email = made.people[who]?.email as string;
      const time = new Date();
      const runOn = async (lakeDir: string, without?: string) => {
        const data = `${lakeDir}-data`;
        for (const entity of ENTITIES) await writeLanding(data, entity, linesOfWorld(made, without)[entity]);
        expect((await engineOf(lakeDir).run(stedi, { data, time })).failures).toEqual([]);
      };
      await runOn(root);
      mkdirSync(other);
      cpSync(join(root, 'pseudonym.key'), join(other, 'pseudonym.key'));
      await runOn(other, email);
      await forget(root, email, false, stedi);
      const isSame = async () => {
        for (const name of NAMES) {
          const rows = (of: string) => answer(engineOf(of), `SELECT * FROM ${name}`);
          expect([name, differences(await rows(root), await rows(other))]).toEqual([name, NONE]);
        }
      };
      await isSame();
      expect(await findValues(root, [email])).toEqual([]);
      // The list says the same of files that come again.
      await engineOf(root).run(stedi, { data: `${root}-data`, time });
      await isSame();
    }),
    { numRuns: 4 },
  );
});

test('of an older lake, which does not say what was read together, the same is left', async () => {
  const [root, same] = [copyOf(FULL), copyOf(FULL)];
  const unknown = namesBelow(root).filter((name) => /landed\.json$|\.refused$/.test(name));
  expect(unknown.length).toBeGreaterThan(stedi.sources.length);
  for (const name of unknown) rmSync(join(root, name));
  const { places } = await forget(root);
  expect(places).toEqual((await forget(same)).places);
  expect(await findValues(root, values())).toEqual([]);
  expect(await rowsOfLake(root)).toEqual(await rowsOfLake(same));
  await run(root, WITH);
  expect(await findValues(root, values())).toEqual([]);
});

test('a table that is older than those it was made from loses them too', async () => {
  const root = copyOf(FULL);
  const only = stedi.jobs.map(({ name }) => name).filter((name) => name !== 'machine_learning_curated');
  expect((await engineOf(root).run(pipeline, { data: WITHOUT, only })).failures).toEqual([]);
  const { places } = await forget(root);
  expect(places).toMatchObject([{ table: 'machine_learning_curated', kind: 'rows' }]);
  expect(await findValues(root, [pseudonym(person.email.toLowerCase())])).toEqual([]);
});

test('what others break only warns, and SQL that was changed is told before', async () => {
  const root = copyOf(FULL);
  const [first, ...jobs] = stedi.jobs;
  const never = expectation({
    name: 'never',
    severity: 'fail',
    description: 'It is not.',
    columns: ['email'],
    sql: (table) => `SELECT t.email FROM ${table} t`,
  });
  const output = { ...(first as (typeof stedi.jobs)[0]).output, expectations: [never] };
  const strict = { ...stedi, jobs: [{ ...first, output }, ...jobs] } as unknown as Pipeline;
  const changed = join(dir, 'jobs');
  cpSync(JOBS, changed, { recursive: true });
  const sql = join(changed, 'customers_curated.sql');
  writeFileSync(sql, `${readFileSync(sql, 'utf8')}-- Changed.\n`);
  const told: string[] = [];
  const receipt = await engineOf(root, changed).forget(strict, {
    subject: person.email,
    dryRun: false,
    tell: (text) => {
      expect(existsSync(join(root, 'suppressed.json'))).toBe(false);
      told.push(text);
    },
  });
  expect(told).toEqual([expect.stringContaining('the SQL of customers_curated is not that of its last run')]);
  expect(receipt.warnings.join()).toMatch(/^customer_trusted: .*never/);
  expect(await findValues(root, values())).toEqual([]);
});

test('a table that cannot be made again is told, nothing changes, and the next run ends it', async () => {
  const root = copyOf(FULL);
  const broken = join(dir, 'broken');
  cpSync(JOBS, broken, { recursive: true });
  writeFileSync(join(broken, 'customers_curated.sql'), 'SELECT nothing');
  const before = await tablesOf(root);
  const failed = engineOf(root, broken).forget(pipeline, { subject: person.email, dryRun: false });
  await expect(failed).rejects.toThrow(/is on the list and is not gone yet[\s\S]*customers_curated/);
  expect(await tablesOf(root)).toEqual(before);
  await run(root, WITHOUT);
  expect(await findValues(root, values())).toEqual([]);
  expect(existsSync(join(root, 'suppressed.json.pending'))).toBe(false);
});

test('who has the device of somebody forgotten later keeps their records, and not its readings', async () => {
  const root = copyOf(FULL);
  await forget(root);
  const data = join(dir, 'later');
  cpSync(WITH, data, { recursive: true });
  const later = { ...person, email: 'later@example.org', customerName: 'Later', phone: '+1' };
  const bad = record('customer', 0, later.email, { ...later, birthDay: 'never' });
  addLines(data, 'customer', [record('customer', 0, later.email, later), bad], 'later.json');
  await run(root, data);
  const kept = async () => [
    await answer(engineOf(root), `SELECT email FROM customer_trusted WHERE email = '${later.email}'`),
    await answer(engineOf(root), "SELECT raw FROM customer_landing_quarantine WHERE raw LIKE '%later@%'"),
    await answer(
      engineOf(root),
      `FROM step_trainer_landing WHERE serialNumber ILIKE '${person.serialNumber}'`,
    ),
  ];
  expect(await kept()).toEqual([[[later.email]], [[bad]], []]);
  await forget(root);
  expect(await kept()).toEqual([[[later.email]], [[bad]], []]);
  await forget(root, later.email);
  expect(await kept()).toEqual([[], [], []]);
});

test('a device that only a later file tells of is known from then on', async () => {
  const root = copyOf(FULL);
  await forget(root);
  const data = join(dir, 'late-device');
  cpSync(WITH, data, { recursive: true });
  const late = { ...person, serialNumber: 'Canary-Serial-Number-02' };
  addLines(data, 'customer', [record('customer', 0, late.email, late)], 'late.json');
  addLines(data, 'step_trainer', [record('step_trainer', 0, '', late)], 'late.json');
  await run(root, data);
  expect(await findValues(root, [...values(), late.serialNumber])).toEqual([]);
  expect(existsSync(join(root, 'suppressed.json.pending'))).toBe(false);
  // And without the record, as whoever owns the files removes it.
  rmSync(join(data, 'customer', 'landing', 'late.json'));
  await run(root, data);
  expect(await findValues(root, [late.serialNumber])).toEqual([]);
});

test('a name, a number and an address that others write too: their lines are refused, and count', async () => {
  const data = join(dir, 'common');
  cpSync(WITHOUT, data, { recursive: true });
  const victim = {
    ...person,
    email: 'victim',
    customerName: 'serialNumber',
    phone: '10',
    serialNumber: 'Bad',
  };
  const refused = [
    ...['%40', '&#64;', '=40', '\uff20'].map((at) => `{"email":"canary.person${at}example.com","x":`),
    `{"b":"${Buffer.from(person.email).toString('base64')}"`,
    [...`{"email":"${person.email}","x":`].join('\0'),
    [...`{"email":"${person.email}","x":`].join('\0\0\0'),
  ];
  addLines(
    data,
    'customer',
    [record('customer', 0, victim.email, victim), ...refused],
    `${person.email}.json`,
  );
  addLines(data, 'accelerometer', [record('accelerometer', 0, victim.email)]);
  addLines(data, 'step_trainer', [record('step_trainer', 0, '', victim)]);
  const root = join(dir, 'common-lake');
  await run(root, data);
  const files = async () =>
    new Set((await answer(engineOf(root), 'SELECT file FROM customer_landing_quarantine')).flat());
  expect(await files()).toContain('•••');
  await forget(root, 'VICTIM');
  await forget(root);
  expect(await files()).not.toContain('•••');
  const left = (await answer(engineOf(root), 'SELECT raw FROM customer_landing_quarantine')).flat();
  expect(left.filter((raw) => refused.includes(raw as string))).toEqual([]);
  for (const [table, column] of [
    ['customer_landing', 'email'],
    ['accelerometer_landing', 'user'],
    ['step_trainer_landing', 'serialNumber'],
  ]) {
    const theirs = `SELECT 1 FROM ${table} WHERE "${column}" IN ('victim', 'Bad')`;
    expect(await answer(engineOf(root), theirs)).toEqual([]);
  }
  const broken = Array.from(
    { length: 5000 },
    (_, n) => ['serialNumber', 'Bad', '{"x":"10"', 'the victim'][n % 4] as string,
  );
  addLines(data, 'customer', broken, 'broken.json');
  const { failures, summary } = await engineOf(root).run(stedi, { data });
  expect(failures.join()).toMatch(/customer_landing: 5,\d\d\d of 5,\d\d\d records are refused/);
  const source = summary.tables.find(({ table }) => table === 'customer_landing');
  // The record and the lines of the two.
  expect(source?.filtered).toBe(1 + refused.length);
});

test('another lakehouse, whose tables join by numbers, with a source that is of nobody', async () => {
  const words = lakehouse(['raw', 'clean']);
  const sourceOf = (entity: string, columns: SourceTable['columns']) =>
    words.source({
      name: `${entity}_raw`,
      zone: 'raw',
      entity,
      description: 'Lines.',
      columns,
      maxQuarantinedShare: 1,
    });
  const id = int('Whose.', { pii: 'direct', identifies: 'person' });
  const meter = int('By which.', { pii: 'quasi', identifies: 'device' });
  const at = epochMillis('When.', { identifies: 'moment' });
  const account = sourceOf('account', { id, meter });
  const use = sourceOf('use', { meter, at, kwh: int('How much.') });
  const visit = sourceOf('visit', { id, at });
  const weather = sourceOf('weather', { day: int('When.'), sun: int('How long.') });
  const used = words.table({
    name: 'used',
    zone: 'clean',
    description: 'Whose use.',
    columns: { id, kwh: use.columns.kwh as typeof id, sun: weather.columns.sun as typeof id },
  });
  const numbers = words.pipeline(
    words.zone('raw', { description: 'Files.', tables: [account, use, visit, weather], jobs: [] }),
    words.zone('clean', {
      description: 'Rows.',
      tables: [used],
      jobs: [words.job({ output: used, inputs: [use, account, weather], description: 'Joins.' })],
    }),
  );
  const at0 = Date.UTC(2024, 0, 1);
  const lines = {
    account: [
      ...['{"id":4711001,"meter":77}', '{"id":4711001,"meter":79}', '{"id":12,"meter":78}'],
      ...['{"id":12,"meter":79}', '{"id":4711001.0,"meter":"x"}', '{"id":12,"meter":"x"}'],
    ],
    use: [77, 78, 79].flatMap((m) => [0, 1].map((t) => `{"meter":${m},"at":${at0 + t},"kwh":${m}${t}}`)),
    visit: [`{"id":4711001.0,"at":${at0 + 1}}`, `{"id":12,"at":${at0}}`],
    weather: ['{"day":1,"sun":9}', '{"id":4711001,"meter":77}', '{"id":12,"meter":78}'],
  };
  const data = join(dir, 'numbers');
  for (const [entity, of] of Object.entries(lines)) await writeLanding(data, entity as Entity, of);
  const jobs = join(dir, 'numbers-jobs');
  mkdirSync(jobs);
  writeFileSync(
    join(jobs, 'used.sql'),
    'SELECT a.id, u.kwh, w.sun FROM use_raw u JOIN account_raw a ON a.meter = u.meter, weather_raw w',
  );
  const root = join(dir, 'numbers-lake');
  const engine = engineOf(root, jobs);
  const left = async () => [
    sorted(await answer(engine, 'SELECT * FROM used')),
    sorted(await answer(engine, 'SELECT meter, kwh FROM use_raw')),
    sorted(await answer(engine, 'SELECT raw FROM account_raw_quarantine')),
    sorted(await answer(engine, 'SELECT raw FROM weather_raw_quarantine')),
  ];
  const expected = [
    ['780', '781', '790'].map((kwh) => ['12', kwh, '9']),
    ['780', '781', '790'].map((kwh) => [kwh.slice(0, 2), kwh]),
    [['{"id":12,"meter":"x"}']],
    [['{"id":12,"meter":78}']],
  ];
  expect((await engine.run(numbers, { data })).failures).toEqual([]);
  await engine.forget(numbers, { subject: '4711001', dryRun: false });
  expect(await left()).toEqual(expected);
  expect((await engine.run(numbers, { data })).failures).toEqual([]);
  expect(await left()).toEqual(expected);
});

test('what a failed run refused goes, and so do leftovers of a query that was killed', async () => {
  const root = copyOf(FULL);
  expect((await engineOf(root).run(stedi, { data: WITH })).failures.join()).toContain('records are refused');
  const spill = (name: string) => {
    mkdirSync(join(root, 'tmp', name), { recursive: true });
    writeFileSync(join(root, 'tmp', name, 'spilled'), person.email);
  };
  // Of a process that is no more, and of one that had this one's number, as in a container.
  spill('4194399-abc');
  spill(`${process.pid}-abc`);
  expect((await forget(root)).again).toBeUndefined();
  expect(await findValues(root, values())).toEqual([]);
  expect(existsSync(join(root, 'tmp'))).toBe(false);
  // Of a process that lives: it may be a query.
  spill('1-abc');
  expect((await forget(root)).again).toMatch(/a query that goes on may hold rows of before in \S+1-abc;/);
});

test('the sample loses their records; a file without them stays, and one that cannot be unpacked is told', async () => {
  const root = copyOf(FULL);
  const sample = join(root, 'sample');
  cpSync(WITHOUT, sample, { recursive: true });
  const content = (name: string) => {
    const bytes = readFileSync(join(sample, name));
    return name.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  };
  const before = new Map(
    namesBelow(sample)
      .filter((name) => statSync(join(sample, name)).isFile())
      .map((name) => [name, content(name)]),
  );
  const other = record('customer', 1, 'other@example.org', { ...person, serialNumber: 'o' });
  for (const name of ['mixed.json', 'mixed.json.gz']) {
    addLines(sample, 'customer', [...linesOf('customer'), `${other} ${other}`, 'null'], name);
  }
  const cut = join(sample, 'customer', 'landing', 'cut.json.gz');
  writeFileSync(cut, gzipSync(record('customer', 1)).subarray(0, 40));
  expect((await forget(root)).unread).toEqual([cut]);
  rmSync(cut);
  for (const [name, bytes] of before) expect(content(name).equals(bytes)).toBe(true);
  expect(await findValues(root, [person.email, person.serialNumber])).toEqual([]);
  const left = content(join('customer', 'landing', 'mixed.json.gz'))
    .toString()
    .split('\n');
  expect(left.filter((line) => line.includes('other@'))).toEqual([other, other]);
  expect(left).toContain('null');
});

describe('a forget that is cut off', () => {
  // What this process spills is taken for its own as long as it lives.
  const litterOf = (root: string) =>
    namesBelow(root).filter((name) => /\.tmp|pending|scratch|next/.test(name));
  const contentOf = tablesOf;
  let content: Readonly<Record<'before' | 'after', string>>;
  beforeAll(async () => {
    const gone = copyOf(FULL);
    await forget(gone);
    content = { before: await contentOf(FULL), after: await contentOf(gone) };
  });

  // From the list on: its mark, itself, a table, the pointer, and what goes after.
  test.each([0, 2, 4, 12, 30, 45, 60, 80])(
    'at step %i leaves all tables with the person or none, and the next command ends it',
    async (step) => {
      const root = copyOf(FULL);
      const revive = dieAt(step, (_, args) => String(args[0]).includes('pending'));
      await forget(root).catch(() => undefined);
      revive();
      const now = await contentOf(root);
      expect([content.before, content.after]).toContain(now);
      const isListed = existsSync(join(root, 'suppressed.json'));
      // Nothing goes before the list has them.
      expect(isListed || now === content.before).toBe(true);
      if (step % 4 === 0 && isListed) {
        expect((await engineOf(root).run(pipeline, { only: ['customers_curated'] })).failures).toEqual([]);
      } else await forget(root);
      expect(await contentOf(root)).toBe(content.after);
      expect(await findValues(root, values())).toEqual([]);
      expect(litterOf(root)).toEqual([]);
    },
  );

  test('by the system is told by status and ended by the forget of another', async () => {
    const root = copyOf(FULL);
    const child = spawnLake(['forget', '--subject', person.email, '--lake', root]);
    const end = ended(child);
    const watcher = watch(root, (_, name) => name === 'suppressed.json' && child.kill('SIGKILL'));
    await end;
    watcher.close();
    if (existsSync(join(root, 'suppressed.json.pending'))) {
      expect((await lake(['status', '--lake', root])).stderr).toMatch(
        /^lake: a forget that began at 20\S+ was cut off/,
      );
    }
    await forget(root, 'nobody@example.com');
    expect(await contentOf(root)).toBe(content.after);
    expect(litterOf(root)).toEqual([]);
  });

  test('two at once and one during a run: what is refused says so, and is done when it is asked again', async () => {
    const root = copyOf(FULL);
    const other = 'later@example.org';
    const [one, two] = await Promise.allSettled([forget(root), forget(root, other)]);
    expect([one.status, two.status].toSorted()).toEqual(['fulfilled', 'rejected']);
    let refused: Promise<unknown> | undefined;
    await engineOf(root).run(pipeline, { data: WITH }, () => {
      refused ??= expect(forget(root, other)).rejects.toThrow('another run is going on');
    });
    await refused;
    await forget(root);
    await forget(root, other);
    expect(await contentOf(root)).toBe(content.after);
  });
});

describe('lake forget', () => {
  test('tells what was removed and made again, and no value; files are for their owner', async () => {
    const root = join(dir, 'told');
    expect((await lake(['run', '--lake', root, '--data', WITHOUT])).status).toBe(0);
    const subject = (
      await answer(engineOf(root), 'SELECT email FROM customers_curated LIMIT 1')
    )[0]?.[0] as string;
    const none = await lake(['forget', '--subject', 'Victim', '--lake', root, '--dry-run']);
    expect(none.stdout).toMatch(
      /Nothing of this person is in[\s\S]*would be made again, in about a minute[\s\S]*Nothing was changed/,
    );
    const dry = await lake(['forget', '--subject', subject, '--lake', root, '--dry-run']);
    expect(dry.stdout).toMatch(
      /customer_landing +duckdb +rows +\d+\n[\s\S]*8 tables \([\d,]+ rows\) would be made again/,
    );
    expect(existsSync(join(root, 'suppressed.json'))).toBe(false);
    const done = await shell(`echo ' ${subject} ' | lake forget --subject - --lake ${root}`);
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(done.stdout).toContain('Files outside of the lake, which --data named, are as they were');
    const again = await lake(['forget', '--subject', subject.toUpperCase(), '--lake', root]);
    expect(again.stdout).toContain(`Nothing of this person is in ${root}. They have been forgotten since 20`);
    expect([dry, done, again].map(({ stdout }) => stdout).join()).not.toContain(subject);
    expect(await findValues(root, [subject])).toEqual([]);
    for (const name of ['', ...namesBelow(root)]) {
      const stat = statSync(join(root, name));
      expect([name, (stat.mode & 0o777).toString(8)]).toEqual([name, stat.isFile() ? '600' : '700']);
    }
  });

  test('refuses an empty subject, and a folder that is no lake', async () => {
    const empty = await lake(['forget', '--subject', ' \u00a0', '--lake', FULL]);
    expect(empty).toMatchObject({ status: 2, stdout: '' });
    const nowhere = join(dir, 'nowhere');
    const { status, stderr } = await lake(['forget', '--subject', person.email, '--lake', nowhere]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `lake: there is no lake in ${nowhere}; give --lake another folder\n`,
    });
    expect(existsSync(nowhere)).toBe(false);
  });
});

test('sources whose files are damaged or gone are named, and nothing is begun', async () => {
  for (const damage of [(file: string) => writeFileSync(file, 'PAR1'), (file: string) => rmSync(file)]) {
    const root = copyOf(FULL);
    const { tables } = JSON.parse(readFileSync(join(root, 'current.json'), 'utf8'));
    const folder = `versions/${tables.customer_landing.runId}/customer_landing/b0-read-`;
    const file = namesBelow(root).find((name) => name.startsWith(folder)) ?? '';
    damage(join(root, file));
    const before = bytesOf(root);
    for (const dryRun of [true, false])
      await expect(forget(root, person.email, dryRun)).rejects.toThrow(
        /^customer_landing cannot be read: files in .* are missing or damaged\nRestore them, or make all tables anew/,
      );
    expect(bytesOf(root)).toEqual(before);
  }
});

describe('a list that cannot be told', () => {
  test.each([
    ['is no JSON', '{"version":', /suppressed\.json is damaged/],
    ['says no version', '{"entries":[]}', /suppressed\.json is damaged/],
    ['is of a later version', '{"version":3,"entries":[]}', /is of format 3, and this version reads 2/],
    ['is gone, where people were forgotten', undefined, /suppressed\.json is gone, and .*receipts says/],
  ])('because it %s, stops runs and forgets', async (_, text, message) => {
    const root = copyOf(FULL);
    mkdirSync(join(root, 'receipts'));
    writeFileSync(join(root, 'receipts', 'x.json'), '{}');
    if (text !== undefined) writeFileSync(join(root, 'suppressed.json'), text);
    const before = bytesOf(root);
    await expect(forget(root)).rejects.toThrow(message);
    expect(bytesOf(root)).toEqual(before);
    await expect(engineOf(root).run(pipeline, { data: WITH })).rejects.toThrow(message);
    await expect(engineOf(root).run(pipeline, { only: ['customers_curated'] })).rejects.toThrow(message);
  });

  test('because its key is gone or may not be read, stops runs and forgets, in one text whoever is asked for', async () => {
    const root = copyOf(FULL);
    await forget(root);
    const key = join(root, 'pseudonym.key');
    rmSync(key);
    await expect(forget(root)).rejects.toThrow(/pseudonym\.key is gone/);
    await expect(engineOf(root).run(pipeline, { data: WITH })).rejects.toThrow(/pseudonym\.key is gone/);
    mkdirSync(key);
    const texts: string[] = [];
    for (const who of [person.email, 'nobody@example.com']) {
      texts.push(await forget(root, who, true).then(String, (error: LakeError) => error.message));
    }
    expect(new Set(texts)).toEqual(
      new Set([`${key} is the key of this lake, and you may not read it; ask who owns it`]),
    );
  });
});
