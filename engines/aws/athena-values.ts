import type { ColumnInfo, Row } from '@aws-sdk/client-athena';
import type { QueryColumn } from '../engine';
import { decimalText } from '../printed';

/** How Athena's text of a value becomes the local engine's. */
type Convert = (text: string) => string;

const asIs: Convert = (text) => text;
/** 1.0E10 is 10000000000, and -0.0 is 0, as JavaScript prints them for the local engine. */
const double: Convert = (text) => String(Number(text));
/** DuckDB's FLOAT is printed with the digits of a double. */
const float: Convert = (text) => String(Math.fround(Number(text)));

/** To the millisecond, however many digits an Iceberg table keeps. */
const instant: Convert = (text) => {
  const [second = '', fraction = ''] = text.split('.');
  return `${second}.${fraction.slice(0, 3).padEnd(3, '0')}`;
};

/** Of an instant with a zone: in UTC where the zone is an offset; a zone of a name stays. */
const zoned: Convert = (text) => {
  const [, time = '', zone] = /^(.*?) (UTC|Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  if (zone === undefined) return text;
  if (zone === 'UTC' || zone === 'Z') return instant(time);
  const at = new Date(`${instant(time).replace(' ', 'T')}${zone}`);
  return at.toISOString().replace('T', ' ').replace('Z', '');
};

const TYPES: Readonly<Record<string, readonly [QueryColumn['type'], Convert]>> = {
  tinyint: ['number', asIs],
  smallint: ['number', asIs],
  integer: ['number', asIs],
  int: ['number', asIs],
  bigint: ['number', asIs],
  double: ['number', double],
  float: ['number', float],
  real: ['number', float],
  decimal: ['number', decimalText],
  boolean: ['boolean', asIs],
  date: ['date', asIs],
  timestamp: ['instant', instant],
  'timestamp with time zone': ['instant', zoned],
};

/** Lists, maps, rows, times and bytes are text, as Athena writes them: `[1, 2]`, `{a=1}`, `de ad`. */
const OTHER = ['text', asIs] as const;

/** `decimal(18,3)` and `timestamp(6) with time zone` without their sizes. */
const typeOf = ({ Type = '' }: Pick<ColumnInfo, 'Type'>) =>
  TYPES[Type.toLowerCase().replace(/\s*\([^)]*\)/, '')] ?? OTHER;

/** The columns of a result, and what reads its rows. */
export interface Reader {
  readonly columns: readonly QueryColumn[];
  read(row: Row): (string | null)[];
  /** Whether a row says nothing but the names of the columns. */
  isHeader(row: Row): boolean;
}

/** Reads results by their metadata; `spelled` gives a name its capital letters back. */
export function readerOf(infos: readonly ColumnInfo[], spelled: (name: string) => string): Reader {
  const names = infos.map(({ Name, Label }) => Label ?? Name ?? '');
  const types = infos.map(typeOf);
  return {
    columns: names.map((name, i) => ({ name: spelled(name), type: (types[i] ?? OTHER)[0] })),
    read: ({ Data = [] }) =>
      types.map(([, convert], i) => {
        // Athena leaves the text of a NULL out; that of an empty text is there, and empty.
        const text = Data[i]?.VarCharValue;
        return text === undefined ? null : convert(text);
      }),
    isHeader: ({ Data = [] }) =>
      Data.length === names.length &&
      names.every((name, i) => Data[i]?.VarCharValue?.toLowerCase() === name.toLowerCase()),
  };
}
