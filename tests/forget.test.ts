import { createHmac } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type ErasurePart, type ErasureRequest, LakeError, type Receipt } from '../engines/engine';
import { hashOf, readList, Suppression } from '../engines/suppression';
import type { Pipeline } from '../model';
import { lake as stedi } from '../pipeline';
import {
  appliesTo,
  ENTITIES,
  type Entity,
  FAULT_KINDS,
  spoil,
  writeOtherSources,
  writeSample,
} from '../samples';
import { findValues } from './support/bytes';
import { dieAt } from './support/die';
import { answer, ended, engineOf, lake, namesBelow, shell, spawnLake, temporaryDir } from './support/lake';
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
type Tables = Readonly<Record<string, (string | null)[][]>>;
/** The rows of tables, and of what was refused; where it stood is no matter. */
async function rowsOfLake(root: string): Promise<Tables> {
  const rows: Record<string, (string | null)[][]> = {};
  for (const name of NAMES) rows[name] = await answer(engineOf(root), `SELECT * FROM ${name}`);
  for (const name of QUARANTINES) {
    rows[name] = await answer(engineOf(root), `SELECT file, reason, detail, raw FROM ${name}`);
  }
  return rows;
}

const mentions = (row: readonly (string | null)[]) =>
  values().some((value) => JSON.stringify(row).toLowerCase().includes(value.trim().toLowerCase()));

beforeAll(async () => {
  await writeSample(WITHOUT, { customers: 25, seed: 3, dirty: 0.02 });
  await writeOtherSources(WITHOUT, stedi.sources);
  cpSync(WITHOUT, WITH, { recursive: true });
  for (const entity of ENTITIES) addLines(WITH, entity, linesOf(entity));
  await run(FULL, WITH);
});

