import type { Column, ColumnType } from './column';

/** What a query can give: a source's ways to write an instant or a date are none of them. */
export type ResultColumns = Readonly<
  Record<string, Column<Exclude<ColumnType, 'epochMillis' | 'isoInstant' | 'isoDate'>>>
>;

/** A query of `queries/` and the columns that it gives, in any order; `Row<typeof query>` is a row of it. */
export interface NamedQuery<Name extends string = string, C extends ResultColumns = ResultColumns> {
  /** Of its file, without `.sql`. */
  readonly name: Name;
  readonly columns: C;
}

/** Declares what a query gives. `lake check` holds the declaration and the SQL together. */
export const namedQuery = <const Name extends string, C extends ResultColumns>(
  name: Name,
  columns: C,
): NamedQuery<Name, C> => ({ name, columns });
