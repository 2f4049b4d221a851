import { type Column, type ColumnType, refinedType } from './column';
import { valuePlace } from './each';
import { type Expectation, expectationsOf } from './expectation';
import { DefinitionError, type Fault } from './faults';
import { incrementFaults } from './increment';
import { type Job, type Parameter, runTime } from './job';
import type { ZoneDefinition } from './lakehouse';
import { sequencesOf } from './pattern';
import { reachFaults } from './reach';
import { type CsvFormat, type DerivedTable, isPersonal, type SourceTable, type Table } from './table';

/** The checked definition: what every engine, the CLI and the Pulumi program read. */
export interface Pipeline<Zone extends ZoneDefinition = ZoneDefinition> {
  readonly zones: readonly Zone[];
  /** Every table by name, sources first, then in the order in which jobs make them. */
  readonly tables: ReadonlyMap<string, Table>;
  readonly sources: readonly SourceTable[];
  /** In an order in which each job follows the jobs that make its inputs. */
  readonly jobs: readonly Job[];
  /** What a run may choose. */
  readonly parameters: readonly Parameter[];
}

type Faulty = (path: string, message: string) => void;

const NAME = /^[a-z][a-z0-9_]*$/;
const COLUMN_NAME = /^[a-zA-Z][a-zA-Z0-9_]*$/;
// Zones name buckets, and a bucket's name has no underscore.
const ZONE_NAME = /^[a-z][a-z0-9-]*$/;
// What needs no escape in a string of any engine.
const PARAMETER_VALUE = /^[A-Za-z0-9._-]+$/;
// Trino reads these as names in double quotes only, and to Spark double quotes are a string.
const RESERVED = new Set(
  `alter and as between by case cast constraint create cross cube current_catalog current_date current_path
  current_role current_schema current_time current_timestamp current_user deallocate delete describe distinct drop
  else end escape except execute exists extract false for from full group grouping having in inner insert intersect
  into is join json_array json_exists json_object json_query json_table json_value left like listagg localtime
  localtimestamp natural normalize not null on or order outer prepare recursive right rollup select skip table then
  trim true uescape union unnest using values when where with`.split(/\s+/),
);
/** Keys with points between. */
const PATH = /^[^.*]+(?:\.[^.*]+)*$/;
const SOURCE_ONLY = new Set<ColumnType>(['epochMillis', 'isoInstant', 'isoDate']);
const SOURCE_TYPES = new Set<ColumnType>([
  'text',
  'int',
  'double',
  'boolean',
  'decimal',
  'json',
  ...SOURCE_ONLY,
]);
const INSTANTS = new Set<ColumnType>(['timestamp', 'epochMillis', 'isoInstant']);
// The years that a timestamp of every engine can be written in.
const FIRST_INSTANT = Date.parse('0001-01-01T00:00:00.000Z');
const LAST_INSTANT = Date.parse('9999-12-31T23:59:59.999Z');

/** Checks the definition as a whole and orders its jobs. Throws a DefinitionError with every fault. */
export function pipeline<Zone extends ZoneDefinition>(
  zoneOrder: readonly string[],
  zones: readonly Zone[],
): Pipeline<Zone> {
  const listed = zones.flatMap((zone) => zone.tables);
  const tables = [...new Set(listed)];
  const jobs = [...new Set(zones.flatMap((zone) => zone.jobs))];
  const sources = tables.filter((t): t is SourceTable => t.format !== 'iceberg');
  const faults: Fault[] = [];
  const fault: Faulty = (path, message) => faults.push({ path, message });

  zoneFaults(zoneOrder, zones, fault);
  for (const table of repeated(listed)) fault(table.name, 'is listed twice; list it once, in its own zone');
  for (const name of repeated(tables.map((t) => t.name))) {
    fault(name, 'the name stands for two tables; rename one');
  }
  sharedFaults(sources, fault);
  for (const table of tables) {
    tableFaults(table, tables, (path, message) => fault(`${table.name}${path}`, message));
  }
  jobFaults(zones, tables, jobs, fault);
  parameterFaults(jobs, fault);
  const ordered = order(jobs, fault);
  if (faults.length === 0) faults.push(...reachFaults({ sources, jobs: ordered }));
  if (faults.length > 0) throw new DefinitionError(faults);

  const all = [...sources, ...ordered.map((job) => job.output)];
  const parameters = new Set(jobs.flatMap((job) => job.parameters));
  return {
    zones: zoneOrder.flatMap((name) => zones.filter((zone) => zone.name === name)),
    sources,
    jobs: ordered,
    tables: new Map(all.map((table) => [table.name, table])),
    parameters: [...parameters].filter((parameter) => parameter !== runTime),
  };
}