describe('after a person is forgotten', () => {
  let root: string;
  let before: Tables;
  let receipt: Receipt;
  beforeAll(async () => {
    root = copyOf(FULL);
    before = await rowsOfLake(root);
    receipt = await forget(root);
  });

  test('the search finds every value where the lake holds the person', async () => {
    const found = await findValues(FULL, values());
    // Tables have the pseudonym of the normal form, and of no spelling.
    const there = values().filter((value) => !SPELLINGS.map(pseudonym).includes(value));
    expect([...new Set(found.map(({ value }) => value))].toSorted()).toEqual([...new Set(there)].toSorted());
    for (const table of NAMES) expect(found.some(({ file }) => file.includes(`/${table}/`))).toBe(true);
    for (const source of stedi.sources) {
      expect(found.some(({ file }) => file.endsWith(`/quarantine/${source.name}.parquet`))).toBe(true);
    }
  });

  test('no byte of the lake holds a value of theirs', async () => {
    expect(await findValues(root, values())).toEqual([]);
  });

  test('every row of others is unchanged', async () => {
    const after = await rowsOfLake(root);
    for (const [name, rows] of Object.entries(before)) {
      const others = rows.filter((row) => !mentions(row));
      const left = after[name] ?? [];
      const { unexpected, missing } = differences(left, others);
      // What says nothing of anyone stays: a line that is null, or a reading without its user.
      expect(unexpected).toEqual([]);
      // A line that breaks off within the e-mail holds no whole value, and goes.
      if (!name.endsWith('_quarantine')) expect(missing).toEqual([]);
      for (const row of missing) expect(row).toMatch(/canary/i);
      expect(differences(left, rows).unexpected).toEqual([]);
      expect(left.length).toBeLessThan(rows.length);
    }
  });

  test('the tables are as if the person had never been', async () => {
    const other = join(dir, 'never');
    mkdirSync(other);
    cpSync(join(FULL, 'pseudonym.key'), join(other, 'pseudonym.key'));
    await run(other, WITHOUT);
    const never = await rowsOfLake(other);
    const after = await rowsOfLake(root);
    for (const name of NAMES) expect(differences(after[name] ?? [], never[name] ?? [])).toEqual(NONE);
    for (const name of QUARANTINES) {
      const { unexpected, missing } = differences(after[name] ?? [], never[name] ?? []);
      expect(missing).toEqual([]);
      for (const row of unexpected) expect(mentions([row])).toBe(false);
    }
  });

  test('the receipt counts what went where, and the lake says how many rows are left', async () => {
    const after = await rowsOfLake(root);
    const removed = Object.fromEntries(
      [...NAMES, ...QUARANTINES].map((name) => [
        name,
        (before[name]?.length ?? 0) - (after[name]?.length ?? 0),
      ]),
    );
    expect(
      Object.fromEntries(
        receipt.places.map(({ table, kind, removed: n }) => [
          kind === 'rows' ? table : `${table}_${kind}`,
          n,
        ]),
      ),
    ).toEqual(removed);
    expect(receipt).toMatchObject({ dryRun: false, sharedDevices: { devices: 0, rows: 0 }, unread: [] });
    expect(receipt.oldVersions).toBeGreaterThan(NAMES.length);
    expect(receipt.listedSince).toBeUndefined();
    expect(JSON.parse(readFileSync(join(root, 'receipts', `${receipt.id}.json`), 'utf8'))).toEqual(receipt);
    for (const { table, rows } of await engineOf(root).tables()) expect(rows).toBe(after[table]?.length);
  });

  test('no table is newer or older than before', async () => {
    const runs = async (of: string) =>
      Object.fromEntries((await engineOf(of).tables()).map(({ table, runId }) => [table, runId]));
    expect(await runs(root)).toEqual(await runs(FULL));
  });

  test('the list has hashes only, by the kind of each value', async () => {
    const entries = await readList(join(root, 'suppressed.json'));
    const list = new Suppression(KEY(), entries);
    expect(list.has('person', person.email)).toBe(true);
    expect(list.has('device', person.serialNumber)).toBe(true);
    expect(list.has('hint', person.customerName)).toBe(true);
    expect(list.has('hint', person.phone)).toBe(true);
    expect(entries).toHaveLength(4);
    expect(receipt.subject).toBe(entries.find(({ kind }) => kind === 'person')?.hash);
  });

  test('a second call says that there is nothing left', async () => {
    const again = await forget(root, SPELLINGS[1]);
    expect(again).toMatchObject({ places: [], oldVersions: 0, unread: [], subject: receipt.subject });
    expect(Date.parse(again.listedSince as string)).toBeLessThanOrEqual(Date.parse(receipt.at));
    expect(await readList(join(root, 'suppressed.json'))).toHaveLength(4);
  });

  test('single jobs run on what is left', async () => {
    const copy = copyOf(root);
    const { failures } = await engineOf(copy).run(pipeline, { only: ['machine_learning_curated'] });
    expect(failures).toEqual([]);
    expect(await findValues(copy, values())).toEqual([]);
    const after = await rowsOfLake(root);
    expect(
      differences(
        (await rowsOfLake(copy)).machine_learning_curated ?? [],
        after.machine_learning_curated ?? [],
      ),
    ).toEqual(NONE);
  });

  test('a run on the same files does not bring them back, and counts what it left out', async () => {
    const after = await rowsOfLake(root);
    const { tables } = await run(root, WITH);
    expect(await findValues(root, values())).toEqual([]);
    const again = await rowsOfLake(root);
    for (const name of NAMES) expect(differences(again[name] ?? [], after[name] ?? [])).toEqual(NONE);
    const first = JSON.parse(
      readFileSync(join(FULL, 'runs', readdirSync(join(FULL, 'runs'))[0] as string), 'utf8'),
    ).tables as typeof tables;
    for (const { name } of stedi.sources) {
      const source = tables.find(({ table }) => table === name);
      expect(source?.read).toBe(first.find(({ table }) => table === name)?.read);
      expect(source?.read).toBe(
        (source?.written ?? 0) + (source?.quarantined ?? 0) + (source?.filtered ?? 0),
      );
      expect(source?.written).toBe(after[name]?.length);
      expect(source?.filtered).toBeGreaterThanOrEqual(
        receipt.places.find(({ table, kind }) => table === name && kind === 'rows')?.removed ?? 0,
      );
    }
  });
});

