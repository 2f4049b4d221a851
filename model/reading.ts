import { type Column, json, refined } from './column';
import { aliasesOfEach, valuePlace } from './each';
import { type Forgotten, forgottenOf } from './forgotten';
import { instantSql, refinedSql } from './refine';
import { literalPattern, quoteName as name, quoteString as quote } from './sql';
import type { SourceTable } from './table';
import { sparkSchema, spelled } from './types';

/** What quarantine keeps of a refused record. */
export const MAX_RAW_CHARACTERS = 1 << 16;
/** How much of a text is looked at as text at once; a longer line is refused. */
export const PIECE_BYTES = 16 << 20;
/** How much of a file says in which shape it is. */
const HEAD_BYTES = 1 << 12;

/**
 * The SQL that reads the files of a source by its contract, for DuckDB 1.5. It is the only reader there is: engines
 * list files, fetch and unpack bytes, fill the tables named here, run this text, and write what it gives.
 *
 * A file goes the first of these ways that holds for it, and each later one takes what the earlier one does not:
 * `plain` reads files of any shape whose every key is accounted for, `objects` whole files of objects, `lines` pieces
 * of text. Whatever these do not accept is judged again by `judge`, which alone knows reasons.
 */
export interface Reading {
  /** What an engine reads in another way: only JSON is cut into blocks that are read apart. */
  readonly format: 'json' | 'csv' | 'parquet';
  /** What an engine gives `heads` of each file. */
  readonly headBytes: number;
  /** The longest piece of text for `lines`: it ends where a line ends, before one that begins with `{` if there is one. */
  readonly pieceBytes: number;
  /** A byte that stands in pairs: where there is such a line end, a piece ends with an even number of them before it. */
  readonly pairedMark?: string;
  /** Of the one file in `_files`, what `heads` takes for its first bytes as text. It fails where the file cannot be read. */
  readonly described?: string;
  /** Of the one file in `_files`, the rows that the file keeps, as it has them, where `_gone (n)` holds the others. */
  readonly without?: string;
  /**
   * From `_heads (file, magic, head, whole, named, unpacked, damage)`: the first bytes of each file in hex, its first
   * `headBytes` as text, whether that is all of it, whether its name ends in `.gz`, whether it was unpacked, and why it
   * could not be. Gives `file, shape, columns, further, reason, detail, fatal`: either the shape, `objects` or `lines`,
   * and the keys of its records where it may be plain; or why the file as a whole is refused. A fatal refusal fails the run.
   */
  readonly heads: string;
  /**
   * The rows of the files in the variable `_files VARCHAR[]` whose keys are in the variable `_columns VARCHAR`. Which of
   * the two it is, `heads` says: `further` for files with keys that the contract does not have.
   */
  readonly plain: PlainReading;
  readonly further: PlainReading;
  /** What is counted in the bytes of files for `marks`, which hold for no file that has one of the others. */
  readonly countedMark: string;
  readonly otherMarks: readonly string[];
  /** The records of the files in `_files`: their values, `_line` the record where it is not good, and `_good`. */
  readonly objects: string;
  /** `_rest` of a file 0, of the records in the one file of `_files` that `_unnumbered (line)` holds. */
  readonly numbered: string;
  /**
   * With `_headers (file INTEGER, columns)`, the keys that `heads` gave of files:
   * the records on the lines of `_piece (file INTEGER, text BLOB, first, broken)`, one row a piece: the number of lines
   * before it, and which lines of it, from 1, were no UTF-8. A piece that is none gives nothing. Gives values, `_file`, `_n`
   * and `_last`, the lines on which a record begins and ends, `_broken`, `_good`, and `_line`, what stands there, where it is
   * not good.
   */
  readonly lines: string;
  /** The same of `_others (_file, _n, _line, _broken)`, which holds those that `lines` does not call good. */
  readonly careful: string;
  /**
   * From `_rest (file INTEGER, n, line, broken)`, with the variable `_by` that says whether n counts lines or records:
   * good records with their values, and refused ones with `_reason`, `_detail`, `_raw`. `_file`, `_line` and `_record`
   * say where each stands, `_last` on which line it ends, `_text` is what stands there, `_bytes` its size.
   */
  readonly judge: string;
  /**
   * Why a run that read the source fails, as `failure`, or NULL. From `_counts (read, refused, bytes, refused_bytes,
   * fatal)`, records and bytes of text of which files that are refused as a whole are no part, and the number of files
   * whose refusal is fatal; and from `_first (file, line, record, reason, detail, fatal)`, which needs to hold no more
   * than the first of what was refused, by `firstOrder`. The text says where the rest is kept, unless `_kept` is false.
   */
  readonly verdict: string;
  /** How many of the refusals `verdict` names, and in which order they come first. */
  readonly firstCount: number;
  readonly firstOrder: string;
  /** The name `file` of a file as it may be shown and kept: without an address that is in it. */
  readonly shownFile: string;
  /** Good values as jobs see them, as a select list. */
  readonly refined: string;
  /** The columns as Spark takes a schema, of values as they are written and as jobs see them. */
  readonly landedSchema: string;
  readonly refinedSchema: string;
  /** What of the source is of people who were forgotten. */
  readonly forgotten: Forgotten;
}

/** How files are read of which every key is accounted for. */
export interface PlainReading {
  readonly rows: string;
  /**
   * From `_plain`, which holds these rows: `rows`, how many they are, and `marks`, how many of `countedMark` there are in
   * the files if and only if every record in them is good and none was passed over. NULL where one is not good.
   */
  readonly check: string;
}

export const all = (conditions: readonly string[]) => conditions.join(' AND ') || 'true';
const folded = (key: string) => key.toLowerCase();

export const LF = 'chr(10)';
/** White space and byte-order marks; with commas what may stand around a record, with brackets around several. */
export const SPACE = `' ' || chr(9) || chr(11) || chr(12) || chr(13) || chr(65279)`;
const AROUND_RECORD = `${SPACE} || ','`;
const AROUND_RECORDS = `${SPACE} || ',[]' || ${LF}`;
/** Without what may stand around. `trim` looks at every character of a text, so it is not asked where an object is alone. */
const trimmed = (text: string, around: string) =>
  `CASE WHEN starts_with(${text}, '{') AND ends_with(${text}, '}') THEN ${text} ELSE trim(${text}, ${around}) END`;
const BARE = trimmed('_line', AROUND_RECORD);
/** Stands for nothing in JSON. */
const MARK = 'chr(30)';
const READ_OBJECTS = `read_json_objects(getvariable('_files'), format = 'auto', maximum_object_size = ${PIECE_BYTES})`;

/**
 * Whether Athena may misread a `line`. Its OpenX SerDe takes the object that a line begins with, after spaces at most:
 * text after it is ignored, and any other line is a row of NULLs.
 */
export const IS_ODD_LINE = `CASE WHEN starts_with(line, '{') AND json_valid(line) THEN false
  WHEN starts_with(ltrim(line, ' ' || chr(9)), '{') AND json_valid(rtrim(line, ' ,' || chr(9) || chr(13))) THEN false
  ELSE trim(line, ' ' || chr(9) || chr(13)) <> '' END`;

/** A column with the names by which the SQL knows its value; or the array of which each element is a row. */
export interface Field {
  readonly name: string;
  readonly column: Column;
  /** Every spelling of its key, as the contract writes them; of a path, of its first. */
  readonly keys: readonly string[];
  /** Where it is in the value of that key, or in its element: the keys on the way. */
  readonly path?: readonly string[];
  readonly isArray?: true;
  /** Not a value, but where its element stands. */
  readonly isPosition?: true;
  /** The value as JSON text; NULL where it is missing or null. */
  readonly json: string;
  /** The number that it is. */
  readonly number: string;
  /** The text that it is. */
  readonly text: string;
}

