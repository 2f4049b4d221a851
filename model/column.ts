/**
 * What a column holds, by the TypeScript type of its value in a row.
 *
 * `epochMillis`, `isoInstant` and `isoDate` are how a source writes an instant and a date. A landing table keeps them so;
 * every reader hands them to a job as `timestamp` and `date`.
 */
export interface ColumnValues {
  text: string;
  /** 64-bit whole number; safe up to 2^53 in TypeScript. */
  int: number;
  double: number;
  boolean: boolean;
  /** Exact, as text: `254.22`. */
  decimal: string;
  /** Any value of JSON, as compact text; its numbers are doubles. */
  json: string;
  /** Milliseconds since 1970-01-01 UTC. */
  epochMillis: number;
  /** ISO 8601 with an offset: `2026-05-01T10:00:00+02:00`. */
  isoInstant: string;
  /** `YYYY-MM-DD`; sources may leave out the leading zero of a year before 1000. */
  isoDate: string;
  /** An instant in UTC, to the millisecond. */
  timestamp: Date;
  /** A calendar day, `YYYY-MM-DD`. */
  date: string;
  /** HMAC-SHA-256 in hex. A job's SQL gives the clear value, the writer replaces it. */
  pseudonym: string;
}

export type ColumnType = keyof ColumnValues;

/** `direct` names a person alone (an e-mail); `quasi` does together with others (a birthday). */
export type PiiClass = 'direct' | 'quasi';

/**
 * Whose a row is. `person`: the value is the name by which all tables know a person, such as an e-mail address.
 * `device`: it names a thing of a person, or is a number by which other tables know them; whose it is, the tables say
 * that have both. Both are compared as they are printed, in the form of e-mails. `moment`: the instant in which something
 * was measured: of a device that people share, the rows at the instants at which a person was measured are theirs.
 * What a person is forgotten by: every row that such columns say to be theirs.
 */
export type Identifies = 'person' | 'device' | 'moment';

/** The form in which values are handed to jobs; landing keeps what was written. `email`: see `normalisedSql`. */
export type Normalization = 'email';

export interface Column<T extends ColumnType = ColumnType, Nullable extends boolean = boolean> {
  readonly type: T;
  readonly nullable: Nullable;
  readonly description: string;
  readonly pii?: PiiClass;
  /** Default: nothing. */
  readonly identifies?: Identifies;
  /** Of texts only. Default: as the source wrote it. */
  readonly normalize?: Normalization;
  /** The only values allowed. Default: any. */
  readonly oneOf?: readonly string[];
  /** Of a source's texts: what each looks like as a whole; `model/pattern.ts` says what it may hold. Default: anything. */
  readonly pattern?: string;
  /** Of a `decimal`: all its digits, and those behind the point. */
  readonly precision?: number;
  readonly scale?: number;
  /** Where the value is in the record: keys with points between, such as `address.city`. Default: the column's name. */
  readonly from?: string;
  /** Other spellings of the key that were seen in the source, tried in order. */
  readonly aliases: readonly string[];
  /** Smallest and largest value allowed; milliseconds for instants. */
  readonly min?: number;
  readonly max?: number;
}

export interface ColumnOptions {
  /** Default: not personal. */
  readonly pii?: PiiClass;
  /** Default: false. */
  readonly nullable?: boolean;
  /** Default: none. */
  readonly aliases?: readonly string[];
  /** Of a source: where the value is, as `address.city`; the keys as they are written. Default: under the column's name. */
  readonly from?: string;
  /** Default: nothing. */
  readonly identifies?: Exclude<Identifies, 'moment'>;
}