test('a table that is older than those it was made from is known by the spelling that is given', async () => {
  const root = copyOf(FULL);
  const only = stedi.jobs.map(({ name }) => name).filter((name) => name !== 'machine_learning_curated');
  const { failures } = await engineOf(root).run(pipeline, { data: WITHOUT, only });
  expect(failures).toEqual([]);
  const { places } = await forget(root);
  expect(places).toEqual([
    { table: 'machine_learning_curated', kind: 'rows', engine: 'duckdb', removed: expect.any(Number) },
  ]);
  expect(await findValues(root, [pseudonym(person.email)])).toEqual([]);
});

test('a source is judged by what remains', async () => {
  const data = join(dir, 'share');
  cpSync(WITHOUT, data, { recursive: true });
  rmSync(join(data, 'customer', 'landing'), { recursive: true });
  mkdirSync(join(data, 'customer', 'landing'));
  const others = Array.from({ length: 19 }, (_, n) =>
    record('customer', n, `other-${n}@example.org`, { ...person, serialNumber: `other-${n}` }),
  );
  addLines(data, 'customer', [
    ...Array.from({ length: 81 }, (_, n) => record('customer', n)),
    ...others.slice(1),
    `${others[0]}#`,
  ]);
  const root = join(dir, 'share-lake');
  // Of all lines 1 % is refused, of those that are left 5.3 %, and the limit is 5 %.
  await run(root, data, stedi);
  await forget(root);
  const { failures } = await engineOf(root).run(stedi, { data });
  expect(failures.join()).toMatch(/customer_landing: 1 of 19 records are refused, 5.3 %/);
});

/** Everything below a lake with its bytes; of the lock its size. */
const bytesOf = (root: string) =>
  namesBelow(root).map((name) => {
    const path = join(root, name);
    if (!statSync(path).isFile()) return [name];
    return [name, name === 'lock.duckdb' ? statSync(path).size : readFileSync(path).toString('base64')];
  });

test('a dry run counts the same and changes no byte', async () => {
  const root = copyOf(FULL);
  cpSync(WITH, join(root, 'sample'), { recursive: true });
  const before = bytesOf(root);
  const dry = await forget(root, person.email, true);
  expect(bytesOf(root)).toEqual(before);
  const { places, sharedDevices, oldVersions, dryRun } = await forget(root);
  expect(dry).toMatchObject({ places, sharedDevices, oldVersions, dryRun: true });
  expect(dryRun).toBe(false);
  expect(places.map(({ kind }) => kind)).toContain('files');
});

test('a device that others have too stays, and so do its readings', async () => {
  const data = join(dir, 'shared');
  cpSync(WITH, data, { recursive: true });
  const other = { ...person, email: 'other@example.org', customerName: 'Other', phone: '+1' };
  addLines(data, 'customer', [record('customer', 0, other.email, other)], 'other.json');
  // Spelled as the person's, it is the same device.
  const third = { ...other, email: 'third@example.org', serialNumber: person.serialNumber.toUpperCase() };
  addLines(data, 'customer', [record('customer', 0, third.email, third)], 'third.json');
  const root = join(dir, 'shared-lake');
  await run(root, data);
  const before = await rowsOfLake(root);
  const receipt = await forget(root);
  const after = await rowsOfLake(root);
  expect(receipt.sharedDevices).toEqual({
    devices: 1,
    rows: ['step_trainer_landing', 'step_trainer_trusted'].reduce(
      (n, name) => n + (before[name] ?? []).filter((row) => mentions(row)).length,
      0,
    ),
  });
  expect(receipt.sharedDevices.rows).toBeGreaterThan(30);
  for (const name of ['step_trainer_landing', 'step_trainer_trusted', 'step_trainer_landing_quarantine']) {
    expect(differences(after[name] ?? [], before[name] ?? [])).toEqual(NONE);
  }
  const own = values().filter(
    (value) => ![person.serialNumber, person.birthDay, pseudonym(person.serialNumber)].includes(value),
  );
  expect(await findValues(root, own)).toEqual([]);
  expect((await readList(join(root, 'suppressed.json'))).map(({ kind }) => kind).toSorted()).toEqual([
    'hint',
    'hint',
    'person',
  ]);
});

