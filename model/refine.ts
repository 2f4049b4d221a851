import type { Column } from './column';
import { quoteName as name } from './sql';
import type { Table } from './table';

/** Unicode's White_Space, and the byte-order mark, which some editors leave in a text. As RE2 writes it. */
const SPACES = '[\\s\\v\\x{85}\\x{FEFF}\\p{Z}]+';

/**
 * The one form of an e-mail, and of whatever people are looked for by: without white space around, in lower case
 * character by character, in Unicode's NFC. Functions of one value, which DuckDB calls once for each entry of a
 * Parquet dictionary; `trim` is none of them.
 */
export const normalisedSql = (value: string) =>
  `nfc_normalize(lower(regexp_replace(${value}, '^${SPACES}|${SPACES}$', '', 'g')))`;

function valueSql({ type, normalize }: Column, value: string): string {
  if (type === 'epochMillis') return `CAST(make_timestamp_ms(${value}) AS TIMESTAMP)`;
  // DuckDB takes the offset off; more digits than milliseconds are cut.
  if (type === 'isoInstant') return `date_trunc('millisecond', CAST(${value} AS TIMESTAMP))`;
  if (type === 'isoDate') return `CAST(${value} AS DATE)`;
  return normalize === 'email' ? normalisedSql(value) : value;
}

/** A select list, for DuckDB 1.5, that gives the columns of landed rows as jobs see them. See `refined`. */
export const refinedSql = ({ columns }: Pick<Table, 'columns'>): string =>
  Object.entries(columns)
    .map(([key, column]) => `${valueSql(column, name(key))} AS ${name(key)}`)
    .join(', ');
