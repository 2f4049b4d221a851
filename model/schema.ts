import type { Column } from './column';
import { valuePlace } from './each';
import type { Fault } from './faults';
import { type Place, s3Uri } from './places';
import type { DerivedTable, SourceTable, Table } from './table';
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

/** The columns of JSON lines as Athena reads them, in lower case as Glue keeps them. */
export function hiveColumns(table: SourceTable) {
  const columns = Object.entries(table.columns).flatMap(([name, column]) => {
    // The SerDe looks at keys, not into their values: of those it gives the text.
    const { of } = valuePlace(table, name, column);
    if (of === 'position') return [];
    const [key = name, ...within] = (column.from ?? name).split('.');
    const isWithin = of === 'element' || within.length > 0;
    // As written: instants are numbers or text, and days text.
    const type = isWithin ? 'string' : spelled(column).spark;
    const note = isWithin ? `The JSON that holds ${name} and what else is in it.` : column.description;
    return [
      { name: key.toLowerCase(), type, comment: comment(note) },
      ...otherSpellings(key, column).map((alias) => ({
        name: alias,
        type,
        comment: comment(`Another spelling of ${key} that was seen in the source.`),
      })),
    ];
  });
  // Values of one key share its column.
  return columns.filter(({ name }, i) => columns.findIndex((other) => other.name === name) === i);
}

/** JSON lines as an external table of Athena. A line that is no JSON shows as a row of NULLs there. */
export const jsonStorage = (table: SourceTable, location: string) => ({
  location,
  inputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  outputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  serDeInfo: {
    serializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
    parameters: { 'case.insensitive': 'TRUE', 'ignore.malformed.json': 'TRUE' },
  },
  columns: hiveColumns(table),
});

/** What else the catalog says of such a table. */
export const externalTable = ({ description }: SourceTable) => ({
  description,
  tableType: 'EXTERNAL_TABLE',
  parameters: { EXTERNAL: 'TRUE', classification: 'json' },
});

/** Where a table's files are: Athena wants the slash, Iceberg none. */
export const locationOf = ({ format }: Table, { bucket, prefix }: Place) =>
  s3Uri({ bucket, prefix: prefix.replace(/\/$/, format === 'json' ? '/' : '') });

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
