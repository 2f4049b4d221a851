import type { Column } from './column';
import {
  commonReading,
  type Field,
  fault,
  fieldsOf,
  headFaults,
  judge,
  type Reading,
  said,
  spellings,
} from './reading';
import { hiveType } from './schema';
import { quoteName as name, quoteString as quote } from './sql';
import type { SourceTable } from './table';
import { areGood, columnsFault, flatFields, goodValues, jsonOf, noRow, numbered } from './tabular';

const FILES = "getvariable('_files')";
const READ = `read_parquet(${FILES}, hive_partitioning = false, file_row_number = true)`;

/** No more than says what a file is: the rest stands at its end. */
const HEAD_BYTES = 16;
const DESCRIBED = `SELECT to_json(list({'name': column_name, 'type': column_type}))::VARCHAR AS head
  FROM (DESCRIBE FROM read_parquet(${FILES}, hive_partitioning = false))`;

const NUMBERS = 'U?(?:TINY|SMALL|BIG|HUGE)?INT(?:EGER)?|FLOAT|DOUBLE|DECIMAL.*';
/** Which of DuckDB's types of a file's column a contract's may come as. */
const FITS: Readonly<Record<string, string>> = {
  text: 'VARCHAR|UUID|ENUM.*',
  int: NUMBERS,
  double: NUMBERS,
  decimal: NUMBERS,
  boolean: 'BOOLEAN',
  epochMillis: `${NUMBERS}|TIMESTAMP.*`,
  isoInstant: 'VARCHAR|TIMESTAMP.*',
  isoDate: 'VARCHAR|DATE',
  json: '.*',
};

const WHOLE = '(?:TINY|SMALL|BIG)?INT(?:EGER)?';
/** Which of them Athena's table reads, as `hiveColumns` declares it. */
const athenaFits = ({ type, scale }: Column): string =>
  ({
    text: 'VARCHAR|ENUM.*',
    int: WHOLE,
    epochMillis: WHOLE,
    double: 'DOUBLE|FLOAT',
    decimal: `DECIMAL\\([0-9]+,${scale}\\)`,
    boolean: 'BOOLEAN',
    isoInstant: 'TIMESTAMP.*',
    isoDate: 'DATE',
    json: 'VARCHAR',
  })[type as string] as string;

/**
 * The SQL that gives, of the one file in `_files`, `detail` of each column that Athena would not read, and `records`, how many
 * rows there are.
 */
export function misreadSql(source: SourceTable): string {
  const fields = fieldsOf(source).record.filter(({ path }) => path === undefined);
  const cases = fields.map(
    (f) =>
      `WHEN lower(column_name) IN (${spellings([f])}) AND NOT regexp_full_match(column_type, ${quote(athenaFits(f.column))})
        THEN ${quote(`${f.name} as `)} || column_type || ${quote(`, where Athena reads ${hiveType(f.column, 'parquet')}`)}`,
  );
  return `SELECT detail, (SELECT count(*) FROM read_parquet(${FILES}, hive_partitioning = false)) AS records
FROM (SELECT CASE ${cases.join('\n    ')} ELSE NULL END AS detail FROM (DESCRIBE FROM read_parquet(${FILES}, hive_partitioning = false)))
WHERE detail IS NOT NULL`;
}

/** A timestamp, printed, in UTC: one without a zone is taken for UTC. */
const inUtc = (text: string) =>
  `CASE WHEN regexp_matches(${text}, '[+-][0-9:]+$') THEN make_timestamp(epoch_us(TRY_CAST(${text} AS TIMESTAMPTZ))) ELSE TRY_CAST(${text} AS TIMESTAMP) END`;

/** The text of a column of SQL, which may be of any type, for a field. */
function textOf({ column: { type } }: Field, path: readonly string[], column: string): string {
  const json = `to_json(${column})`;
  const inner = `json_extract(${json}, ${quote(`$${path.map((step) => `.${JSON.stringify(step)}`).join('')}`)})`;
  const printed = path.length > 0 ? `(${inner} ->> '$')` : `${column}::VARCHAR`;
  if (type === 'json') {
    if (path.length > 0) return `${inner}::VARCHAR`;
    return `CASE WHEN typeof(${column}) = 'VARCHAR' THEN ${printed} ELSE ${json}::VARCHAR END`;
  }
  if (type !== 'isoInstant' && type !== 'epochMillis') return printed;
  // Where it is within a struct, the type names that of all its fields.
  const isTimestamp = `contains(typeof(${column}), 'TIMESTAMP') AND regexp_matches(${printed}, '^[^T]*-[^T]*:[^T]*$')`;
  const instant = inUtc(printed);
  const written =
    type === 'isoInstant'
      ? `replace((${instant})::VARCHAR, ' ', 'T') || 'Z'`
      : `epoch_ms(${instant})::VARCHAR`;
  return `CASE WHEN ${isTimestamp} THEN ${written} ELSE ${printed} END`;
}

