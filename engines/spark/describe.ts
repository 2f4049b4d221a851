// What DuckDB answers that is no SELECT: which tables there are, and the columns of one.
import type { QueryResult } from '../engine';
import { tokensOf } from '../sql';

/** The list of tables, or the description of one. */
export type Asked = 'tables' | { readonly describe: string };

const DESCRIBE = /^(?:describe|desc|show)\s+(?:(\w+)|"((?:[^"]|"")+)"|`((?:[^`]|``)+)`)$/i;

/** What a text asks, if it is `SHOW TABLES` or `DESCRIBE <table>`. */
export function askedOf(sql: string): Asked | undefined {
  const text = tokensOf(sql)
    .map((token) => (token.kind === 'comment' ? ' ' : token.text))
    .join('')
    .replace(/[;\s]+$/, '')
    .trim();
  if (/^show\s+tables$/i.test(text)) return 'tables';
  const [, bare, quoted, ticked] = DESCRIBE.exec(text) ?? [];
  const name = bare ?? quoted?.replaceAll('""', '"') ?? ticked?.replaceAll('``', '`');
  return name === undefined ? undefined : { describe: name };
}

const answer = (names: readonly string[], rows: readonly (readonly (string | null)[])[]): QueryResult => ({
  columns: names.map((name) => ({ name, type: 'text' })),
  rows: (async function* () {
    yield rows;
  })(),
});

/** As DuckDB answers `SHOW TABLES`. */
export const listOfTables = (tables: readonly string[]): QueryResult =>
  answer(
    ['name'],
    tables.toSorted().map((table) => [table]),
  );

/** As DuckDB answers `DESCRIBE`, of columns by name with their types. */
export const description = (columns: Readonly<Record<string, string>>): QueryResult =>
  answer(
    ['column_name', 'column_type', 'null', 'key', 'default', 'extra'],
    Object.entries(columns).map(([name, type]) => [name, type, 'YES', null, null, null]),
  );
