import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, relative } from 'node:path';
import {
  double,
  expectation,
  int,
  type Job,
  lakehouse,
  namedQuery,
  type Pipeline,
  pseudonym,
  references,
  text,
  timestamp,
} from '../model';
import { lake } from '../pipeline';
import { bindingFaults, bindProject, projectFaults } from './check';
import { withDatabase } from './database';

// The grammars take their time to load, on a busy machine more than a test is given.

const SHIPPED = join(__dirname, '..', 'jobs');

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'check-'));
});
afterAll(() => rm(root, { recursive: true }));

/** A new folder that holds these files. */
async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = join(root, String(count++));
  await mkdir(dir);
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return dir;
}

const shippedSql = async () => {
  const names = (await readdir(SHIPPED)).filter((name) => name.endsWith('.sql'));
  const texts = await Promise.all(names.map((name) => readFile(join(SHIPPED, name), 'utf8')));
  return Object.fromEntries(names.map((name, i) => [name, texts[i] as string]));
};

/** Faults with the folder left out of their paths. */
const short = (faults: readonly { path: string; message: string }[]) =>
  faults.map(({ path, message }) => `${basename(path)} ${message}`);

const jobsFaults = (dir: string) => withDatabase((db) => bindingFaults(db, lake.jobs, dir));

/** What is told of the shipped jobs where one job's SQL is another. */
async function toldOf(name: string, edit: string | ((sql: string) => string)) {
  const files = await shippedSql();
  const file = `${name}.sql`;
  const before = files[file] as string;
  const after = typeof edit === 'string' ? edit : edit(before);
  expect(after).not.toBe(before);
  return short(await jobsFaults(await folder({ ...files, [file]: after })));
}

test("the shipped jobs' SQL fits their contracts, and means the same to all engines", async () => {
  expect(await jobsFaults(SHIPPED)).toEqual([]);
  const dirs = { jobs: await folder(await shippedSql()), queries: await folder({}) };
  const faults = short(await projectFaults(lake, dirs));
  // Only the cases are not there.
  expect(faults).toEqual(
    lake.jobs.map(({ name }) => `${name}.cases.yaml is missing: write the cases that define ${name}`),
  );
});

// step_trainer_trusted reads step_trainer_landing, customers_curated and accelerometer_trusted by its contract.
const INPUTS = "the job's inputs are";
const STEPS = lake.jobs.find((job) => job.name === 'step_trainer_trusted') as Job;
const HINT = `${INPUTS} ${STEPS.inputs.map((input) => input.name).join(', ')}; add it to them, or mend the name`;
const steps = (select: string, from = 'FROM step_trainer_landing s') =>
  `-- A comment.\nSELECT\n${select}\n${from}\nWHERE :consent = 'granted'`;
const ALL = '  s.sensorReadingTime,\n  s.serialNumber,\n  s.distanceFromObject';
const HAS = 'it has sensorReadingTime, serialNumber, distanceFromObject';

