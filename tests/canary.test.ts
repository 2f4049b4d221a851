import { createHmac } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkCommand } from '../cli/check';
import { runCommand } from '../cli/run';
import { expectation, lakehouse, type Pipeline, refined } from '../model';
import { lake as stedi } from '../pipeline';
import { accelerometerLanding, customerLanding, stepTrainerLanding } from '../pipeline/landing';
import { appliesTo, ENTITIES, type Entity, FAULT_KINDS, type FaultKind, spoil } from '../samples/stedi';
import {
  answer,
  engineOf,
  hasTerminal,
  JOBS,
  lake,
  lakeOnTerminal,
  namesBelow,
  projectOf,
  temporaryDir,
  writeLanding,
} from './support/lake';

const dir = temporaryDir('personal');
const CLEAN = join(dir, 'data');
const DIRTY = join(dir, 'dirty-data');

const SOURCES = {
  customer: customerLanding,
  accelerometer: accelerometerLanding,
  step_trainer: stepTrainerLanding,
};
/** All values planted hold one of these; the days are days on which nobody else is born. */
const CANARIES = /canary|0?987-06-05|0?876-05-04/i;
const START = Date.UTC(2023, 4, 1);

/** Record `n` of an entity with a canary in every personal column; the same `n` is the same customer. */
function record(entity: Entity, n: number, birthDay = '0987-06-05'): string {
  const at = START + n * 1000;
  const email = `Canary-email-${n}@example.com`;
  const serialNumber = `Canary-serialNumber-${n}`;
  return JSON.stringify(
    {
      customer: {
        customerName: `Canary-customerName-${n}`,
        email,
        phone: `Canary-phone-${n}`,
        birthDay,
        serialNumber,
        registrationDate: at,
        lastUpdateDate: at,
        shareWithResearchAsOfDate: at,
      },
      accelerometer: { user: email, timestamp: at, x: 0.5, y: -1, z: 1 },
      step_trainer: { sensorReadingTime: at, serialNumber, distanceFromObject: 50 },
    }[entity],
  );
}

const KINDS = (entity: Entity) => FAULT_KINDS.filter((kind) => appliesTo(kind, entity));
const spoilt = (entity: Entity, kind: FaultKind, i: number) =>
  spoil(record(entity, 5000 + i, '0876-05-04'), kind, entity);

beforeAll(async () => {
  for (const entity of ENTITIES) {
    const good = Array.from({ length: 1000 }, (_, n) => record(entity, n));
    const bad = KINDS(entity).map((kind, i) => spoilt(entity, kind, i));
    await writeLanding(CLEAN, entity, [...bad, ...good]);
    await writeLanding(DIRTY, entity, [...bad, ...good.slice(0, 100)]);
  }
});

test('every personal column of every source has its canary', () => {
  for (const entity of ENTITIES) {
    const values = JSON.parse(record(entity, 1)) as Record<string, string>;
    const personal = Object.entries(SOURCES[entity].columns).filter(([, column]) => column.pii !== undefined);
    expect(personal.length).toBeGreaterThan(0);
    for (const [name] of personal) expect(values[name]).toMatch(CANARIES);
  }
});

/** What `work` writes to the standard streams of this process. */
async function printedBy(work: () => Promise<unknown>): Promise<string> {
  const printed: string[] = [];
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      printed.push(String(text));
      return true;
    }),
  );
  try {
    await work();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return printed.join('');
}

const summariesIn = (root: string) =>
  readdirSync(join(root, 'runs')).map((name) => readFileSync(join(root, 'runs', name), 'utf8'));

/** A run in each of the forms in which its output comes, and what all of them say. */
async function runInAllForms(root: string, data: string, status: number): Promise<string> {
  const args = ['run', '--data', data, '--lake', root];
  const runs = [await lake(args), await lake([...args, '--json'])];
  if (hasTerminal) runs.push(await lakeOnTerminal(args), await lakeOnTerminal(args, { NO_COLOR: '1' }));
  for (const run of runs) expect({ ...run, status }).toEqual(run);
  return [...runs.map(({ stdout, stderr }) => stdout + stderr), ...summariesIn(root)].join('\n');
}

