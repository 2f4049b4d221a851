import {
  commonReading,
  type Field,
  fault,
  faultOf,
  headFaults,
  LF,
  MAX_RAW_CHARACTERS,
  PIECE_BYTES,
  parsed,
  type Reading,
  SPACE,
  said,
  values,
} from './reading';
import { literalPattern, quoteName as name, quoteString as quote } from './sql';
import type { CsvFormat, SourceTable } from './table';
import { areGood, columnsFault, flatFields, goodValues, jsonOf, noRow, numbered } from './tabular';
import { spelled } from './types';

/** A header has to be within so much of a file. */
const HEAD_BYTES = 1 << 16;

const CR = 'chr(13)';
const BOM = 'chr(65279)';
/** A text of SQL without the line end that ends it. */
const withoutEnd = (text: string) =>
  `CASE WHEN ends_with(${text}, ${CR} || ${LF}) THEN left(${text}, -2) WHEN ends_with(${text}, ${LF}) OR ends_with(${text}, ${CR}) THEN left(${text}, -1) ELSE ${text} END`;

/** Patterns of a format, as RE2 writes them. */
function patternsOf({ delimiter, quote: mark }: CsvFormat) {
  const [d, q] = [literalPattern(delimiter), literalPattern(mark)];
  // What begins with a quote ends with one. Blanks may stand around, as DuckDB has it.
  const open = ` *${q}(?:[^${inClass(mark)}]|${q}${q})*`;
  const quoted = `${open}${q} *`;
  const bare = ` *(?:[^ ${inClass(delimiter + mark)}\\n][^${inClass(delimiter)}\\n]*)?`;
  const field = `(?:${quoted}|${bare})`;
  const record = `${field}(?:${d}${field})*`;
  return {
    quoted,
    record,
    /** A field and the delimiter behind it. */
    each: `(${quoted}|[^${inClass(delimiter)}]*)${d}`,
    /** A record, which may go on over lines, with its end; or else a line. */
    recordOrLine: `(?:${record}\\r?(?:\\n|$)|[^\\n]*(?:\\n|$))`,
    /** A line that ends within quotes. */
    openLine: `(?:^|\\n)(?:${field.replaceAll('[^', '[^\\n')}${d})* *${q}(?:[^${inClass(mark)}\\n]|${q}${q})*\\n`,
    /** A text that ends within quotes. */
    openText: `(?:${field}${d})*${open}`,
  };
}

const inClass = (marks: string) => marks.replaceAll(/[\\\]^-]/g, '\\$&');

/** The fields of a record of SQL, or NULL where it is not written as records are. */
function fieldsIn(record: string, format: CsvFormat): string {
  const { quoted, record: whole, each } = patternsOf(format);
  const [d, q] = [quote(format.delimiter), quote(format.quote)];
  return `CASE WHEN NOT contains(${record}, ${q}) THEN string_split(${record}, ${d})
    WHEN regexp_full_match(${record}, ${quote(whole)}) THEN list_transform(
      regexp_extract_all(${record} || ${d}, ${quote(each)}, 1),
      lambda x: CASE WHEN regexp_full_match(x, ${quote(quoted)}) THEN replace(trim(x, ' ')[2:-2], ${q} || ${q}, ${q}) ELSE x END)
    END`;
}

/** Whether a record has as many fields as there are columns. Empty ones behind them count for nothing, as to DuckDB. */
const hasWidth = (width: string) =>
  `(len(fields) = ${width} OR len(fields) > ${width} AND array_to_string(fields[${width} + 1:], '') = '')`;

/** Keys of the variable `_columns`, and of `columns`: the fields that the contract has, and others by place and name. */
const keyOf = (i: number) => `_s${i}`;

/** The texts of fields by `_p`, the place of each in a header; an empty one is none. */
const texts = (fields: readonly Field[], empty: (f: Field, text: string) => string) =>
  fields.map((f, i) => `${empty(f, `fields[_p${i}]`)} AS ${f.text}`).join(', ');