const repeated = <T>(values: readonly T[]): T[] => [
  ...new Set(values.filter((value, i) => values.indexOf(value) !== i)),
];

const isBlank = (text: string) => text.trim() === '';

function zoneFaults(zoneOrder: readonly string[], zones: readonly ZoneDefinition[], fault: Faulty) {
  const given = zones.map((zone) => zone.name);
  for (const name of repeated(zoneOrder)) fault(name, 'the zone is declared twice');
  for (const name of zoneOrder) {
    if (!ZONE_NAME.test(name)) fault(name, `a zone's name matches ${ZONE_NAME.source}, as it names a bucket`);
    if (!given.includes(name))
      fault(name, 'the zone is declared but has no definition; pass it to pipeline()');
  }
  for (const name of repeated(given)) fault(name, 'the zone is defined twice');
  for (const zone of zones) {
    if (!zoneOrder.includes(zone.name)) {
      fault(zone.name, `is no declared zone; there are ${zoneOrder.join(', ')}`);
    }
    if (isBlank(zone.description)) fault(`${zone.name}.description`, 'is empty; say what the zone holds');
    for (const table of zone.tables) {
      if (table.zone !== zone.name) {
        fault(table.name, `its zone is ${table.zone}, but it is listed in zone ${zone.name}`);
      }
    }
  }
}

/** Of sources that read the same files. */
function sharedFaults(sources: readonly SourceTable[], fault: Faulty) {
  for (const entity of new Set(sources.map((source) => source.entity))) {
    const own = sources.filter((source) => source.entity === entity);
    const both = own.map(({ name }) => name).join(' and ');
    const last = own.at(-1)?.name;
    if (new Set(own.map(({ each }) => each)).size < own.length)
      fault(
        `${last}.entity`,
        `${both} would make the same rows of the files of "${entity}"; of several sources of one entity, each has an each of its own`,
      );
    if (new Set(own.map(({ zone }) => zone)).size > 1)
      fault(`${last}.zone`, `${both} read the same files of "${entity}", so they are of one zone`);
    if (new Set(own.map(({ format }) => JSON.stringify(format))).size > 1)
      fault(`${last}.format`, `${both} read the same files of "${entity}", so they are of one format`);
    // Who may read a source may read its files, and a person is forgotten in all that is made of them.
    const personal = own.find(isPersonal);
    for (const { name } of personal ? own.filter((source) => !isPersonal(source)) : [])
      fault(
        `${name}.columns`,
        `none is personal, but by ${personal?.name} its files are; name the column that says whose a record is here too`,
      );
  }
}

/** Nobody could be forgotten where rows do not say whose they are. */
function subjectFaults({ columns }: Table, fault: Faulty) {
  const all = Object.entries(columns);
  for (const [name, { pii, identifies }] of all) {
    if (identifies && identifies !== 'moment' && !pii)
      fault(`.columns.${name}`, `identifies a ${identifies}, so it is personal; give it its pii class`);
  }
  const personal = all.filter(([, { pii }]) => pii).map(([name]) => name);
  const tells = all.some(
    ([, { identifies, type }]) => identifies === 'person' || identifies === 'device' || type === 'pseudonym',
  );
  if (personal.length > 0 && !tells) {
    fault(
      '.columns',
      `${personal.join(', ')}: personal, but no column says whose; mark one with identifies, so that a person can be forgotten`,
    );
  }
}

