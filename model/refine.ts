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

/**
 * The instant in UTC of a text in ISO 8601 with an offset, or NULL; digits behind milliseconds are cut. DuckDB wants
 * seconds, and a colon in the offset, which the standard lets out, and heeds the offset of TIMESTAMPTZ only.
 */
export const instantSql = (value: string) =>
  `date_trunc('millisecond', make_timestamp(epoch_us(TRY_CAST(regexp_replace(regexp_replace(${value}, 'T([0-9]{2}:[0-9]{2})(Z|[+-])', 'T\\1:00\\2'), '([+-][0-9]{2})([0-9]{2})$', '\\1:\\2') AS TIMESTAMPTZ))))`;

function valueSql({ type, normalize }: Column, value: string): string {
  if (type === 'epochMillis') return `CAST(make_timestamp_ms(${value}) AS TIMESTAMP)`;
  if (type === 'isoInstant') return `CAST(${instantSql(value)} AS TIMESTAMP)`;
  if (type === 'isoDate') return `CAST(${value} AS DATE)`;
  return normalize === 'email' ? normalisedSql(value) : value;
}

/** A select list, for DuckDB 1.5, that gives the columns of landed rows as jobs see them. See `refined`. */
export const refinedSql = ({ columns }: Pick<Table, 'columns'>): string =>
  Object.entries(columns)
    .map(([key, column]) => `${valueSql(column, name(key))} AS ${name(key)}`)
    .join(', ');