const places = (fields: readonly Field[]) =>
  fields.map((_, i) => `list_position(keys, '${keyOf(i)}') AS _p${i}`).join(', ');

function heads(fields: readonly Field[], format: CsvFormat): string {
  const { recordOrLine } = patternsOf(format);
  const takes = `landing takes CSV with ${format.delimiter === '\t' ? 'tabs' : format.delimiter} between fields here, as UTF-8 text, plain or as .gz`;
  const looks = (what: string) => fault('UNREADABLE_FILE', said(`it is ${what}; ${takes}`));
  const names = fields.map(({ keys }) => quote(keys[0] as string));
  const spelledBy = fields.flatMap((f, i) => f.keys.map((key) => [key.toLowerCase(), i] as const));
  const first = `trim(head, ${SPACE} || ${LF})`;
  const key = `COALESCE('_s' || [${spelledBy.map(([, i]) => i).join(', ')}][list_position([${spelledBy.map(([one]) => quote(one)).join(', ')}], lower(k))], i || ' ' || k)`;
  return `WITH looked AS (
  SELECT *, CASE
    ${headFaults(takes, [])}
    WHEN whole AND ${first} = '' THEN ${fault('EMPTY_FILE', said('the file holds nothing'))}
    WHEN regexp_matches(head, '[\\x00-\\x08\\x0e-\\x1f]') THEN ${looks('binary')}
    WHEN starts_with(${first}, '<') THEN ${looks('XML or HTML')}
    WHEN starts_with(${first}, '{') OR regexp_matches(${first}, '^\\[\\s*[{\\]]') THEN ${looks('JSON')}
    ${format.header ? `WHEN NOT whole AND NOT contains(header, ${LF}) THEN ${fault('UNREADABLE_FILE', said(`its first line is longer than ${HEAD_BYTES} bytes, and should name the columns`))}` : ''}
  END AS fault
  FROM (SELECT *, regexp_extract(ltrim(head, ${BOM} || ${CR} || ${LF}), ${quote(`^${recordOrLine}`)}) AS header FROM _heads)
),
named AS (
  SELECT *, CASE WHEN fault IS NULL THEN ${format.header ? `list_transform(${fieldsIn(`(${withoutEnd('header')})`, format)}, lambda k: trim(k))` : `[${names.join(', ')}]`} END AS names FROM looked
),
judged AS (
  SELECT * REPLACE (COALESCE(fault, CASE WHEN names IS NULL THEN ${fault('UNREADABLE_FILE', said('its first line, which should name the columns, has a quote that is not closed or text behind one'))} END, ${columnsFault(fields, 'the header', `is there a header, and does ${format.delimiter === '\t' ? 'a tab' : format.delimiter} stand between its names?`)}) AS fault)
  FROM named
)
SELECT file, CASE WHEN fault IS NULL THEN 'rows' END AS shape,
  CASE WHEN fault IS NULL THEN '{' || array_to_string(list_transform(names, lambda k, i: to_json(${key})::VARCHAR || ':"VARCHAR"'), ',') || '}' END AS columns,
  false AS further, fault.reason AS reason, fault.detail AS detail, COALESCE(fault.reason <> 'EMPTY_FILE', false) AS fatal
FROM judged`;
}

/** All of it by DuckDB's own reader, which fails where one row is not as wide as the others. */
function plain(fields: readonly Field[], { header, delimiter, quote: mark }: CsvFormat): string {
  const columns = `json_transform(getvariable('_columns'), getvariable('_columns'))`;
  // A blank line of one column is a row to DuckDB.
  const isThere = `(len(json_keys(getvariable('_columns'))) > 1 OR COALESCE(${fields.map(({ text }) => text).join(', ')}, NULL) IS NOT NULL)`;
  return `SELECT ${goodValues(fields)}, ${areGood(fields)} AND ${isThere} AS _good
FROM (
  SELECT ${numbered(fields)}
  FROM (${noRow(fields.map(({ text }) => text))} UNION ALL BY NAME
    FROM read_csv(getvariable('_files'), columns = ${columns}, auto_detect = false, header = ${header},
      delim = ${quote(delimiter)}, quote = ${quote(mark)}, escape = ${quote(mark)}, strict_mode = true, hive_partitioning = false))
)`;
}