function tableFaults(table: Table, tables: readonly Table[], fault: Faulty) {
  if (!NAME.test(table.name)) fault('', `a table's name matches ${NAME.source} (the Glue catalog's rule)`);
  if (RESERVED.has(table.name)) fault('', 'the name is a reserved word of SQL; take another');
  if (table.name.endsWith('_quarantine')) fault('', 'such names are those of the tables of refused lines');
  if (isBlank(table.description)) fault('.description', 'is empty; say what a row is');
  const names = Object.keys(table.columns);
  if (names.length === 0) fault('.columns', 'a table needs at least one column');
  for (const [name, column] of Object.entries(table.columns)) {
    columnFaults(name, column, table, (message) => fault(`.columns.${name}`, message));
  }
  const claimed = repeated(keysOf(table));
  for (const key of claimed) {
    fault('.columns', `"${key}" stands for two columns (names and aliases are compared without case)`);
  }
  for (const name of repeated(names.map((own) => own.toLowerCase()))) {
    if (claimed.includes(name)) continue;
    fault('.columns', `"${name}" names two columns (names are compared without case)`);
  }
  const known = (path: string, columns: readonly string[]) => {
    for (const column of columns) {
      if (!names.includes(column)) fault(path, `no column "${column}"; it has ${names.join(', ')}`);
    }
  };
  subjectFaults(table, fault);
  if (table.format === 'iceberg') derivedFaults(table, known, fault);
  else sourceFaults(table, fault);
  for (const e of table.expectations) {
    known(`.expectations.${e.name}`, [
      ...new Set([...e.columns, ...(typeof e.per === 'object' ? e.per : [])]),
    ]);
    expectationFaults(e, table, tables, (message) => fault(`.expectations.${e.name}`, message));
  }
  for (const name of repeated(expectationsOf(table).map((e) => e.name))) {
    fault(`.expectations.${name}`, 'the name is used twice; give one of them a name of its own');
  }
}

/**
 * Every key that may stand for a column, in lower case; a column's own spellings count once. Columns whose values are
 * within one value share all of its spellings or none.
 */
const keysOf = (table: Table) => {
  const spelled = Object.entries(table.columns).flatMap(([name, column]) => {
    const { from = name, aliases } = column;
    const { of } = valuePlace(table, name, column);
    if (of === 'position') return [];
    const keys = [from.split('.')[0] as string, ...aliases].map((key) => key.toLowerCase());
    return { isWithin: of === 'element' || from.includes('.'), keys: [...new Set(keys)].sort() };
  });
  const own = spelled.filter(({ isWithin }) => !isWithin).map(({ keys }) => keys);
  const shared = new Set(spelled.filter(({ isWithin }) => isWithin).map(({ keys }) => keys.join('\n')));
  for (const keys of own) shared.delete(keys.join('\n'));
  return [...own, ...[...shared].map((keys) => keys.split('\n'))].flat();
};

function columnFaults(name: string, column: Column, table: Table, fault: (message: string) => void) {
  if (!COLUMN_NAME.test(name)) fault(`a column's name matches ${COLUMN_NAME.source}`);
  if (RESERVED.has(name.toLowerCase())) {
    fault('the name is a reserved word of SQL; take another, and give a source the key as an alias');
  }
  if (isBlank(column.description)) fault('has no description');
  rangeFaults(column, fault);
  if (column.type === 'decimal') decimalFaults(column, fault);
  if (column.oneOf !== undefined) oneOfFaults(column, column.oneOf, fault);
  if (column.pattern !== undefined) patternFaults(column, column.pattern, fault);
  if (column.from !== undefined && !PATH.test(column.from)) {
    fault(`from is "${column.from}"; it is keys with points between, such as address.city`);
  }
  if (column.type === 'json' && (column.pii || column.identifies)) {
    fault('nobody can be looked for in JSON; name its personal values as columns, by from');
  }
  if ((column.type === 'boolean' || column.type === 'decimal') && column.identifies) {
    fault(`a ${column.type} identifies nobody; a text or a whole number does`);
  }
  if (table.format === 'iceberg') {
    if (SOURCE_ONLY.has(column.type)) {
      fault(`${column.type} is how a source writes it; use refined() or ${refinedType(column.type)}()`);
    }
    if (column.aliases.length > 0) {
      fault(
        `has aliases (${column.aliases.join(', ')}), which only a source's reader looks at; use refined()`,
      );
    }
    for (const key of ['from', 'pattern'] as const) {
      if (column[key] !== undefined)
        fault(`has ${key}, which only a source's reader looks at; use refined()`);
    }
  } else if (!SOURCE_TYPES.has(column.type)) {
    fault(`files of a source have no ${column.type}; use ${[...SOURCE_TYPES].join(', ')}`);
  }
}

function oneOfFaults(
  { type, normalize }: Column,
  oneOf: readonly unknown[],
  fault: (message: string) => void,
) {
  if (type !== 'text') fault('oneOf is for texts');
  if (normalize)
    fault('oneOf names values as they are written, and normalize changes them; take one of them');
  const isValue = (value: unknown) =>
    typeof value === 'string' && value !== '' && !value.includes('\0') && value.isWellFormed();
  if (!Array.isArray(oneOf) || oneOf.length === 0 || !oneOf.every(isValue)) {
    fault('oneOf is a list of texts, none of them empty');
  }
}