describe('a job whose SQL does not fit is told where and why', () => {
  test.each<[string, string, string[]]>([
    // Tables.
    [
      'an undeclared table',
      steps(ALL, 'FROM step_trainer_landing s\nJOIN customer_trusted c ON c.serialNumber = s.serialNumber'),
      [`step_trainer_trusted.sql:7 reads "customer_trusted"; ${HINT}`],
    ],
    [
      'its own output',
      steps(ALL, 'FROM step_trainer_trusted s'),
      [`step_trainer_trusted.sql:6 reads "step_trainer_trusted"; ${HINT}`],
    ],
    [
      'an undeclared table in a subquery',
      steps(ALL, 'FROM step_trainer_landing s\nJOIN (\n  SELECT 1 AS one FROM customer_trusted\n) x ON true'),
      [`step_trainer_trusted.sql:8 reads "customer_trusted"; ${HINT}`],
    ],
    [
      'an undeclared table in an expression, twice',
      steps(
        `  s.sensorReadingTime,\n  s.serialNumber,\n  (SELECT MAX(s.distanceFromObject) FROM customer_trusted\n  UNION SELECT 1 FROM customer_trusted) AS distanceFromObject`,
      ),
      [`step_trainer_trusted.sql:5 reads "customer_trusted"; ${HINT}`],
    ],
    [
      'an undeclared table behind a name of its own query',
      `WITH customer_trusted AS (SELECT * FROM customer_trusted)\n${steps(ALL, 'FROM step_trainer_landing s CROSS JOIN customer_trusted c')}`,
      [`step_trainer_trusted.sql:1 reads "customer_trusted"; ${HINT}`],
    ],
    [
      'an undeclared table behind a name that only another query gives',
      steps(
        ALL,
        'FROM step_trainer_landing s CROSS JOIN (WITH k AS (SELECT 1 AS a) SELECT k.a FROM k) x\nCROSS JOIN k',
      ),
      [`step_trainer_trusted.sql:7 reads "k"; ${HINT}`],
    ],
    [
      'an undeclared table behind a name that is given only later',
      `WITH a AS (SELECT 1 AS one FROM b),\nb AS (SELECT 1 AS one)\n${steps(ALL, 'FROM step_trainer_landing s CROSS JOIN a CROSS JOIN b')}`,
      [`step_trainer_trusted.sql:1 reads "b"; ${HINT}`],
    ],
    [
      'a table with its schema',
      steps(ALL, 'FROM main.step_trainer_landing s'),
      [`step_trainer_trusted.sql:6 reads "main.step_trainer_landing"; ${HINT}`],
    ],
    [
      'a table with its catalog',
      steps(ALL, 'FROM memory.main.step_trainer_landing s'),
      [`step_trainer_trusted.sql:6 reads "memory.main.step_trainer_landing"; ${HINT}`],
    ],
    [
      "DuckDB's own tables",
      steps(ALL, 'FROM step_trainer_landing s CROSS JOIN information_schema.tables'),
      [`step_trainer_trusted.sql:6 reads "information_schema.tables"; ${HINT}`],
    ],
    [
      'a file',
      steps(ALL, "FROM 'landing.parquet' s"),
      [`step_trainer_trusted.sql:6 reads "landing.parquet"; ${HINT}`],
    ],
    [
      'a file by a function',
      steps(ALL, "FROM read_csv('/etc/passwd') s"),
      [`step_trainer_trusted.sql:6 reads "read_csv()"; ${HINT}`],
    ],
    // Columns.
    [
      'a missing column',
      steps('  s.sensorReadingTime,\n  s.serialNumber'),
      [
        'step_trainer_trusted.sql gives no column "distanceFromObject"; step_trainer_trusted has it as BIGINT',
      ],
    ],
    [
      'a column more',
      steps(`${ALL},\n  1 AS one`),
      [`step_trainer_trusted.sql:6 gives a column "one", which step_trainer_trusted does not have; ${HAS}`],
    ],
    [
      'a column of a name that every object has',
      steps(`${ALL},\n  1 AS constructor`),
      [
        `step_trainer_trusted.sql:6 gives a column "constructor", which step_trainer_trusted does not have; ${HAS}`,
      ],
    ],
    [
      'a column under another name',
      steps('  s.sensorReadingTime,\n  s.serialNumber AS serial,\n  s.distanceFromObject'),
      [
        'step_trainer_trusted.sql gives no column "serialNumber"; step_trainer_trusted has it as VARCHAR',
        `step_trainer_trusted.sql:4 gives a column "serial", which step_trainer_trusted does not have; ${HAS}`,
      ],
    ],
    [
      'a column of another type',
      steps(
        '  CAST(s.sensorReadingTime AS DATE) AS sensorReadingTime,\n  s.serialNumber,\n  SUM(1) OVER () AS distanceFromObject',
      ),
      [
        'step_trainer_trusted.sql:3 column "sensorReadingTime" is DATE, expected TIMESTAMP, as step_trainer_trusted declares it timestamp; CAST it, or change the contract',
        'step_trainer_trusted.sql:5 column "distanceFromObject" is HUGEINT, expected BIGINT, as step_trainer_trusted declares it int; CAST it, or change the contract',
      ],
    ],
    [
      'a column of another type, somewhere in a *',
      steps(
        '  s.*',
        'FROM (SELECT z.sensorReadingTime, 1 AS serialNumber, z.distanceFromObject FROM step_trainer_landing z) s',
      ),
      [
        'step_trainer_trusted.sql column "serialNumber" is INTEGER, expected VARCHAR, as step_trainer_trusted declares it text; CAST it, or change the contract',
      ],
    ],
    [
      'a column twice',
      steps(`${ALL},\n  s.serialNumber`),
      ['step_trainer_trusted.sql:6 gives the column "serialNumber" twice'],
    ],
    [
      'another order',
      steps('  s.serialNumber,\n  s.sensorReadingTime,\n  s.distanceFromObject'),
      [
        'step_trainer_trusted.sql gives its columns in another order than step_trainer_trusted: found serialNumber, sensorReadingTime, distanceFromObject, expected sensorReadingTime, serialNumber, distanceFromObject',
      ],
    ],
    [
      'an unknown column',
      steps('  s.sensorReadingTime,\n  s.serial,\n  s.distanceFromObject'),
      [
        'step_trainer_trusted.sql:4 Table "s" does not have a column named "serial"; it could be "serialNumber"',
      ],
    ],
    // SQL.
    [
      'a syntax error',
      steps(`${ALL},,`),
      ['step_trainer_trusted.sql:5 is not SQL that can be read: syntax error at or near ","'],
    ],
    [
      'a syntax error after letters of several bytes',
      `-- äöü 😀😀😀 ß\n${steps(`${ALL} a\nb\n\n\n`)}`,
      ['step_trainer_trusted.sql:7 is not SQL that can be read: syntax error at or near "b"'],
    ],
    [
      'nothing',
      `-- :consent\n`,
      ['step_trainer_trusted.sql the job declares the parameter consent, but its SQL does not use :consent'],
    ],
    [
      'two statements',
      `${steps(ALL)};\nSELECT 1`,
      [
        'step_trainer_trusted.sql:1 is not SQL that can be read: it holds several statements; it has to be one SELECT',
      ],
    ],
    [
      'no SELECT',
      "DELETE FROM step_trainer_landing WHERE :consent = 'granted'",
      [
        'step_trainer_trusted.sql:1 is not SQL that can be read: it has to be one SELECT, without PIVOT or what else DuckDB rewrites',
      ],
    ],
    [
      'a semicolon, and a clock',
      `${steps(ALL)}\n  AND s.sensorReadingTime < CURRENT_TIMESTAMP ; -- the end\n`,
      [
        'step_trainer_trusted.sql:8 ends in a semicolon; leave it out: the SQL becomes part of a larger one',
        'step_trainer_trusted.sql:8 current_timestamp would give other rows in every run; take the instants that the data holds',
      ],
    ],
    // Parameters.
    [
      'an undeclared parameter',
      `${steps(ALL)}\n  AND :pairing = 'customer'`,
      [
        "step_trainer_trusted.sql:8 uses :pairing, which the job does not declare (consent); add it to the job's parameters",
      ],
    ],
    [
      'a parameter that it uses in a string and a comment only',
      `SELECT\n${ALL}\nFROM step_trainer_landing s -- :consent\nWHERE s.serialNumber <> ':consent'`,
      ['step_trainer_trusted.sql the job declares the parameter consent, but its SQL does not use :consent'],
    ],
  ])('%s', async (_what, sql, faults) => {
    expect(await toldOf('step_trainer_trusted', sql)).toEqual(faults);
  });

  test('an undeclared parameter of a job that has none', async () => {
    expect(
      await toldOf('customers_curated', (sql) =>
        sql.replace('WHERE EXISTS', "WHERE :consent = 'a' AND EXISTS"),
      ),
    ).toEqual([
      "customers_curated.sql:14 uses :consent, which the job does not declare (it has none); add it to the job's parameters",
    ]);
  });

  test('the columns of a UNION are those of its first query', async () => {
    const told = await toldOf('machine_learning_curated', (sql) =>
      sql.replace('  s.distanceFromObject,', '  CAST(1 AS DOUBLE) AS distanceFromObject,'),
    );
    const line = (await shippedSql())['machine_learning_curated.sql']
      ?.split('\n')
      .findIndex((text) => text.startsWith('  s.distanceFromObject'));
    expect(told).toEqual([
      `machine_learning_curated.sql:${(line as number) + 1} column "distanceFromObject" is DOUBLE, expected BIGINT, as machine_learning_curated declares it int; CAST it, or change the contract`,
    ]);
  });

  test('every job is checked, and a missing file is one of the faults', async () => {
    const { 'customer_trusted.sql': _left, ...files } = await shippedSql();
    const dir = await folder({ ...files, 'customers_curated.sql': 'SELECT 1 AS one FROM t' });
    expect(short(await jobsFaults(dir))).toEqual([
      'customer_trusted.sql is missing: write the SELECT that makes customer_trusted',
      'customers_curated.sql:1 reads "t"; the job\'s inputs are customer_trusted, accelerometer_trusted; add it to them, or mend the name',
    ]);
  });
});

