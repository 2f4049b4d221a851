import { auditOf, type Check, type Unmatched, unmatchedOf } from './audit';
import type { Column } from './column';
import { DefinitionError } from './faults';
import { ENTRIES, PSEUDONYM_MACRO, SHARED_DEVICES } from './forgotten';
import { FORMATS } from './format';
import { type Due, dueOf } from './increment';
import type { Job } from './job';
import { readingByRecord, readingOf } from './landing';
import { keptFaults, type Pipeline, unreadFaults } from './pipeline';
import { hasQuarantine } from './quarantine';
import type { Reading } from './reading';
import { hasPseudonyms, type SourceTable, saysWhose, type Table } from './table';
import { sparkSchema } from './types';

/** What a runner needs to know of a column; what its values must be, SQL says. */
type ColumnContract = Pick<Column, 'type' | 'pii' | 'identifies'>;
type ByName<T> = Readonly<Record<string, T>>;

interface SourceManifest {
  /** URI of the folder of the files. */
  readonly location: string;
  /** URI of the folder that refused lines go to. */
  readonly quarantine: string;
  readonly maxQuarantinedShare: number;
  readonly columns: ByName<ColumnContract>;
  readonly reading: Reading;
  /** How records are placed in files and whose they are, where a row is an element of one. */
  readonly records?: Reading;
  readonly audit: readonly Check[];
}

interface OutputManifest {
  readonly table: string;
  /** The columns as Spark takes a schema. */
  readonly schema: string;
  readonly columns: ByName<ColumnContract>;
  readonly partitionBy: Job['output']['partitionBy'];
  readonly audit: readonly Check[];
  /** URI of the folder that moved rows go to; there where an expectation moves some. */
  readonly quarantine?: string;
}

/**
 * All that a job's runner is told besides its code: made from the definition, read by Glue's script. It holds no
 * description, so that to reword one changes no job. Tables that are no sources are known by name: their
 * schema is the catalog's, so that a column that a job does not write changes no job that reads the table.
 */
export interface Manifest {
  readonly version: typeof FORMATS.manifest;
  readonly job: string;
  /** Absent: SQL. */
  readonly language?: 'python';
  readonly database: string;
  /** The input whose rows count as read. */
  readonly driving: string;
  /** Absent where rows that gave none are those that are missing in number. */
  readonly unmatched?: Unmatched;
  readonly sources: ByName<SourceManifest>;
  readonly tables: readonly string[];
  readonly output: OutputManifest;
  /** The values that each parameter may have, the default first; none of one that is the run's own time. */
  readonly parameters: ByName<readonly string[]>;
  /** Of a job that asks for the time and says what that changes. */
  readonly due?: readonly Due[];
  /** URI of the list of who was forgotten; there where a source says whose its rows are. */
  readonly suppressed?: string;
  /** URI of the folder that the summary of each run goes to. */
  readonly runs: string;
  readonly metricsNamespace: string;
}

/** All that a runner is told to forget a person: how every table is made again. */
export interface ErasureManifest {
  readonly version: typeof FORMATS.manifest;
  readonly people: typeof PEOPLE;
  /** In the order in which tables are made; by the URIs of what each job is told. */
  readonly jobs: readonly {
    readonly manifest: string;
    readonly code: string;
    readonly parameters: ByName<string>;
  }[];
  /** URI of the list of who was forgotten. */
  readonly suppressed: string;
  /** URI of the folder that receipts go to. */
  readonly receipts: string;
}

/** The SQL that says what points to a person; see the constants. */
export const PEOPLE = { macro: PSEUDONYM_MACRO, entries: ENTRIES, sharedDevices: SHARED_DEVICES };

/** The erasure manifest of a stack's jobs. */
export function erasureOf(of: Omit<ErasureManifest, 'version' | 'people'>): ErasureManifest {
  const { jobs, ...places } = of;
  return { version: FORMATS.manifest, jobs, people: PEOPLE, ...places };
}

const columnContracts = (table: Table): ByName<ColumnContract> =>
  Object.fromEntries(
    Object.entries(table.columns).map(([name, { type, pii, identifies }]) => [
      name,
      { type, ...(pii && { pii }), ...(identifies && { identifies }) },
    ]),
  );

/** Whether a job reads lines of people whom it may have been asked to forget: it needs the list and its key. */
export const forgets = ({ inputs }: Job): boolean =>
  inputs.some((input) => input.format !== 'iceberg' && saysWhose(input));

/** Whether a job's runner needs the key of pseudonyms: it makes some, or has to know the forgotten. */
export const needsKey = (job: Job): boolean => hasPseudonyms(job.output) || forgets(job);

/** Whether any table says whose its rows are: without, nobody could be forgotten. */
export const knowsPeople = ({ tables }: Pipeline): boolean => [...tables.values()].some(saysWhose);

/**
 * A job's manifest, over the places that its stack gives its files. Throws a DefinitionError where a source's
 * expectation reads what the job does not.
 */
export function manifestOf(
  job: Job,
  places: {
    readonly database: string;
    readonly location: (source: SourceTable) => string;
    readonly quarantine: (table: Table) => string;
    /** Where the job may not read the list, it is not told of it. */
    readonly suppressed?: string;
    readonly runs: string;
    readonly metricsNamespace: string;
  },
): Manifest {
  const { output } = job;
  const sources = job.inputs.filter((input): input is SourceTable => input.format !== 'iceberg');
  const faults = [...unreadFaults(job), ...sources.flatMap(keptFaults)];
  if (faults.length > 0) throw new DefinitionError(faults);
  const unmatched = unmatchedOf(job);
  const due = dueOf(job);
  return {
    version: FORMATS.manifest,
    job: job.name,
    ...(job.language === 'python' && { language: job.language }),
    database: places.database,
    driving: job.inputs[0]?.name ?? '',
    ...(unmatched && { unmatched }),
    sources: Object.fromEntries(
      sources.map((source) => [
        source.name,
        {
          location: places.location(source),
          quarantine: places.quarantine(source),
          maxQuarantinedShare: source.maxQuarantinedShare,
          columns: columnContracts(source),
          reading: readingOf(source),
          ...(source.each !== undefined && { records: readingByRecord(source) }),
          audit: auditOf(source, job.inputs),
        },
      ]),
    ),
    tables: job.inputs.filter(({ format }) => format === 'iceberg').map(({ name }) => name),
    output: {
      table: output.name,
      schema: sparkSchema(output.columns),
      columns: columnContracts(output),
      partitionBy: output.partitionBy,
      audit: auditOf(output, job.inputs, job),
      ...(hasQuarantine(output) && { quarantine: places.quarantine(output) }),
    },
    parameters: Object.fromEntries(job.parameters.map(({ name, values }) => [name, values])),
    ...(due.length > 0 && { due }),
    ...(places.suppressed !== undefined && sources.length > 0 && { suppressed: places.suppressed }),
    runs: places.runs,
    metricsNamespace: places.metricsNamespace,
  };
}