/** What is read of a record: its own fields and, where each element of an array is a row, those of the element. */
export interface Fields {
  /** The array is the last of them. */
  readonly record: readonly Field[];
  readonly element?: readonly Field[];
}

export function fieldsOf(source: SourceTable): Fields {
  const record: Field[] = [];
  const element: Field[] = [];
  const named = (i: number) => ({ json: `_j${i}`, number: `_d${i}`, text: `_s${i}` });
  const inRecord = ([first = '', ...path]: readonly string[], aliases: readonly string[]) => ({
    keys: [...new Set([first, ...aliases])],
    ...(path.length > 0 && { path }),
  });
  const columns = Object.entries(source.columns);
  for (const [i, [key, column]] of columns.entries()) {
    const { of, path } = valuePlace(source, key, column);
    const field = { name: key, column, ...named(i) };
    if (of === 'record') record.push({ ...field, ...inRecord(path, column.aliases) });
    else
      element.push({
        ...field,
        keys: [],
        ...(path.length > 0 && { path }),
        ...(of === 'position' && { isPosition: true as const }),
      });
  }
  const { each } = source;
  if (each === undefined) return { record };
  const array = {
    name: each,
    column: json(`Each ${each}.`),
    isArray: true as const,
    ...named(columns.length),
    ...inRecord(each.split('.'), aliasesOfEach(source)),
  };
  return { record: [...record, array], element };
}

/** A text of JSON without the texts in it. */
export function withoutTexts(json: string): string {
  return `regexp_replace(${json}, '"(?:[^"\\\\]|\\\\.)*"', '', 'g')`;
}

/**
 * Stand in for the JSON of a value by its path: where a key on the way stands twice, or is of no object. DuckDB prints JSON
 * without white space, so no value looks so.
 */
const TWICE = quote('[ "twice" ]');
export const NO_OBJECT = quote('[ "none" ]');

/** A field's JSON text in the value of its key, or in its element, which stands at a `position`. */
function within({ path, isPosition }: Field, value: string, position = ''): string {
  if (isPosition) return `${position}::VARCHAR`;
  if (path === undefined) return `NULLIF((${value})::VARCHAR, 'null')`;
  const cases = path.map((step, i) => {
    const outer = i === 0 ? value : `json_extract(${value}, ${quote(jsonPath(path.slice(0, i)))})`;
    return `WHEN json_type(${outer}) NOT IN ('OBJECT', 'NULL') THEN ${NO_OBJECT}
      WHEN len(list_filter(json_keys(${outer}), lambda k: k = ${quote(step)})) > 1 THEN ${TWICE}`;
  });
  return `CASE ${cases.join(' ')} ELSE NULLIF(json_extract(${value}, ${quote(jsonPath(path))})::VARCHAR, 'null') END`;
}

const jsonPath = (steps: readonly string[]) => `$${steps.map((step) => `.${JSON.stringify(step)}`).join('')}`;

/** A key under which a column's value may stand. */
interface Slot {
  readonly field: Field;
  readonly key: string;
}

/**
 * The slots of a contract in groups, in each of which no two keys differ only in case: of a struct with such names
 * DuckDB 1.5.6 may give one for the other.
 */
function slotGroups(fields: readonly Field[]): Slot[][] {
  const groups: Slot[][] = [];
  for (const slot of fields.flatMap((field) => field.keys.map((key) => ({ field, key })))) {
    const room = groups.find((group) => group.every(({ key }) => folded(key) !== folded(slot.key)));
    if (room) room.push(slot);
    else groups.push([slot]);
  }
  return groups;
}

/** What `json_transform` takes for the slots. */
const structure = (slots: readonly Slot[]) =>
  quote(
    `{${slots.map(({ field, key }) => `${JSON.stringify(key)}:"${spelled(field.column).duckdb}"`).join(',')}}`,
  );

export const isText = ({ type }: Column) => type === 'text' || type === 'isoDate' || type === 'isoInstant';
export const isWhole = ({ type }: Column) => type === 'int' || type === 'epochMillis';
export const isNumber = (column: Column) =>
  isWhole(column) || column.type === 'double' || column.type === 'decimal';

/** The declared range of a number, closed by what the type itself can hold. */
export const rangeOf = (column: Column) => {
  const { type, precision = 0, scale = 0 } = column;
  const digits = (10 ** precision - 1) / 10 ** scale;
  const limit = type === 'decimal' ? digits : type === 'double' ? Number.MAX_VALUE : Number.MAX_SAFE_INTEGER;
  return { min: Math.max(column.min ?? -limit, -limit), max: Math.min(column.max ?? limit, limit) };
};

/** A column's number or text by its name, made once of its JSON. */
const parsedOf = ({ column, json, number, text }: Field): (readonly [as: string, sql: string])[] => {
  if (isText(column)) return [[text, `(${json} ->> '$')`]];
  return isNumber(column) ? [[number, `TRY_CAST(${json} AS DOUBLE)`]] : [];
};

export const parsed = (fields: readonly Field[]) =>
  ['*', ...fields.flatMap(parsedOf).map(([as, sql]) => `${sql} AS ${as}`)].join(', ');

const isString = (f: Field) => `starts_with(${f.json}, '"')`;
const hasNul = (f: Field) => `contains(${f.json}, '\\u0000')`;
const isDay = (f: Field) =>
  `regexp_full_match(${f.text}, '[0-9]{3,4}-[0-9]{2}-[0-9]{2}') AND NOT regexp_matches(${f.text}, '^0+-')
    AND TRY_CAST(lpad(${f.text}, 10, '0') AS DATE) IS NOT NULL`;
const INSTANT =
  '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?(Z|[+-](0[0-9]|1[0-4]):?[0-5][0-9])';
const isInstant = (f: Field) =>
  `regexp_full_match(${f.text}, '${INSTANT}') AND COALESCE(year(${instantSql(f.text)}) BETWEEN 1 AND 9999, false)`;
/** Whether an instant that is one is in its column's range. */
export const inTime = (f: Field, instant = instantSql(f.text)) => {
  const { min, max } = f.column;
  const at = `epoch_ms(${instant})`;
  return all([
    ...(min === undefined ? [] : [`${at} >= ${min}`]),
    ...(max === undefined ? [] : [`${at} <= ${max}`]),
  ]);
};
const isOneOf = (f: Field) => `${f.text} IN (${(f.column.oneOf ?? []).map(quote).join(', ')})`;
/** The number as its decimal; NULL where that has too few digits before the point. */
export const asDecimal = (f: Field, value = f.number) => `TRY_CAST(${value} AS ${spelled(f.column).duckdb})`;
/** Whether that is all of it: a double keeps the digits that a decimal of a source can have. */
const isExact = (f: Field, value = f.number) => `${asDecimal(f, value)}::DOUBLE = ${value}`;

export const inRange = (f: Field, value = f.number) => {
  const { min, max } = rangeOf(f.column);
  return `${value} BETWEEN ${sqlNumber(min)} AND ${sqlNumber(max)}`;
};
const sqlNumber = (value: number) => `${value}::DOUBLE`;

/** Whether a text is what its column allows. */
export const textIsGood = (f: Field): string => {
  if (f.column.type === 'isoDate') return isDay(f);
  if (f.column.type === 'isoInstant') return `${isInstant(f)} AND ${inTime(f)}`;
  return f.column.oneOf ? isOneOf(f) : 'true';
};