test('who has the device of somebody forgotten later keeps their records, and not its readings', async () => {
  const root = copyOf(FULL);
  await forget(root);
  const data = join(dir, 'later');
  cpSync(WITH, data, { recursive: true });
  const later = { ...person, email: 'later@example.org', customerName: 'Later', phone: '+1' };
  const good = record('customer', 0, later.email, later);
  const bad = record('customer', 0, later.email, { ...later, birthDay: 'never' });
  addLines(data, 'customer', [good, bad], 'later.json');
  const latest = record('customer', 0, 'latest@example.org', { ...later, customerName: 'Latest' });
  addLines(data, 'customer', [latest], 'latest.json');
  cpSync(data, join(root, 'sample'), { recursive: true });
  await run(root, data);
  const records =
    "SELECT email FROM customer_landing WHERE lower(serialNumber) = 'canary-serial-number-01' ORDER BY email DESC";
  const kept = async () => [
    await answer(engineOf(root), records),
    await answer(engineOf(root), records.replace('landing', 'trusted')),
    await answer(engineOf(root), "SELECT raw FROM customer_landing_quarantine WHERE raw LIKE '%later@%'"),
  ];
  const both = [[later.email], ['latest@example.org']].toSorted().toReversed();
  const whole = [both, both, [[bad]]];
  expect(await kept()).toEqual(whole);
  const readings = `SELECT 1 FROM step_trainer_landing WHERE serialNumber ILIKE '${person.serialNumber}'`;
  expect(await answer(engineOf(root), readings)).toEqual([]);
  // Nor do they lose them to the next who is forgotten, or to a second call.
  const [[other] = []] = await answer(
    engineOf(root),
    `SELECT email FROM customer_landing WHERE email <> '${later.email}' LIMIT 1`,
  );
  for (const subject of [other as string, person.email]) {
    await forget(root, subject);
    expect(await kept()).toEqual(whole);
  }
  const sample = readFileSync(join(root, 'sample', 'customer', 'landing', 'later.json'), 'utf8');
  expect(sample).toBe(`${good}\n${bad}\n`);
  const { places, sharedDevices } = await forget(root, later.email);
  expect(places.map(({ table }) => table)).toContain('customer_trusted');
  // None of its readings is there to stay.
  expect(sharedDevices).toEqual({ devices: 0, rows: 0 });
  expect(await kept()).toEqual([[['latest@example.org']], [['latest@example.org']], []]);
  expect(await findValues(root, [later.email])).toEqual([]);
});

test('a name that others have too decides about no refused line', async () => {
  const data = join(dir, 'namesake');
  cpSync(WITHOUT, data, { recursive: true });
  const namesake = { ...person, email: 'other@example.org', phone: '+1', serialNumber: 'another' };
  addLines(data, 'customer', [
    record('customer', 0),
    record('customer', 0, namesake.email, namesake),
    `{"customerName":"${person.customerName}"}`,
    `{"phone":"${person.phone}"}`,
  ]);
  const root = join(dir, 'namesake-lake');
  await run(root, data);
  await forget(root);
  const raw = (await answer(engineOf(root), 'SELECT raw FROM customer_landing_quarantine')).flat();
  expect(raw).toContain(`{"customerName":"${person.customerName}"}`);
  expect(raw).not.toContain(`{"phone":"${person.phone}"}`);
});

