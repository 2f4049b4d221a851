// Tables as the Open Data Contract Standard writes them (https://bitol.io), and back.
import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import {
  COLUMN_TYPES,
  type Column,
  type ColumnType,
  type CsvFormat,
  expectationsOf,
  isPersonal,
  type Job,
  spelled,
  type Table,
} from '../model';

const API_VERSION = 'v3.1.0';

/** What the standard has for the meaning of a type; how it is stored stands beside it. */
const LOGICAL: Readonly<Record<ColumnType, string>> = {
  text: 'string',
  json: 'string',
  pseudonym: 'string',
  int: 'integer',
  double: 'number',
  decimal: 'number',
  boolean: 'boolean',
  epochMillis: 'integer',
  isoInstant: 'string',
  isoDate: 'string',
  timestamp: 'timestamp',
  date: 'date',
};

const CLASSIFICATION = { direct: 'restricted', quasi: 'confidential' } as const;

/** What the standard has no word for, under the contract's own: read again by {@link contractSource}. */
const OWN = ['type', 'pii', 'identifies', 'normalize', 'from', 'aliases'] as const;

const customProperties = (values: Readonly<Record<string, unknown>>) =>
  Object.entries(values).flatMap(([property, value]) =>
    value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [{ property, value }],
  );

/** As files are named: a lake keeps its own in Parquet. */
const formatOf = ({ format }: Table) =>
  format === 'iceberg' ? 'parquet' : typeof format === 'string' ? format : format.kind;

/** The contract of a table, to be written as YAML or JSON. `files`: where its files are, as a pattern. */
export function odcsOf(lakehouse: string, table: Table, job: Job | undefined, files: string) {
  const properties = Object.entries(table.columns).map(([name, column]) => propertyOf(table, name, column));
  const contract = {
    id: `${lakehouse}.${table.name}`,
    name: table.name,
    status: 'active',
    dataProduct: lakehouse,
    domain: table.zone,
    description: { purpose: table.description },
    servers: [{ server: 'lake', type: 'local', path: files, format: formatOf(table) }],
    ...(!isPersonal(table) && { roles: [{ role: 'analyst', access: 'read' }] }),
    schema: [
      {
        name: table.name,
        physicalName: table.name,
        logicalType: 'object',
        physicalType: table.format === 'iceberg' ? 'table' : 'file',
        description: table.description,
        properties,
        quality: expectationsOf(table, job).map((e) => ({
          name: e.name,
          description: e.description,
          type: 'sql',
          query: `SELECT COUNT(*) FROM (${e.sql(table.name)}) bad`,
          mustBe: 0,
          severity: e.severity === 'warn' ? 'warning' : 'error',
          customProperties: customProperties({ ifNot: e.severity }),
        })),
        customProperties: customProperties(
          table.format !== 'iceberg'
            ? {
                entity: table.entity,
                format: table.format,
                each: table.each,
                maxQuarantinedShare: table.maxQuarantinedShare,
              }
            : { keys: table.keys, partitionBy: table.partitionBy },
        ),
      },
    ],
  };
  // Another contract, another version; nothing else changes it.
  const version = createHash('sha256').update(JSON.stringify(contract)).digest('hex').slice(0, 12);
  return { apiVersion: API_VERSION, kind: 'DataContract', version, ...contract };
}

function propertyOf(table: Table, name: string, column: Column) {
  const { type, description, nullable, pii, oneOf } = column;
  const [keys, partitions] = table.format !== 'iceberg' ? [[], []] : [table.keys, table.partitionBy];
  const place = keys[0]?.indexOf(name) ?? -1;
  const part = partitions.findIndex(({ column: day }) => day === name);
  const options = optionsOf(column);
  return {
    name,
    description,
    logicalType: LOGICAL[type],
    physicalType: spelled(column).duckdb.toLowerCase(),
    required: !nullable,
    ...(place >= 0 && { primaryKey: true, primaryKeyPosition: place + 1 }),
    ...(keys.some((key) => key.length === 1 && key[0] === name) && { unique: true }),
    ...(part >= 0 && { partitioned: true, partitionKeyPosition: part + 1 }),
    classification: pii ? CLASSIFICATION[pii] : 'internal',
    ...(Object.keys(options).length > 0 && { logicalTypeOptions: options }),
    ...(oneOf && {
      quality: [
        {
          name: 'one_of',
          type: 'library',
          metric: 'invalidValues',
          arguments: { validValues: oneOf },
          mustBe: 0,
        },
      ],
    }),
    customProperties: customProperties(Object.fromEntries(OWN.map((key) => [key, column[key]]))),
  };
}

function optionsOf({ type, min, max, pattern }: Column) {
  // An instant is compared as text, and numbers as numbers.
  const bound = (n: number) => (type === 'timestamp' ? new Date(n).toISOString() : n);
  const isRanged = ['integer', 'number', 'timestamp'].includes(LOGICAL[type]);
  return {
    ...(isRanged && min !== undefined && { minimum: bound(min) }),
    ...(isRanged && max !== undefined && { maximum: bound(max) }),
    ...(pattern !== undefined && { pattern }),
  };
}

interface Custom {
  readonly property: string;
  readonly value: unknown;
}

