import { createHmac } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDbEngine } from '../engines/duckdb/engine';
import { lake as pipeline } from '../pipeline';
import { queries } from '../pipeline/queries';
import { writeOtherSources } from './support/other-sources';

const ROOT = join(__dirname, '..');
const QUERIES = readdirSync(join(ROOT, 'queries')).map((file) => file.replace(/\.sql$/, ''));
const KEY = Buffer.alloc(32, 7);

type Line = object | string;
interface Landing {
  readonly customer: readonly Line[];
  readonly accelerometer: readonly Line[];
  readonly step_trainer: readonly Line[];
}

const instant = (time: string, day = '01') => Date.parse(`2023-05-${day}T${time}:00.000Z`);

/** `research` is since when the customer agrees; 0 or absent: does not. The last argument is the record's own time. */
const customer = (name: string, serialNumber: string, research?: number, changed = instant('10:00')) => ({
  customerName: `${name} Example`,
  email: `${name}@example.com`,
  phone: '5550100',
  birthDay: '1990-02-28',
  serialNumber,
  registrationDate: instant('10:00'),
  lastUpdateDate: changed,
  ...(research !== undefined && { shareWithResearchAsOfDate: research }),
});
const movement = (name: string, timestamp: number, [x, y, z] = [0, 0, 0]) => ({
  user: `${name}@example.com`,
  timestamp,
  x,
  y,
  z,
});
const step = (serialNumber: string, sensorReadingTime: number, distanceFromObject = 50) => ({
  sensorReadingTime,
  serialNumber,
  distanceFromObject,
});

const AGREED = instant('10:00');
const LATER = instant('11:00');
const LAST = instant('11:30');
const NOON = instant('12:00');

/** ada, bob and ivy own a device each, cleo and dan share device-3. A source accepts 5 % of bad lines: hence the many. */
const LANDING: Landing = {
  customer: [
    customer('ada', 'device-1', AGREED),
    customer('bob', 'device-2', AGREED),
    customer('cleo', 'device-3', AGREED),
    customer('dan', 'device-3', AGREED),
    customer('eve', 'device-4', AGREED),
    customer('fay', 'device-5', AGREED),
    customer('fay', 'device-5', 0, LATER),
    customer('gus', 'device-6', 0),
    customer('hal', 'device-7'),
    customer('ivy', 'device-8', AGREED),
    customer('ivy', 'device-8', AGREED, LATER),
    customer('jan', 'device-9', AGREED),
    customer('jan', 'device-9', undefined, LATER),
    customer('jan', 'device-9', LAST, LAST),
  ],
  accelerometer: [
    movement('ada', instant('09:00')),
    movement('ada', NOON, [1, 0, 0]),
    movement('ada', NOON, [0, 2, 0]),
    movement('ada', instant('12:01')),
    movement('ada', instant('12:00', '02')),
    movement('bob', NOON, [3, 4, 0]),
    movement('cleo', NOON),
    movement('dan', NOON),
    movement('cleo', instant('12:01'), [0, 0, 1]),
    movement('ivy', instant('12:02'), [0, 0, -1]),
    movement('fay', NOON),
    movement('gus', NOON),
    ...Array.from({ length: 40 }, () => movement('stranger', NOON)),
    '{"user":"ada@example.com","timestamp":',
    movement('ada', NOON, [99, 0, 0]),
  ],
  step_trainer: [
    step('device-1', instant('09:00'), 90),
    step('device-1', NOON, 100),
    step('device-1', NOON, 100),
    step('device-1', instant('12:01'), 110),
    step('device-1', instant('12:05'), 120),
    step('device-2', NOON, 200),
    step('device-3', NOON, 300),
    step('device-3', NOON, 301),
    step('device-3', instant('12:01'), 310),
    step('device-8', instant('12:02'), 400),
    step('device-4', NOON),
    step('device-5', NOON),
    ...Array.from({ length: 40 }, () => step('device-0', NOON)),
    { sensorReadingTime: NOON, serialNumber: 'device-1' },
  ],
};

const at = (time: string, day = '01') => `2023-05-${day} ${time}:00.000`;
const pseudonym = (value: string) => createHmac('sha256', KEY).update(value).digest('hex');
const subject = (name: string) => pseudonym(`${name}@example.com`);
const byFirst = (rows: string[][]) => rows.toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));