test('what a failed run refused loses their lines and keeps all others', async () => {
  const root = copyOf(FULL);
  const { failures } = await engineOf(root).run(stedi, { data: WITH });
  expect(failures.join()).toContain('records are refused');
  const failed = readdirSync(join(root, 'versions')).toSorted().at(-1) as string;
  expect(readdirSync(join(root, 'versions', failed))).toEqual(['quarantine']);
  const before = await rowsOfLake(root);
  const receipt = await forget(root);
  expect(await findValues(root, values())).toEqual([]);
  expect(readdirSync(join(root, 'versions', failed))).toEqual(['quarantine']);
  const after = await rowsOfLake(root);
  for (const name of QUARANTINES) {
    expect(after[name]?.length).toBeGreaterThan(0);
    expect(differences(after[name] ?? [], before[name] ?? []).unexpected).toEqual([]);
  }
  // Those of the run that published, and those of the one that failed.
  expect(receipt.places.filter(({ kind }) => kind === 'quarantine')).toHaveLength(6);
  expect((await forget(root)).places).toEqual([]);
});

test('the sample loses their lines, byte by byte the rest stays', async () => {
  const root = copyOf(FULL);
  const sample = join(root, 'sample');
  cpSync(WITHOUT, sample, { recursive: true });
  const content = (path: string) => {
    const bytes = readFileSync(path);
    return path.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  };
  const files = namesBelow(sample).filter((name) => statSync(join(sample, name)).isFile());
  const before = new Map(files.map((name) => [name, content(join(sample, name))]));
  let planted = 0;
  const LINES = { '\n': 'lf', '\r\n': 'crlf' };
  for (const entity of ENTITIES) {
    for (const [end, name] of Object.entries(LINES)) {
      for (const ending of ['.json', '.json.gz']) {
        const lines = linesOf(entity).map((line) => Buffer.from(line as string));
        const others = [Buffer.from('null'), Buffer.from(''), Buffer.from('{"x":"\\ud83d \xff"', 'latin1')];
        const of = (all: Buffer[]) =>
          Buffer.concat([Buffer.from('\ufeff'), ...all.flatMap((line) => [line, Buffer.from(end)])]);
        const path = `${entity}/landing/${name}${ending}`;
        const mixed = of([...lines, ...others, ...lines]);
        writeFileSync(join(sample, path), ending.endsWith('gz') ? gzipSync(mixed) : mixed);
        const left = lines.filter((line) => !mentions([line.toString('latin1').replaceAll('\\u0040', '@')]));
        before.set(path, of([...left, ...others, ...left]));
        planted += 2 * (lines.length - left.length);
      }
    }
  }
  const { places } = await forget(root);
  expect(await findValues(root, values())).toEqual([]);
  for (const [name, bytes] of before) {
    if (!/lf\.json/.test(name)) expect(content(join(sample, name)).equals(bytes)).toBe(true);
  }
  const removed = places.filter(({ kind }) => kind === 'files').reduce((n, place) => n + place.removed, 0);
  // Also those cut off within the e-mail, which hold no whole value.
  expect(removed).toBeGreaterThanOrEqual(planted);
  for (const entity of ENTITIES) {
    for (const [end, name] of Object.entries(LINES)) {
      for (const ending of ['.json', '.json.gz']) {
        const bytes = content(join(sample, entity, 'landing', `${name}${ending}`)).toString('latin1');
        expect(bytes.startsWith(Buffer.from('\ufeff').toString('latin1'))).toBe(true);
        expect(bytes).toContain(`null${end}${end}{"x":"\\ud83d \xff"${end}`);
      }
    }
  }
});