describe('after a good run', () => {
  const root = join(dir, 'lake');
  let said: string;
  beforeAll(async () => {
    said = await runInAllForms(root, CLEAN, 0);
  });

  test('the search finds the canaries where they belong', async () => {
    const columns = ['customerName', 'email', 'phone', 'birthDay', 'serialNumber'];
    for (const column of columns) {
      const [[value = null] = []] = await answer(
        engineOf(root),
        `SELECT ${column} FROM customer_trusted LIMIT 1`,
      );
      expect(value).toMatch(CANARIES);
    }
    for (const entity of ENTITIES) {
      const refused = await answer(engineOf(root), `SELECT raw FROM ${entity}_landing_quarantine`);
      expect(refused).toHaveLength(KINDS(entity).length);
      // Some kinds leave nothing of the line.
      const planted = KINDS(entity).filter((kind, i) => CANARIES.test(String(spoilt(entity, kind, i))));
      expect(planted.length).toBeGreaterThanOrEqual(25);
      expect(refused.filter(([raw]) => CANARIES.test(String(raw)))).toHaveLength(planted.length);
    }
  });

  test('nothing that was said holds one', () => {
    expect(said).toContain('Published run');
    expect(said).not.toMatch(CANARIES);
  });

  test('machine_learning_curated holds none, neither in its bytes nor in its values', async () => {
    const rows = await answer(engineOf(root), 'SELECT * FROM machine_learning_curated');
    expect(rows).toHaveLength(1000);
    expect(JSON.stringify(rows)).not.toMatch(CANARIES);
    const folder = namesBelow(root).filter((name) => name.endsWith('/machine_learning_curated'));
    expect(folder).toHaveLength(1);
    const files = namesBelow(join(root, folder[0] as string));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const bytes = readFileSync(join(root, folder[0] as string, file));
      expect(bytes.toString('latin1')).not.toMatch(CANARIES);
      expect(bytes.toString('utf16le')).not.toMatch(CANARIES);
    }
  });

  test('nor does any file but those of the tables and quarantines that hold people', () => {
    const others = namesBelow(root).filter(
      (name) =>
        statSync(join(root, name)).isFile() &&
        !/\/(?:\w+_landing|\w+_trusted|customers_curated|quarantine)\//.test(name),
    );
    expect(others.length).toBeGreaterThan(4);
    for (const name of others) expect(readFileSync(join(root, name), 'latin1')).not.toMatch(CANARIES);
  });

  test('the reason of a refusal quotes nothing of the line', async () => {
    for (const entity of ENTITIES) {
      const told = await answer(
        engineOf(root),
        `SELECT file, reason, detail FROM ${entity}_landing_quarantine`,
      );
      expect(JSON.stringify(told)).not.toMatch(CANARIES);
    }
  });

  test('nor does the page, a contract or an event of a run', async () => {
    const out = (name: string) => join(dir, name);
    const [page, contracts, events, junit] = ['page.html', 'contracts', 'events.jsonl', 'run.xml'].map(out);
    for (const args of [
      ['docs', '--lake', root, '--out', page],
      ['export', 'odcs', '--out', contracts],
      ['run', '--lake', root, '--data', CLEAN, '--events', events, '--junit', junit],
    ] as string[][])
      expect(await lake(args)).toMatchObject({ status: 0 });
    const files = [
      page,
      events,
      junit,
      ...readdirSync(contracts as string).map((name) => join(contracts as string, name)),
    ];
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect(readFileSync(file as string, 'utf8')).not.toMatch(CANARIES);
    // They hold something of these tables: how many values there are.
    expect(readFileSync(page as string, 'utf8')).toContain('"email":{"nulls":0,"distinct":1000}');
  });

  test('the pseudonyms are the HMAC-SHA-256 of the clear values with the key', async () => {
    const key = Buffer.from(readFileSync(join(root, 'pseudonym.key'), 'utf8').trim(), 'hex');
    expect(key).toHaveLength(32);
    const hmac = (value: string) => createHmac('sha256', key).update(value).digest('hex');
    const rows = await answer(
      engineOf(root),
      'SELECT epoch_ms(sensorReadingTime), subject, device FROM machine_learning_curated ORDER BY 1',
    );
    expect(rows).toEqual(
      Array.from({ length: 1000 }, (_, n) => [
        String(START + n * 1000),
        hmac(`canary-email-${n}@example.com`),
        hmac(`Canary-serialNumber-${n}`),
      ]),
    );
  });

  test('the key is its owner’s alone and stands nowhere else', () => {
    expect(statSync(join(root, 'pseudonym.key')).mode & 0o777).toBe(0o600);
    const hex = readFileSync(join(root, 'pseudonym.key'), 'utf8').trim();
    expect(said).not.toContain(hex);
    for (const name of namesBelow(root)) {
      if (name === 'pseudonym.key' || !statSync(join(root, name)).isFile()) continue;
      const bytes = readFileSync(join(root, name));
      expect(bytes.includes(hex)).toBe(false);
      expect(bytes.includes(Buffer.from(hex, 'hex'))).toBe(false);
    }
  });

  test.each([
    'SELECT CAST(email AS INTEGER) FROM customer_trusted',
    'SELECT CAST(customerName AS DATE) FROM customer_trusted',
    'SELECT CAST(raw AS DOUBLE) FROM accelerometer_landing_quarantine',
    "SELECT strptime(serialNumber, '%Y') FROM step_trainer_trusted",
    "SELECT json_extract(email, '$.a') FROM customer_trusted",
    'SELECT error(email) FROM customer_trusted',
    'SELECT nothing FROM customer_trusted',
    'SELECT CAST(email || chr(10) || email AS INTEGER) FROM customer_trusted',
  ])('an error of a query quotes none: %s', async (sql) => {
    const { status, stdout, stderr } = await lake(['query', '--lake', root, '-e', sql]);
    expect(status).toBe(1);
    expect(stdout + stderr).not.toMatch(CANARIES);
  });

  test('the queries that come with the project say none where they are about training data', async () => {
    for (const query of [
      'quarantine',
      'training_overview',
      'subject_balance',
      'movement_by_minute',
      'counts',
    ]) {
      const { status, stdout } = await lake(['query', query, '--lake', root]);
      expect(status).toBe(0);
      expect(stdout).not.toMatch(CANARIES);
    }
  });
});