/** DuckDB takes these for numbers, which JSON does not have. */
const isJson = (f: Field) =>
  `NOT starts_with(${f.json}, '[ ') AND NOT regexp_matches(${withoutTexts(f.json)}, 'NaN|Infinity')`;

/** Stand-ins begin with a space. */
const isArray = (f: Field) => `starts_with(${f.json}, '[') AND NOT starts_with(${f.json}, '[ ')`;

/** Whether a value that is there is as the contract has it. */
const isGood = (f: Field): string => {
  if (f.isArray) return isArray(f);
  if (f.column.type === 'json') return isJson(f);
  if (f.column.type === 'boolean') return `${f.json} IN ('true', 'false')`;
  if (f.column.type === 'decimal') return `${inRange(f)} AND ${isExact(f)}`;
  if (isNumber(f.column))
    return isWhole(f.column) ? `${inRange(f)} AND trunc(${f.number}) = ${f.number}` : inRange(f);
  const filled = f.column.nullable ? '' : ` AND ${f.json} <> '""'`;
  return `${isString(f)} AND NOT ${hasNul(f)}${filled} AND ${textIsGood(f)}`;
};

/** Whether that holds for all values of a record that have to be there; NULL where one is not. */
const areAll = (fields: readonly Field[], isSo: (f: Field) => string) =>
  all(fields.map((f) => (f.column.nullable ? `(${f.json} IS NULL OR ${isSo(f)})` : isSo(f))));

/** A value as the landing table stores it. */
const storedValue = (f: Field): string => {
  if (f.column.type === 'json') return f.json;
  if (f.column.type === 'boolean') return `(${f.json} = 'true')`;
  if (f.column.type === 'decimal') return asDecimal(f);
  return isText(f.column) ? f.text : isWhole(f.column) ? `TRY_CAST(${f.number} AS BIGINT)` : f.number;
};

export const values = (fields: readonly Field[]) =>
  fields.map((f) => `${storedValue(f)} AS ${name(f.name)}`).join(', ');

/*
 * A record has one pair of quotes for each key and one for each text. Where no text has an escape, as many quotes as the
 * declared keys and their values take leave no room for another key, nor for a number in quotes. That makes it safe
 * to have DuckDB convert values while it reads, and not to look at the keys of each record. It would also take `true`
 * for 1, and knows of no duplicate but a key that stands twice as it is written.
 */
const COUNTED_MARK = '"';
const OTHER_MARKS = ['\\', 'true', 'false'];
const marksOf = ({ column }: Field) => (isText(column) ? 4 : 2);
/** Whether these are marks that a file of the source has: of what is within a value, nothing is known by them. */
const areCounted = (fields: readonly Field[]) =>
  fields.every(({ column, path }) => path === undefined && (isText(column) || isNumber(column)));

/** Of sources that are never read so. */
const NOTHING = 'SELECT NULL';

function plain(fields: readonly Field[], further: boolean): string {
  if (!areCounted(fields)) return NOTHING;
  const columns = fields.map((f) => {
    if (isText(f.column))
      return `CASE WHEN starts_with(${f.json}::VARCHAR, '"') THEN ${f.json} ->> '$' END AS ${name(f.name)}`;
    if (f.column.type === 'decimal')
      return `CASE WHEN ${isExact(f, f.json)} THEN ${asDecimal(f, f.json)} END AS ${name(f.name)}`;
    if (!isWhole(f.column)) return `${f.json} AS ${name(f.name)}`;
    return `CASE WHEN trunc(${f.json}) = ${f.json} THEN TRY_CAST(${f.json} AS BIGINT) END AS ${name(f.name)}`;
  });
  const names = fields.map(({ json }) => json).join(', ');
  const rest = `[*COLUMNS(* EXCLUDE (${names}))]::VARCHAR[] AS _further`;
  return `SELECT ${columns.join(', ')}${further ? `, 2 * list_count(_further) + strlen(array_to_string(_further, '')) - strlen(replace(array_to_string(_further, ''), '"', '')) AS _marks` : ''}
FROM (
  SELECT ${names}${further ? `, ${rest}` : ''}
  FROM read_json(
    getvariable('_files'), format = 'auto', records = 'true', hive_partitioning = false,
    maximum_object_size = ${PIECE_BYTES},
    columns = json_transform(getvariable('_columns'),
      replace(replace(getvariable('_columns'), ':"JSON"', ':"VARCHAR"'), ':"DOUBLE"', ':"VARCHAR"'))
  ) AS t(${names})
)`;
}

function plainCheck(fields: readonly Field[], further: boolean): string {
  if (!areCounted(fields)) return NOTHING;
  const good = fields.map((f) => {
    const value = name(f.name);
    const filled = f.column.nullable ? [] : [`count(${value}) = count(*)`];
    if (!isText(f.column))
      return all([
        ...filled,
        `COALESCE(${inRange(f, `min(${value})`)} AND ${inRange(f, `max(${value})`)}, true)`,
      ]);
    if (!f.column.nullable) filled.push(`COALESCE(min(${value}) <> '', true)`);
    const isGoodText = textIsGood({ ...f, text: value });
    if (isGoodText !== 'true') filled.push(`count(*) FILTER (NOT (${isGoodText})) = 0`);
    return all(filled);
  });
  const marks = fields.map((f) => `${marksOf(f)} * count(${name(f.name)})`);
  if (further) marks.push('COALESCE(sum(_marks), 0)::BIGINT');
  return `SELECT count(*) AS rows, CASE WHEN ${all(good)} THEN ${marks.join(' + ')} END AS marks FROM _plain`;
}

/** The spellings of a column's key that differ in more than case. */
const spellingsOf = ({ keys }: Field) => [...new Set(keys.map(folded))].join('\n');

/** Every spelling of a column's key in lower case, as a list of SQL. */
export const spellings = (fields: readonly Field[]) =>
  [...new Set(fields.flatMap(({ keys }) => keys.map(folded)))].map(quote).join(', ');

/**
 * The records of a query `from` that gives JSON objects or NULL as `_json`, and `carried` columns: the values of those
 * that are good beyond doubt.
 */
function accepted({ record, element }: Fields, from: string, carried: string): string {
  const rows = (fields: readonly Field[], of: string) =>
    `SELECT ${values(fields)}, ${carried}, CASE WHEN NOT _good THEN _line END AS _line, _good FROM (${of})`;
  const records = goodRecords(record, from);
  return element
    ? rows([...record.slice(0, -1), ...element.map(inElement)], goodElements(record, element, records))
    : rows(record, records);
}

/** A field of an element by its value in `_e`, a struct. */
const inElement = (f: Field): Field => ({
  ...f,
  json: `_e.${f.json}`,
  number: `_e.${f.number}`,
  text: `_e.${f.text}`,
});

/**
 * Of records with `_good` a row for each element, which is `_e`; one row of those of which any element is not good. As
 * lists, a record at a time: to bring elements together again would take them all into memory.
 */
function goodElements(record: readonly Field[], fields: readonly Field[], records: string): string {
  const list = record.at(-1) as Field;
  const found = fields.map((f) => `'${f.json}': ${within(f, '_e', '_i')}`);
  const made = fields.map(inElement).flatMap((f, i) => {
    const { json, number, text } = fields[i] as Field;
    return [
      `'${json}': ${f.json}`,
      ...parsedOf(f).map(([as, sql]) => `'${as === f.text ? text : number}': ${sql}`),
    ];
  });
  return `SELECT *, unnest(CASE WHEN _good THEN _elements ELSE [NULL] END) AS _e
FROM (
  SELECT * REPLACE (_good AND NOT list_contains(list_transform(_elements, lambda _e: (${areAll(fields.map(inElement), isGood)}) IS NOT DISTINCT FROM true), false) AS _good)
  FROM (
    SELECT *, list_transform(list_transform(CASE WHEN _good THEN ${elementsOf(list)} END,
      lambda _e, _i: {${found.join(', ')}}), lambda _e: {${made.join(', ')}}) AS _elements
    FROM (${records})
  )
)`;
}

