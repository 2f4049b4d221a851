import type { Columns, Refined, RowOf } from './column';
import type { Expectation } from './expectation';

/** One partition a UTC day of an instant, as Iceberg's `day` transform. */
export interface DayPartition<K extends string = string> {
  readonly transform: 'day';
  readonly column: K;
}

export const day = <const K extends string>(column: K): DayPartition<K> => ({ transform: 'day', column });

interface Contract<Name extends string, Zone extends string, C extends Columns> {
  readonly name: Name;
  readonly zone: Zone;
  readonly description: string;
  readonly columns: C;
  readonly expectations: readonly Expectation[];
}

/**
 * Text in fields, a record a line but for line ends within quotes, as RFC 4180 has it. A quote within quotes is written
 * twice.
 */
export interface CsvFormat {
  readonly kind: 'csv';
  /** Whether the first line names the columns; without it they come in the contract's order, and no others. */
  readonly header: boolean;
  /** One character of ASCII. */
  readonly delimiter: string;
  /** One character of ASCII. */
  readonly quote: string;
}

/** How a source writes its files. */
export type SourceFormat = 'json' | 'parquet' | CsvFormat;

/** CSV. Default: with a header, commas between fields, and double quotes. */
export const csv = (options: Partial<Omit<CsvFormat, 'kind'>> = {}): CsvFormat => ({
  header: true,
  delimiter: ',',
  quote: '"',
  ...options,
  kind: 'csv',
});

/** Files of a source as they come, under `<entity>/landing/`. */
export interface SourceTable<
  Name extends string = string,
  Zone extends string = string,
  C extends Columns = Columns,
> extends Contract<Name, Zone, C> {
  readonly format: SourceFormat;
  readonly entity: string;
  /** The array of a record of which every element is a row: keys with points between. Default: a record is a row. */
  readonly each?: string;
  /** What becomes of the rows of a file that is no more. Default: they go too. */
  readonly onMissing?: 'remove' | 'keep';
  /** The run fails where more than this share of the lines is quarantined (0 to 1). */
  readonly maxQuarantinedShare: number;
}

/** A table that a job writes. */
export interface DerivedTable<
  Name extends string = string,
  Zone extends string = string,
  C extends Columns = Columns,
> extends Contract<Name, Zone, C> {
  readonly format: 'iceberg';
  /** Sets of columns that no two rows share; each is checked before publishing. */
  readonly keys: readonly (readonly string[])[];
  readonly partitionBy: readonly DayPartition[];
}

export type Table<Name extends string = string, Zone extends string = string, C extends Columns = Columns> =
  | SourceTable<Name, Zone, C>
  | DerivedTable<Name, Zone, C>;

/** A row of a table: `Row<typeof customerTrusted>`. */
export type Row<T extends { readonly columns: Columns }> = RowOf<T['columns']>;

/** A row as a job's SQL reads it: a source's epoch milliseconds and ISO dates already converted. */
export type InputRow<T extends { readonly columns: Columns }> = RowOf<Refined<T['columns']>>;

/** The columns of `C` that hold an instant. */
export type InstantsOf<C extends Columns> = {
  [K in keyof C & string]: C[K]['type'] extends 'timestamp' ? K : never;
}[keyof C & string];

/** Whether a writer of the table needs the key of pseudonyms. */
export const hasPseudonyms = ({ columns }: Table): boolean =>
  Object.values(columns).some(({ type }) => type === 'pseudonym');

/** Whether a row holds a direct or quasi identifier: what analysts may not ask for, and a trail watches. */
export const isPersonal = ({ columns }: Table): boolean =>
  Object.values(columns).some(({ pii }) => pii !== undefined);

/**
 * The columns that may be seen by whoever may not see personal data. Of a source with personal data none: its rows are
 * also of people who agreed to nothing.
 */
export const openColumns = (table: Table): string[] =>
  table.format !== 'iceberg' && isPersonal(table)
    ? []
    : Object.entries(table.columns).flatMap(([name, { pii }]) => (pii === undefined ? [name] : []));

/** Whether rows say whose they are, so that a person's can be told. */
export const saysWhose = ({ columns }: Table): boolean =>
  Object.values(columns).some(({ identifies }) => identifies === 'person' || identifies === 'device');
