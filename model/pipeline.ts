import type { Column } from './column';
import { expectationsOf } from './expectation';
import { DefinitionError, type Fault } from './faults';
import type { Job, Parameter } from './job';
import type { ZoneDefinition } from './lakehouse';
import type { DerivedTable, SourceTable, Table } from './table';

/** The checked definition: what every engine, the CLI and the Pulumi program read. */
export interface Pipeline {
  readonly zones: readonly ZoneDefinition[];
  /** Every table by name, sources first, then in the order in which jobs make them. */
  readonly tables: ReadonlyMap<string, Table>;
  readonly sources: readonly SourceTable[];
  /** In an order in which each job follows the jobs that make its inputs. */
  readonly jobs: readonly Job[];
  readonly parameters: readonly Parameter[];
}

const NAME = /^[a-z][a-z0-9_]*$/;
// Reserved by the writers for partition folders and for the engines' own columns.
const COLUMN_NAME = /^[a-zA-Z][a-zA-Z0-9_]*$/;
const SOURCE_ONLY = new Set(['epochMillis', 'isoDate']);
const INSTANTS = new Set(['timestamp']);

/** Checks the definition as a whole and orders its jobs. Throws a DefinitionError with every fault. */
export function pipeline(zoneOrder: readonly string[], zones: readonly ZoneDefinition[]): Pipeline {
  const tables = zones.flatMap((zone) => zone.tables);
  const jobs = zones.flatMap((zone) => zone.jobs);
  const faults: Fault[] = [
    ...zoneFaults(zoneOrder, zones),
    ...repeated(tables.map((t) => t.name)).map((name) => ({
      path: name,
      message: 'the name stands for two tables; rename one',
    })),
    ...zones.flatMap((zone) => zone.tables.flatMap((table) => tableFaults(table, zone, tables))),
    ...jobFaults(zoneOrder, tables, jobs),
    ...parameterFaults(jobs),
  ];
  const { ordered, cycles } = order(jobs);
  faults.push(...cycles);
  if (faults.length > 0) throw new DefinitionError(faults);

  const sources = tables.filter((t): t is SourceTable => t.format === 'json');
  const all = [...sources, ...ordered.map((job) => job.output)];
  const parameters = new Map(jobs.flatMap((job) => job.parameters).map((p) => [p.name, p]));
  return {
    zones,
    sources,
    jobs: ordered,
    tables: new Map(all.map((table) => [table.name, table])),
    parameters: [...parameters.values()],
  };
}

const repeated = (names: readonly string[]) => [
  ...new Set(names.filter((name, i) => names.indexOf(name) !== i)),
];

function zoneFaults(order: readonly string[], zones: readonly ZoneDefinition[]): Fault[] {
  const given = zones.map((zone) => zone.name);
  return [
    ...order
      .filter((name) => !given.includes(name))
      .map((name) => ({
        path: name,
        message: 'the zone is declared but has no definition; pass it to pipeline()',
      })),
    ...repeated(given).map((name) => ({ path: name, message: 'the zone is defined twice' })),
    ...zones.flatMap((zone) =>
      zone.tables
        .filter((table) => table.zone !== zone.name)
        .map((table) => ({
          path: table.name,
          message: `its zone is ${table.zone}, but it is listed in zone ${zone.name}`,
        })),
    ),
  ];
}

function tableFaults(table: Table, zone: ZoneDefinition, tables: readonly Table[]): Fault[] {
  const faults: Fault[] = [];
  const fault = (path: string, message: string) => faults.push({ path: `${table.name}${path}`, message });

  if (!NAME.test(table.name)) fault('', `a table's name matches ${NAME.source} (the Glue catalog's rule)`);
  if (table.description.trim() === '') fault('.description', 'is empty; say what a row is');
  const names = Object.keys(table.columns);
  if (names.length === 0) fault('.columns', 'a table needs at least one column');
  for (const [name, column] of Object.entries(table.columns)) {
    for (const message of columnFaults(name, column, table, zone)) fault(`.columns.${name}`, message);
  }
  for (const key of repeated(keysOf(table))) {
    fault('.columns', `"${key}" stands for two columns (names and aliases are compared without case)`);
  }
  const known = (path: string, columns: readonly string[]) => {
    for (const column of columns) {
      if (!names.includes(column)) fault(path, `no column "${column}"; it has ${names.join(', ')}`);
    }
  };
  if (table.format === 'iceberg') derivedFaults(table, known, fault);
  else if (!(table.maxQuarantinedShare >= 0 && table.maxQuarantinedShare <= 1)) {
    fault('.maxQuarantinedShare', `is ${table.maxQuarantinedShare}; it is a share from 0 to 1`);
  }
  for (const e of table.expectations) {
    known(`.expectations.${e.name}`, e.columns);
    if (e.severity === 'quarantine' && (table.format === 'json' || e.columns.length === 0)) {
      fault(
        `.expectations.${e.name}`,
        table.format === 'json'
          ? "a source's lines are quarantined by its columns' types and ranges; use fail or warn"
          : 'moves the rows that share the values of its columns, so it has to name some',
      );
    }
    for (const read of e.reads) {
      const other = tables.find((t) => t.name === read);
      if (!other) {
        fault(`.expectations.${e.name}`, `reads "${read}", which is no table of the pipeline`);
      } else if (table.format === 'json' && other.format !== 'json') {
        fault(
          `.expectations.${e.name}`,
          `reads ${read}, which is made after it; a source's may read sources only`,
        );
      }
    }
  }
  for (const name of repeated(expectationsOf(table).map((e) => e.name))) {
    fault(`.expectations.${name}`, 'the name is used twice');
  }
  return faults;
}