const elementsOf = (list: Field) => `json_extract(${list.json}, '$[*]')`;

/** With `_good`, whether a record is beyond doubt. */
function goodRecords(fields: readonly Field[], from: string): string {
  // Values by their paths share a key.
  const slots = [...new Set(fields.map(spellingsOf))];
  const places = slots.map((slot, i) => {
    const found = slot.split('\n').map((key) => `list_position(_ks, ${quote(key)})`);
    return `COALESCE(${found.join(', ')}) AS _p${i}`;
  });
  const present = slots.map((_, i) => `(_p${i} IS NOT NULL)::INT`).join(' + ');
  return `SELECT *, CASE
  WHEN (_json IS NOT NULL AND ${areAll(fields, isGood)}) IS DISTINCT FROM true THEN false
  WHEN len(_ks) = ${present} THEN true
  ELSE len(list_filter(_ks, lambda k: k IN (${spellings(fields)}))) = ${present}
END AS _good
FROM (
  SELECT ${parsed(fields)}
  FROM (
    SELECT *, ${fields.map((f) => `${within(f, `_vs[_p${slots.indexOf(spellingsOf(f))}]`)} AS ${f.json}`).join(', ')}
    FROM (
      SELECT *, ${places.join(', ')}
      FROM (
        SELECT *, list_transform(json_keys(_json), lambda k: lower(k)) AS _ks, json_extract(_json, '$.*') AS _vs
        FROM (${from})
      )
    )
  )
)`;
}

const objects = (fields: Fields) =>
  accepted(
    fields,
    `SELECT CASE WHEN starts_with(ltrim(json::VARCHAR, ${SPACE} || ${LF}), '{') THEN json::VARCHAR END AS _json, json::VARCHAR AS _line FROM ${READ_OBJECTS}`,
    'NULL::INTEGER AS _file, NULL::BIGINT AS _n, false AS _broken',
  );

const NUMBERED = `SELECT 0 AS file, n, line, false AS broken
FROM (SELECT row_number() OVER () AS n, json::VARCHAR AS line FROM ${READ_OBJECTS})
WHERE line IN (SELECT line FROM _unnumbered)`;

/** Texts of whole numbers of a range, as a regular expression: most of them, so that nearly all lines match. */
function wholePattern(min: number, max: number): string {
  const patterns: string[] = [];
  for (let digits = 1; digits <= 16; digits++) {
    const [least, most] = [digits === 1 ? 0 : 10 ** (digits - 1), 10 ** digits - 1];
    const step = 10 ** (digits - 1);
    // Of those with as many digits as the bounds, those whose first digit keeps them inside.
    const first = Math.max(Math.ceil(Math.max(min, least) / step), digits === 1 ? 0 : 1);
    const last = Math.min(Math.floor((Math.min(max, most) + 1) / step) - 1, 9);
    if (first <= last) patterns.push(`[${first}-${last}]${digits > 1 ? `[0-9]{${digits - 1}}` : ''}`);
  }
  return patterns.join('|');
}

/** A good value as sources mostly write it. Not every good one matches, but none that is not good does. */
function valuePattern({ column, path }: Field): string | undefined {
  if (path !== undefined || column.type === 'json') return undefined;
  if (column.type === 'boolean') return '(?:true|false)';
  if (column.oneOf)
    return `"(?:${column.oneOf.map((one) => literalPattern(JSON.stringify(one).slice(1, -1))).join('|')})"`;
  if (column.type === 'isoInstant')
    // Of a range the pattern would have to know days of months.
    return column.min === undefined && column.max === undefined ? `"${USUAL_INSTANT}"` : undefined;
  if (column.type === 'text') return `"[^"\\\\\\x00-\\x1f]${column.nullable ? '*' : '+'}"`;
  if (column.type === 'isoDate') return `"${USUAL_DAY}"`;
  const { min, max } = rangeOf(column);
  const positive = max >= 0 ? wholePattern(Math.max(min, 0), max) : '';
  if (isWhole(column)) return positive && `(?:${positive})`;
  // A fraction adds less than 1.
  const [sign, least, most] = min >= 0 ? ['', Math.ceil(min), max - 1] : ['-?', 0, Math.min(max, -min) - 1];
  const wholes = most >= least ? wholePattern(least, most) : '';
  const fraction =
    column.type === 'double' ? '(?:\\.[0-9]+)?' : column.scale ? `(?:\\.[0-9]{1,${column.scale}})?` : '';
  return wholes && `${sign}(?:${wholes})${fraction}`;
}

const USUAL_DAY = '[1-9][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])';
const USUAL_TIME = '(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?';
export const USUAL_INSTANT = `${USUAL_DAY}T${USUAL_TIME}(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])`;

/** The record that a line is, if it is one; blank lines are left out. */
const lineRecords = (from: string) => {
  const isObject = (text: string) => `starts_with(${text}, '{') AND json_valid(${text})`;
  return `SELECT *, CASE WHEN _broken THEN NULL WHEN ${isObject('_line')} THEN _line WHEN ${isObject(BARE)} THEN ${BARE} END AS _json
    FROM (${from}) WHERE (${BARE}) <> ''`;
};
const PLACE = '_file, _n, _n AS _last, _broken';

const LINES =
  lineRecords(`SELECT file AS _file, first + i AS _n, line AS _line, len(broken) > 0 AND list_contains(broken, i) AS _broken
      FROM (
        SELECT file, first, broken, unnest(lines) AS line, generate_subscripts(lines, 1) AS i
        FROM (SELECT file, first, broken, string_split(TRY(decode(text)), ${LF}) AS lines FROM _piece)
      )`);

/** White space between tokens, of which JSON takes less than RE2's `\\s`. */
const GAP = '[ \\t\\r]*';

/**
 * Lines of which nearly all of a source's are: its keys in the contract's order, no others, values as they mostly are. What
 * is nullable may be missing; the comma before it is its own, so the first column has to be there.
 */
function linePattern(fields: readonly Field[]): string | undefined {
  if (fields[0]?.column.nullable) return undefined;
  const members: string[] = [];
  for (const [i, f] of fields.entries()) {
    const value = valuePattern(f);
    if (!value) return undefined;
    const key = f.keys.map((text) => literalPattern(JSON.stringify(text).slice(1, -1))).join('|');
    const member = `${i > 0 ? `${GAP},${GAP}` : ''}"(?:${key})"${GAP}:${GAP}`;
    members.push(f.column.nullable ? `(?:${member}(?:null|${value}))?` : `${member}${value}`);
  }
  return `\\x{FEFF}?\\s*\\{${GAP}${members.join('')}${GAP}\\}[\\s,]*`;
}