function patternFaults({ type, oneOf }: Column, pattern: string, fault: (message: string) => void) {
  if (type !== 'text') fault('pattern is for texts');
  if (oneOf) fault('has oneOf and pattern; take one of them');
  try {
    sequencesOf(pattern);
  } catch (error) {
    fault((error as Error).message);
  }
}

/** A number of JSON has 15 digits that every reader keeps (IEEE 754, binary64). */
const MOST_DIGITS = 15;

function decimalFaults(
  { precision = 0, scale = 0, min = -Infinity, max = Infinity }: Column,
  fault: (message: string) => void,
) {
  const isDigits = (n: number, least: number, most: number) => Number.isInteger(n) && n >= least && n <= most;
  if (!isDigits(precision, 1, MOST_DIGITS) || !isDigits(scale, 0, precision)) {
    fault(
      `is decimal(${precision}, ${scale}); it has 1 to ${MOST_DIGITS} digits, and no more of them behind the point`,
    );
  }
  const limit = (10 ** precision - 1) / 10 ** scale;
  if (min > limit || max < -limit) fault(`its range is empty: it holds numbers up to ${limit}`);
}

function rangeFaults({ type, min, max }: Column, fault: (message: string) => void) {
  for (const [name, bound] of Object.entries({ min, max })) {
    if (bound === undefined) continue;
    if (!Number.isFinite(bound)) fault(`its ${name} is ${bound}; it is a number`);
    else if (INSTANTS.has(type) && !(bound >= FIRST_INSTANT && bound <= LAST_INSTANT)) {
      fault(`its ${name} is ${bound}; it is in milliseconds, of the years 1 to 9999`);
    }
  }
  if (min !== undefined && max !== undefined && min > max) {
    fault(`its range is empty: min ${min} is above max ${max}`);
  }
}

function sourceFaults(table: SourceTable, fault: Faulty) {
  if (!NAME.test(table.entity)) {
    fault('.entity', `is "${table.entity}"; it is the name of a folder, and matches ${NAME.source}`);
  }
  eachFaults(table, fault);
  if (!(table.maxQuarantinedShare >= 0 && table.maxQuarantinedShare <= 1)) {
    fault('.maxQuarantinedShare', `is ${table.maxQuarantinedShare}; it is a share from 0 to 1`);
  }
  if (typeof table.format === 'object') csvFaults(table.format, table, fault);
  if (table.each !== undefined && table.format !== 'json')
    fault('.each', 'is for JSON; of CSV and Parquet, each row is one');
}