test('a run that fails by its share of refused lines says none', async () => {
  const said = await runInAllForms(join(dir, 'dirty'), DIRTY, 1);
  expect(said).toMatch(/of \d+ records are refused/);
  expect(said).not.toMatch(CANARIES);
});

test('nor does one whose first refused lines are of any single kind', async () => {
  const root = join(dir, 'kinds-lake');
  for (const kind of FAULT_KINDS) {
    const data = join(dir, 'kinds', kind);
    for (const entity of ENTITIES) {
      await writeLanding(data, entity, [
        appliesTo(kind, entity) ? spoilt(entity, kind, 1) : record(entity, 1),
      ]);
    }
    const { failures, findings, summary } = await engineOf(root).run(stedi, { data });
    expect(failures.join()).toMatch(/records are refused|file cannot be read/);
    expect(JSON.stringify([failures, findings, summary])).not.toMatch(CANARIES);
  }
  expect(summariesIn(root)).toHaveLength(FAULT_KINDS.length);
  expect(summariesIn(root).join()).not.toMatch(CANARIES);
});

const words = lakehouse(['landing', 'trusted']);

/** One job that takes customers on, and what is expected of them. */
function pipelineWith(severity: 'fail' | 'quarantine' | 'warn'): Pipeline {
  const people = words.table({
    name: 'people',
    zone: 'trusted',
    description: 'All.',
    columns: refined(customerLanding.columns),
    expectations: [
      expectation({
        name: 'nobody',
        severity,
        description: 'Nobody.',
        columns: ['email'],
        sql: (table) =>
          `SELECT t.*, t.email AS other, concat(t.phone, t.birthDay) AS both_values, length(t.phone) AS n FROM ${table} t`,
      }),
    ],
  });
  return words.pipeline(
    words.zone('landing', { description: 'L.', tables: [customerLanding], jobs: [] }),
    words.zone('trusted', {
      description: 'T.',
      tables: [people],
      jobs: [words.job({ output: people, inputs: [customerLanding], description: 'J.' })],
    }),
  );
}