function matchedLines(fields: readonly Field[], pattern: string): string {
  const isMatched = `NOT _broken AND regexp_full_match(_line, ${quote(pattern)})`;
  return `SELECT _file, _n, CASE WHEN NOT _matched THEN _line END AS _line, _broken, _matched, ${structsOf(fields).join(', ')}
FROM (
  SELECT *, CASE WHEN _matched THEN CASE WHEN NOT starts_with(_line, '{') THEN trim(_line, ${AROUND_RECORD}) WHEN ends_with(_line, '}' || chr(13)) THEN _line WHEN ends_with(_line, '},') THEN left(_line, -1) ELSE ${BARE} END END AS _bare
  FROM (
    SELECT *, ${isMatched} AS _matched
    FROM (
      SELECT file AS _file, first + i AS _n, line AS _line, len(broken) > 0 AND list_contains(broken, i) AS _broken
      FROM (
        SELECT file, first, broken, unnest(lines) AS line, generate_subscripts(lines, 1) AS i
        FROM (SELECT file, first, broken, string_split(TRY(decode(text)), ${LF}) AS lines FROM _piece)
      )
    )
  )
)`;
}

const matchedAt = (groups: readonly Slot[][], field: Field) =>
  groups.flatMap((group, g) =>
    group.flatMap((slot, i) => (slot.field === field ? [`struct_extract_at(_m${g}, ${i + 1})`] : [])),
  );

/** What matched lines hold, by the groups of slots: of a later one only where the first has not everything. */
function structsOf(fields: readonly Field[]): string[] {
  const groups = slotGroups(fields);
  return groups.map((group, g) => {
    const made = `json_transform(_bare, ${structure(group)})`;
    const has = fields.map(
      (field) => `COALESCE(${[...matchedAt(groups.slice(0, 1), field), 'NULL'].join(', ')}) IS NOT NULL`,
    );
    return g === 0 ? `${made} AS _m0` : `CASE WHEN NOT (${all(has)}) THEN ${made} END AS _m${g}`;
  });
}

function lines(all: Fields): string {
  const { record: fields } = all;
  const pattern = linePattern(fields);
  if (pattern === undefined) return accepted(all, LINES, PLACE);
  const groups = slotGroups(fields);
  const columns = fields.map((f) => `COALESCE(${matchedAt(groups, f).join(', ')}) AS ${name(f.name)}`);
  return `SELECT ${columns.join(', ')}, _file, _n, _n AS _last, _broken, _line, _matched AS _good FROM (${matchedLines(fields, pattern)})`;
}

/** A text of objects with a mark between each two, with or without a comma there. */
const markedOff = (text: string) =>
  `regexp_replace(${text}, '("(?:[^"\\\\]|\\\\.)*"?)|(\\})[\\s,\\x{FEFF}]*(\\{)', '\\1\\2' || ${MARK} || '\\3', 'g')`;
/** Those objects as one array. */
const listOf = (marked: string) =>
  `'[' || replace(replace(${marked}, '}' || ${MARK} || '{', '},{'), ${MARK}, '') || ']'`;

/**
 * Whether an object on a line of its own may be within the record of the line before: that ends where a value has to
 * follow. After `{"a":1,` there has to be a key.
 */
const FOLLOWS = `regexp_matches(before, '[\\[:]\\s*$') OR regexp_matches(before, '^[\\s,\\x{FEFF}]*[^\\s,\\x{FEFF}{}\\[\\]].*,\\s*$')`;
/** Or that it is as much within one as the object on the line before, or as one that ends there. */
const GOES_ON = `regexp_matches(before, '^[\\s,]*[{}]') AND indent_before >= indent`;

/**
 * Texts that hold records: a line alone, or all lines of a record that is spread over them. Where no line is beside it, or
 * every line of a file is an object, there is nothing to be put together. Lines that are put together and are no record then are each a refusal of
 * their own, unless records are spread in that file: it has lines of nothing but braces.
 */
const GROUPS = `texts AS (
  SELECT *, getvariable('_by') = 'record' OR broken OR starts_with(bare, '{') AND json_valid(bare) AS alone
  FROM (SELECT file, n, line, broken, ${trimmed('line', AROUND_RECORDS)} AS bare FROM _rest)
),
beside AS (
  SELECT *, COALESCE(n = 1 + lag(n) OVER w OR n = lead(n) OVER w - 1, false) AND bool_or(NOT alone) OVER (PARTITION BY file) AS near
  FROM texts WINDOW w AS (PARTITION BY file ORDER BY n)
),
marked AS (
  -- Of objects that stand in a row, all are within a record or none.
  SELECT *, starts_with(bare, '{') AND (indent <= least_indent OR alone AND COALESCE(
    max(CASE WHEN NOT (goes_on AND alone_before) THEN 2 * n + (goes_on OR ${FOLLOWS})::INT END) OVER w % 2 = 0, true)) AS begins
  FROM (
    SELECT *, COALESCE(${GOES_ON}, false) AS goes_on
    FROM (
      SELECT *, min(indent) FILTER (starts_with(bare, '{')) OVER (PARTITION BY file) AS least_indent,
        bool_or(trim(bare, '{}' || ${AROUND_RECORDS}) = '' AND NOT alone) OVER (PARTITION BY file) AS is_spread,
        lag(line) OVER w AS before, lag(indent) OVER w AS indent_before, lag(alone) OVER w AS alone_before
      FROM (
        SELECT *, strlen(line) - strlen(ltrim(line, ' ' || chr(9) || CASE WHEN ends_with(rtrim(line, ${AROUND_RECORD}), ']') THEN '' ELSE '[' END)) AS indent,
          n - row_number() OVER (PARTITION BY file ORDER BY n) AS run
        FROM beside WHERE near
      )
      WINDOW w AS (PARTITION BY file, run ORDER BY n)
    )
  )
  WINDOW w AS (PARTITION BY file, run ORDER BY n)
),
bounded AS (
  SELECT *, begins OR broken OR n <> 1 + lag(n, 1, n) OVER w OR lag(broken OR begins AND alone) OVER w AS apart
  FROM marked WINDOW w AS (PARTITION BY file ORDER BY n)
),
numbered AS (
  SELECT *, sum(apart::INT) OVER (PARTITION BY file ORDER BY n) AS g FROM bounded
),
counted AS (
  SELECT *, count(*) OVER (PARTITION BY file, g) AS members FROM numbered
),
joined AS (
  SELECT *, NOT is_spread AND NOT json_valid(${listOf(markedOff(`trim(raw, ${AROUND_RECORDS})`))}) AS is_each
  FROM (
    SELECT file, min(n) AS n, max(n) AS last, string_agg(line, ${LF} ORDER BY n) AS raw, bool_or(broken) AS broken,
      bool_or(is_spread) AS is_spread, list({'n': n, 'line': line, 'broken': broken} ORDER BY n) AS own
    FROM counted WHERE members > 1 GROUP BY file, g
  )
),
groups AS (
  SELECT file, n, last, raw, broken FROM joined WHERE NOT is_each
  UNION ALL SELECT file, own.n, own.n, own.line, own.broken FROM (SELECT file, unnest(own) AS own FROM joined WHERE is_each)
  UNION ALL SELECT file, n, n, line, broken FROM counted WHERE members = 1
  UNION ALL SELECT file, n, n, line, broken FROM beside WHERE NOT near
)`;

/**
 * The records of each group. Where one object ends and the next begins, with or without a comma between, is seen once
 * every text is marked off; a broken one among them is then one record of its own.
 */
