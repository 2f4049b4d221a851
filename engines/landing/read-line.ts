import { isLosslessNumber, parse } from 'lossless-json';
import type { Column, SourceTable } from '../../model';

/** Why a line, or a whole file, is in quarantine. */
export type Reason =
  | 'NOT_JSON'
  | 'TRUNCATED'
  | 'NOT_AN_OBJECT'
  | 'TRAILING_TEXT'
  | 'INVALID_ENCODING'
  | 'LINE_TOO_LONG'
  | 'DUPLICATE_KEY'
  | 'MISSING_REQUIRED'
  | 'WRONG_TYPE'
  | 'OUT_OF_RANGE'
  | 'EMPTY_FILE'
  | 'UNREADABLE_FILE';

/** A refusal; `detail` names keys and types, never a value. */
export interface Refusal {
  readonly reason: Reason;
  readonly detail: string;
}

/** A good line as canonical JSON of the declared columns, or why it is refused. */
export type Verdict = { readonly json: string } | Refusal;

/** What no contract asks for, and what would exhaust the stack of one parser sooner than that of another. */
const MAX_DEPTH = 200;

/**
 * Reads one line by contract. Takes a trailing comma, keys in any order, other case or an alias; ignores keys
 * that the contract does not name. Numbers keep the text they were written with. On Spark, `lines.py` of the runner
 * gives the same verdicts: a rule is changed in both.
 */
export function readLine(line: string, table: SourceTable): Verdict {
  const text = trimmed(line);
  const shape = shapeOf(text);
  if ('reason' in shape) return shape;
  let record: Record<string, unknown>;
  try {
    record = parse(shape.object) as Record<string, unknown>;
  } catch (error) {
    return /duplicate/i.test(String(error))
      ? { reason: 'DUPLICATE_KEY', detail: 'a key stands twice with different values' }
      : { reason: 'NOT_JSON', detail: 'the braces close, but what is between them is not JSON' };
  }
  return readRecord(record, table);
}

/** Without the spaces at both ends; an expression for those at the end takes quadratic time for spaces inside. */
function trimmed(line: string): string {
  let end = line.length;
  while (end > 0 && ' \t\f\v'.includes(line.charAt(end - 1))) end--;
  return line.slice(0, end).replace(/^[ \t\f\v]+/, '');
}

/** Finds the one object of a line, without its trailing comma. */
function shapeOf(text: string): { readonly object: string } | Refusal {
  const end = /^[{[]/.test(text) ? endOfNesting(text) : undefined;
  if (end === 'too deep') {
    return { reason: 'NOT_JSON', detail: `nested deeper than ${MAX_DEPTH} levels` };
  }
  if (!text.startsWith('{')) {
    try {
      parse(text.replace(/,$/, ''));
    } catch {
      return { reason: 'NOT_JSON', detail: 'the line does not begin with {' };
    }
    const what = text.startsWith('[') ? 'a JSON array' : 'a JSON value';
    return { reason: 'NOT_AN_OBJECT', detail: `${what}; a line holds one object` };
  }
  if (end === undefined) return { reason: 'TRUNCATED', detail: 'the object is not closed' };
  if (!/^[ \t\f\v]*,?$/.test(text.slice(end))) {
    return { reason: 'TRAILING_TEXT', detail: `text after the object, from column ${end + 1}` };
  }
  return { object: text.slice(0, end) };
}

/** Index after the brace or bracket that closes the first one, if one does. */
function endOfNesting(text: string): number | 'too deep' | undefined {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '"') {
      for (i++; i < text.length && text[i] !== '"'; i++) if (text[i] === '\\') i++;
    } else if (c === '{' || c === '[') {
      if (++depth > MAX_DEPTH) return 'too deep';
    } else if ((c === '}' || c === ']') && --depth === 0) return i + 1;
  }
  return undefined;
}

/** What of a key's case is overlooked is that of ASCII letters: of others it depends on the version of Unicode. */
const folded = (key: string) => key.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

function readRecord(record: Record<string, unknown>, table: SourceTable): Verdict {
  const byCase = new Map<string, string[]>();
  for (const key of Object.keys(record)) {
    const fold = folded(key);
    byCase.set(fold, [...(byCase.get(fold) ?? []), key]);
  }
  const pairs: string[] = [];
  for (const [name, column] of Object.entries(table.columns)) {
    const keys = [...new Set([name, ...column.aliases].flatMap((n) => byCase.get(folded(n)) ?? []))];
    if (keys.length > 1) {
      return {
        reason: 'DUPLICATE_KEY',
        detail: `${keys.map((k) => `"${k}"`).join(' and ')} both stand for ${name}`,
      };
    }
    const value = keys[0] === undefined ? undefined : record[keys[0]];
    if (value === undefined || value === null || (value === '' && !column.nullable)) {
      if (column.nullable) continue;
      const what = value === undefined ? 'is missing' : value === null ? 'is null' : 'is empty';
      return { reason: 'MISSING_REQUIRED', detail: `${name} ${what}` };
    }
    const read = readValue(name, value, column);
    if (typeof read !== 'string') return read;
    pairs.push(`${JSON.stringify(name)}:${read}`);
  }
  return { json: `{${pairs.join(',')}}` };
}

const jsonType = (value: unknown) =>
  isLosslessNumber(value) ? 'number' : Array.isArray(value) ? 'array' : typeof value;

const wrong = (name: string, expected: string, value: unknown): Refusal => ({
  reason: 'WRONG_TYPE',
  detail: `${name} should be ${expected}, found ${jsonType(value)}`,
});

/** The value as JSON text, or why it is refused. */
function readValue(name: string, value: unknown, column: Column): string | Refusal {
  if (column.type === 'text' || column.type === 'isoDate') {
    if (typeof value !== 'string') return wrong(name, 'a string', value);
    if (value.includes('\0') || !value.isWellFormed()) {
      return { reason: 'INVALID_ENCODING', detail: `${name} holds a NUL or half a surrogate pair` };
    }
    if (column.type === 'isoDate' && !isCalendarDay(value)) {
      return { reason: 'WRONG_TYPE', detail: `${name} should be a day written YYYY-MM-DD` };
    }
    return JSON.stringify(value);
  }
  if (!isLosslessNumber(value)) return wrong(name, 'a number', value);
  const number = Number(value.value);
  if (column.type !== 'double' && !/^-?\d+$/.test(value.value)) {
    return { reason: 'WRONG_TYPE', detail: `${name} should be a whole number` };
  }
  const { min, max } = rangeOf(column);
  if (!(number >= min && number <= max)) {
    return { reason: 'OUT_OF_RANGE', detail: `${name} should be between ${min} and ${max}` };
  }
  return column.type === 'double' ? value.value : String(number === 0 ? 0 : number);
}

/** The declared range, closed by what the type itself can hold. */
export const rangeOf = (column: Column) => {
  const limit = column.type === 'double' ? Number.MAX_VALUE : Number.MAX_SAFE_INTEGER;
  return { min: Math.max(column.min ?? -limit, -limit), max: Math.min(column.max ?? limit, limit) };
};

/** Whether the text is a day of the calendar: YYYY-MM-DD, or YYY-MM-DD as the website writes the year 967. */
function isCalendarDay(text: string): boolean {
  const [, year, month, day] = /^(?!0+-)(\d{3,4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  return year !== undefined && isDayOf(Number(year), Number(month), Number(day));
}

const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether a month has such a day, in the Gregorian calendar at any time. */
export function isDayOf(year: number, month: number, day: number): boolean {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day >= 1 && day <= (DAYS[month - 1] ?? 0) + (leap ? 1 : 0);
}