export interface TextOptions extends ColumnOptions {
  /** Default: as the source wrote it. */
  readonly normalize?: Normalization;
  /** The only values allowed, as they are written. Default: any. */
  readonly oneOf?: readonly string[];
  /** Of a source: a regular expression of the whole text as it is written, such as `[A-Z]{2}-[0-9]+`. Default: any. */
  readonly pattern?: string;
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

export interface RangeOptions extends ColumnOptions, Range {}

export interface InstantOptions extends Omit<ColumnOptions, 'identifies'>, Range {
  /** Default: nothing. */
  readonly identifies?: 'moment';
}

/** Takes no other keys: of a generic, TypeScript itself refuses them only where there is none that is known. */
type Exactly<O, Allowed> = O & { readonly [K in Exclude<keyof O, keyof Allowed>]: never };

type NullableOf<O extends Pick<ColumnOptions, 'nullable'>> = O['nullable'] extends true ? true : false;

type OneOf<O> = O extends { readonly oneOf: infer Values } ? { readonly oneOf: Values } : unknown;

const columnOf =
  <T extends ColumnType, Allowed extends Omit<ColumnOptions, 'identifies'>>(type: T) =>
  <const O extends Allowed = {} & Allowed>(description: string, options?: Exactly<O, Allowed>) =>
    ({
      ...options,
      type,
      description,
      nullable: options?.nullable ?? false,
      aliases: options?.aliases ?? [],
    }) as Column<T, NullableOf<O>> & OneOf<O>;

export const text = columnOf<'text', TextOptions>('text');
export const int = columnOf<'int', RangeOptions>('int');
export const double = columnOf<'double', RangeOptions>('double');
export const boolean = columnOf<'boolean', ColumnOptions>('boolean');
export const json = columnOf<'json', ColumnOptions>('json');
export const isoInstant = columnOf<'isoInstant', InstantOptions>('isoInstant');
export const epochMillis = columnOf<'epochMillis', InstantOptions>('epochMillis');
export const isoDate = columnOf<'isoDate', ColumnOptions>('isoDate');
export const timestamp = columnOf<'timestamp', InstantOptions>('timestamp');
export const date = columnOf<'date', ColumnOptions>('date');
export const pseudonym = columnOf<'pseudonym', Pick<ColumnOptions, 'nullable'>>('pseudonym');

/** A number that is kept exactly: of `precision` digits, at most 15, with `scale` of them behind the point. */
export const decimal = <const O extends RangeOptions = {} & RangeOptions>(
  precision: number,
  scale: number,
  description: string,
  options?: Exactly<O, RangeOptions>,
): Column<'decimal', NullableOf<O>> & { readonly precision: number; readonly scale: number } => ({
  ...columnOf<'decimal', RangeOptions>('decimal')<O>(description, options),
  precision,
  scale,
});

export type Columns = Readonly<Record<string, Column>>;

/** The value of a column in a row, `null` where the contract allows it. */
export type ValueOf<C extends Column> =
  | (C extends { readonly oneOf: readonly (infer Value)[] } ? Value : ColumnValues[C['type']])
  | (C['nullable'] extends true ? null : never);

export type RowOf<C extends Columns> = { -readonly [K in keyof C]: ValueOf<C[K]> };

/** How a source's type reads after landing. */
export type RefinedType<T extends ColumnType> = T extends 'epochMillis' | 'isoInstant'
  ? 'timestamp'
  : T extends 'isoDate'
    ? 'date'
    : T;

export type Refined<C extends Columns> = {
  readonly [K in keyof C]: Column<RefinedType<C[K]['type']>, C[K]['nullable']> & OneOf<C[K]>;
};

const REFINED_TYPES: Partial<Record<ColumnType, ColumnType>> = {
  epochMillis: 'timestamp',
  isoInstant: 'timestamp',
  isoDate: 'date',
};

/** The type in which a job's SQL sees a column. */
export const refinedType = (type: ColumnType): ColumnType => REFINED_TYPES[type] ?? type;

/** The same columns as a table after landing declares them: instants and dates in their own types. */
export const refined = <C extends Columns>(columns: C): Refined<C> =>
  Object.fromEntries(
    Object.entries(columns).map(([name, { from, pattern, ...column }]) => [
      name,
      { ...column, type: refinedType(column.type), aliases: [] },
    ]),
  ) as unknown as Refined<C>;