test('a sample that cannot be unpacked is told, and all else is forgotten', async () => {
  const root = copyOf(FULL);
  mkdirSync(join(root, 'sample', 'customer', 'landing'), { recursive: true });
  const file = join(root, 'sample', 'customer', 'landing', 'cut.json.gz');
  writeFileSync(file, gzipSync(record('customer', 1)).subarray(0, 40));
  const receipt = await forget(root);
  expect(receipt.unread).toEqual([file]);
  rmSync(file);
  expect(await findValues(root, values())).toEqual([]);
});

describe('a forget that is killed', () => {
  /** Count and checksum of all tables, read in one query. */
  async function contentOf(root: string): Promise<string> {
    const parts = NAMES.map(
      (name) => `SELECT '${name}', COUNT(*), SUM(hash(r)) FROM (SELECT COLUMNS(*) FROM ${name}) r`,
    );
    return JSON.stringify((await answer(engineOf(root), parts.join(' UNION ALL '))).toSorted());
  }
  const litterOf = (root: string) => namesBelow(root).filter((name) => /tmp|pending|scratch|next/.test(name));

  let start: string;
  let content: Readonly<Record<'before' | 'after', string>>;
  beforeAll(async () => {
    start = copyOf(FULL);
    cpSync(WITHOUT, join(start, 'sample'), { recursive: true });
    addLines(join(start, 'sample'), 'customer', linesOf('customer'), 'zz-canary.json.gz');
    await engineOf(start).run(stedi, { data: WITH });
    const gone = copyOf(start);
    await forget(gone);
    content = { before: await contentOf(start), after: await contentOf(gone) };
  });

  test('at any step leaves all tables with the person or none, and the next forget or run does the rest', async () => {
    const ends = { before: 0, after: 0, listed: 0, byRun: 0 };
    for (let step = 0, died = true; died; step += 5) {
      const root = copyOf(start);
      const revive = dieAt(step);
      await forget(root).catch(() => undefined);
      died = revive();
      const now = await contentOf(root);
      expect([content.before, content.after]).toContain(now);
      ends[now === content.before ? 'before' : 'after']++;
      const listed = (await readList(join(root, 'suppressed.json'))).length > 0;
      // Nothing goes before the list has them.
      expect(listed || now === content.before).toBe(true);
      if (listed) ends.listed++;
      if (listed && step % 2 === 0) {
        ends.byRun++;
        await run(root, WITH);
        expect(await contentOf(root)).toBe(content.after);
        expect(await findValues(root, values())).toEqual([]);
      }
      await forget(root);
      expect(await contentOf(root)).toBe(content.after);
      expect(await findValues(root, values())).toEqual([]);
      expect(litterOf(root)).toEqual([]);
      rmSync(root, { recursive: true });
    }
    process.stderr.write(`forgets that died: ${JSON.stringify(ends)}\n`);
    expect(Math.min(...Object.values(ends))).toBeGreaterThanOrEqual(3);
  });

  test('after the list was written is finished by a run of single jobs, and stays begun for that person', async () => {
    const root = copyOf(start);
    // What a forget leaves that is killed as soon as it has told what it will do.
    const other = { forget: () => Promise.reject(new LakeError('killed')) };
    await expect(
      engineOf(root).forget(pipeline, { subject: person.email, dryRun: false, other }),
    ).rejects.toThrow('killed');
    expect(await contentOf(root)).toBe(content.before);
    const { stderr } = await lake(['run', '--only', 'customers_curated', '--lake', root]);
    const begun = /^lake: a forget that began at 20\S+ was cut off .*lake forget.*\n$/;
    expect(stderr).toMatch(begun);
    expect((await lake(['status', '--lake', root])).stderr).toMatch(begun);
    expect(await contentOf(root)).toBe(content.after);
    expect(await findValues(root, values())).toEqual([]);
    await engineOf(root).forget(pipeline, { subject: 'nobody@example.com', dryRun: false });
    expect(existsSync(join(root, 'suppressed.json.pending'))).toBe(true);
    await forget(root);
    expect(litterOf(root)).toEqual([]);
  });

  test('by the system, too', async () => {
    const root = copyOf(start);
    const args = ['forget', '--subject', person.email, '--lake'];
    const started = performance.now();
    expect((await ended(spawnLake([...args, root]))).status).toBe(0);
    const whole = performance.now() - started;
    for (let i = 1; i <= 5; i++) {
      const killed = copyOf(start);
      const child = spawnLake([...args, killed]);
      const end = ended(child);
      await new Promise((done) => setTimeout(done, whole * (0.4 + 0.12 * i)));
      child.kill('SIGKILL');
      await end;
      expect([content.before, content.after]).toContain(await contentOf(killed));
      await forget(killed);
      expect(await findValues(killed, values())).toEqual([]);
      expect(litterOf(killed)).toEqual([]);
    }
  });
});

