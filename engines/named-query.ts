import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Column, ColumnType, NamedQuery, ResultColumns, RowOf } from '../model';
import { type Engine, LakeError, type QueryColumn } from './engine';
import { ROOT } from './root';

/** How a result tells a column of each type. */
const KINDS: Readonly<Partial<Record<ColumnType, QueryColumn['type']>>> = {
  text: 'text',
  pseudonym: 'text',
  int: 'number',
  double: 'number',
  decimal: 'number',
  boolean: 'boolean',
  json: 'text',
  timestamp: 'instant',
  date: 'date',
};

/**
 * The rows of a named query, as its declaration types them, one after another. `engine` is any that answers SQL: the
 * local ones and Athena. Throws a LakeError, which names the column and the row, where the result is not as declared.
 */
export async function* streamQuery<C extends ResultColumns>(
  engine: Pick<Engine, 'query'>,
  query: NamedQuery<string, C>,
  queries = join(ROOT, 'queries'),
): AsyncGenerator<RowOf<C>> {
  const { columns, rows } = await engine.query(await readFile(join(queries, `${query.name}.sql`), 'utf8'));
  const places = placesOf(query, columns);
  let row = 0;
  for await (const chunk of rows) {
    for (const texts of chunk) {
      row++;
      const values = places.map(({ name, column, place }) => {
        const where = () => `${query.name}: column "${name}" in row ${row}`;
        return [name, parsed(texts[place] ?? null, column, where)];
      });
      yield Object.fromEntries(values) as RowOf<C>;
    }
  }
}

/** All rows of a named query at once; as `streamQuery` otherwise. */
export async function runQuery<C extends ResultColumns>(
  engine: Pick<Engine, 'query'>,
  query: NamedQuery<string, C>,
  queries?: string,
): Promise<RowOf<C>[]> {
  const rows: RowOf<C>[] = [];
  for await (const row of streamQuery(engine, query, queries)) rows.push(row);
  return rows;
}

/** Where each declared column is. Athena does not tell names apart by their case. */
function placesOf({ name: query, columns: declared }: NamedQuery, found: readonly QueryColumn[]) {
  const names = found.map(({ name }) => name.toLowerCase());
  return Object.entries(declared).map(([name, column]) => {
    const place = names.indexOf(name.toLowerCase());
    const kind = found[place]?.type;
    if (kind === undefined) {
      throw new LakeError(
        `${query} gives no column "${name}", which its definition has; it gives ${names.join(', ')}`,
      );
    }
    if (kind !== KINDS[column.type]) {
      throw new LakeError(`${query}: column "${name}" is ${kind}, and its definition says ${column.type}`);
    }
    return { name, column, place };
  });
}

/** The value of a text; what it is not is told without it, as it may be personal. */
function parsed(
  text: string | null,
  column: Column,
  where: () => string,
): string | number | boolean | Date | null {
  if (text === null) {
    if (column.nullable) return null;
    throw new LakeError(`${where()} is NULL, and its definition is not nullable`);
  }
  switch (column.type) {
    case 'int': {
      const value = Number(text);
      if (/^-?\d+$/.test(text) && Number.isSafeInteger(value)) return value;
      throw new LakeError(`${where()} is no whole number of at most 2^53, as int has to be`);
    }
    case 'boolean':
      return text === 'true';
    case 'double':
      return Number(text);
    case 'timestamp':
      return new Date(`${text.replace(' ', 'T')}Z`);
    default:
      return text;
  }
}