/** Rows of the pieces, with the fields of each. */
function rows(fields: readonly Field[], format: CsvFormat): string {
  const { recordOrLine, openLine } = patternsOf(format);
  const columns = 'file, first, broken, keys, has_open';
  const header = format.header ? `1 + strlen(blanks) - strlen(replace(blanks, ${LF}, ''))` : '0';
  const one = (from: string, n: string) =>
    `SELECT ${columns}, ${n} AS n, ${withoutEnd('record')} AS record FROM ${from} WHERE place <> header AND record NOT IN ('', ${CR}, ${LF}, ${CR} || ${LF})`;
  return `WITH pieces AS MATERIALIZED (
  SELECT ${columns}, header, CASE WHEN has_open THEN regexp_extract_all(text, ${quote(recordOrLine)}) ELSE string_split(text, ${LF}) END AS records
  FROM (
    SELECT *, regexp_matches(text, ${quote(openLine)}) AS has_open, CASE WHEN first = 0 THEN ${header} ELSE 0 END AS header
    FROM (
      SELECT *, regexp_extract(text, '^[\\r\\n]*') AS blanks
      FROM (
        SELECT file, first, broken, json_keys(columns) AS keys, CASE WHEN first = 0 THEN ltrim(decoded, ${BOM}) ELSE decoded END AS text
        FROM (SELECT *, TRY(decode(text)) AS decoded FROM _piece) JOIN _headers USING (file)
      )
    )
  )
),
lined AS (SELECT ${columns}, header, unnest(records) AS record, generate_subscripts(records, 1) AS place FROM pieces),
spread AS (
  SELECT *, COALESCE(sum(strlen(record) - strlen(replace(record, ${LF}, ''))) OVER (
    PARTITION BY file, first ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::BIGINT AS before
  FROM lined WHERE has_open
),
records AS (
  ${one('(FROM lined WHERE NOT has_open)', 'first + place')}
  UNION ALL ${one('spread', 'first + before + 1')}
)
SELECT file AS _file, n AS _n, record AS _line, len(broken) > 0 AND len(list_filter(broken, lambda b: b BETWEEN n - first AND n - first + strlen(record) - strlen(replace(record, ${LF}, '')))) > 0 AS _broken,
  len(keys) AS width, ${fieldsIn('record', format)} AS fields, ${places(fields)}
FROM records`;
}

function lines(fields: readonly Field[], format: CsvFormat): string {
  const isWhole = `NOT _broken AND ${hasWidth('width')} AND strlen(_line) <= ${PIECE_BYTES}`;
  return `SELECT _file, _n, _n + strlen(_line) - strlen(replace(_line, ${LF}, '')) AS _last, CASE WHEN NOT _good THEN _line END AS _line, _broken, _good, ${goodValues(fields)}
FROM (
  SELECT *, COALESCE(${isWhole}, false) AND ${areGood(fields)} AS _good
  FROM (SELECT ${numbered(fields)} FROM (SELECT *, ${texts(fields, (_, text) => `NULLIF(${text}, '')`)} FROM (${rows(fields, format)})))
)`;
}

/** Why a record is none. */
function shapeFault(format: CsvFormat): string {
  const { openText } = patternsOf(format);
  return `CASE
    WHEN broken THEN ${fault('INVALID_ENCODING', said('not UTF-8'))}
    WHEN strlen(line) > ${PIECE_BYTES} THEN ${fault('LINE_TOO_LONG', said(`longer than ${PIECE_BYTES} bytes`))}
    WHEN fields IS NULL AND regexp_full_match(line, ${quote(openText)}) THEN ${fault('TRUNCATED', said('a quote is not closed'))}
    WHEN fields IS NULL THEN ${fault('TRAILING_TEXT', said('text behind a quote that closes a field'))}
    WHEN NOT ${hasWidth('len(keys)')} THEN ${fault('FIELD_COUNT', `len(fields) || CASE WHEN len(fields) = 1 THEN ' field' ELSE ' fields' END || ', where ${format.header ? 'the header' : 'the contract'} has ' || len(keys)`)}
  END`;
}