/** The rows of the files, with the text of each field; `file_row_number` counts from 0. */
function rows(source: SourceTable): string {
  const fields = fieldsOf(source).record;
  const columns = [...new Set(fields.flatMap(({ keys }) => keys))];
  const texts = fields.map(
    (f) =>
      `COALESCE(${f.keys.map((key) => textOf(f, f.path ?? [], name(key))).join(', ')}, NULL) AS ${f.text}`,
  );
  const distinct = columns.filter(
    (key, i) => columns.findIndex((other) => other.toLowerCase() === key.toLowerCase()) === i,
  );
  return `SELECT file_row_number, ${texts.join(', ')}
FROM (${noRow(distinct.map(name))} UNION ALL BY NAME FROM ${READ})`;
}

function heads(source: SourceTable): string {
  const fields = fieldsOf(source).record;
  const takes = 'landing takes Parquet here';
  const looks = (what: string) => fault('UNREADABLE_FILE', said(`it is ${what}; ${takes}`));
  const misfits = fields.map((f) => {
    const fits = f.path ? 'STRUCT\\(.*\\)|MAP\\(.*\\)' : (FITS[f.column.type] as string);
    const type = `list_filter(columns, lambda c: lower(c.name) IN (${spellings([f])}))[1].type`;
    const should = f.path ? `a struct, as ${f.name} is within it` : `what ${f.column.type} can be read from`;
    return `WHEN NOT regexp_full_match(${type}, ${quote(fits)}) THEN ${fault('WRONG_TYPE', `${said(`${f.name} is of type `)} || ${type} || ${said(`, which should be ${should}`)}`)}`;
  });
  return `WITH looked AS (
  SELECT *, CASE
    WHEN whole AND head = '' AND magic = '' THEN ${fault('EMPTY_FILE', said('the file holds nothing'))}
    WHEN unpacked OR starts_with(magic, '1F8B') THEN ${looks('packed with gzip, and Parquet is packed by itself')}
    ${headFaults(takes, ['Parquet'])}
    WHEN NOT starts_with(magic, '50415231') THEN ${looks('no Parquet')}
    WHEN head = '' THEN ${fault('UNREADABLE_FILE', said('its end, which says what it holds, is cut off or damaged; upload it again'))}
  END AS fault FROM _heads
),
named AS (SELECT *, list_transform(columns, lambda c: c.name) AS names
  FROM (SELECT *, CASE WHEN fault IS NULL THEN json_transform(head, '[{"name":"VARCHAR","type":"VARCHAR"}]') END AS columns FROM looked)),
judged AS (
  SELECT * REPLACE (COALESCE(fault, ${columnsFault(fields, 'the file', 'is it of another source?')}, CASE ${misfits.join('\n    ')} END) AS fault) FROM named
)
SELECT file, CASE WHEN fault IS NULL THEN 'objects' END AS shape, NULL::VARCHAR AS columns, false AS further,
  fault.reason AS reason, fault.detail AS detail, COALESCE(fault.reason <> 'EMPTY_FILE', false) AS fatal
FROM judged`;
}

/** How files of Parquet are read: each by itself, as pieces of them are nothing. */
export function parquetReading(source: SourceTable): Reading {
  const fields = flatFields(source).map((f) => ({ ...f, keys: [f.name] }));
  const record = fields.map(
    (f) => `${quote(`${JSON.stringify(f.name)}:`)} || COALESCE(${jsonOf(f)}, 'null')`,
  );
  const json = `'{' || ${record.join(` || ',' || `)} || '}'`;
  const read = `SELECT *, ${areGood(fields)} AS _good FROM (SELECT ${numbered(fields)} FROM (${rows(source)}))`;
  const nothing = 'SELECT NULL';
  return {
    format: 'parquet',
    headBytes: HEAD_BYTES,
    pieceBytes: 0,
    described: DESCRIBED,
    without: `SELECT * EXCLUDE (file_row_number) FROM ${READ} WHERE file_row_number + 1 NOT IN (SELECT n FROM _gone)`,
    heads: heads(source),
    plain: { rows: nothing, check: nothing },
    further: { rows: nothing, check: nothing },
    countedMark: '"',
    otherMarks: ['"'],
    // Unlike a line of text, a row can be told by its number.
    objects: `SELECT ${goodValues(fields)}, NULL::INTEGER AS _file, file_row_number + 1 AS _n, false AS _broken, CASE WHEN NOT _good THEN ${json} END AS _line, _good FROM (${read})`,
    numbered: `SELECT 0 AS file, file_row_number + 1 AS n, ${json} AS line, false AS broken FROM (${read}) WHERE NOT _good`,
    lines: nothing,
    careful: nothing,
    // Packed as it is, a file says nothing of the size of a record.
    judge: `SELECT * REPLACE (0::BIGINT AS _bytes) FROM (${judge({ record: fields })})`,
    ...commonReading(source),
  };
}
