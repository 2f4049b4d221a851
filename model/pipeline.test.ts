import fc from 'fast-check';
import {
  csv,
  DefinitionError,
  type DerivedTable,
  date,
  day,
  double,
  epochMillis,
  expectation,
  type Fault,
  int,
  isoDate,
  type Job,
  lakehouse,
  parameter,
  position,
  pseudonym,
  references,
  runTime,
  type SourceTable,
  text,
  timestamp,
  unique,
  type ZoneDefinition,
} from '.';
import { pipeline } from './pipeline';

// What a caller without types, or with a cast, can hand over: every check has to hold for it.
const words = lakehouse(['raw', 'clean', 'open']);

const source = words.source({
  name: 'reading_raw',
  zone: 'raw',
  entity: 'reading',
  description: 'A reading.',
  columns: {
    who: text('Who.', { pii: 'direct', identifies: 'person' }),
    at: epochMillis('When.'),
    value: double('What.', { nullable: true }),
  },
});

const columns = {
  who: text('Who.', { pii: 'direct', identifies: 'person' }),
  at: timestamp('When.'),
  value: double('What.', { nullable: true }),
};

const clean = words.table({ name: 'reading', zone: 'clean', description: 'A reading.', columns });
const open = words.table({
  name: 'reading_open',
  zone: 'open',
  description: 'A reading of somebody.',
  columns: { subject: pseudonym('Who.'), at: columns.at },
});

const cleanJob: Job = words.job({ output: clean, inputs: [source], description: 'Cleans.' });
const openJob: Job = words.job({ output: open, inputs: [clean], description: 'Opens.' });

interface Parts {
  source?: Partial<SourceTable>;
  clean?: Partial<DerivedTable>;
  open?: Partial<DerivedTable>;
  cleanJob?: Partial<Job>;
  openJob?: Partial<Job>;
  zones?: (zones: ZoneDefinition[]) => ZoneDefinition[];
  order?: readonly string[];
}

/** The valid definition above, with the parts given in place of its own. */
function build(parts: Parts = {}) {
  const reading: SourceTable = { ...source, ...parts.source };
  const cleaned: DerivedTable = { ...clean, ...parts.clean };
  const opened: DerivedTable = { ...open, ...parts.open };
  const jobs: [Job, Job] = [
    { ...cleanJob, name: cleaned.name, output: cleaned, inputs: [reading], ...parts.cleanJob },
    { ...openJob, name: opened.name, output: opened, inputs: [cleaned], ...parts.openJob },
  ];
  const zones: ZoneDefinition[] = [
    { name: 'raw', description: 'As it comes.', tables: [reading], jobs: [] },
    { name: 'clean', description: 'Cleaned.', tables: [cleaned], jobs: [jobs[0]] },
    { name: 'open', description: 'For all.', tables: [opened], jobs: [jobs[1]] },
  ];
  return pipeline(parts.order ?? words.zones, parts.zones?.(zones) ?? zones);
}

function faultsOf(work: () => unknown): readonly Fault[] {
  try {
    work();
  } catch (error) {
    if (error instanceof DefinitionError) return error.faults;
    throw error;
  }
  return [];
}

const told = (parts: Parts) => faultsOf(() => build(parts)).map((f) => `${f.path}: ${f.message}`);

/** The same zones, with one of them changed. */
const inZone =
  (name: string, change: (zone: ZoneDefinition) => Partial<ZoneDefinition>) => (zones: ZoneDefinition[]) =>
    zones.map((zone) => (zone.name === name ? { ...zone, ...change(zone) } : zone));

const withColumn = (name: string, column: DerivedTable['columns'][string]) => ({
  columns: { ...columns, [name]: column },
});

test('a sound definition gives its tables sources first, and its jobs in their order', () => {
  const p = build({ zones: (zones) => zones.toReversed() });
  expect(p.zones.map((zone) => zone.name)).toEqual(['raw', 'clean', 'open']);
  expect([...p.tables.keys()]).toEqual(['reading_raw', 'reading', 'reading_open']);
  expect(p.sources.map((t) => t.name)).toEqual(['reading_raw']);
  expect(p.jobs.map((job) => job.name)).toEqual(['reading', 'reading_open']);
  expect(p.parameters).toEqual([]);
});

