import { lake } from '../pipeline';
import {
  auditOf,
  day,
  double,
  epochMillis,
  expectation,
  int,
  type Job,
  lakehouse,
  parameter,
  pseudonym,
  readingOf,
  text,
  timestamp,
  unique,
  unmatchedOf,
} from '.';
import { erasureOf, forgets, manifestOf, PEOPLE } from './manifest';

const words = lakehouse(['raw', 'clean']);

const source = words.source({
  name: 'reading_raw',
  zone: 'raw',
  entity: 'reading',
  description: 'A reading as it came.',
  columns: {
    who: text('Who.', { pii: 'direct', identifies: 'person' }),
    at: epochMillis('When.', { min: 0, max: 9, aliases: ['AT'] }),
    value: double('What.', { nullable: true, max: 5 }),
    count: int('How many.', { min: -1 }),
  },
  expectations: [unique(['who', 'at'], { severity: 'warn', description: 'Read once.' })],
  maxQuarantinedShare: 0.1,
});
const people = words.table({
  name: 'people',
  zone: 'clean',
  description: 'People.',
  columns: { who: text('Who.', { pii: 'direct', identifies: 'person' }) },
});
const output = words.table({
  name: 'reading',
  zone: 'clean',
  description: 'A reading.',
  columns: { subject: pseudonym('Who.'), at: timestamp('When.', { max: Date.UTC(2100, 0, 1) }) },
  keys: [['subject', 'at']],
  partitionBy: [day('at')],
  expectations: [
    expectation({
      name: 'known',
      severity: 'quarantine',
      description: 'Known people only.',
      columns: ['subject'],
      counts: ['times'],
      reads: [people],
      sql: (table) => `SELECT 1 FROM ${table}`,
    }),
  ],
});
const mode = parameter('mode', 'How.', ['plain', 'strict']);

const placed = (job: Job) =>
  manifestOf(job, {
    database: 'd',
    location: ({ name }) => `s3://data/${name}/`,
    quarantine: ({ name }) => `s3://refused/${name}/`,
    suppressed: 's3://suppressed/list.json',
    runs: 's3://runs/',
    metricsNamespace: 'N',
  });

test('a manifest is all that a runner needs of a job', () => {
  const job = words.job({
    output,
    inputs: [source, people],
    parameters: [mode],
    description: 'Makes readings.',
    drivenBy: { who: 'subject' },
  });
  const manifest = placed(job);
  expect(manifest).toStrictEqual({
    version: 4,
    job: 'reading',
    database: 'd',
    driving: 'reading_raw',
    unmatched: unmatchedOf(job),
    sources: {
      reading_raw: {
        location: 's3://data/reading_raw/',
        quarantine: 's3://refused/reading_raw/',
        maxQuarantinedShare: 0.1,
        columns: {
          who: { type: 'text', pii: 'direct', identifies: 'person' },
          at: { type: 'epochMillis' },
          value: { type: 'double' },
          count: { type: 'int' },
        },
        reading: readingOf(source),
        audit: auditOf(source, [people]),
      },
    },
    tables: ['people'],
    output: {
      table: 'reading',
      schema: '`subject` string, `at` timestamp_ntz',
      columns: {
        subject: { type: 'pseudonym' },
        at: { type: 'timestamp' },
      },
      partitionBy: [{ transform: 'day', column: 'at' }],
      audit: auditOf(output, [source, people], job),
      quarantine: 's3://refused/reading/',
    },
    parameters: { mode: ['plain', 'strict'] },
    suppressed: 's3://suppressed/list.json',
    runs: 's3://runs/',
    metricsNamespace: 'N',
  });
  expect(JSON.parse(JSON.stringify(manifest))).toStrictEqual(manifest);
});

test('what a job has not, its manifest has not', () => {
  const manifest = placed(words.job({ output: people, inputs: [source], description: 'P.' }));
  expect(manifest).not.toHaveProperty('unmatched');
  expect(manifest.tables).toEqual([]);
  expect(manifest.parameters).toEqual({});
  expect(manifest.output.partitionBy).toEqual([]);
  expect(manifest.output).not.toHaveProperty('quarantine');
});