describe('what the engines take in any case passes', () => {
  test.each([
    ['all the columns at once', steps('  s.*')],
    ['a table in capitals', steps(ALL, 'FROM STEP_TRAINER_LANDING s')],
    ['a column in capitals', steps(ALL.replace('s.serialNumber', 's.SERIALNUMBER'))],
    [
      'names given to queries, over each other and in capitals',
      `WITH a AS (SELECT z.* FROM step_trainer_landing z),\nb AS (SELECT A.* FROM A)\n${steps(ALL, 'FROM (WITH a AS (SELECT b.* FROM b) SELECT a.* FROM a) s')}`,
    ],
    [
      'a number where a larger one is declared',
      steps(ALL.replace('s.distanceFromObject', 'CAST(1 AS BIGINT) AS distanceFromObject')),
    ],
    ['no line at the end, and a comment there', `${steps(ALL)} -- ;`],
  ])('%s', async (_what, sql) => {
    expect(await toldOf('step_trainer_trusted', sql)).toEqual([]);
  });
});

describe('a project', () => {
  const words = lakehouse(['raw', 'clean']);
  const raw = words.source({
    name: 'raw',
    zone: 'raw',
    entity: 'raw',
    description: 'R.',
    columns: { id: int('I.'), note: text('N.', { nullable: true }) },
  });
  const clean = words.table({
    name: 'clean',
    zone: 'clean',
    description: 'C.',
    columns: { id: int('I.'), who: pseudonym('W.'), at: timestamp('A.', { nullable: true }) },
    expectations: [
      references(raw, { id: 'id' }, { description: 'D.' }),
      expectation({
        name: 'undeclared',
        severity: 'warn',
        description: 'D.',
        columns: ['id'],
        sql: (table) => `SELECT t.* FROM ${table} t\nJOIN raw r ON r.id = t.id`,
      }),
      expectation({
        name: 'unportable',
        severity: 'warn',
        description: 'D.',
        columns: ['id'],
        sql: (table) => `SELECT t.* FROM ${table} t\nWHERE t.id / 2 = 1`,
      }),
      expectation({
        name: 'unclosed',
        severity: 'warn',
        description: 'D.',
        columns: ['id'],
        sql: (table) => `SELECT t.* FROM ${table} t WHERE t.at > current_date;`,
      }),
      expectation({
        name: 'unbound',
        severity: 'warn',
        description: 'D.',
        columns: ['id'],
        sql: (table) => `SELECT t.nothing FROM ${table} t`,
      }),
    ],
  });
  const job = words.job({ output: clean, inputs: [raw], description: 'J.' });
  const pipeline: Pipeline = words.pipeline(
    words.zone('raw', { description: 'R.', tables: [raw], jobs: [] }),
    words.zone('clean', { description: 'C.', tables: [clean], jobs: [job] }),
  );
  const SQL = 'SELECT r.id, r.note AS who, CAST(NULL AS TIMESTAMP) AS at\nFROM raw r';
  const CASES = 'cases: [{ name: n, given: { raw: [] }, expect: [] }]\n';
  const EXPECTED = [
    'clean.expectations.undeclared reads "raw"; it declares to read clean; add the table to its reads',
    'clean.expectations.unportable division of whole numbers truncates in Trino and does not elsewhere; write CAST(a AS DOUBLE) / b',
    'clean.expectations.unclosed ends in a semicolon; leave it out: the SQL becomes part of a larger one',
    'clean.expectations.unclosed current_date would give other rows in every run; take the instants that the data holds',
    'clean.expectations.unbound Table "t" does not have a column named "nothing"; it could be "at"',
  ];

  const told = async (
    jobs: Readonly<Record<string, string>>,
    queries: Readonly<Record<string, string>> = {},
  ) => short(await projectFaults(pipeline, { jobs: await folder(jobs), queries: await folder(queries) }));

  test('tells of its expectations, by their paths', async () => {
    expect(await told({ 'clean.sql': SQL, 'clean.cases.yaml': CASES })).toEqual(EXPECTED);
  });

  test('what its jobs say that a change touches is held to their SQL', async () => {
    const through = { of: 'customers_curated', on: { user: 'email' }, key: 'serialNumber' };
    const blind = {
      key: 'device',
      by: {
        step_trainer_trusted: 'serialNumber',
        accelerometer_trusted: { ...through, sees: 'SELECT a.x, c.email FROM accelerometer_trusted a' },
      },
    };
    const jobs = lake.jobs.map((one) =>
      one.name === 'machine_learning_curated' ? { ...one, increments: [blind] } : one,
    );
    const dirs = { jobs: SHIPPED, queries: await folder({}) };
    const place = 'jobs.machine_learning_curated.increments[0].by';
    expect(
      short(await projectFaults({ ...lake, jobs }, dirs)).filter((one) => one.startsWith(place)),
    ).toEqual([
      expect.stringContaining(`${place} does not name customers_curated, which`),
      expect.stringMatching(/sees .*"c"/),
    ]);
    const found = { ...blind.by.accelerometer_trusted, sees: 'SELECT a.x FROM accelerometer_trusted a' };
    const other = jobs.map((one) => ({
      ...one,
      increments: one.increments.map((own) =>
        own === blind ? { ...own, by: { accelerometer_trusted: found } } : own,
      ),
    }));
    expect(short(await projectFaults({ ...lake, jobs: other }, dirs))).toContain(
      `${place}.accelerometer_trusted.sees its query gives no column "user", by which rows are told`,
    );
  });

  test('a job has one file, in the language of its definition', async () => {
    const inPython = { ...job, language: 'python' } as const;
    const toldOfJob = async (one: Job, files: Readonly<Record<string, string>>) => {
      const dir = await folder(files);
      return short(await withDatabase((db) => bindingFaults(db, [one], dir)));
    };
    const both = { 'clean.sql': SQL, 'clean.py': 'def transform(inputs, parameters): ...' };
    const dir = `${relative('', root)}/${count}`;
    expect(await toldOfJob(job, both)).toEqual([
      `clean.py stands beside ${dir}/clean.sql, and the definition has clean in SQL; remove one of them`,
    ]);
    expect(await toldOfJob(inPython, { 'clean.sql': SQL })).toEqual([
      expect.stringMatching(
        /^clean\.sql is in SQL, and the definition has clean in Python; change its language, or write .*clean\.py$/,
      ),
    ]);
    expect(await toldOfJob(job, {})).toEqual(['clean.sql is missing: write the SELECT that makes clean']);
    expect(await toldOfJob(inPython, {})).toEqual([
      'clean.py is missing: write the function transform that makes clean',
    ]);
  });

  test('tells of what belongs to no job, of its cases, and of SQL that only DuckDB takes', async () => {
    const files = {
      'clean.sql': SQL.replace('r.note', '\n  LIST_ELEMENT([r.note], 1)'),
      'clean.cases.yaml': CASES.replace('raw', 'row'),
      'clear.sql': SQL,
      'clear.py': 'x = 1',
      'clean.cases.yml': CASES,
      'notes.md': 'No job.',
    };
    const faults = await told(files);
    expect(faults.map((fault) => fault.replace(/(functions that are:) .*/, '$1 …'))).toEqual([
      'clean.sql:2 list_element() is not the same in DuckDB, Spark and Trino; functions that are: …',
      "clean.sql:2 a list is DuckDB's own; contracts hold plain values only",
      'clean.cases.yaml:1 row is not known here; it can be raw',
      'clean.cases.yaml:1 given leaves out the input raw; write [] where it has no row',
      'clean.cases.yml belongs to no job; define its job, or remove it',
      'clear.py belongs to no job; define its job, or remove it',
      'clear.sql belongs to no job; define its job, or remove it',
      ...EXPECTED,
    ]);
  });

  test('a query reads the tables as they are stored, and what a source refused', async () => {
    const good =
      '-- What it answers.\nSELECT q.reason, COUNT(*) AS n FROM raw_quarantine q GROUP BY q.reason;\n';
    const queries = {
      'a_good.sql': good,
      'a_clock.sql': '-- Now.\nSELECT c.id FROM clean c WHERE c.at < CURRENT_DATE',
      'b_table.sql': '-- Why.\nSELECT c.id\nFROM clean_quarantine c',
      'c_column.sql': '-- Why.\nSELECT\n  c.note\nFROM clean c',
      'd_comment.sql': '--\nSELECT c.id FROM clean c',
      'e_duckdb.sql': '-- Why.\nSELECT c.id\nFROM clean c\nQUALIFY ROW_NUMBER() OVER (ORDER BY c.id) = 1',
      'f_parameter.sql': "-- Why.\nSELECT c.id FROM clean c WHERE :consent = 'a'",
      'notes.md': 'No query.',
    };
    expect(
      (await told({ 'clean.sql': SQL, 'clean.cases.yaml': CASES }, queries)).slice(EXPECTED.length),
    ).toEqual([
      'b_table.sql:3 reads "clean_quarantine"; the tables are raw, clean, raw_quarantine',
      'c_column.sql:3 Table "c" does not have a column named "note"; it could be "at", "who"',
      'd_comment.sql:1 begins with no comment; say what it answers',
      'e_duckdb.sql:4 QUALIFY is not in every engine; filter in an outer SELECT',
      'f_parameter.sql:2 is not SQL that can be read: syntax error at or near ":"',
    ]);
  });
});

