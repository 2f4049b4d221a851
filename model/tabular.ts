import {
  asDecimal,
  type Field,
  fault,
  fieldsOf,
  inRange,
  inTime,
  isNumber,
  isText,
  isWhole,
  NO_OBJECT,
  said,
  spellings,
  textIsGood,
  USUAL_INSTANT,
  withoutTexts,
} from './reading';
import { quoteName as name, quoteString as quote } from './sql';
import type { SourceTable } from './table';
import { spelled } from './types';

/*
 * What CSV and Parquet share: a file names its columns once, and a value is a text, the column `text` of its field. What is
 * good beyond doubt is converted at once; anything else is written as the JSON that the column's type would have it in, so
 * that the judge of JSON gives the reasons.
 */

/** The columns of a source as fields of a row. */
export const flatFields = (source: SourceTable): Field[] =>
  fieldsOf(source).record.map(({ path: _, ...field }) => field);

const NUMBER = '[-+]?[0-9]+(?:[.][0-9]+)?(?:[eE][-+]?[0-9]+)?';
const isNumberText = (text: string) => `regexp_full_match(${text}, ${quote(NUMBER)})`;
/** Decimals without a digit that their column would not keep. */
const exactPattern = (scale: number) => `[-+]?[0-9]+(?:[.][0-9]{0,${scale}}0*)?`;

/** Whether a text is printed just as the value that it is cast to: that is cheaper than a look at its characters. */
const isAsPrinted = (text: string, type: string) =>
  `COALESCE(TRY_CAST(${text} AS ${type})::VARCHAR = ${text}, false)`;
const either = (quick: string, full: string) => `CASE WHEN ${quick} THEN true ELSE ${full} END`;

const isJsonText = (text: string) =>
  `json_valid(${text}) AND NOT regexp_matches(${withoutTexts(text)}, 'NaN|Infinity')`;

/** Whether a text that is there is a good value. */
function isGood(f: Field): string {
  const { type, nullable, scale = 0 } = f.column;
  const { text } = f;
  if (type === 'json') return `${isJsonText(text)} AND trim(${text}) <> 'null'`;
  if (type === 'boolean') return `lower(${text}) IN ('true', 'false')`;
  if (type === 'decimal') {
    const isExact = `regexp_full_match(${text}, ${quote(exactPattern(scale))})`;
    return `${either(isAsPrinted(text, spelled(f.column).duckdb), isExact)} AND ${inRange(f, asDecimal(f, text))}`;
  }
  if (isWhole(f.column)) {
    const isWholeText = `${isNumberText(text)} AND trunc(${f.number}) = ${f.number}`;
    return `${either(isAsPrinted(text, 'BIGINT'), isWholeText)} AND ${inRange(f)}`;
  }
  if (isNumber(f.column)) return `${isNumberText(text)} AND ${inRange(f)}`;
  const filled = nullable ? '' : `${text} <> '' AND `;
  const quick = {
    isoDate: `strlen(${text}) = 10 AND ${isAsPrinted(text, 'DATE')}`,
    isoInstant: `regexp_full_match(${text}, ${quote(USUAL_INSTANT)}) AND ${inTime(f, `TRY_CAST(${text} AS TIMESTAMPTZ)`)}`,
  }[type as string];
  const good = quick ? either(quick, textIsGood(f)) : textIsGood(f);
  return `${filled}NOT contains(${text}, chr(0)) AND ${good}`;
}

/** Whether all values of a row are good; never NULL. */
export const areGood = (fields: readonly Field[]) =>
  `COALESCE(${fields
    .map((f) => (f.column.nullable ? `(${f.text} IS NULL OR ${isGood(f)})` : `(${isGood(f)})`))
    .join(' AND ')}, false)`;

/** The numbers of rows that have texts, as select list. */
export const numbered = (fields: readonly Field[]) =>
  [
    '*',
    ...fields.flatMap(({ column, number, text }) =>
      isNumber(column) && column.type !== 'decimal' ? `TRY_CAST(${text} AS DOUBLE) AS ${number}` : [],
    ),
  ].join(', ');

/** Good values, as the landing table stores them. */
export const goodValues = (fields: readonly Field[]) =>
  fields
    .map((f) => {
      const { text, number } = f;
      const value = {
        json: `json(${text})::VARCHAR`,
        boolean: `(lower(${text}) = 'true')`,
        decimal: asDecimal(f, text),
        int: `TRY_CAST(${number} AS BIGINT)`,
        epochMillis: `TRY_CAST(${number} AS BIGINT)`,
        double: number,
      }[f.column.type as string];
      return `${value ?? text} AS ${name(f.name)}`;
    })
    .join(', ');

/** A text as the JSON that its column's type would have it in, if it can be that. */
export function jsonOf({ column, text }: Field): string {
  const asText = `to_json(${text})::VARCHAR`;
  if (isText(column)) return asText;
  if (column.type === 'boolean')
    return `CASE WHEN lower(${text}) IN ('true', 'false') THEN lower(${text}) ELSE ${asText} END`;
  if (column.type === 'json')
    return `CASE WHEN ${text} = '' THEN '""' WHEN ${text} IS NULL THEN NULL WHEN json_valid(${text}) THEN json(${text})::VARCHAR ELSE ${NO_OBJECT} END`;
  // A digit too many is told by a double only if it is large and stands near the others.
  const { scale = 0 } = column;
  const number =
    column.type === 'decimal'
      ? `CASE WHEN regexp_full_match(${text}, '[-+]?[0-9]+[.][0-9]*') AND NOT regexp_full_match(${text}, ${quote(exactPattern(scale))})
          THEN regexp_replace(${text}, '([.][0-9]{${scale}}).*', '\\15') ELSE ${text} END`
      : text;
  return `CASE WHEN ${isNumberText(text)} THEN ${number} ELSE ${asText} END`;
}

/** The columns of no row that has all spellings of the fields, for what a file leaves out. */
export const noRow = (names: readonly string[]) =>
  `SELECT ${names.map((one) => `NULL AS ${one}`).join(', ')} WHERE false`;

/**
 * What is wrong with the columns `names VARCHAR[]` that a file has, or NULL. Names that a file gives may be values, where it
 * has no header, so that none of them is shown.
 */
export function columnsFault(fields: readonly Field[], where: string, hint: string): string {
  const found = (f: Field) => `len(list_filter(names, lambda k: lower(k) IN (${spellings([f])})))`;
  const named = ({ name: column, keys }: Field) =>
    [column, ...keys.filter((key) => key.toLowerCase() !== column.toLowerCase())].join(' or ');
  const faults = fields.flatMap((f) => [
    `WHEN ${found(f)} > 1 THEN ${fault('DUPLICATE_KEY', said(`several columns of ${where} stand for ${f.name}`))}`,
    ...(f.column.nullable
      ? []
      : [
          `WHEN ${found(f)} = 0 THEN ${fault('MISSING_REQUIRED', said(`${where} has no column ${named(f)}`))}`,
        ]),
  ]);
  const isAny = `len(list_filter(names, lambda k: lower(k) IN (${spellings(fields)}))) = 0`;
  return `CASE WHEN ${isAny} THEN ${fault('UNREADABLE_FILE', said(`${where} has no column of the contract; ${hint}`))}
    ${faults.join('\n    ')} END`;
}