describe('the part of another engine', () => {
  const part: ErasurePart = {
    places: [{ table: 'customer_trusted', kind: 'rows', engine: 'spark', removed: 7 }],
    sharedDevices: { devices: 0, rows: 2 },
    oldVersions: 3,
    unread: [],
    found: true,
  };

  test('finds the list with the person, and what it adds counts here too', async () => {
    const root = copyOf(FULL);
    const [[serial] = []] = await answer(
      engineOf(root),
      `SELECT serialNumber FROM step_trainer_landing WHERE serialNumber <> '${person.serialNumber}' LIMIT 1`,
    );
    const asked: ErasureRequest[] = [];
    const other = {
      forget: async (_: Pipeline, request: ErasureRequest) => {
        asked.push(request);
        const list = new Suppression(request.key, await readList(join(root, 'suppressed.json')));
        expect(list.has('person', person.email)).toBe(true);
        expect(list.has('device', person.serialNumber)).toBe(true);
        const added = list.with({ device: [serial as string] }, new Date().toISOString());
        writeFileSync(join(root, 'suppressed.json'), added.text());
        return part;
      },
    };
    const receipt = await engineOf(root).forget(pipeline, { subject: person.email, dryRun: false, other });
    expect(asked).toEqual([{ subject: person.email, dryRun: false, key: KEY() }]);
    expect(receipt.places).toContainEqual(part.places[0]);
    expect(receipt.sharedDevices.rows).toBe(2);
    expect(await findValues(root, values())).toEqual([]);
    const readings = `SELECT 1 FROM step_trainer_landing WHERE serialNumber = '${serial}'`;
    expect(await answer(engineOf(root), readings)).toEqual([]);
  });

  test('that fails leaves the list, and the next call does the rest', async () => {
    const root = copyOf(FULL);
    const other = { forget: () => Promise.reject(new LakeError('no Java')) };
    await expect(
      engineOf(root).forget(pipeline, { subject: person.email, dryRun: false, other }),
    ).rejects.toThrow('no Java');
    expect(existsSync(join(root, 'suppressed.json.pending'))).toBe(true);
    await run(root, WITH);
    expect(await findValues(root, values())).toEqual([]);
  });
});

