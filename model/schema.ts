import type { Column, ColumnType } from './column';
import { valuePlace } from './each';
import type { Fault } from './faults';
import { type Place, s3Uri } from './places';
import type { DerivedTable, SourceFormat, SourceTable, Table } from './table';
import { spelled } from './types';

/** Glue's limit for a comment and Iceberg's for a doc, in characters. */
const MAX_COMMENT = 255;
const comment = (text: string) => (text.length <= MAX_COMMENT ? text : `${text.slice(0, MAX_COMMENT - 1)}…`);

/** How the catalog spells Iceberg's types, where it has words of its own. */
export const catalogType = (iceberg: string) => (iceberg === 'long' ? 'bigint' : iceberg.replaceAll(' ', ''));

/**
 * A source's spellings that differ in more than case: the SerDe matches keys without case, and reads one key a
 * column. They get columns of their own, so that no line turns into a silent NULL.
 */
const otherSpellings = (name: string, { aliases }: Column) =>
  [...new Set(aliases.map((alias) => alias.toLowerCase()))].filter((alias) => alias !== name.toLowerCase());

/** How columns of Parquet are spelled that come as numbers or text in JSON. */
const PARQUET_TYPES: Partial<Record<ColumnType, string>> = { isoInstant: 'timestamp', isoDate: 'date' };

/** Hive's word for the type of a column in files of a format. */
export const hiveType = (column: Column, format: SourceFormat): string =>
  typeof format === 'object'
    ? 'string'
    : (format === 'parquet' && PARQUET_TYPES[column.type]) || spelled(column).spark;

/** The columns of a struct, by their ways in it, as Hive's type. */
function structType(columns: readonly { readonly path: readonly string[]; readonly type: string }[]): string {
  const keys = [...new Set(columns.map(({ path: [key = ''] }) => key))];
  const fields = keys.map((key) => {
    const inner = columns.filter(({ path }) => path[0] === key);
    const below = inner.filter(({ path }) => path.length > 1);
    const type =
      below.length > 0
        ? structType(below.map(({ path, type }) => ({ path: path.slice(1), type })))
        : (inner[0]?.type as string);
    return `${key.toLowerCase()}:${type}`;
  });
  return `struct<${fields.join(',')}>`;
}

/**
 * The columns of a source as Athena reads them, in lower case as Glue keeps them. JSON is as written: instants are numbers
 * or text, and days text; of what is within a value, its SerDe gives the text. CSV is text: the SerDe takes fields by their
 * place, and would fail at a field that is empty where a number should be.
 */
export function hiveColumns(table: SourceTable) {
  const { format } = table;
  const isCsv = typeof format === 'object';
  const all = Object.entries(table.columns).flatMap(([name, column]) => {
    const { of } = valuePlace(table, name, column);
    if (of === 'position') return [];
    const [key = name, ...path] = (column.from ?? name).split('.');
    const isWithin = of === 'element' || path.length > 0;
    return [{ name, column, key, path, isWithin, type: hiveType(column, format) }];
  });
  const columns = all.flatMap(({ name, column, key, isWithin, type: own }) => {
    const within = format === 'parquet' ? structType(all.filter((other) => other.key === key)) : 'string';
    const type = isWithin ? within : own;
    const note = isWithin
      ? `The ${format === 'parquet' ? 'struct' : 'JSON'} that holds ${name} and what else is in it.`
      : column.description;
    return [
      { name: key.toLowerCase(), type, comment: comment(note) },
      ...(isCsv ? [] : otherSpellings(key, column)).map((alias) => ({
        name: alias,
        type,
        comment: comment(`Another spelling of ${key} that was seen in the source.`),
      })),
    ];
  });
  // Values of one key share its column.
  return columns.filter(({ name }, i) => columns.findIndex((other) => other.name === name) === i);
}

const TEXT_FILES = {
  inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
};
/** Stands in no file: backslashes are no escapes in CSV. Were it the quote, the SerDe would take them for some. */
const NO_ESCAPE = '\u0001';

function storageFormat({ format }: SourceTable) {
  if (format === 'parquet') {
    const parquet = 'org.apache.hadoop.hive.ql.io.parquet';
    return {
      inputFormat: `${parquet}.MapredParquetInputFormat`,
      outputFormat: `${parquet}.MapredParquetOutputFormat`,
      serDeInfo: {
        serializationLibrary: `${parquet}.serde.ParquetHiveSerDe`,
        parameters: { 'serialization.format': '1' },
      },
    };
  }
  const serDeInfo =
    typeof format === 'object'
      ? {
          serializationLibrary: 'org.apache.hadoop.hive.serde2.OpenCSVSerde',
          parameters: { separatorChar: format.delimiter, quoteChar: format.quote, escapeChar: NO_ESCAPE },
        }
      : {
          serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
          parameters: { 'case.insensitive': 'TRUE', 'ignore.malformed.json': 'TRUE' },
        };
  return { ...TEXT_FILES, serDeInfo };
}

