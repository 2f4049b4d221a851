import type { Increment } from './increment';
import type { DerivedTable, Table } from './table';

/** A choice that a run may make, and the rule it stands for. */
export interface Parameter<Name extends string = string, V extends string = string> {
  readonly name: Name;
  readonly description: string;
  /** Those that a run may choose from; of {@link runTime} none, as no run chooses it. */
  readonly values: readonly V[];
  readonly default: V;
}

/** The first value is the default. */
export const parameter = <const Name extends string, const V extends string>(
  name: Name,
  description: string,
  values: readonly [V, ...V[]],
): Parameter<Name, V> => ({ name, description, values, default: values[0] });

/**
 * When the run began, one instant for all of it, which SQL reads as `CAST(:run_time AS TIMESTAMP)`. Engines give it; the
 * default is for checks and cases, in which nothing runs: after every instant that a table may hold.
 */
export const runTime: Parameter<'run_time'> = {
  name: 'run_time',
  description: 'When the run began.',
  values: [],
  default: '2100-01-01 00:00:00.000',
};

/** What is wrong with a value of a parameter, if it is none of those that a run may choose. */
export const choiceFault = ({ values }: Parameter, value: unknown): string | undefined =>
  (values as readonly unknown[]).includes(value)
    ? undefined
    : `is ${JSON.stringify(value)}; it takes ${values.join(' or ')}`;

/** An instant as SQL of every engine casts it to a timestamp in UTC. */
export const sqlInstant = (at: Date): string => at.toISOString().replace('T', ' ').replace('Z', '');

/** What a job is written in. Python runs on Spark only. */
export type Language = 'sql' | 'python';

/** How the file of a job ends, `jobs/<name>.sql` or `jobs/<name>.py`. */
export const EXTENSIONS = { sql: '.sql', python: '.py' } as const satisfies Record<Language, string>;

/** One transform: typed inputs and one file in `jobs/` make one output table. */
export interface Job<
  Output extends DerivedTable = DerivedTable,
  Inputs extends readonly Table[] = readonly Table[],
> {
  /** The output's name: a table has one job. */
  readonly name: Output['name'];
  readonly description: string;
  readonly language: Language;
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
  /**
   * How part of the output is made again where inputs change: the first that touches little of it. Empty: it is always made
   * whole.
   */
  readonly increments: readonly Increment[];
}
