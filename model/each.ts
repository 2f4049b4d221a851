import { type Column, type Columns, int, json } from './column';
import type { SourceTable } from './table';

/** In place of a path: where an element stands in its array. */
const POSITION = '#';

/** Where the row of an element stands in its array, from 1: what tells the rows of one record apart. */
export const position = (description: string) => int(description, { from: POSITION });

/** Where a column's value is. */
export interface ValuePlace {
  readonly of: 'record' | 'element' | 'position';
  /** The keys on the way; of an element, those within it, and none where the value is the element. */
  readonly path: readonly string[];
}

interface Contract {
  readonly columns: Columns;
  readonly each?: string;
}

/** Where the value of a column of a source is. */
export function valuePlace(
  { each }: Contract,
  name: string,
  { from = name }: Pick<Column, 'from'>,
): ValuePlace {
  if (from === POSITION) return { of: 'position', path: [] };
  if (each !== undefined && `${from}.`.startsWith(`${each}.`))
    return {
      of: 'element',
      path: from
        .slice(each.length + 1)
        .split('.')
        .filter(Boolean),
    };
  return { of: 'record', path: from.split('.') };
}

/** The spellings of the array's first key, as the columns in its elements have them. */
export const aliasesOfEach = (source: Contract): readonly string[] =>
  Object.entries(source.columns).find(
    ([name, column]) => valuePlace(source, name, column).of === 'element',
  )?.[1].aliases ?? [];

/** A source with a row for each record, whatever its elements are: what of it is rewritten and forgotten in files. */
export function byRecord(source: SourceTable): SourceTable {
  const { each, ...rest } = source;
  if (each === undefined) return source;
  const ofRecord = Object.entries(source.columns).filter(
    ([name, column]) => valuePlace(source, name, column).of === 'record',
  );
  // A record that has no other column is known by its array.
  const array = json('The array.', { nullable: true, from: each, aliases: aliasesOfEach(source) });
  return { ...rest, columns: { ...Object.fromEntries(ofRecord), _each: array } };
}