/** By query: the names of its columns, then its rows, counted by hand from what landed. */
const ANSWERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  counts: [
    ['table_name', 'records'],
    ['customer_landing', '14'],
    ['accelerometer_landing', '52'],
    ['step_trainer_landing', '52'],
    ['customer_trusted', '8'],
    ['accelerometer_trusted', '10'],
    ['customers_curated', '6'],
    ['step_trainer_trusted', '10'],
    ['machine_learning_curated', '9'],
  ],
  quarantine: [
    ['table_name', 'reason', 'refused_lines', 'files'],
    ['accelerometer_landing', 'OUT_OF_RANGE', '1', '1'],
    ['accelerometer_landing', 'TRUNCATED', '1', '1'],
    ['step_trainer_landing', 'MISSING_REQUIRED', '1', '1'],
  ],
  // jan agreed again; fay did not.
  consent_status: [
    ['status', 'customers', 'records'],
    ['agreed', '7', '10'],
    ['declined: consent is 0', '1', '1'],
    ['no consent given', '1', '1'],
    ['withdrew', '1', '2'],
  ],
  customers_per_serial_number: [
    ['serialNumber', 'customers', 'records'],
    ['device-3', '2', '2'],
    ['device-9', '1', '3'],
    ['device-5', '1', '2'],
    ['device-8', '1', '2'],
    ['device-1', '1', '1'],
    ['device-2', '1', '1'],
    ['device-4', '1', '1'],
    ['device-6', '1', '1'],
    ['device-7', '1', '1'],
  ],
  consent_check: [
    ['rule', 'violations'],
    ['accelerometer_trusted: the user is in customer_trusted', '0'],
    ['customer_trusted: the consent has a date', '0'],
    ['customer_trusted: the customer agreed and did not withdraw', '0'],
    ['customers_curated: the customer is in customer_trusted', '0'],
    ['step_trainer_trusted: the device belongs to a customer in customer_trusted', '0'],
  ],
  // ada's and device-1's of 09:00.
  readings_before_consent: [
    ['table_name', 'readings', 'before_consent'],
    ['accelerometer_trusted', '10', '1'],
    ['step_trainer_trusted', '10', '1'],
  ],
  readings_per_customer_day: [
    ['email', 'reading_day', 'readings', 'instants', 'first_reading', 'last_reading'],
    ['ada@example.com', '2023-05-01', '4', '3', at('09:00'), at('12:01')],
    ['ada@example.com', '2023-05-02', '1', '1', at('12:00', '02'), at('12:00', '02')],
    ['bob@example.com', '2023-05-01', '1', '1', at('12:00'), at('12:00')],
    ['cleo@example.com', '2023-05-01', '2', '2', at('12:00'), at('12:01')],
    ['dan@example.com', '2023-05-01', '1', '1', at('12:00'), at('12:00')],
    ['ivy@example.com', '2023-05-01', '1', '1', at('12:02'), at('12:02')],
  ],
  customers_without_readings: [
    ['email', 'records', 'agreed_since'],
    ['eve@example.com', '1', at('10:00')],
    ['jan@example.com', '1', at('11:30')],
  ],
  unpaired_steps: [
    ['sensorReadingTime', 'serialNumber', 'distanceFromObject', 'reason'],
    [at('12:00'), 'device-3', '300', 'several customers of the device moved'],
    [at('12:00'), 'device-3', '301', 'several customers of the device moved'],
    [at('12:05'), 'device-1', '120', 'no customer of the device moved'],
  ],
  // At 12:01 only cleo moved.
  ambiguous_devices: [
    [
      'serialNumber',
      'customers',
      'ambiguous_readings',
      'ambiguous_instants',
      'first_reading',
      'last_reading',
    ],
    ['device-3', '2', '2', '1', at('12:00'), at('12:00')],
  ],
  // By timestamp, 09:00: 1 x 1; 12:00: 5 steps x 5 movements; 12:01: 2 x 2; 12:02: 1 x 1.
  // Wrong, 12:00: device-1 2 x 3, device-2 1 x 4, device-3 2 x 3; 12:01: device-1 with cleo, device-3 with ada.
  // Ambiguous: 2 steps of device-3 x cleo and dan.
  pairing_compared: [
    ['customer_pairs', 'timestamp_pairs', 'wrong_pairs', 'ambiguous_pairs'],
    ['9', '31', '18', '4'],
  ],
  training_overview: [
    ['records', 'subjects', 'devices', 'instants', 'first_reading', 'last_reading'],
    ['9', '4', '4', '4', at('09:00'), at('12:02')],
  ],
  feature_ranges: [
    ['feature', 'least', 'mean', 'greatest', 'deviation'],
    ['distanceFromObject', '90', '167.778', '400', '106.956'],
    ['x', '0', '0.556', '3', '0.956'],
    ['y', '0', '0.889', '4', '1.37'],
    ['z', '-1', '0', '1', '0.471'],
  ],
  subject_balance: [
    ['subject', 'records', 'percent_of_records', 'devices'],
    [subject('ada'), '6', '66.667', '1'],
    ...byFirst(['bob', 'cleo', 'ivy'].map((name) => [subject(name), '1', '11.111', '1'])),
  ],
  movement_by_minute: [
    ['subject', 'minute_start', 'records', 'mean_distance', 'mean_acceleration'],
    ...byFirst([
      [subject('ada'), at('09:00'), '1', '90', '0'],
      [subject('ada'), at('12:00'), '4', '100', '1.5'],
      [subject('ada'), at('12:01'), '1', '110', '0'],
      [subject('bob'), at('12:00'), '1', '200', '5'],
      [subject('cleo'), at('12:01'), '1', '310', '1'],
      [subject('ivy'), at('12:02'), '1', '400', '1'],
    ]),
  ],
  distance_by_movement: [
    ['from_g', 'records', 'least_distance', 'mean_distance', 'greatest_distance'],
    ['0', '2', '90', '100', '110'],
    ['1', '4', '100', '227.5', '400'],
    ['2', '2', '100', '100', '100'],
    ['5', '1', '200', '200', '200'],
  ],
};

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'queries-'));
});
afterAll(() => rm(dir, { recursive: true }));