test('what is declared of a query is held to its SQL', async () => {
  const declared = [
    namedQuery('good', { id: int('I.'), at: timestamp('A.'), mean: double('M.') }),
    namedQuery('bad', { id: text('I.'), at: timestamp('A.'), more: int('M.') }),
    namedQuery('nowhere', { id: int('I.') }),
  ];
  const sql = (columns: string) => `-- What.\nSELECT ${columns} FROM machine_learning_curated m`;
  const queries = await folder({
    'good.sql': sql(
      'SUM(m.distanceFromObject) AS id, MAX(m.sensorReadingTime) AS at, CAST(1 AS DECIMAL(6, 3)) AS mean',
    ),
    'bad.sql': sql('m.distanceFromObject AS id, CAST(m.sensorReadingTime AS DATE) AS at, m.x AS other'),
    'undeclared.sql': sql('m.x'),
  });
  expect(short(await projectFaults(lake, { jobs: SHIPPED, queries }, declared))).toEqual([
    'bad.sql column "id" is BIGINT, and its definition says text; mend one of them',
    'bad.sql column "at" is DATE, and its definition says timestamp; mend one of them',
    'bad.sql gives no column "more"; its definition has it',
    'bad.sql gives a column "other", which its definition does not have; add it there',
    'nowhere.sql is missing, and the query is declared; write its SELECT',
  ]);
});