const RECORDS = `marked_off AS (
  SELECT *, CASE WHEN NOT broken AND NOT contains(bare, ${MARK}) AND strlen(raw) <= ${PIECE_BYTES} AND NOT json_valid(bare) AND (starts_with(bare, '{') OR starts_with(trim(raw, ${SPACE}), '[')) THEN
    ${markedOff('bare')}
  END AS marked
  FROM (SELECT *, ${trimmed('raw', AROUND_RECORDS)} AS bare FROM groups)
  WHERE bare <> ''
),
split AS (
  SELECT file, n, last, raw, broken, CASE
    WHEN marked IS NULL THEN [bare]
    WHEN json_valid(joined) THEN json_transform(joined, '["JSON"]')::VARCHAR[]
    WHEN last_part = 1 THEN [bare]
    ELSE list_transform(parts, lambda t, i: concat(
      CASE WHEN i > 1 THEN '{' END, replace(t, ${MARK}, ''), CASE WHEN i < last_part THEN '}' END))
  END AS records
  FROM (
    SELECT *, len(parts) AS last_part
    FROM (
      SELECT *, string_split(marked, '}' || ${MARK} || '{') AS parts,
        ${listOf('marked')} AS joined
      FROM marked_off
    )
  )
),
records AS (
  SELECT file, n, last, broken, unnest(records) AS record, generate_subscripts(records, 1) AS k, len(records) AS siblings, raw AS whole
  FROM split
)`;

export const fault = (reason: Reason, detail: string) => `{'reason': '${reason}', 'detail': ${detail}}`;
export const said = (text: string) => quote(text);

/** Why a record, or a whole file, is refused. */
type Reason =
  | 'NOT_JSON'
  | 'TRUNCATED'
  | 'NOT_AN_OBJECT'
  | 'TRAILING_TEXT'
  | 'INVALID_ENCODING'
  | 'LINE_TOO_LONG'
  | 'DUPLICATE_KEY'
  | 'MISSING_REQUIRED'
  | 'FIELD_COUNT'
  | 'WRONG_TYPE'
  | 'OUT_OF_RANGE'
  | 'EMPTY_FILE'
  | 'UNREADABLE_FILE';

/** What a JSON text is, in a word. */
const typeOf = (json: string) =>
  `CASE left(${json}, 1) WHEN '"' THEN 'string' WHEN '{' THEN 'object' WHEN '[' THEN 'array' WHEN 't' THEN 'boolean' WHEN 'f' THEN 'boolean' ELSE 'number' END`;

/** What is wrong with one column of a record, of which `_m` holds the keys that stand for it; NULL where nothing is. */
export function faultOf(f: Field, keys = '[]'): string {
  const { column } = f;
  const what = (text: string) => said(`${f.name} ${text}`);
  const found = (expected: string) => `${what(`should be ${expected}, found `)} || ${typeOf(f.json)}`;
  const cases: (readonly [when: string, then: string])[] = [
    [
      `len(${keys}) > 1`,
      fault(
        'DUPLICATE_KEY',
        `CASE WHEN len(list_distinct(${keys})) = 1 THEN '"' || ${keys}[1] || '" stands twice'
          ELSE '"' || array_to_string(${keys}, '" and "') || ${said(`" both stand for ${f.name}`)} END`,
      ),
    ],
  ];
  if (!column.nullable) {
    // An element that is the value itself is there.
    const isThere =
      f.path === undefined ? `len(${keys}) > 0 OR ${f.keys.length === 0}` : `${f.json} IS NOT NULL`;
    const missing = `CASE WHEN NOT (${isThere}) THEN ${what('is missing')} WHEN ${f.json} IS NULL THEN ${what('is null')} ELSE ${what('is empty')} END`;
    cases.push([`${f.json} IS NULL OR ${f.json} = '""'`, fault('MISSING_REQUIRED', missing)]);
  } else cases.push([`${f.json} IS NULL`, 'NULL']);
  if (f.path !== undefined) {
    const [outer = 'the element'] = f.keys;
    const twice = said(`a key on the way to ${f.name} stands twice in ${outer}`);
    const none = said(`${f.name} is within ${outer}, and what should hold it is no object`);
    cases.push([`${f.json} = ${TWICE}`, fault('DUPLICATE_KEY', twice)]);
    cases.push([`${f.json} = ${NO_OBJECT}`, fault('WRONG_TYPE', none)]);
  }
  if (f.isArray) cases.push([`NOT (${isArray(f)})`, fault('WRONG_TYPE', found('an array'))]);
  else if (column.type === 'json') {
    cases.push([`${f.json} = ${NO_OBJECT}`, fault('WRONG_TYPE', what('is no JSON'))]);
    cases.push([
      `NOT (${isJson(f)})`,
      fault('WRONG_TYPE', what('holds NaN or Infinity, which JSON does not have')),
    ]);
  }
  if (isText(column)) {
    cases.push(
      [`NOT ${isString(f)}`, fault('WRONG_TYPE', found('a string'))],
      [hasNul(f), fault('INVALID_ENCODING', what('holds a NUL'))],
    );
    if (column.type === 'isoDate') {
      cases.push([`NOT (${isDay(f)})`, fault('WRONG_TYPE', what('should be a day written YYYY-MM-DD'))]);
    }
    if (column.type === 'isoInstant') {
      const form = what('should be an instant with its offset, written 2026-05-01T10:00:00Z');
      cases.push([`NOT (${isInstant(f)})`, fault('WRONG_TYPE', form)]);
      const bounds = [
        ...(column.min === undefined ? [] : [`not before ${new Date(column.min).toISOString()}`]),
        ...(column.max === undefined ? [] : [`not after ${new Date(column.max).toISOString()}`]),
      ];
      cases.push([`NOT (${inTime(f)})`, fault('OUT_OF_RANGE', what(`should be ${bounds.join(' and ')}`))]);
    }
    if (column.oneOf) {
      cases.push([
        `NOT (${isOneOf(f)})`,
        fault('OUT_OF_RANGE', what(`should be one of ${column.oneOf.join(', ')}`)),
      ]);
    }
  } else if (column.type === 'boolean') {
    cases.push([`${f.json} NOT IN ('true', 'false')`, fault('WRONG_TYPE', found('true or false'))]);
  } else if (isNumber(column)) {
    const { min, max } = rangeOf(column);
    const milliseconds = column.type === 'epochMillis' ? ', in milliseconds since 1970' : '';
    const range = what(`should be between ${min} and ${max}${milliseconds}`);
    const looks =
      column.type === 'epochMillis'
        ? ` || CASE ${UNITS.map(([unit, factor]) => `WHEN ${inRange(f, `${f.number} * ${factor}`)} THEN '; this looks like ${unit}'`).join(' ')} ELSE '' END`
        : '';
    cases.push(
      [
        `isnan(${f.number}) OR isinf(${f.number}) AND NOT regexp_matches(${f.json}, '[0-9]')`,
        fault('WRONG_TYPE', `${what('is ')} || ${f.json} || ', which is no number in JSON'`),
      ],
      [`${f.number} IS NULL OR ${isString(f)}`, fault('WRONG_TYPE', found('a number'))],
      ...(isWhole(column)
        ? [
            [
              `trunc(${f.number}) <> ${f.number}`,
              fault('WRONG_TYPE', what('should be a whole number')),
            ] as const,
          ]
        : []),
      [`NOT (${inRange(f)})`, fault('OUT_OF_RANGE', range + looks)],
    );
    if (column.type === 'decimal') {
      const digits = column.scale === 0 ? 'no digit' : `at most ${column.scale} digits`;
      cases.push([
        `NOT (${isExact(f)})`,
        fault('WRONG_TYPE', what(`should have ${digits} behind the point`)),
      ]);
    }
  }
  return `CASE ${cases.map(([when, then]) => `WHEN ${when} THEN ${then}`).join(' ')} END`;
}

/** What an instant out of range may be written in, and by which it becomes milliseconds. */
const UNITS = [
  ['seconds', 1000],
  ['microseconds', 0.001],
  ['nanoseconds', 0.000001],
] as const;

/** A record without its texts. */
const CODE = withoutTexts('record');