describe('lake forget', () => {
  test('refuses a folder that is no lake, and leaves nothing there', async () => {
    const root = join(dir, 'empty');
    mkdirSync(root);
    const { status, stderr } = await lake(['forget', '--subject', person.email, '--lake', root]);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `lake: there is no lake in ${root}; give --lake another folder\n`,
    });
    expect(namesBelow(root)).toEqual([]);
  });

  test('tells what was removed, and no value', async () => {
    const root = copyOf(FULL);
    const dry = await lake(['forget', '--subject', person.email, '--lake', root, '--dry-run']);
    expect(dry).toMatchObject({ status: 0, stderr: '' });
    expect(dry.stdout).toMatch(/machine_learning_curated +duckdb +rows +\d+\n[\s\S]*Nothing was changed/);
    expect(existsSync(join(root, 'suppressed.json'))).toBe(false);
    const done = await shell(`echo ' ${person.email} ' | lake forget --subject - --lake ${root}`);
    expect(done).toMatchObject({ status: 0, stderr: '' });
    expect(done.stdout).toMatch(/customer_landing +duckdb +refused lines +\d+\n/);
    expect(done.stdout).toContain('Files outside of the lake, which --data named, are as they were');
    const again = await lake(['forget', '--subject', person.email.toLowerCase(), '--lake', root, '--json']);
    const receipt = JSON.parse(again.stdout) as Receipt;
    expect(receipt).toMatchObject({ places: [], subject: hashOf(KEY(), 'person', person.email) });
    const last = await lake(['forget', '--subject', person.email, '--lake', root]);
    expect(last.stdout).toContain(`Nothing of this person is in ${root}. They have been forgotten since 20`);
    for (const value of values()) {
      expect([dry, done, again, last].map(({ stdout }) => stdout).join()).not.toContain(value);
    }
    expect(await findValues(root, values())).toEqual([]);
  });

  test.each(['', 'canary', 'a b@example.com', 'canary@', '@example.com', 'a@b@c'])(
    'refuses %j, and does not repeat it',
    async (subject) => {
      const { status, stdout, stderr } = await lake(['forget', '--subject', subject, '--lake', FULL]);
      expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
      expect(stderr).toContain('--subject is no e-mail address');
      if (subject !== '') expect(stderr).not.toContain(subject);
    },
  );

  test('is told what does not go together, and where there is no lake', async () => {
    const of = (...args: string[]) => lake(['forget', '--subject', person.email, ...args]);
    expect(await of('--stack', 'dev', '--lake', FULL)).toMatchObject({ status: 2 });
    expect(await of('--region', 'eu-west-1')).toMatchObject({ status: 2 });
    const nowhere = join(dir, 'nowhere');
    const { status, stderr } = await of('--lake', nowhere);
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: `lake: there is no lake in ${nowhere}; give --lake another folder\n`,
    });
    expect(existsSync(nowhere)).toBe(false);
  });

  test('says with status 1 what it could not look into', async () => {
    const root = copyOf(FULL);
    const pointer = JSON.parse(readFileSync(join(root, 'current.json'), 'utf8'));
    pointer.tables.gone = pointer.tables.customer_trusted;
    writeFileSync(join(root, 'current.json'), JSON.stringify(pointer));
    const { status, stderr } = await lake(['forget', '--subject', person.email, '--lake', root]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^lake: \S+\/gone could not be looked into\n$/);
  });
});

describe('a list that cannot be told', () => {
  test.each([
    ['is no JSON', '{"version":'],
    ['says no version', '{"entries":[]}'],
    [
      'has another entry',
      '{"version":1,"entries":[{"kind":"person","hash":"abc","since":"2026-01-01T00:00:00Z"}]}',
    ],
    ['is empty', ''],
  ])('because it %s, stops runs and forgets', async (_, text) => {
    const root = copyOf(FULL);
    writeFileSync(join(root, 'suppressed.json'), text);
    const before = bytesOf(root);
    await expect(forget(root)).rejects.toThrow(/suppressed\.json is damaged/);
    expect(bytesOf(root)).toEqual(before);
    const { failures } = await engineOf(root).run(pipeline, { data: WITH });
    expect(failures.join()).toMatch(/suppressed\.json is damaged/);
  });

  test('because its key is gone, stops runs and forgets', async () => {
    const root = copyOf(FULL);
    await forget(root);
    rmSync(join(root, 'pseudonym.key'));
    await expect(forget(root)).rejects.toThrow(/pseudonym\.key is gone/);
    const { failures } = await engineOf(root).run(pipeline, { data: WITH });
    expect(failures.join()).toMatch(/pseudonym\.key is gone/);
  });
});