function judge(fields: readonly Field[], format: CsvFormat): string {
  const names = fields.map((f) => quote(f.name)).join(', ');
  const key = `CASE WHEN regexp_full_match(k, '_s[0-9]+') THEN [${names}][k[3:]::INT + 1] ELSE regexp_replace(k, '^[0-9]+ ', '') END`;
  // As JSON with the names of the columns: by itself a value would not say whose it is.
  const named = `'{' || array_to_string(list_transform(keys, lambda k, i: to_json(${key})::VARCHAR || ':' || to_json(fields[i])::VARCHAR), ',') || '}'`;
  const empty = (f: Field, text: string) => (f.column.nullable ? `NULLIF(${text}, '')` : text);
  return `WITH records AS (
  SELECT *, strlen(line) - strlen(replace(line, ${LF}, '')) AS ends,
    CASE WHEN NOT broken AND strlen(line) <= ${PIECE_BYTES} THEN ${fieldsIn('line', format)} END AS fields, ${places(fields)}
  FROM (SELECT r.*, json_keys(columns) AS keys FROM _rest r JOIN _headers USING (file))
),
found AS (
  SELECT ${parsed(fields)} FROM (
    SELECT * EXCLUDE (${fields.map(({ text }) => text).join(', ')}), ${fields.map((f) => `NULLIF(${jsonOf(f)}, 'null') AS ${f.json}`).join(', ')}
    FROM (SELECT *, ${shapeFault(format)} AS _shape, ${texts(fields, empty)} FROM records)
  )
),
judged AS (
  SELECT *, COALESCE(_shape, ${fields.map((f) => faultOf(f, `['${keyOf(0)}']`)).join(',\n    ')}) AS _fault,
    CASE WHEN ${hasWidth('len(keys)')} THEN ${named} ELSE line END AS text
  FROM found
)
SELECT ${values(fields)}, file AS _file, _fault.reason AS _reason, _fault.detail AS _detail, n AS _line, NULL::BIGINT AS _record, n + ends AS _last,
  CASE WHEN _fault IS NOT NULL THEN left(text, ${MAX_RAW_CHARACTERS}) END AS _raw, text AS _text, strlen(line) AS _bytes
FROM judged`;
}

/** How files of CSV are read. */
export function csvReading(source: SourceTable, format: CsvFormat): Reading {
  const fields = flatFields(source);
  const rowsOfAll = plain(fields, format);
  // Each line is a row, but for the header: then no row was passed over, nor two lines taken for one.
  const check = `SELECT count(*) AS rows, CASE WHEN bool_and(_good) IS DISTINCT FROM false THEN count(*) + ${format.header ? `len(getvariable('_files'))` : '0'} END AS marks FROM _plain`;
  return {
    format: 'csv',
    headBytes: HEAD_BYTES,
    pieceBytes: PIECE_BYTES,
    pairedMark: format.quote,
    heads: heads(fields, format),
    plain: { rows: rowsOfAll, check },
    further: { rows: rowsOfAll, check },
    countedMark: '\n',
    otherMarks: ['\0'],
    objects: 'SELECT NULL',
    numbered: 'SELECT NULL',
    lines: lines(fields, format),
    careful: `SELECT ${fields.map((f) => `NULL::${spelled(f.column).duckdb} AS ${name(f.name)}`).join(', ')}, *, _n AS _last, false AS _good FROM _others`,
    judge: judge(fields, format),
    ...commonReading(source),
  };
}