/** Why a text holds no object at all. */
const SHAPE_FAULT = `CASE
    WHEN broken THEN ${fault('INVALID_ENCODING', said('not UTF-8'))}
    WHEN strlen(whole) > ${PIECE_BYTES} THEN ${fault('LINE_TOO_LONG', said(`longer than ${PIECE_BYTES} bytes`))}
    WHEN is_object THEN NULL
    WHEN json_valid(record) THEN ${fault('NOT_AN_OBJECT', `'a JSON ' || ${typeOf('record')} || '; a record is an object'`)}
    WHEN NOT starts_with(record, '{') THEN ${fault('NOT_JSON', said('it does not begin with {'))}
    WHEN json_valid(regexp_replace(record, '\\\\u[dD][89a-fA-F][0-9a-fA-F]{2}', '', 'g'))
      THEN ${fault('INVALID_ENCODING', said('a text holds half a surrogate pair'))}
    WHEN strlen(replace(${CODE}, '{', '')) < strlen(replace(${CODE}, '}', '')) OR contains(${CODE}, '"')
      THEN ${fault('TRUNCATED', said('the object is not closed'))}
    WHEN json_valid(regexp_replace(record, '[^}]*$', '')) OR json_valid(regexp_replace(record, '\\}[^}]*$', ''))
      THEN ${fault('TRAILING_TEXT', said('text after the object'))}
    ELSE ${fault('NOT_JSON', said('the braces close, but what is between them is not JSON'))}
  END`;

export function judge({ record: fields, element }: Fields): string {
  const keys = (i: number) => `_m${i}`;
  return `WITH ${GROUPS},
${RECORDS},
known AS (
  SELECT *, ${fields.map((f, i) => `list_filter(ks, lambda k: lower(k) IN (${spellings([f])})) AS ${keys(i)}`).join(', ')}
  FROM (
    SELECT *, CASE WHEN is_map THEN json_transform(record, '"MAP(VARCHAR,JSON)"') END AS map
    FROM (
      -- A map takes no key twice.
      SELECT *, len(ks) = len(list_distinct(ks)) AS is_map
      FROM (
        SELECT *, CASE WHEN is_object THEN json_keys(record) END AS ks
        FROM (SELECT *, NOT broken AND starts_with(record, '{') AND json_valid(record) AS is_object FROM records)
      )
    )
  )
),
found AS (
  SELECT ${parsed(fields)}
  FROM (
    SELECT *, ${fields
      .map(
        (f, i) =>
          `CASE WHEN len(${keys(i)}) = 1 THEN ${within(f, `CASE WHEN is_map THEN map[${keys(i)}[1]] ELSE json_extract(record, '$."' || ${keys(i)}[1] || '"') END`)} END AS ${f.json}`,
      )
      .join(', ')}
    FROM known
  )
),
judged AS (
  SELECT *, COALESCE(${[SHAPE_FAULT, ...fields.map((f, i) => faultOf(f, keys(i)))].join(',\n    ')}) AS _fault
  FROM found
)
SELECT ${values(element ? [...fields.slice(0, -1), ...element] : fields)},
  file AS _file, _fault.reason AS _reason, _fault.detail AS _detail,
  CASE WHEN getvariable('_by') = 'line' THEN n END AS _line,
  CASE WHEN getvariable('_by') = 'record' THEN n WHEN siblings > 1 THEN k END AS _record,
  CASE WHEN getvariable('_by') = 'line' THEN last END AS _last,
  CASE WHEN _fault IS NOT NULL THEN left(text, ${MAX_RAW_CHARACTERS}) END AS _raw, text AS _text, bytes AS _bytes
FROM (${element ? judgedElements(fields, element) : `SELECT *, strlen(text) AS bytes FROM (SELECT *, ${RECORD_TEXT} AS text FROM judged)`})`;
}

const RECORD_TEXT = 'CASE WHEN siblings > 1 THEN record ELSE whole END';

/**
 * Of `judged`, a row for each element of the records that are good, and one for each that is not. An element that is refused
 * keeps the record around it, without the other elements: so it says whose it is.
 */
function judgedElements(record: readonly Field[], element: readonly Field[]): string {
  const list = record.at(-1) as Field;
  const key = `to_json(_m${record.length - 1}[1])::VARCHAR`;
  const path = list.path ?? [];
  const patch = `'{' || ${key} || ${quote(`:${path.map((step) => `{${JSON.stringify(step)}:`).join('')}[`)} || _e::VARCHAR || ${quote(`]${'}'.repeat(path.length + 1)}`)}`;
  return `SELECT * REPLACE (CASE WHEN _fault IS NOT NULL OR _own IS NULL THEN _fault
    ELSE {'reason': _own.reason, 'detail': concat('element ', _i, ${quote(` of ${list.name}: `)}, _own.detail)} END AS _fault),
  CASE WHEN _fault IS NOT NULL THEN ${RECORD_TEXT} WHEN _own IS NOT NULL THEN json_merge_patch(record, ${patch})::VARCHAR END AS text,
  strlen(CASE WHEN _fault IS NULL THEN _e::VARCHAR ELSE ${RECORD_TEXT} END) AS bytes
FROM (
  SELECT *, CASE WHEN _fault IS NULL THEN COALESCE(${element.map((f) => faultOf(f)).join(',\n    ')}) END AS _own
  FROM (
    SELECT ${parsed(element)}
    FROM (
      SELECT *, ${element.map((f) => `${within(f, '_e', '_i')} AS ${f.json}`).join(', ')}
      FROM (
        SELECT *, unnest(_elements) AS _e, generate_subscripts(_elements, 1) AS _i
        FROM (SELECT *, CASE WHEN _fault IS NULL THEN ${elementsOf(list)} ELSE [NULL::JSON] END AS _elements FROM judged)
      )
    )
  )
)`;
}

/** What a file may be by its first bytes in hex, and no text. */
const MAGIC = [
  ['504B0304', 'a zip archive'],
  ['504B0506', 'a zip archive'],
  ['425A68', 'packed with bzip2'],
  ['28B52FFD', 'packed with zstd'],
  ['FD377A58', 'packed with xz'],
  ['04224D18', 'packed with lz4'],
  ['FF060000', 'packed with snappy'],
  ['1F9D', 'packed with compress'],
  ['50415231', 'Parquet'],
  ['4F626A01', 'Avro'],
  ['4F5243', 'ORC'],
  ['FFFE', 'UTF-16 text'],
  ['FEFF', 'UTF-16 text'],
  ['7B00', 'UTF-16 text'],
  ['007B', 'UTF-16 text'],
  ['5B00', 'UTF-16 text'],
  ['005B', 'UTF-16 text'],
] as const;

/** Why a file cannot be read by its first bytes, as `WHEN`s; `others` are what else it may be. */
export function headFaults(takes: string, formats: readonly string[]): string {
  const unreadable = (detail: string) => fault('UNREADABLE_FILE', said(detail));
  return `WHEN damage IS NOT NULL THEN ${fault('UNREADABLE_FILE', `'it cannot be unpacked to its end: ' || damage || '; upload it again'`)}
    WHEN named AND NOT unpacked THEN ${unreadable('its name ends in .gz, but it is not packed with gzip; rename it or upload it again')}
    WHEN starts_with(magic, '1F8B') AND unpacked THEN ${unreadable(`it is packed with gzip twice; ${takes}`)}
    WHEN starts_with(magic, '1F8B') THEN ${unreadable('it is packed with gzip, but its name does not end in .gz, by which Spark and Athena tell; rename it')}
    ${MAGIC.filter(([, what]) => !formats.includes(what))
      .map(
        ([bytes, what]) =>
          `WHEN starts_with(magic, '${bytes}') THEN ${unreadable(`it is ${what}; ${takes}`)}`,
      )
      .join('\n    ')}`;
}