/** Files of a source as an external table of Athena. A line that is no JSON shows as a row of NULLs there. */
export const landingStorage = (table: SourceTable, location: string) => ({
  location,
  ...storageFormat(table),
  columns: hiveColumns(table),
});

/** What else the catalog says of such a table. */
export const externalTable = ({ description, format }: SourceTable) => ({
  description,
  tableType: 'EXTERNAL_TABLE',
  parameters: {
    EXTERNAL: 'TRUE',
    classification: typeof format === 'object' ? format.kind : format,
    ...(typeof format === 'object' && format.header && { 'skip.header.line.count': '1' }),
  },
});

/** Where a table's files are: Athena wants the slash, Iceberg none. */
export const locationOf = ({ format }: Table, { bucket, prefix }: Place) =>
  s3Uri({ bucket, prefix: prefix.replace(/\/$/, format !== 'iceberg' ? '/' : '') });

/** Iceberg's ids of partition fields begin here. */
const FIRST_PARTITION_ID = 1000;

/**
 * A contract as an Iceberg table. A column's id is its place, from 1: columns are only ever appended, which
 * {@link evolutionFaults} holds. No field is required, as Iceberg refuses a required one to a table that exists, and
 * Spark a query that may give NULL; what is required is checked before a table is published.
 */
export function icebergTable(table: DerivedTable, location: string) {
  const names = Object.keys(table.columns);
  return {
    location,
    schema: {
      type: 'struct',
      fields: Object.entries(table.columns).map(([name, column], i) => ({
        id: i + 1,
        name,
        type: JSON.stringify(spelled(column).iceberg),
        required: false,
        doc: comment(column.description),
      })),
    },
    ...(table.partitionBy.length > 0 && {
      partitionSpec: {
        fields: table.partitionBy.map(({ transform, column }, i) => ({
          fieldId: FIRST_PARTITION_ID + i,
          sourceId: names.indexOf(column) + 1,
          name: `${column}_${transform}`,
          transform,
        })),
      },
    }),
    properties: { comment: comment(table.description), 'write.format.default': 'parquet' },
  };
}

/** What is compared of a table as it was deployed and as it shall be. */
interface Shape {
  readonly location?: string;
  readonly schema?: {
    readonly fields?: readonly { readonly id: number; readonly name: string; readonly type: string }[];
  };
  readonly partitionSpec?: { readonly fields?: readonly Readonly<Record<string, unknown>>[] };
}

const typeOf = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
};

/**
 * What a change of a contract would break in an Iceberg table that holds data: its files know a column by its id,
 * so a column keeps its place, name and type, and new ones come last. Source: Iceberg's specification, "Schema
 * Evolution".
 */
export function evolutionFaults(table: string, before: Shape, after: Shape): Fault[] {
  const faults: Fault[] = [];
  const was = before.schema?.fields ?? [];
  const is = after.schema?.fields ?? [];
  for (const old of was) {
    const path = `${table}.columns.${old.name}`;
    const same = is.find(({ id }) => id === old.id);
    const moved = is.find(({ name }) => name === old.name);
    if (same?.name !== old.name) {
      faults.push({
        path,
        message: moved
          ? `was column ${old.id} of the deployed table and is ${moved.id} now; files know columns by place: add new columns at the end`
          : `is column ${old.id} of the deployed table and is gone from the contract; keep it, or make a table of another name`,
      });
    } else if (same.type !== old.type) {
      faults.push({
        path,
        message: `is ${typeOf(old.type)} in the deployed table and ${typeOf(same.type)} in the contract; a type stays: add a column of another name`,
      });
    }
  }
  const specOf = ({ partitionSpec }: Shape) => JSON.stringify(partitionSpec?.fields ?? []);
  if (specOf(before) !== specOf(after)) {
    faults.push({
      path: `${table}.partitionBy`,
      message: 'differs from the deployed table; files stay where they are: make a table of another name',
    });
  }
  if (before.location !== after.location) {
    faults.push({
      path: table,
      message: `is at ${before.location} and would be at ${after.location}; its files would stay behind`,
    });
  }
  return faults;
}
