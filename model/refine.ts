import type { Column } from './column';
import type { Table } from './table';

const name = (text: string) => `"${text.replaceAll('"', '""')}"`;

/** Unicode's White_Space, and the byte-order mark, which some editors leave in a text. */
export const SPACES = [
  ...[9, 10, 11, 12, 13, 0x20, 0x85, 0xa0, 0x1680],
  ...Array.from({ length: 11 }, (_, i) => 0x2000 + i),
  ...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000, 0xfeff],
]
  .map((code) => `chr(${code})`)
  .join(' || ');

/**
 * The one form of an e-mail, and of whatever people are looked for by: without white space around, in lower case
 * character by character, in Unicode's NFC.
 */
export const normalisedSql = (value: string) => `nfc_normalize(lower(trim(${value}, ${SPACES})))`;

function valueSql({ type, normalize }: Column, value: string): string {
  if (type === 'epochMillis') return `CAST(make_timestamp_ms(${value}) AS TIMESTAMP)`;
  if (type === 'isoDate') return `CAST(${value} AS DATE)`;
  return normalize === 'email' ? normalisedSql(value) : value;
}

/** A select list, for DuckDB 1.5, that gives the columns of landed rows as jobs see them. See `refined`. */
export const refinedSql = ({ columns }: Pick<Table, 'columns'>): string =>
  Object.entries(columns)
    .map(([key, column]) => `${valueSql(column, name(key))} AS ${name(key)}`)
    .join(', ');