test('a job may read a later zone: only tables stand in an order', () => {
  const opened: Job = { ...openJob, inputs: [source] };
  const cleaned: Job = { ...cleanJob, inputs: [source, open] };
  const p = pipeline(words.zones, [
    { name: 'raw', description: 'As it comes.', tables: [source], jobs: [] },
    { name: 'clean', description: 'Cleaned.', tables: [clean], jobs: [cleaned] },
    { name: 'open', description: 'For all.', tables: [open], jobs: [opened] },
  ]);
  expect(p.jobs.map((job) => job.name)).toEqual(['reading_open', 'reading']);
});

test('two sources may read the same files: their records, and the elements of an array in them', () => {
  const parts: SourceTable = {
    ...source,
    name: 'part_raw',
    each: 'parts',
    columns: {
      who: source.columns.who,
      nth: position('Which.'),
      part: text('P.', { from: 'parts.name', aliases: ['PARTS2'] }),
    },
  };
  const zones = inZone('raw', ({ tables }) => ({ tables: [...tables, parts] }));
  expect(build({ zones }).sources.map(({ name }) => name)).toEqual(['reading_raw', 'part_raw']);
});

test('a parameter that two jobs share stands once', () => {
  const mode = parameter('mode', 'How.', ['a', 'b']);
  const p = build({ cleanJob: { parameters: [mode] }, openJob: { parameters: [mode] } });
  expect(p.parameters).toEqual([{ name: 'mode', description: 'How.', values: ['a', 'b'], default: 'a' }]);
});

test('a column may be aliased by another spelling of its own name', () => {
  expect(
    told({ source: { columns: { ...source.columns, at: epochMillis('When.', { aliases: ['AT', 'aT'] }) } } }),
  ).toEqual([]);
});