const TAKES = 'landing takes JSON as UTF-8 text, plain or as .gz';

function heads(fields: readonly Field[]): string {
  const looks = (what: string) => fault('UNREADABLE_FILE', said(`it is ${what}; ${TAKES}`));
  const spelling = (f: Field) =>
    `COALESCE(list_filter(ks, lambda k: lower(k) IN (${spellings([f])}))[1], ${quote(f.keys[0] ?? f.name)})`;
  return `WITH refused AS (
  SELECT *, CASE
    WHEN damage IS NULL AND whole AND trim(head, ${AROUND_RECORDS}) = '' THEN ${fault('EMPTY_FILE', said('the file holds no record'))}
    ${headFaults(TAKES, [])}
    WHEN contains(head, '{') OR trim(head, ${AROUND_RECORDS}) = '' THEN NULL
    WHEN regexp_matches(head, '[\\x00-\\x08\\x0e-\\x1f]') THEN ${looks('binary')}
    WHEN starts_with(trim(head, ${SPACE} || ${LF}), '<') THEN ${looks('XML or HTML')}
    WHEN regexp_matches(head, '^[^\\n]*[,;\\t][^\\n]*\\n') THEN ${looks('CSV or another table')}
    ELSE ${looks('text without any JSON object')}
  END AS fault
  FROM _heads
),
lined AS (
  SELECT *, list_filter(lines, lambda l: starts_with(l, '{') AND json_valid(l)) AS objects,
    fault IS NULL AND regexp_matches(head, '^[\\s,\\x{FEFF}]*[\\[{]') AS is_json
  FROM (
    SELECT *, list_filter(string_split(CASE WHEN whole THEN head ELSE regexp_replace(head, '[^\\n]*$', '') END, ${LF}),
      lambda l: trim(l, ${SPACE}) <> '') AS lines
    FROM refused
  )
),
looked AS (
  SELECT *, CASE WHEN fault IS NULL AND (2 * len(objects) > len(lines) OR NOT is_json) THEN 'lines' WHEN fault IS NULL THEN 'objects' END AS shape
  FROM lined
),
keyed AS (
  SELECT *, CASE WHEN shape = 'objects' THEN list_distinct(regexp_extract_all(head, '"([^"\\\\]*)"\\s*:', 1))
    WHEN len(objects) = len(lines) THEN list_distinct(flatten(list_transform(lines, lambda l: json_keys(l)))) END AS ks
  FROM looked
),
spelled AS (
  SELECT *, list_filter(ks, lambda k: lower(k) NOT IN (${spellings(fields)})) AS others,
    [${fields.map(spelling).join(', ')}] AS spelling
  FROM keyed
),
typed AS (
  SELECT *, CASE WHEN ${areCounted(fields)} AND len(ks) = len(list_filter(spelling, lambda k: list_contains(ks, k))) + len(others)
      AND len(list_distinct(list_transform(others, lambda k: lower(k)))) = len(others)
    THEN '{' || array_to_string(list_concat(
      list_transform(spelling, lambda k, i: to_json(k)::VARCHAR || ':"' || [${fields.map(({ column }) => (isText(column) ? "'JSON'" : "'DOUBLE'")).join(', ')}][i] || '"'),
      list_transform(others, lambda k: to_json(k)::VARCHAR || ':"JSON"')), ',') || '}' END AS columns
  FROM spelled
)
SELECT file, shape, columns, len(others) > 0 AS further,
  fault.reason AS reason, fault.detail AS detail, COALESCE(fault.reason = 'UNREADABLE_FILE', false) AS fatal
FROM typed`;
}

/** What may be an address in the name of a file. */
const ADDRESS = '[^\\s/"]*(?:@|%40)[^\\s/"]*';
/** A text that may name files as it may be shown and kept: as {@link Reading.shownFile}. */
export const withoutAddress = (text: string) => text.replaceAll(new RegExp(ADDRESS, 'g'), '•••');
const SHOWN_FILE = `regexp_replace(file, ${quote(ADDRESS)}, '•••', 'g')`;

const FIRST_COUNT = 3;
const FIRST_ORDER = `NOT fatal, line IS NOT NULL OR record IS NOT NULL, file, line, record, detail`;

/** To one digit, half away from zero, as people round: `printf` alone gives 1.2 of 1.25. */
const percent = (share: string) =>
  `regexp_replace(printf('%.1f', round(100 * ${share}, 1)), '\\.0$', '') || ' %'`;

function verdict({ name: table, maxQuarantinedShare }: SourceTable): string {
  /** Not rounded to the limit that it is above. */
  const shown = (share: string) =>
    `CASE WHEN ${share} > ${maxQuarantinedShare} AND round(100 * ${share}, 1) <= ${100 * maxQuarantinedShare}
      THEN printf('%.2f', ceil(10000 * ${share}) / 100) || ' %' ELSE ${percent(share)} END`;
  const first = `SELECT string_agg(concat(chr(10), '  ', ${SHOWN_FILE},
      CASE WHEN line IS NOT NULL THEN ', line ' || line END, CASE WHEN record IS NOT NULL THEN ', record ' || record END,
      ': ', reason, ', ', detail), '') FROM (SELECT * FROM _first ORDER BY ${FIRST_ORDER} LIMIT (SELECT CASE WHEN fatal > 0 THEN fatal ELSE ${FIRST_COUNT} END FROM _counts))`;
  return `SELECT CASE
    WHEN fatal > 0 THEN format('{:,}', fatal) || CASE WHEN fatal = 1 THEN ' file' ELSE ' files' END || ' cannot be read.'
    WHEN share > ${maxQuarantinedShare} THEN concat(format('{:,} of {:,} records are refused, ', refused, read), ${shown('of_records')},
      ', which are ', ${shown('of_bytes')}, ' of the bytes; the limit is ', ${percent(String(maxQuarantinedShare))}, '.')
  END || CASE WHEN getvariable('_kept') = false THEN ' The first are:' ELSE ' The table ${table}_quarantine holds all of them; the first are:' END
  || (${first}) AS failure
FROM (
  SELECT *, greatest(of_records, of_bytes) AS share
  FROM (SELECT *, COALESCE(refused / NULLIF(read, 0), 0) AS of_records, COALESCE(refused_bytes / NULLIF(bytes, 0), 0) AS of_bytes FROM _counts)
)`;
}

/** What is the same of a source in any format. */
export const commonReading = (source: SourceTable) => ({
  verdict: verdict(source),
  firstCount: FIRST_COUNT,
  firstOrder: FIRST_ORDER,
  shownFile: SHOWN_FILE,
  refined: refinedSql(source),
  landedSchema: sparkSchema(source.columns),
  refinedSchema: sparkSchema(refined(source.columns)),
  forgotten: forgottenOf(source),
});

/** How files of JSON are read. */
export function jsonReading(source: SourceTable): Reading {
  const all = fieldsOf(source);
  const { record: fields } = all;
  return {
    format: 'json',
    headBytes: HEAD_BYTES,
    pieceBytes: PIECE_BYTES,
    heads: heads(fields),
    plain: { rows: plain(fields, false), check: plainCheck(fields, false) },
    further: { rows: plain(fields, true), check: plainCheck(fields, true) },
    countedMark: COUNTED_MARK,
    otherMarks: OTHER_MARKS,
    objects: objects(all),
    numbered: NUMBERED,
    lines: lines(all),
    careful: accepted(all, lineRecords('FROM _others'), PLACE),
    judge: judge(all),
    ...commonReading(source),
  };
}