test('a job is told who was forgotten where a source says whose its rows are', () => {
  const nobodys = words.source({
    ...source,
    name: 'weather_raw',
    entity: 'weather',
    columns: { value: double('What.') },
    expectations: [],
  });
  const weather = words.table({
    name: 'weather',
    zone: 'clean',
    description: 'W.',
    columns: { value: double('What.') },
  });
  const told = [
    words.job({ output: people, inputs: [source], description: 'P.' }),
    words.job({ output: weather, inputs: [nobodys], description: 'W.' }),
    words.job({ output: weather, inputs: [nobodys, source], description: 'W.' }),
    // Rows of a table were let in by the job that made it.
    words.job({ output: weather, inputs: [people], description: 'W.' }),
  ].map((job) => [forgets(job), placed(job).suppressed]);
  expect(told).toEqual([
    [true, 's3://suppressed/list.json'],
    // It may be told of the list all the same: any file may have a person's lines.
    [false, 's3://suppressed/list.json'],
    [true, 's3://suppressed/list.json'],
    [false, undefined],
  ]);
});

describe('an erasure manifest', () => {
  const of = {
    jobs: [{ manifest: 's3://m.json', code: 's3://q.sql', parameters: { consent: 'granted' } }],
    suppressed: 's3://suppressed/list.json',
    receipts: 's3://receipts/',
  };

  test('says by what every table is made again', () => {
    const erasure = erasureOf(of);
    expect(erasure).toStrictEqual({ version: 4, people: PEOPLE, ...of });
    expect(JSON.parse(JSON.stringify(erasure))).toStrictEqual(erasure);
  });
});

test('to reword a description changes no manifest', () => {
  const descriptions = [
    ...lake.zones.map((zone) => zone.description),
    ...lake.jobs.map((job) => job.description),
    ...lake.parameters.map((each) => each.description),
    ...[...lake.tables.values()].flatMap((table) => [
      table.description,
      ...Object.values(table.columns).map((column) => column.description),
      ...table.expectations.map((each) => each.description),
    ]),
  ];
  expect(descriptions.length).toBeGreaterThan(50);
  for (const job of lake.jobs) {
    const text = JSON.stringify(placed(job));
    expect({ job: job.name, told: descriptions.filter((each) => text.includes(each)) }).toEqual({
      job: job.name,
      told: [],
    });
    expect(text).not.toContain('description');
  }
});

test('a column that a job does not write changes no job that reads its table', () => {
  const wider = { ...people, columns: { ...people.columns, more: int('More.') } };
  const jobOn = (table: typeof people) => words.job({ output, inputs: [source, table], description: 'M.' });
  expect(placed(jobOn(wider))).toStrictEqual(placed(jobOn(people)));
});

test('a source is compared only with what its job reads', () => {
  const other = words.source({ ...source, name: 'other_raw', entity: 'other', expectations: [] });
  const compared = {
    ...source,
    expectations: ['a', 'b'].map((name) =>
      expectation({
        name,
        severity: 'warn',
        description: 'D.',
        columns: ['who'],
        reads: [other],
        sql: (table) => `SELECT t.who, o.value, o.who AS whose FROM ${table} t, other_raw o`,
      }),
    ),
  };
  expect(() => placed(words.job({ output: people, inputs: [compared], description: 'P.' }))).toThrow(
    `The definition has 2 faults:
  reading_raw.expectations.a: reads other_raw, which the job people does not; on Glue a job has its inputs only: add it to them
  reading_raw.expectations.b: reads other_raw, which the job people does not`,
  );
  const { sources } = placed(words.job({ output: people, inputs: [compared, other], description: 'P.' }));
  expect(sources.reading_raw?.audit.map(({ name }) => name)).toEqual(['a', 'b']);
});

test('a source that keeps rows of files that are gone is refused by name, where nothing keeps them', () => {
  const keeping = { ...source, onMissing: 'keep' as const };
  expect(() => placed(words.job({ output: people, inputs: [keeping], description: 'P.' }))).toThrow(
    /reading_raw\.onMissing: is 'keep', which the local engine does/,
  );
});