describe('every fault names its place and what to do', () => {
  const cases: [string, Parts, string[]][] = [
    [
      'zone without a definition',
      { zones: (zones) => zones.slice(0, 2) },
      ['open: the zone is declared but has no definition; pass it to pipeline()'],
    ],
    [
      'zone defined twice',
      {
        zones: (zones) => [...zones, { name: 'raw', description: 'Again.', tables: [], jobs: [] }],
      },
      ['raw: the zone is defined twice'],
    ],
    [
      'zone that is not declared',
      { order: ['raw', 'clean'] },
      ['open: is no declared zone; there are raw, clean'],
    ],
    ['zone declared twice', { order: ['raw', 'clean', 'open', 'raw'] }, ['raw: the zone is declared twice']],
    [
      'zone that cannot name a bucket',
      {
        order: [...words.zones, 'wide_open'],
        zones: (zones) => [...zones, { name: 'wide_open', description: 'More.', tables: [], jobs: [] }],
      },
      ["wide_open: a zone's name matches ^[a-z][a-z0-9-]*$, as it names a bucket"],
    ],
    [
      'zone without a description',
      { zones: inZone('raw', () => ({ description: '  ' })) },
      ['raw.description: is empty; say what the zone holds'],
    ],
    [
      'table in a zone of another name',
      { clean: { zone: 'raw' } },
      [
        'reading: its zone is raw, but it is listed in zone clean',
        'jobs.reading: is listed in zone clean, but its output is of zone raw',
      ],
    ],
    [
      'job in a zone of another name',
      {
        zones: (zones) => {
          const all = zones.flatMap((zone) => zone.jobs);
          return zones.map((zone) => ({ ...zone, jobs: zone.name === 'clean' ? all : [] }));
        },
      },
      ['jobs.reading_open: is listed in zone clean, but its output is of zone open'],
    ],
    [
      'table listed twice',
      { zones: inZone('raw', ({ tables }) => ({ tables: [...tables, ...tables] })) },
      ['reading_raw: is listed twice; list it once, in its own zone'],
    ],
    [
      'one name for two tables',
      {
        zones: inZone('raw', ({ tables }) => ({
          tables: [...tables, { ...source, entity: 'other' }],
        })),
      },
      ['reading_raw: the name stands for two tables; rename one'],
    ],
    [
      'two sources of one folder',
      {
        zones: inZone('raw', ({ tables }) => ({ tables: [...tables, { ...source, name: 'again_raw' }] })),
      },
      [
        'again_raw.entity: reading_raw and again_raw would make the same rows of the files of "reading"; of several sources of one entity, each has an each of its own',
      ],
    ],
    [
      'two sources of one folder in two zones',
      {
        zones: inZone('open', ({ tables }) => ({
          tables: [
            ...tables,
            {
              ...source,
              name: 'part_raw',
              zone: 'open',
              each: 'parts',
              columns: { ...source.columns, part: text('P.', { from: 'parts' }) },
            },
          ],
        })),
      },
      ['part_raw.zone: reading_raw and part_raw read the same files of "reading", so they are of one zone'],
    ],
    [
      'two sources of one folder in two formats',
      {
        zones: inZone('raw', ({ tables }) => ({
          tables: [
            ...tables,
            {
              ...source,
              name: 'part_raw',
              format: 'parquet',
              each: 'parts',
              columns: { ...source.columns, part: text('P.', { from: 'parts' }) },
            },
          ],
        })),
      },
      [
        'part_raw.format: reading_raw and part_raw read the same files of "reading", so they are of one format',
        'part_raw.each: is for JSON; of CSV and Parquet, each row is one',
      ],
    ],
    [
      'a source that says of nobody whose its files are, as another does',
      {
        zones: inZone('raw', ({ tables }) => ({
          tables: [
            ...tables,
            { ...source, name: 'part_raw', each: 'parts', columns: { part: text('P.', { from: 'parts' }) } },
          ],
        })),
      },
      [
        'part_raw.columns: none is personal, but by reading_raw its files are; name the column that says whose a record is here too',
      ],
    ],
    [
      'an array of which nothing is read',
      { source: { each: 'parts' } },
      ["reading_raw.each: is parts, but no column is read in an element; give one from: 'parts.…'"],
    ],
    [
      'an array that is no path',
      { source: { each: 'parts[*]', columns: { part: text('P.') } } },
      ['reading_raw.each: is "parts[*]"; it is keys with points between, such as order.items'],
    ],
    [
      'an element that says whose it is',
      {
        source: {
          each: 'parts',
          columns: {
            who: text('W.', { pii: 'direct', identifies: 'person' }),
            device: text('D.', { pii: 'quasi', identifies: 'device', from: 'parts.device' }),
          },
        },
      },
      [
        'reading_raw.columns.device: identifies, but is read in an element: files are rid of whole records, and others may share one; read it in the record',
      ],
    ],
    [
      'the position of no element',
      { source: { columns: { nth: position('Which.'), part: text('P.') } } },
      ['reading_raw.columns.nth: is the position of an element; say which array it is of, by each'],
    ],
    [
      "a table's name against Glue's rule",
      { clean: { name: 'Reading' } },
      ["Reading: a table's name matches ^[a-z][a-z0-9_]*$ (the Glue catalog's rule)"],
    ],
    [
      "a table's name that is a quarantine's",
      { clean: { name: 'reading_quarantine' } },
      ['reading_quarantine: such names are those of the tables of refused lines'],
    ],
    [
      "a table's name that is reserved",
      { clean: { name: 'order' } },
      ['order: the name is a reserved word of SQL; take another'],
    ],
    [
      'missing descriptions',
      {
        source: { description: '' },
        clean: { columns: { ...columns, at: timestamp(' ') } },
        cleanJob: { description: '', parameters: [parameter('mode', '', ['a', 'b'])] },
        open: {
          expectations: [
            expectation({
              name: 'rule',
              severity: 'warn',
              description: '',
              columns: ['at'],
              sql: (table) => `SELECT * FROM ${table} t`,
            }),
          ],
        },
      },
      [
        'reading_raw.description: is empty; say what a row is',
        'reading.columns.at: has no description',
        'reading_open.expectations.rule: has no description; a finding quotes it',
        'jobs.reading: has no description',
        'jobs.reading.parameters.mode: has no description',
      ],
    ],
    ['no column', { source: { columns: {} } }, ['reading_raw.columns: a table needs at least one column']],
    [
      "a column's name",
      { clean: withColumn('is-bad', text('Bad.')) },
      ["reading.columns.is-bad: a column's name matches ^[a-zA-Z][a-zA-Z0-9_]*$"],
    ],
    [
      "a column's name that is reserved",
      { clean: withColumn('Order', text('Bad.')) },
      [
        'reading.columns.Order: the name is a reserved word of SQL; take another, and give a source the key as an alias',
      ],
    ],
    [
      'columns that differ in case only',
      { clean: withColumn('Value', double('Again.')) },
      ['reading.columns: "value" stands for two columns (names and aliases are compared without case)'],
    ],
    [
      'an alias that is another column without case',
      { source: { columns: { ...source.columns, value: double('What.', { aliases: ['WHO'] }) } } },
      ['reading_raw.columns: "who" stands for two columns (names and aliases are compared without case)'],
    ],
    [
      'two aliases that are one',
      {
        source: {
          columns: {
            ...source.columns,
            at: epochMillis('When.', { aliases: ['k'] }),
            value: double('What.', { aliases: ['K'] }),
          },
        },
      },
      ['reading_raw.columns: "k" stands for two columns (names and aliases are compared without case)'],
    ],
    [
      'aliases that nothing reads',
      { clean: withColumn('value', double('What.', { aliases: ['val'] })) },
      ["reading.columns.value: has aliases (val), which only a source's reader looks at; use refined()"],
    ],
    [
      "a source's types in a table that a job writes",
      {
        clean: {
          columns: { ...columns, at: epochMillis('When.'), born: isoDate('Born.') },
        },
      },
      [
        'reading.columns.at: epochMillis is how a source writes it; use refined() or timestamp()',
        'reading.columns.born: isoDate is how a source writes it; use refined() or date()',
      ],
    ],
    [
      'CSV by marks that are none, and values within a value',
      {
        source: {
          format: csv({ delimiter: '||', quote: 'q' }),
          columns: { ...source.columns, city: text('Where.', { from: 'address.city' }) },
        },
      },
      [
        'reading_raw.format.delimiter: is "||"; it is one mark of ASCII, or a tab',
        'reading_raw.format.quote: is "q"; it is one mark of ASCII, or a tab',
        'reading_raw.columns.city: from is "address.city"; in CSV nothing is within a value: name a column of the header',
      ],
    ],
    [
      'CSV whose marks are one',
      { source: { format: csv({ delimiter: '"' }) } },
      ['reading_raw.format: delimiter and quote are both "; take two'],
    ],
    [
      'types that sources have not',
      {
        source: {
          columns: { who: pseudonym('Who.'), at: timestamp('When.'), on: text('On.'), born: date('Born.') },
        },
      },
      [
        'reading_raw.columns.who: files of a source have no pseudonym; use text, int, double, boolean, decimal, json, epochMillis, isoInstant, isoDate',
        'reading_raw.columns.at: files of a source have no timestamp; use text, int, double, boolean, decimal, json, epochMillis, isoInstant, isoDate',
        'reading_raw.columns.on: the name is a reserved word of SQL; take another, and give a source the key as an alias',
        'reading_raw.columns.born: files of a source have no date; use text, int, double, boolean, decimal, json, epochMillis, isoInstant, isoDate',
      ],
    ],
    [
      'ranges that hold nothing or are none',
      {
        clean: {
          columns: {
            ...columns,
            value: double('What.', { min: 1, max: 0.5 }),
            n: int('N.', { max: Number.NaN }),
            at: timestamp('When.', { min: Date.parse('2023-13-01'), max: 1e17 }),
          },
        },
      },
      [
        'reading.columns.at: its min is NaN; it is a number',
        'reading.columns.at: its max is 100000000000000000; it is in milliseconds, of the years 1 to 9999',
        'reading.columns.value: its range is empty: min 1 is above max 0.5',
        'reading.columns.n: its max is NaN; it is a number',
      ],
    ],
    [
      'a source folder that is a path',
      { source: { entity: '../reading' } },
      ['reading_raw.entity: is "../reading"; it is the name of a folder, and matches ^[a-z][a-z0-9_]*$'],
    ],
    [
      'a share that is none',
      { source: { maxQuarantinedShare: 5 } },
      ['reading_raw.maxQuarantinedShare: is 5; it is a share from 0 to 1'],
    ],
    [
      'a share that is no number',
      { source: { maxQuarantinedShare: Number.NaN } },
      ['reading_raw.maxQuarantinedShare: is NaN; it is a share from 0 to 1'],
    ],
    [
      'unknown columns in keys, partitions and expectations',
      {
        clean: {
          keys: [['who', 'what'], []],
          partitionBy: [day('when')],
          expectations: [unique(['toString'], { description: 'D.' })],
        },
      },
      [
        'reading.keys[0]: no column "what"; it has who, at, value',
        'reading.keys[1]: names no column',
        'reading.partitionBy[0]: no column "when"; it has who, at, value',
        'reading.expectations.unique_toString: no column "toString"; it has who, at, value',
      ],
    ],
    [
      'partitions by day of what is no instant, twice, and under the name of a column',
      {
        clean: {
          columns: { ...columns, At_Day: text('Day.') },
          partitionBy: [day('value'), day('at'), day('at')],
        },
      },
      [
        'reading.partitionBy[0]: day() needs a timestamp; value is double',
        'reading.partitionBy[1]: day(at) makes a partition of the name of the column At_Day; rename the column',
        'reading.partitionBy[2]: the table is partitioned by day(at) already',
        'reading.partitionBy[2]: day(at) makes a partition of the name of the column At_Day; rename the column',
      ],
    ],
    [
      'quarantine expected of a source, or of no column',
      {
        source: { expectations: [unique(['who'], { severity: 'quarantine', description: 'D.' })] },
        clean: {
          expectations: [
            expectation({
              name: 'rule',
              severity: 'quarantine',
              description: 'D.',
              columns: [],
              sql: (table) => `SELECT * FROM ${table} t`,
            }),
          ],
        },
      },
      [
        "reading_raw.expectations.unique_who: a source's lines are quarantined by its columns' types and ranges; use fail or warn",
        'reading.expectations.rule: moves the rows that share the values of its columns, so it has to name some',
      ],
    ],
    [
      'expectations of one name, or of the name of an implied one',
      {
        clean: {
          keys: [['who']],
          expectations: [
            unique(['who'], { description: 'D.' }),
            expectation({
              name: 'required_values',
              severity: 'warn',
              description: 'D.',
              columns: ['who'],
              sql: (table) => `SELECT * FROM ${table} t`,
            }),
          ],
        },
      },
      [
        'reading.expectations.unique_who: the name is used twice; give one of them a name of its own',
        'reading.expectations.required_values: the name is used twice; give one of them a name of its own',
      ],
    ],
    [
      "an expectation's name",
      {
        clean: {
          expectations: [unique(['who'], { name: 'only one', description: 'D.' })],
        },
      },
      ["reading.expectations.only one: an expectation's name matches ^[a-zA-Z][a-zA-Z0-9_]*$"],
    ],
    [
      "an expectation that reads what its job doesn't, what is made later, and what does not exist",
      {
        source: { expectations: [references(clean, { who: 'who' }, { description: 'D.' })] },
        open: {
          expectations: [
            references(source, { at: 'at' }, { description: 'D.' }),
            references({ name: 'nowhere', columns }, { at: 'at' }, { description: 'D.' }),
          ],
        },
      },
      [
        "reading_raw.expectations.references_reading: reads reading, which is made after it; a source's may read sources only",
        'reading_open.expectations.references_nowhere: reads "nowhere", which is no table of the pipeline',
        "reading_open.expectations.references_reading_raw: reads reading_raw, which its job does not; add it to the job's inputs",
        "reading_open.expectations.references_nowhere: reads nowhere, which its job does not; add it to the job's inputs",
      ],
    ],
    [
      'personal columns of nobody',
      {
        source: { columns: { who: text('W.', { pii: 'direct' }), born: isoDate('B.', { pii: 'quasi' }) } },
        clean: withColumn('age', int('A.', { pii: 'quasi' })),
      },
      [
        'reading_raw.columns: who, born: personal, but no column says whose; mark one with identifies, so that a person can be forgotten',
      ],
    ],
    [
      'what identifies somebody, and is not personal',
      {
        source: { columns: { who: text('W.', { identifies: 'person' }), at: epochMillis('A.') } },
        clean: withColumn('device', text('D.', { identifies: 'device' })),
      },
      [
        'reading_raw.columns.who: identifies a person, so it is personal; give it its pii class',
        'reading.columns.device: identifies a device, so it is personal; give it its pii class',
      ],
    ],
    [
      'things of people of which no source says whose they are',
      {
        source: {
          columns: { who: int('W.', { pii: 'quasi', identifies: 'device' }), at: epochMillis('A.') },
        },
        clean: withColumn('who', text('W.', { pii: 'direct', identifies: 'person' })),
      },
      [
        'reading_raw: holds rows of people, and no source says whose: one has to have columns of both, with identifies: person and identifies: device',
        'reading: holds rows of people, and is made from no table that says whose; read one, or mark columns of its sources with identifies',
      ],
    ],
    [
      'a personal column that loses its mark on the way',
      { open: { columns: { who: text('Who.'), at: columns.at } } },
      [
        'reading_open.columns.who: is a direct identifier in reading, which its job reads, but not marked here; mark it, declare a pseudonym() or rename it',
      ],
    ],
    [
      'a table without a job',
      { zones: inZone('open', () => ({ jobs: [] })) },
      ['reading_open: no job writes it; list its job in the zone'],
    ],
    [
      'two jobs for a table',
      { zones: inZone('open', ({ jobs }) => ({ jobs: [...jobs, { ...(jobs[0] as Job) }] })) },
      ['jobs.reading_open: two jobs write this table; a table has one job'],
    ],
    [
      'an output and an input in no zone',
      {
        zones: (zones) => [
          { ...(zones[0] as ZoneDefinition), tables: [] },
          ...inZone('open', () => ({ tables: [] }))(zones.slice(1)),
        ],
      },
      [
        "jobs.reading: its input reading_raw is in no zone's tables",
        "jobs.reading_open: its output reading_open is in no zone's tables",
      ],
    ],
    ['a job that reads nothing', { cleanJob: { inputs: [] } }, ['jobs.reading: reads no table']],
    [
      'an input listed twice',
      {
        zones: inZone('open', ({ jobs: [job] }) => ({
          jobs: [{ ...(job as Job), inputs: [...(job as Job).inputs, ...(job as Job).inputs] }],
        })),
      },
      ['jobs.reading_open: lists its input reading twice'],
    ],
    [
      'unknown columns in drivenBy',
      { cleanJob: { drivenBy: { when: 'at', at: 'constructor' } } },
      [
        'jobs.reading.drivenBy: reading_raw has no column "when"',
        'jobs.reading.drivenBy: reading has no column "constructor"',
      ],
    ],
    [
      'drivenBy without a column',
      { cleanJob: { drivenBy: {} } },
      ['jobs.reading.drivenBy: names no column; leave it out, or pair the columns that tell a row'],
    ],
    [
      'drivenBy of columns that cannot be equal',
      { cleanJob: { drivenBy: { at: 'who' } }, openJob: { drivenBy: { who: 'subject', at: 'subject' } } },
      [
        'jobs.reading.drivenBy: at is timestamp and who is text; they cannot be equal',
        'jobs.reading_open.drivenBy: at is timestamp and subject is pseudonym; they cannot be equal',
      ],
    ],
    [
      'increments that name what is not there',
      {
        cleanJob: {
          increments: [
            { key: 'whom', by: { reading_raw: 'at', other: 'who' }, when: { mode: 'a' } },
            { key: 'who', by: {} },
          ],
        },
        openJob: {
          increments: [{ key: 'subject', by: { reading: { of: 'reading_raw', on: {}, key: 'who' } } }],
        },
      },
      [
        'jobs.reading.increments[0].key: reading has no column "whom"',
        'jobs.reading.increments[0].by.other: other is no input of the job',
        'jobs.reading.increments[0].when.mode: a is no value that reading may be given for mode',
        'jobs.reading.increments[1].by: names no input; leave the increment out, or say what a row stands for',
        'jobs.reading_open.increments[0].by.reading: reading_raw is no input of the job',
        'jobs.reading_open.increments[0].by.reading: goes through reading_raw, which by does not name',
        'jobs.reading_open.increments[0].by.reading.on: pairs no columns',
      ],
    ],
    [
      'increments of columns that cannot be equal',
      {
        cleanJob: {
          increments: [
            { key: 'at', by: { reading_raw: 'who' } },
            { key: 'at', by: { reading_raw: day('at') } },
            { key: 'who', by: { reading_raw: day('who') } },
          ],
        },
        openJob: { increments: [{ key: 'subject', by: { reading: 'who' } }] },
      },
      [
        'jobs.reading.increments[0].by.reading_raw: is text, and at is timestamp; they cannot be equal',
        'jobs.reading.increments[1].by.reading_raw: is date, and at is timestamp; they cannot be equal',
        'jobs.reading.increments[2].by.reading_raw: day() needs a timestamp; who is text',
        'jobs.reading.increments[2].by.reading_raw: is date, and who is text; they cannot be equal',
      ],
    ],
    [
      'what comes due',
      {
        cleanJob: {
          parameters: [runTime],
          increments: [
            { key: 'who', by: { reading_raw: 'who' } },
            { key: 'who', by: { reading_raw: 'who' }, due: { reading_raw: 'value' } },
          ],
        },
        openJob: { increments: [{ key: 'at', by: { reading: 'at' }, due: { reading_raw: 'at' } }] },
      },
      [
        'jobs.reading.increments[0].due: the job asks for the time; name the instants at which that changes what it gives',
        'jobs.reading.increments[1].due.reading_raw: value is double; only an instant comes due',
        'jobs.reading_open.increments[0].due.reading_raw: says when a row comes due, and not what it stands for; name it in by',
        'jobs.reading_open.increments[0].due.reading_raw: reading_raw is no input of the job',
      ],
    ],
    [
      'an increment of a table that rows are moved out of',
      {
        clean: { expectations: [unique(['who'], { severity: 'quarantine', description: 'D.' })] },
        cleanJob: { increments: [{ key: 'who', by: { reading_raw: 'who' } }] },
      },
      ['jobs.reading.increments[0]: expectations of reading move rows out; such a table is made whole'],
    ],
    [
      'a parameter that two jobs declare each in its own way',
      {
        cleanJob: { parameters: [parameter('mode', 'How.', ['a', 'b'])] },
        openJob: { parameters: [parameter('mode', 'How.', ['b', 'a'])] },
      },
      ['jobs.reading_open.parameters.mode: another job declares it differently; share one parameter()'],
    ],
    [
      'parameters that no run could give',
      {
        cleanJob: {
          parameters: [
            parameter('the-mode', 'How.', ['a', 'a']),
            parameter('quote', 'Quoted.', ["it's", 'back\\slash', '']),
          ],
        },
      },
      [
        "jobs.reading.parameters.the-mode: a parameter's name matches ^[a-z][a-z0-9_]*$",
        'jobs.reading.parameters.the-mode: lists the value "a" twice',
        'jobs.reading.parameters.quote: its value "it\'s" does not match ^[A-Za-z0-9._-]+$',
        'jobs.reading.parameters.quote: its value "back\\slash" does not match ^[A-Za-z0-9._-]+$',
        'jobs.reading.parameters.quote: its value "" does not match ^[A-Za-z0-9._-]+$',
      ],
    ],
  ];

  test.each(cases)('%s', (_what, parts, faults) => {
    expect(told(parts)).toEqual(faults);
  });

  test('a parameter listed twice by one job', () => {
    const mode = parameter('mode', 'How.', ['a', 'b']);
    expect(told({ cleanJob: { parameters: [mode, mode] } })).toEqual([
      'jobs.reading.parameters.mode: is listed twice',
    ]);
  });

  test('all at once, in one message', () => {
    const work = () =>
      build({
        source: { maxQuarantinedShare: 2 },
        clean: { description: '', keys: [['nope']] },
        openJob: { drivenBy: {} },
        zones: (zones) => zones.toReversed(),
        order: ['raw', 'clean', 'open', 'more'],
      });
    expect(work).toThrow(
      [
        'The definition has 5 faults:',
        '  more: the zone is declared but has no definition; pass it to pipeline()',
        '  reading.description: is empty; say what a row is',
        '  reading.keys[0]: no column "nope"; it has who, at, value',
        '  reading_raw.maxQuarantinedShare: is 2; it is a share from 0 to 1',
        '  jobs.reading_open.drivenBy: names no column; leave it out, or pair the columns that tell a row',
      ].join('\n'),
    );
  });
});