describe('bindProject', () => {
  const QUERIES = join(SHIPPED, '..', 'queries');

  test('gives every shipped query with what it answers and the tables that it reads', async () => {
    const { faults, queries } = await bindProject(lake, { jobs: SHIPPED, queries: QUERIES });
    expect(faults).toEqual([]);
    const names = (await readdir(QUERIES)).map((file) => basename(file, '.sql'));
    expect(queries.map(({ name }) => name).sort()).toEqual(names.sort());
    const of = (name: string) => queries.find((query) => query.name === name);
    expect(of('training_overview')).toMatchObject({
      description:
        'How large machine_learning_curated is: rows, subjects, devices, instants, and from when to when.',
      tables: ['machine_learning_curated'],
    });
    // Names of its own WITH clauses are no tables; quarantines are.
    expect(of('unpaired_steps')?.tables.toSorted()).toEqual([
      'accelerometer_trusted',
      'customers_curated',
      'step_trainer_trusted',
    ]);
    expect(of('quarantine')?.tables.toSorted()).toEqual([
      'accelerometer_landing_quarantine',
      'customer_landing_quarantine',
      'step_trainer_landing_quarantine',
    ]);
    for (const { name, sql } of queries) {
      expect(sql).toBe(await readFile(join(QUERIES, `${name}.sql`), 'utf8'));
    }
  });

  test('tells the faults of jobs and queries at once, and asks for no cases', async () => {
    const files = await shippedSql();
    const { faults } = await bindProject(lake, {
      jobs: await folder({ ...files, 'customers_curated.sql': '-- Wrong.\nSELECT 1 AS one' }),
      queries: await folder({
        'a.sql': 'SELECT COUNT(*) AS n FROM customer_trusted c',
        'b.sql': '-- B.\nSELECT n.n FROM nowhere n',
      }),
    });
    const told = short(faults);
    expect(told.filter((text) => text.startsWith('customers_curated.sql'))).not.toEqual([]);
    expect(told.filter((text) => !text.startsWith('customers_curated.sql'))).toEqual([
      'a.sql:1 begins with no comment; say what it answers',
      expect.stringMatching(/^b\.sql:2 reads "nowhere"; the tables are /),
    ]);
  });
});