/** Neither a letter nor a digit, and no space, which may stand around quotes. */
const MARK = /^[\t!-/:-@[-`{-~]$/;

function csvFaults({ delimiter, quote }: CsvFormat, { columns }: SourceTable, fault: Faulty) {
  for (const [name, mark] of Object.entries({ delimiter, quote })) {
    if (!MARK.test(mark)) fault(`.format.${name}`, `is "${mark}"; it is one mark of ASCII, or a tab`);
  }
  if (delimiter === quote) fault('.format', `delimiter and quote are both ${quote}; take two`);
  for (const [name, { from }] of Object.entries(columns)) {
    if (!from?.includes('.')) continue;
    fault(
      `.columns.${name}`,
      `from is "${from}"; in CSV nothing is within a value: name a column of the header`,
    );
  }
}

function eachFaults(table: SourceTable, fault: Faulty) {
  const { each, columns } = table;
  const of = (place: string) =>
    Object.entries(columns).flatMap(([name, column]) =>
      valuePlace(table, name, column).of === place ? [name] : [],
    );
  const positions = of('position');
  if (each === undefined) {
    for (const name of positions)
      fault(`.columns.${name}`, 'is the position of an element; say which array it is of, by each');
    return;
  }
  if (!PATH.test(each)) fault('.each', `is "${each}"; it is keys with points between, such as order.items`);
  else if (of('element').length === 0)
    fault('.each', `is ${each}, but no column is read in an element; give one from: '${each}.…'`);
  for (const name of of('element').filter((own) => columns[own]?.identifies))
    fault(
      `.columns.${name}`,
      'identifies, but is read in an element: files are rid of whole records, and others may share one; read it in the record',
    );
}

function derivedFaults(
  table: DerivedTable,
  known: (path: string, columns: readonly string[]) => void,
  fault: Faulty,
) {
  table.keys.forEach((key, i) => {
    known(`.keys[${i}]`, key);
    if (key.length === 0) fault(`.keys[${i}]`, 'names no column');
  });
  table.partitionBy.forEach(({ column }, i) => {
    const path = `.partitionBy[${i}]`;
    known(path, [column]);
    const type = columnOf(table, column)?.type;
    if (type !== undefined && type !== 'timestamp') {
      fault(path, `day() needs a timestamp; ${column} is ${type}`);
    }
    if (table.partitionBy.findIndex((p) => p.column === column) < i) {
      fault(path, `the table is partitioned by day(${column}) already`);
    }
    // Iceberg names the partition so, and so does the writer of Parquet.
    const field = `${column}_day`.toLowerCase();
    const same = Object.keys(table.columns).find((name) => name.toLowerCase() === field);
    if (same)
      fault(path, `day(${column}) makes a partition of the name of the column ${same}; rename the column`);
  });
}

function expectationFaults(
  e: Expectation,
  table: Table,
  tables: readonly Table[],
  fault: (message: string) => void,
) {
  if (!COLUMN_NAME.test(e.name)) fault(`an expectation's name matches ${COLUMN_NAME.source}`);
  if (isBlank(e.description)) fault('has no description; a finding quotes it');
  if (e.severity === 'quarantine') {
    if (table.format !== 'iceberg') {
      fault("a source's lines are quarantined by its columns' types and ranges; use fail or warn");
    } else if (e.columns.length === 0) {
      fault('moves the rows that share the values of its columns, so it has to name some');
    }
  }
  for (const read of e.reads) {
    const other = tables.find((t) => t.name === read);
    if (!other) fault(`reads "${read}", which is no table of the pipeline`);
    else if (table.format !== 'iceberg' && other.format === 'iceberg') {
      fault(`reads ${read}, which is made after it; a source's may read sources only`);
    }
  }
}

const columnOf = (table: Table | undefined, name: string): Column | undefined =>
  table && Object.hasOwn(table.columns, name) ? table.columns[name] : undefined;

function jobFaults(
  zones: readonly ZoneDefinition[],
  tables: readonly Table[],
  jobs: readonly Job[],
  fault: Faulty,
) {
  for (const name of repeated(jobs.map((job) => job.name))) {
    fault(`jobs.${name}`, 'two jobs write this table; a table has one job');
  }
  for (const table of tables) {
    if (table.format === 'iceberg' && !jobs.some((job) => job.output === table)) {
      fault(table.name, 'no job writes it; list its job in the zone');
    }
  }
  for (const zone of zones) {
    for (const { name, output } of zone.jobs) {
      if (output.zone !== zone.name) {
        fault(`jobs.${name}`, `is listed in zone ${zone.name}, but its output is of zone ${output.zone}`);
      }
    }
  }
  for (const job of jobs) {
    const own = (message: string) => fault(`jobs.${job.name}`, message);
    if (isBlank(job.description)) own('has no description');
    if (!tables.includes(job.output)) own(`its output ${job.output.name} is in no zone's tables`);
    if (job.inputs.length === 0) own('reads no table');
    for (const { name } of repeated(job.inputs)) own(`lists its input ${name} twice`);
    for (const input of new Set(job.inputs)) {
      if (!tables.includes(input)) own(`its input ${input.name} is in no zone's tables`);
    }
    drivenByFaults(job, fault);
    incrementFaults(job, job.parameters.includes(runTime), fault);
    unmarkedFaults(job, fault);
    for (const e of job.output.expectations) {
      for (const read of e.reads) {
        if (!job.inputs.some((input) => input.name === read)) {
          fault(
            `${job.name}.expectations.${e.name}`,
            `reads ${read}, which its job does not; add it to the job's inputs`,
          );
        }
      }
    }
  }
}

/** What a source is compared with that the job does not read: on Glue, a job has nothing but its inputs. */
export const unreadFaults = (job: Job): Fault[] =>
  job.inputs
    .filter(({ format }) => format !== 'iceberg')
    .flatMap((source) =>
      source.expectations.flatMap((e) =>
        e.reads
          .filter((read) => !job.inputs.some(({ name }) => name === read))
          .map((read) => ({
            path: `${source.name}.expectations.${e.name}`,
            message: `reads ${read}, which the job ${job.name} does not; on Glue a job has its inputs only: add it to them`,
          })),
      ),
    );

/** What a source is to do that nothing but the local engine does. */
export const keptFaults = ({ name, onMissing }: SourceTable): Fault[] =>
  onMissing === 'keep'
    ? [
        {
          path: `${name}.onMissing`,
          message:
            "is 'keep', which the local engine does; Spark and stacks read the files that are there: leave it out for them",
        },
      ]
    : [];

function drivenByFaults({ name, drivenBy, inputs: [driving], output }: Job, fault: Faulty) {
  if (!drivenBy) return;
  const path = `jobs.${name}.drivenBy`;
  const pairs = Object.entries(drivenBy);
  if (pairs.length === 0) fault(path, 'names no column; leave it out, or pair the columns that tell a row');
  for (const [from, to] of pairs) {
    const source = columnOf(driving, from);
    const target = columnOf(output, to);
    if (!source) fault(path, `${driving?.name} has no column "${from}"`);
    if (!target) fault(path, `${output.name} has no column "${to}"`);
    // A pseudonym still is the clear text where the rows are compared.
    const clear = target?.type === 'pseudonym' ? 'text' : target?.type;
    if (source && target && refinedType(source.type) !== clear) {
      fault(path, `${from} is ${refinedType(source.type)} and ${to} is ${target.type}; they cannot be equal`);
    }
  }
}

/** A personal column that a job passes on under its own name, without its mark: no check further on would see it. */
function unmarkedFaults({ inputs, output }: Job, fault: Faulty) {
  for (const [name, column] of Object.entries(output.columns)) {
    if (column.pii || column.type === 'pseudonym') continue;
    const origin = inputs.find((input) => columnOf(input, name)?.pii);
    if (!origin) continue;
    fault(
      `${output.name}.columns.${name}`,
      `is a ${origin.columns[name]?.pii} identifier in ${origin.name}, which its job reads, but not marked here; mark it, declare a pseudonym() or rename it`,
    );
  }
}

function parameterFaults(jobs: readonly Job[], fault: Faulty) {
  const first = new Map<string, Parameter>();
  for (const { name } of jobs.filter(({ parameters }) => parameters.includes(runTime)).slice(1)) {
    fault(
      `jobs.${name}.parameters.${runTime.name}`,
      'another job reads it too, and on Glue each job begins at its own time; read what that job made of it',
    );
  }
  for (const job of jobs) {
    const pathOf = (name: string) => `jobs.${job.name}.parameters.${name}`;
    for (const name of repeated(job.parameters.map((p) => p.name))) fault(pathOf(name), 'is listed twice');
    for (const p of new Set(job.parameters)) {
      const other = first.get(p.name);
      if (other === undefined) {
        first.set(p.name, p);
        ownFaults(p, (message) => fault(pathOf(p.name), message));
      } else if (other !== p) {
        fault(pathOf(p.name), 'another job declares it differently; share one parameter()');
      }
    }
  }
}

function ownFaults({ name, description, values }: Parameter, fault: (message: string) => void) {
  if (!NAME.test(name)) fault(`a parameter's name matches ${NAME.source}`);
  if (isBlank(description)) fault('has no description');
  for (const value of repeated(values)) fault(`lists the value "${value}" twice`);
  for (const value of values) {
    if (!PARAMETER_VALUE.test(value)) fault(`its value "${value}" does not match ${PARAMETER_VALUE.source}`);
  }
}

/** Depth first over the inputs; a job met again on its own way is a cycle. */
function order(jobs: readonly Job[], fault: Faulty): Job[] {
  const ordered = new Set<Job>();
  const visit = (job: Job, way: readonly Job[]) => {
    if (ordered.has(job)) return;
    if (way.includes(job)) {
      const loop = [...way.slice(way.indexOf(job)), job].map((j) => j.name);
      fault(`jobs.${job.name}`, `the jobs form a cycle: ${loop.join(' reads ')}`);
      return;
    }
    for (const input of job.inputs) {
      const maker = jobs.find((j) => j.output === input);
      if (maker) visit(maker, [...way, job]);
    }
    ordered.add(job);
  };
  for (const job of jobs) visit(job, []);
  return [...ordered];
}