/** A folder with the SQL of `people`, every column as `of` gives it. */
function jobsOf(name: string, of: (column: string) => string): string {
  const jobs = join(dir, name);
  mkdirSync(jobs);
  const list = Object.keys(customerLanding.columns).map((column) => `${of(column)} AS ${column}`);
  writeFileSync(join(jobs, 'people.sql'), `SELECT ${list.join(', ')} FROM customer_landing c`);
  return jobs;
}

describe('a run of another pipeline', () => {
  const plain = (column: string) => `c.${column}`;

  test.each(['fail', 'quarantine', 'warn'] as const)(
    'with an expectation (%s) says none of its bad rows',
    async (severity) => {
      const root = join(dir, `expecting-${severity}`);
      const jobs = jobsOf(`jobs-${severity}`, plain);
      for (const json of [false, true]) {
        const said = await printedBy(() =>
          runCommand(projectOf(pipelineWith(severity), jobs), {
            data: CLEAN,
            lake: root,
            parameters: {},
            json,
            engine: 'duckdb',
          }),
        );
        expect(said).toContain('nobody');
        expect(said).not.toMatch(CANARIES);
      }
      expect(summariesIn(root).join()).not.toMatch(CANARIES);
    },
  );

  test.each([
    ['casts', (column: string) => `CAST(CAST(c.email AS BIGINT) AS VARCHAR) /* ${column} */`],
    ['parses', () => "CAST(strptime(c.phone, '%Y') AS VARCHAR)"],
    ['stops', () => "CASE WHEN c.email > '' THEN error(c.customerName) ELSE '' END"],
  ])('whose SQL %s and fails at a value says none', async (name, of) => {
    const jobs = jobsOf(`jobs-${name}`, (column) => (column === 'email' ? of(column) : plain(column)));
    const root = join(dir, `failing-${name}`);
    const said = await printedBy(() =>
      runCommand(projectOf(pipelineWith('warn'), jobs), {
        data: CLEAN,
        lake: root,
        parameters: {},
        engine: 'duckdb',
      }),
    );
    expect(said).toMatch(/people\.sql failed/);
    expect(said).not.toMatch(CANARIES);
    expect(summariesIn(root).join()).not.toMatch(CANARIES);
  });

  test('whose check fails says none', async () => {
    const jobs = join(dir, 'jobs-broken');
    cpSync(JOBS, jobs, { recursive: true });
    writeFileSync(join(jobs, 'customer_trusted.sql'), 'SELECT c.nothing FROM customer_landing c');
    let status: number | undefined;
    const said = await printedBy(async () => {
      status = await checkCommand(projectOf(stedi, jobs), []);
    });
    expect(status).toBe(1);
    expect(said).toContain('customer_trusted.sql');
    expect(said).not.toMatch(CANARIES);
  });
});

test('the key stands in no error, even where it is damaged', async () => {
  const root = join(dir, 'damaged-key');
  mkdirSync(root);
  writeFileSync(join(root, 'pseudonym.key'), 'Canary of the key\n', { mode: 0o600 });
  const { status, stdout, stderr } = await lake(['run', '--data', CLEAN, '--lake', root]);
  expect(status).toBe(1);
  expect(stderr).toMatch(/pseudonym\.key should hold 64 hex digits/);
  expect(stdout + stderr + summariesIn(root)).not.toMatch(CANARIES);
});
