import type { Column } from './column';
import { expectationsOf, type Severity } from './expectation';
import type { Job } from './job';
import type { SourceTable, Table } from './table';

/** What a reader or writer needs to know of a column. */
export type ColumnContract = Pick<Column, 'type' | 'nullable' | 'aliases' | 'min' | 'max'>;

export interface ManifestExpectation {
  readonly name: string;
  readonly severity: Severity;
  readonly columns: readonly string[];
  readonly counts: readonly string[];
  /** The query that returns the bad rows. */
  readonly sql: string;
}

/**
 * All that a job's runner is told besides its SQL: made from the definition, read by Glue's script. It holds no
 * description, so that to reword one changes no job. Tables that are no sources are known by name: their
 * schema is the catalog's, so that a column that a job does not write changes no job that reads the table.
 */
export interface Manifest {
  readonly version: 1;
  readonly job: string;
  readonly database: string;
  /** The input whose rows count as read. */
  readonly driving: string;
  readonly drivenBy?: Readonly<Record<string, string>>;
  readonly sources: Readonly<
    Record<
      string,
      {
        /** URI of the folder of the files. */
        readonly location: string;
        /** URI of the folder that refused lines go to. */
        readonly quarantine: string;
        readonly maxQuarantinedShare: number;
        readonly columns: Readonly<Record<string, ColumnContract>>;
        readonly expectations: readonly ManifestExpectation[];
      }
    >
  >;
  readonly tables: readonly string[];
  readonly output: {
    readonly table: string;
    readonly columns: Readonly<Record<string, ColumnContract>>;
    readonly partitionBy: readonly { readonly transform: 'day'; readonly column: string }[];
    readonly expectations: readonly ManifestExpectation[];
  };
  /** The values that each parameter may have, the default first. */
  readonly parameters: Readonly<Record<string, readonly string[]>>;
  /** URI of the folder that the summary of each run goes to. */
  readonly runs: string;
  readonly metricsNamespace: string;
}

const columnContracts = (table: Table): Record<string, ColumnContract> =>
  Object.fromEntries(
    Object.entries(table.columns).map(([name, { type, nullable, aliases, min, max }]) => [
      name,
      { type, nullable, aliases, ...(min !== undefined && { min }), ...(max !== undefined && { max }) },
    ]),
  );

const expectations = (table: Table): ManifestExpectation[] =>
  expectationsOf(table).map(({ name, severity, columns, counts, sql }) => ({
    name,
    severity,
    columns,
    counts,
    sql: sql(table.name),
  }));

/** A job's manifest, over the places that its stack gives its files. */
export function manifestOf(
  job: Job,
  places: {
    readonly database: string;
    readonly location: (source: SourceTable) => string;
    readonly quarantine: (source: SourceTable) => string;
    readonly runs: string;
    readonly metricsNamespace: string;
  },
): Manifest {
  const sources = job.inputs.filter((input): input is SourceTable => input.format === 'json');
  return {
    version: 1,
    job: job.name,
    database: places.database,
    driving: job.inputs[0]?.name ?? '',
    ...(job.drivenBy && { drivenBy: job.drivenBy }),
    sources: Object.fromEntries(
      sources.map((source) => [
        source.name,
        {
          location: places.location(source),
          quarantine: places.quarantine(source),
          maxQuarantinedShare: source.maxQuarantinedShare,
          columns: columnContracts(source),
          expectations: expectations(source),
        },
      ]),
    ),
    tables: job.inputs.filter(({ format }) => format === 'iceberg').map(({ name }) => name),
    output: {
      table: job.output.name,
      columns: columnContracts(job.output),
      partitionBy: job.output.partitionBy,
      expectations: expectations(job.output),
    },
    parameters: Object.fromEntries(job.parameters.map(({ name, values }) => [name, values])),
    runs: places.runs,
    metricsNamespace: places.metricsNamespace,
  };
}