describe('the order of jobs', () => {
  const zoned = lakehouse(['all']);
  const plain = (name: string) =>
    zoned.table({ name, zone: 'all', description: 'T.', columns: { n: int('N.') } });
  const origin = zoned.source({
    name: 'origin',
    zone: 'all',
    entity: 'origin',
    description: 'O.',
    columns: { n: int('N.') },
  });

  /** One job a table, each reading the tables of the given numbers, or the source; listed in the given order. */
  function linked(edges: readonly (readonly number[])[], listing: readonly number[]) {
    const tables = edges.map((_, i) => plain(`t${i}`));
    const jobs = edges.map((from, i): Job => {
      const output = tables[i] as DerivedTable;
      const inputs = from.map((j) => tables[j] as DerivedTable);
      return {
        name: output.name,
        language: 'sql',
        description: 'J.',
        output,
        inputs: inputs.length > 0 ? inputs : [origin],
        parameters: [],
        increments: [],
      };
    });
    const all: ZoneDefinition = {
      name: 'all',
      description: 'All.',
      tables: [...tables, origin],
      jobs: listing.map((i) => jobs[i] as Job),
    };
    return () => pipeline(['all'], [all]);
  }

  // Edges go from a table to ones of a lower number, so there is no cycle; the listing is any order.
  const dag = fc.integer({ min: 1, max: 12 }).chain((size) =>
    fc.record({
      edges: fc.tuple(
        ...Array.from({ length: size }, (_, i) =>
          i === 0 ? fc.constant([] as number[]) : fc.uniqueArray(fc.integer({ min: 0, max: i - 1 })),
        ),
      ),
      listing: fc.shuffledSubarray([...Array(size).keys()], { minLength: size }),
    }),
  );

  test('puts every job after those that make its inputs', () => {
    fc.assert(
      fc.property(dag, ({ edges, listing }) => {
        const { jobs, tables } = linked(edges, listing)();
        expect(jobs.map((job) => job.name).toSorted()).toEqual(edges.map((_, i) => `t${i}`).toSorted());
        expect([...tables.keys()]).toEqual(['origin', ...jobs.map((job) => job.name)]);
        const place = new Map(jobs.map((job, i) => [job.name, i]));
        for (const job of jobs) {
          for (const { name } of job.inputs) {
            if (name === 'origin') continue;
            expect(place.get(name)).toBeLessThan(place.get(job.name) as number);
          }
        }
      }),
    );
  });

  test('reports a way back as a cycle, by the jobs on it', () => {
    fc.assert(
      fc.property(dag, fc.nat(), fc.nat(), ({ edges, listing }, a, b) => {
        // A chain from `low` up to `high`, then back: at least one cycle, among jobs that really read each other.
        const low = a % edges.length;
        const high = low + (b % (edges.length - low));
        const all = edges.map((from, i) => {
          const more = i > low && i <= high ? [i - 1] : i === low ? [high] : [];
          return [...new Set([...from, ...(i === low && high === low ? [low] : more)])];
        });
        const faults = faultsOf(linked(all, listing));
        expect(faults.length).toBeGreaterThan(0);
        for (const { path, message } of faults) {
          const [, loop = ''] = /^the jobs form a cycle: (.+)$/.exec(message) ?? [];
          const names = loop.split(' reads ');
          expect(names.length).toBeGreaterThan(1);
          expect([path, names.at(-1)]).toEqual([`jobs.${names[0]}`, names[0]]);
          names.slice(1).forEach((name, i) => {
            expect(all[Number(names[i]?.slice(1))]).toContain(Number(name.slice(1)));
          });
        }
      }),
    );
  });

  test('tells the whole loop', () => {
    expect(faultsOf(linked([[2], [0], [1], []], [0, 1, 2, 3]))).toEqual([
      { path: 'jobs.t0', message: 'the jobs form a cycle: t0 reads t2 reads t1 reads t0' },
    ]);
    expect(faultsOf(linked([[0]], [0]))).toEqual([
      { path: 'jobs.t0', message: 'the jobs form a cycle: t0 reads t0' },
    ]);
  });
});
