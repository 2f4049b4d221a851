import type { DerivedTable, Table } from './table';

/** A choice that a run may make, and the rule it stands for. */
export interface Parameter<Name extends string = string, V extends string = string> {
  readonly name: Name;
  readonly description: string;
  readonly values: readonly [V, ...V[]];
  readonly default: V;
}

/** The first value is the default. */
export const parameter = <const Name extends string, const V extends string>(
  name: Name,
  description: string,
  values: readonly [V, ...V[]],
): Parameter<Name, V> => ({ name, description, values, default: values[0] });

/** One transform: typed inputs and one `jobs/<name>.sql` make one output table. */
export interface Job<
  Output extends DerivedTable = DerivedTable,
  Inputs extends readonly Table[] = readonly Table[],
> {
  /** The output's name: a table has one job. */
  readonly name: Output['name'];
  readonly description: string;
  readonly output: Output;
  /** The first one drives the job: its rows are those that a summary calls read and filtered. */
  readonly inputs: Inputs;
  readonly parameters: readonly Parameter[];
  /**
   * Column of the driving input to column of the output, for a job that may give several rows for one it
   * reads: a driving row without such an output row counts as filtered. Absent where a job never gives
   * more rows than it reads.
   */
  readonly drivenBy?: Readonly<Record<string, string>>;
}