/** Every key that may stand for a column, in lower case; a column's own spellings count once. */
const keysOf = (table: Table) =>
  Object.entries(table.columns).flatMap(([name, column]) => [
    ...new Set([name, ...column.aliases].map((key) => key.toLowerCase())),
  ]);

function columnFaults(name: string, column: Column, table: Table, zone: ZoneDefinition): string[] {
  const faults: string[] = [];
  if (!COLUMN_NAME.test(name)) faults.push(`a column's name matches ${COLUMN_NAME.source}`);
  if (column.description.trim() === '') faults.push('has no description');
  if (column.min !== undefined && column.max !== undefined && column.min > column.max) {
    faults.push(`its range is empty: min ${column.min} is above max ${column.max}`);
  }
  if (table.format === 'iceberg' && SOURCE_ONLY.has(column.type)) {
    faults.push(
      `${column.type} is how a source writes it; use refined() or ${column.type === 'isoDate' ? 'date' : 'timestamp'}()`,
    );
  }
  if (
    table.format === 'json' &&
    !SOURCE_ONLY.has(column.type) &&
    !['text', 'int', 'double'].includes(column.type)
  ) {
    faults.push(`JSON has no ${column.type}; use text, int, double, epochMillis or isoDate`);
  }
  if (column.pii && !zone.personalData) {
    faults.push(
      `is a ${column.pii} identifier, and zone ${zone.name} may hold none; drop it or declare a pseudonym()`,
    );
  }
  return faults;
}

function derivedFaults(
  table: DerivedTable,
  known: (path: string, columns: readonly string[]) => void,
  fault: (path: string, message: string) => void,
) {
  table.keys.forEach((key, i) => {
    known(`.keys[${i}]`, key);
    if (key.length === 0) fault(`.keys[${i}]`, 'names no column');
  });
  table.partitionBy.forEach((partition, i) => {
    known(`.partitionBy[${i}]`, [partition.column]);
    const type = table.columns[partition.column]?.type;
    if (type !== undefined && !INSTANTS.has(type)) {
      fault(`.partitionBy[${i}]`, `day() needs a timestamp; ${partition.column} is ${type}`);
    }
  });
}

function jobFaults(zoneOrder: readonly string[], tables: readonly Table[], jobs: readonly Job[]): Fault[] {
  const faults: Fault[] = [];
  for (const name of repeated(jobs.map((job) => job.name))) {
    faults.push({ path: `jobs.${name}`, message: 'two jobs write this table; a table has one job' });
  }
  for (const table of tables) {
    if (table.format === 'iceberg' && !jobs.some((job) => job.output === table)) {
      faults.push({ path: table.name, message: 'no job writes it; list its job in the zone' });
    }
  }
  for (const job of jobs) {
    const path = `jobs.${job.name}`;
    if (!tables.includes(job.output)) {
      faults.push({ path, message: `its output ${job.output.name} is in no zone's tables` });
    }
    for (const input of job.inputs) {
      if (!tables.includes(input)) {
        faults.push({ path, message: `its input ${input.name} is in no zone's tables` });
      }
      if (zoneOrder.indexOf(input.zone) > zoneOrder.indexOf(job.output.zone)) {
        faults.push({
          path,
          message: `reads ${input.name} of zone ${input.zone}, which comes after its own zone ${job.output.zone}`,
        });
      }
    }
    for (const [from, to] of Object.entries(job.drivenBy ?? {})) {
      if (!job.inputs[0]?.columns[from]) {
        faults.push({ path: `${path}.drivenBy`, message: `${job.inputs[0]?.name} has no column "${from}"` });
      }
      if (!job.output.columns[to]) {
        faults.push({ path: `${path}.drivenBy`, message: `${job.output.name} has no column "${to}"` });
      }
    }
    for (const e of job.output.expectations) {
      for (const read of e.reads) {
        if (!job.inputs.some((input) => input.name === read)) {
          faults.push({
            path: `${job.name}.expectations.${e.name}`,
            message: `reads ${read}, which its job does not; add it to the job's inputs`,
          });
        }
      }
    }
  }
  return faults;
}

function parameterFaults(jobs: readonly Job[]): Fault[] {
  const first = new Map<string, Parameter>();
  const faults: Fault[] = [];
  for (const job of jobs) {
    for (const p of job.parameters) {
      const other = first.get(p.name);
      if (other && other !== p) {
        faults.push({
          path: `jobs.${job.name}.parameters.${p.name}`,
          message: 'another job declares it differently; share one parameter()',
        });
      }
      first.set(p.name, p);
    }
  }
  return faults;
}

/** Depth first over the inputs; a job met again on its own way is a cycle. */
function order(jobs: readonly Job[]): { ordered: Job[]; cycles: Fault[] } {
  const ordered: Job[] = [];
  const cycles: Fault[] = [];
  const done = new Set<Job>();
  const visit = (job: Job, way: readonly Job[]) => {
    if (done.has(job)) return;
    if (way.includes(job)) {
      const loop = [...way.slice(way.indexOf(job)), job].map((j) => j.name);
      cycles.push({ path: `jobs.${job.name}`, message: `the jobs form a cycle: ${loop.join(' reads ')}` });
      return;
    }
    for (const input of job.inputs) {
      const maker = jobs.find((j) => j.output === input);
      if (maker) visit(maker, [...way, job]);
    }
    if (!done.has(job)) {
      done.add(job);
      ordered.push(job);
    }
  };
  for (const job of jobs) visit(job, []);
  return { ordered, cycles };
}