async function landed(name: string, landing: Landing): Promise<string> {
  for (const [entity, lines] of Object.entries(landing) as [string, readonly Line[]][]) {
    const folder = join(dir, name, entity, 'landing');
    await mkdir(folder, { recursive: true });
    const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
    await writeFile(join(folder, 'part-1.json'), `${text}\n`);
  }
  await writeOtherSources(join(dir, name), pipeline.sources);
  return join(dir, name);
}

interface Published {
  readonly lake: string;
  readonly data: string;
  readonly jobs?: string;
  readonly only?: readonly string[];
}

async function publish({ lake, data, jobs = join(ROOT, 'jobs'), only }: Published): Promise<DuckDbEngine> {
  const folder = join(dir, lake);
  await mkdir(folder, { recursive: true });
  // A key that is known makes pseudonyms that can be written down.
  await writeFile(join(folder, 'pseudonym.key'), `${KEY.toString('hex')}\n`, { mode: 0o600 });
  const engine = new DuckDbEngine({ lake: folder, jobs });
  const { failures } = await engine.run(pipeline, { data, ...(only && { only }) });
  expect(failures).toEqual([]);
  return engine;
}

const sqlOf = (query: string) => readFile(join(ROOT, 'queries', `${query}.sql`), 'utf8');

async function ask(engine: DuckDbEngine, query: string): Promise<(string | null)[][]> {
  const { columns, rows } = await engine.query(await sqlOf(query));
  const found: (string | null)[][] = [columns.map(({ name }) => name)];
  for await (const chunk of rows) found.push(...chunk.map((row) => [...row]));
  return found;
}

const violations = async (engine: DuckDbEngine) =>
  (await ask(engine, 'consent_check')).filter(([, count]) => count !== '0').slice(1);

describe('on a lake of ten customers', () => {
  let engine: DuckDbEngine;
  beforeAll(async () => {
    engine = await publish({ lake: 'lake', data: await landed('landing', LANDING) });
  });

  test.each(Object.keys(ANSWERS))('%s', async (query) => {
    expect(await ask(engine, query)).toEqual(ANSWERS[query]);
  });
});

test('every query says in its first line what it answers', async () => {
  for (const query of QUERIES) expect(await sqlOf(query)).toMatch(/^-- \w.{20,}[.]\n/);
});

test('no query shows what a refused line said', async () => {
  expect(await sqlOf('quarantine')).not.toMatch(/\braw\b/);
});

test('consent_check finds a withdrawal that customer_trusted does not honour', async () => {
  const jobs = join(dir, 'jobs');
  await cp(join(ROOT, 'jobs'), jobs, { recursive: true });
  const file = join(jobs, 'customer_trusted.sql');
  await writeFile(file, (await readFile(file, 'utf8')).replace(/AND \(w\.latest[\s\S]*$/, ''));
  const engine = await publish({ lake: 'careless', data: await landed('withdrawals', LANDING), jobs });
  expect(await violations(engine)).toEqual([
    ['customer_trusted: the customer agreed and did not withdraw', '1'],
  ]);
});

test('consent_check finds what is left of customers who withdrew since', async () => {
  const before = await landed('before', LANDING);
  await publish({ lake: 'stale', data: before });
  const after = await landed('after', {
    ...LANDING,
    customer: [...LANDING.customer, customer('bob', 'device-2', 0, LATER)],
  });
  const engine = await publish({ lake: 'stale', data: after, only: ['customer_trusted'] });
  expect(await violations(engine)).toEqual([
    ['accelerometer_trusted: the user is in customer_trusted', '1'],
    ['customers_curated: the customer is in customer_trusted', '1'],
    ['step_trainer_trusted: the device belongs to a customer in customer_trusted', '1'],
  ]);
});

test('every query answers where nobody agreed', async () => {
  const engine = await publish({
    lake: 'empty',
    data: await landed('nobody', {
      customer: [customer('gus', 'device-6', 0)],
      accelerometer: [movement('gus', NOON)],
      step_trainer: [step('device-6', NOON)],
    }),
  });
  for (const query of QUERIES) {
    const declared = queries.find(({ name }) => name === query);
    expect({ query, columns: (await ask(engine, query))[0] }).toEqual({
      query,
      columns: Object.keys(declared?.columns ?? {}),
    });
  }
  expect((await ask(engine, 'pairing_compared'))[1]).toEqual(['0', '0', '0', '0']);
});
