import type { Columns } from './column';
import type { Expectation } from './expectation';
import type { Increment, IncrementOf } from './increment';
import type { Job, Language, Parameter } from './job';
import { type Pipeline, pipeline } from './pipeline';
import type { DayPartition, DerivedTable, InstantsOf, SourceFormat, SourceTable, Table } from './table';

/** The tables of one zone and the jobs that fill them. */
export interface ZoneDefinition<
  Zone extends string = string,
  Tables extends readonly Table[] = readonly Table[],
  Jobs extends readonly Job[] = readonly Job[],
> {
  readonly name: Zone;
  readonly description: string;
  readonly tables: Tables;
  readonly jobs: Jobs;
}

/** Whether files of sources land in the zone. */
export const hasSources = ({ tables }: ZoneDefinition): boolean =>
  tables.some(({ format }) => format !== 'iceberg');

/** The words to define a lakehouse in, bound to its zones in their order. */
export function lakehouse<const Zones extends readonly [string, ...string[]]>(zones: Zones) {
  type Zone = Zones[number];
  return {
    zones,

    /** A table of a source's files, kept as they come. */
    source<const Name extends string, const Z extends Zone, const C extends Columns>(contract: {
      readonly name: Name;
      readonly zone: Z;
      /** The folder of the source under the data directory: `<entity>/landing/*`. */
      readonly entity: string;
      /**
       * The array of a record of which every element is a row, as `items` or `order.items`. Columns whose `from` begins so
       * are read in the element, others in the record around it. Default: a record is a row.
       */
      readonly each?: string;
      readonly description: string;
      /** Default: JSON. */
      readonly format?: SourceFormat;
      readonly columns: C;
      /** Default: none. */
      readonly expectations?: readonly Expectation<keyof NoInfer<C> & string>[];
      /** What becomes of the rows of a file that is no more. `keep` needs the local engine. Default: `remove`. */
      readonly onMissing?: 'remove' | 'keep';
      /** Default: 0.05. */
      readonly maxQuarantinedShare?: number;
    }): SourceTable<Name, Z, C> {
      return {
        ...contract,
        format: contract.format ?? 'json',
        expectations: contract.expectations ?? [],
        maxQuarantinedShare: contract.maxQuarantinedShare ?? 0.05,
      };
    },

    /** A table that a job writes. */
    table<const Name extends string, const Z extends Zone, const C extends Columns>(contract: {
      readonly name: Name;
      readonly zone: Z;
      readonly description: string;
      readonly columns: C;
      /** Default: none. */
      readonly keys?: readonly (readonly (keyof NoInfer<C> & string)[])[];
      /** Default: not partitioned. */
      readonly partitionBy?: readonly DayPartition<InstantsOf<NoInfer<C>>>[];
      /** Default: none but those that the columns and keys imply. */
      readonly expectations?: readonly Expectation<keyof NoInfer<C> & string>[];
    }): DerivedTable<Name, Z, C> {
      return {
        ...contract,
        format: 'iceberg',
        keys: contract.keys ?? [],
        partitionBy: contract.partitionBy ?? [],
        expectations: contract.expectations ?? [],
      };
    },

    /** The transform `jobs/<output>.sql`, or in Python `jobs/<output>.py`. It reads tables of any zone: zones order what people may see. */
    job<
      const Output extends DerivedTable<string, Zone>,
      const Inputs extends readonly [Table<string, Zone>, ...Table<string, Zone>[]],
    >(definition: {
      readonly output: Output;
      readonly inputs: Inputs;
      readonly description: string;
      /** Default: sql, which every engine runs. Python runs on Spark only. */
      readonly language?: Language;
      /** Default: none. */
      readonly parameters?: readonly Parameter[];
      /** Default: the job gives at most one row for each it reads. See {@link Job.drivenBy}. */
      readonly drivenBy?: Partial<
        Record<keyof NoInfer<Inputs>[0]['columns'] & string, keyof NoInfer<Output>['columns'] & string>
      >;
      /** Default: the output is always made whole. See {@link Job.increments}. */
      readonly increments?: readonly IncrementOf<NoInfer<Output>, NoInfer<Inputs>>[];
    }): Job<Output, Inputs> {
      const { drivenBy, increments = [], ...rest } = definition;
      return {
        ...rest,
        name: definition.output.name,
        language: definition.language ?? 'sql',
        parameters: definition.parameters ?? [],
        ...(drivenBy && { drivenBy: drivenBy as Readonly<Record<string, string>> }),
        increments: increments as readonly Increment[],
      };
    },

    /** The tables of a zone with the jobs that fill them. */
    zone<
      const Z extends Zone,
      const Tables extends readonly Table<string, NoInfer<Z>>[],
      const Jobs extends readonly Job<DerivedTable<string, NoInfer<Z>>>[],
    >(
      name: Z,
      definition: {
        readonly description: string;
        readonly tables: Tables;
        readonly jobs: Jobs;
      },
    ): ZoneDefinition<Z, Tables, Jobs> {
      return { name, ...definition };
    },

    /** Puts the zones together and checks the whole. Throws a DefinitionError with every fault. */
    pipeline<const Definitions extends readonly ZoneDefinition<Zone>[]>(
      ...definitions: Definitions
    ): Pipeline<Definitions[number]> {
      return pipeline<Definitions[number]>(zones, definitions);
    },
  };
}