/** What is read of a contract that others wrote. */
interface Contract {
  readonly schema?: readonly {
    readonly name: string;
    readonly description?: string;
    readonly properties?: readonly Property[];
    readonly customProperties?: readonly Custom[];
  }[];
  readonly kind?: string;
  readonly domain?: string;
}

interface Property {
  readonly name: string;
  readonly description?: string;
  readonly logicalType?: string;
  readonly physicalType?: string;
  readonly required?: boolean;
  readonly primaryKey?: boolean;
  readonly classification?: string;
  readonly logicalTypeOptions?: {
    readonly minimum?: number | string;
    readonly maximum?: number | string;
    readonly pattern?: string;
  };
  readonly quality?: readonly {
    readonly metric?: string;
    readonly arguments?: { readonly validValues?: readonly string[] };
  }[];
  readonly customProperties?: readonly Custom[];
}

const ownOf = (custom: readonly Custom[] = []) =>
  Object.fromEntries(custom.map(({ property, value }) => [property, value]));

/** The words of `model/` for the tables of a contract, as TypeScript to put into a zone's file. Throws an Error for another file. */
export function contractSource(contract: Contract): string {
  if (contract?.kind !== 'DataContract' || !Array.isArray(contract.schema) || contract.schema.length === 0)
    throw new Error('is no data contract with a schema (kind: DataContract, schema: a list)');
  return contract.schema.map((table) => tableSource(table, contract.domain)).join('\n');
}

const camel = (name: string) => name.replaceAll(/[^A-Za-z0-9]+(.)?/g, (_, c: string = '') => c.toUpperCase());

/** A value as TypeScript. */
const source = (value: unknown) =>
  inspect(value, { breakLength: Infinity, depth: null, maxArrayLength: null, maxStringLength: null });

/** A key of an object literal: what others wrote stands in quotes, where it is no name. */
const key = (name: string) => (/^[A-Za-z_]\w*$/.test(name) ? name : source(name));

/** A file's format in the words of `model/`. */
function formatSource(format: unknown): string {
  if (typeof format !== 'object' || format === null) return source(format);
  const { kind: _, ...options } = format as CsvFormat;
  return `csv(${source(options)})`;
}

function tableSource(
  {
    name,
    description = '',
    properties = [],
    customProperties: custom,
  }: NonNullable<Contract['schema']>[number],
  zone = 'landing',
): string {
  const own = ownOf(custom);
  const isSource = typeof own.entity === 'string';
  const keys = properties.filter(({ primaryKey }) => primaryKey).map((one) => one.name);
  return [
    `export const ${camel(name)} = lakehouse.${isSource ? 'source' : 'table'}({`,
    `  name: ${source(name)},`,
    `  zone: ${source(zone)},`,
    ...(isSource ? [`  entity: ${source(own.entity)},`] : []),
    ...(isSource && own.format !== undefined ? [`  format: ${formatSource(own.format)},`] : []),
    ...(own.each === undefined ? [] : [`  each: ${source(own.each)},`]),
    `  description: ${source(description.trim() || 'TODO: what a row is.')},`,
    '  columns: {',
    ...properties.map((property) => `    ${key(property.name)}: ${columnSource(property)},`),
    '  },',
    ...(isSource || keys.length === 0 ? [] : [`  keys: ${source(own.keys ?? [keys])},`]),
    ...(Array.isArray(own.partitionBy)
      ? [`  partitionBy: [${own.partitionBy.map(({ column }) => `day(${source(column)})`).join(', ')}],`]
      : []),
    '});',
    '',
  ].join('\n');
}

/** The standard's meanings as types of columns; decimals by how they are stored. */
const TYPES: Readonly<Record<string, ColumnType>> = {
  string: 'text',
  integer: 'int',
  number: 'double',
  boolean: 'boolean',
  timestamp: 'timestamp',
  date: 'date',
};

function columnSource(property: Property): string {
  const own = ownOf(property.customProperties);
  const [, precision, scale] = /^decimal\((\d+), ?(\d+)\)$/i.exec(property.physicalType ?? '') ?? [];
  const known = COLUMN_TYPES.find((one) => one === own.type);
  const type = known ?? (precision ? 'decimal' : (TYPES[property.logicalType ?? ''] ?? 'json'));
  const pii =
    own.pii ?? { restricted: 'direct', confidential: 'quasi' }[(property.classification ?? '').toLowerCase()];
  const bound = (value: number | string | undefined) =>
    typeof value === 'string' ? Date.parse(value) : value;
  const { minimum, maximum, pattern } = property.logicalTypeOptions ?? {};
  const oneOf = property.quality?.find(({ metric }) => metric === 'invalidValues')?.arguments?.validValues;
  const { identifies, normalize, from, aliases } = own;
  const options = Object.fromEntries(
    Object.entries({
      nullable: property.required ? undefined : true,
      pii,
      identifies,
      normalize,
      from,
      aliases,
      oneOf,
      pattern,
      min: bound(minimum),
      max: bound(maximum),
    }).filter(([, value]) => value !== undefined),
  );
  const words = [
    ...(type === 'decimal' ? [precision, scale] : []),
    source(property.description?.trim() || 'TODO: what it is.'),
    ...(Object.keys(options).length > 0 ? [source(options)] : []),
  ];
  return `${type}(${words.join(', ')})`;
}
