import type { Column, SourceTable } from '../../model';
import { isDayOf, rangeOf } from './read-line';

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN = 0x7b;
const CLOSE = 0x7d;
const NULL = Buffer.from('null').readInt32LE();

/** More digits than these may round; the careful reader takes them. */
const MAX_WHOLE_DIGITS = 15;

/** How many bytes after a line end a {@link PlainScanner} may look at. */
export const BYTES_AHEAD = 3;

/**
 * Looks for a plain object at `at` in UTF-8 bytes: the declared keys in their declared order (nullable ones may
 * be missing), each with a good value, spelled without escapes or exponents, and nothing else. Returns the index
 * after its closing brace, or -1. What is not plain is not bad: `readLine` decides.
 *
 * There must be a line end from `at` on, and {@link BYTES_AHEAD} more bytes after it. It is what stops the scanner,
 * which therefore asks nowhere whether the bytes are at their end.
 */
export type PlainScanner = (bytes: DataView, at: number) => number;

/** Returns the index after a good value that begins at `at`, or -1. */
type ValueScanner = (bytes: DataView, at: number, column: PlainColumn) => number;

interface PlainColumn {
  /** With its quotes. */
  readonly key: Buffer;
  readonly nullable: boolean;
  readonly value: ValueScanner;
  readonly min: number;
  readonly max: number;
  /** For a number that begins with the digits of n: good where bounds[0] <= n < bounds[1]; [2] and [3] after a minus. */
  readonly bounds: Float64Array;
}

/**
 * The scanner of a source. It is the price of every good line, so it takes four bytes at a time where it can and
 * makes no strings. Only what differs from source to source is generated, the order of the keys and their bytes,
 * and that halves the time of a loop over the columns; the values are left to functions that all sources share,
 * so that they are compiled once and early. Names stand in the code as numbers.
 */
export function plainScanner(table: SourceTable): PlainScanner {
  const columns = Object.entries(table.columns).map(([name, column]) => plainColumn(name, column));
  const code = `
    return function scan(bytes, start) {
      let at = skipSpace(bytes, start), from = 0, before = ${OPEN};
      ${columns.map(pairCode).join('')}
      at = skipSpace(bytes, at);
      return before === ${COMMA} && bytes.getUint8(at) === ${CLOSE} ? at + 1 : -1;
    }`;
  const named: Record<string, unknown> = { skipSpace, looseKeyEnd };
  for (const [i, column] of columns.entries()) {
    named[`column${i}`] = column;
    named[`value${i}`] = column.value;
  }
  return new Function(...Object.keys(named), code)(...Object.values(named)) as PlainScanner;
}

function plainColumn(name: string, column: Column): PlainColumn {
  const { min, max } = rangeOf(column);
  return {
    key: Buffer.from(JSON.stringify(name)),
    nullable: column.nullable,
    value: valueScanner(column),
    min,
    max,
    bounds: Float64Array.of(min, Math.floor(max), -max, Math.floor(-min)),
  };
}

function valueScanner({ type }: Column): ValueScanner {
  if (type === 'text') return textValue;
  if (type === 'isoDate') return dayValue;
  return type === 'double' ? doubleValue : wholeValue;
}

/** Code that takes one pair, with no space or one around its key, from `at` on, or leaves the function with -1. */
function pairCode({ key, nullable }: PlainColumn, i: number): string {
  const literal = Buffer.concat([key, Buffer.from(':')]);
  const value = `
      at = value${i}(bytes, from, column${i});
      if (at < 0) return -1;`;
  return `
      from = bytes.getUint8(at + 1) === ${SPACE} ? at + 2 : at + 1;
      if (bytes.getUint8(at) === before && ${isAt('from', literal)}) {
        from += ${literal.length};
        if (bytes.getUint8(from) === ${SPACE}) from++;
      } else {
        from = looseKeyEnd(bytes, at, before, column${i});
      }
      ${nullable ? '' : 'if (from < 0) return -1;'}
      if (from >= 0) {
        ${nullable ? `if (bytes.getInt32(from, true) === ${NULL}) at = from + 4; else {${value}}` : value}
        before = ${COMMA};
      }`;
}

/** Code that compares four bytes at a time, the last ones together with some before. */
function isAt(from: string, literal: Buffer): string {
  const offsets: number[] = [];
  for (let offset = 0; offset < literal.length; offset += 4)
    offsets.push(Math.min(offset, literal.length - 4));
  return offsets
    .map((offset) => `bytes.getInt32(${from} + ${offset}, true) === ${literal.readInt32LE(offset)}`)
    .join(' && ');
}

function skipSpace(bytes: DataView, start: number): number {
  let at = start;
  for (let c = bytes.getUint8(at); c === SPACE || c === TAB; c = bytes.getUint8(at)) at++;
  return at;
}

/** Where a value begins if its key stands here, with any spaces around it, or -1. */
function looseKeyEnd(bytes: DataView, start: number, before: number, { key }: PlainColumn): number {
  let at = skipSpace(bytes, start);
  if (bytes.getUint8(at) !== before) return -1;
  at = skipSpace(bytes, at + 1);
  for (let i = 0; i < key.length; i++) if (bytes.getUint8(at++) !== key[i]) return -1;
  at = skipSpace(bytes, at);
  return bytes.getUint8(at) === COLON ? skipSpace(bytes, at + 1) : -1;
}

function textValue(bytes: DataView, start: number, { nullable }: PlainColumn): number {
  const end = stringEnd(bytes, start);
  return nullable || end !== start + 2 ? end : -1;
}

/**
 * Index after a string without escapes, or -1. Looks at four bytes at a time: subtracting from each the least
 * value that it may have, or 1 after what it may not be became 0, sets the high bit of the first that is wrong.
 */
function stringEnd(bytes: DataView, start: number): number {
  if (bytes.getUint8(start) !== QUOTE) return -1;
  let at = start + 1;
  let stop = 0;
  for (;;) {
    const four = bytes.getInt32(at, true);
    const quote = four ^ 0x22222222;
    const backslash = four ^ 0x5c5c5c5c;
    const control = (four - 0x20202020) & ~four;
    stop = (control | ((quote - 0x01010101) & ~quote) | ((backslash - 0x01010101) & ~backslash)) & 0x80808080;
    if (stop !== 0) break;
    at += 4;
  }
  // The lowest bit that is set tells the first such byte; those above may be carried over.
  at += (31 - Math.clz32(stop ^ (stop - 1))) >> 3;
  return bytes.getUint8(at) === QUOTE ? at + 1 : -1;
}

/** YYYY-MM-DD or YYY-MM-DD in quotes. */
function dayValue(bytes: DataView, start: number): number {
  const end = stringEnd(bytes, start);
  const year = end - start - 8;
  const from = start + 1;
  if ((year !== 3 && year !== 4) || bytes.getUint8(from) === ZERO) return -1;
  for (let i = 0; i < year + 6; i++) {
    const c = bytes.getUint8(from + i);
    if (i === year || i === year + 3 ? c !== MINUS : (c ^ ZERO) > 9) return -1;
  }
  const month = from + year + 1;
  const day = month + 3;
  const good = isDayOf(
    wholeNumber(bytes, from, year),
    wholeNumber(bytes, month, 2),
    wholeNumber(bytes, day, 2),
  );
  return good ? end : -1;
}

function wholeNumber(bytes: DataView, start: number, digits: number): number {
  let value = 0;
  for (let i = 0; i < digits; i++) value = value * 10 + bytes.getUint8(start + i) - ZERO;
  return value;
}

// Of 256 bytes only the digits give 0 to 9 where they are XORed with "0".

function wholeValue(bytes: DataView, start: number, column: PlainColumn): number {
  const sign = signAt(bytes, start);
  const from = start + sign;
  let at = from;
  let size = 0;
  // Four digits at a time: a byte that is none has a high half, or gets it when 6 is added.
  let four = bytes.getInt32(at, true) ^ 0x30303030;
  while ((((four + 0x06060606) | four) & 0xf0f0f0f0) === 0) {
    const pairs = (four * 10 + (four >>> 8)) & 0x00ff00ff;
    size = size * 10_000 + ((pairs * 100 + (pairs >>> 16)) & 0xffff);
    at += 4;
    four = bytes.getInt32(at, true) ^ 0x30303030;
  }
  let digit = bytes.getUint8(at) ^ ZERO;
  while (digit <= 9) {
    size = size * 10 + digit;
    digit = bytes.getUint8(++at) ^ ZERO;
  }
  if (!isWhole(bytes, from, at) || (sign === 1 && size === 0)) return -1;
  return isWithin(bytes, start, at, sign, size, column) ? at : -1;
}

function doubleValue(bytes: DataView, start: number, column: PlainColumn): number {
  const sign = signAt(bytes, start);
  const from = start + sign;
  let at = from;
  let size = 0;
  let digit = bytes.getUint8(at) ^ ZERO;
  while (digit <= 9) {
    size = size * 10 + digit;
    digit = bytes.getUint8(++at) ^ ZERO;
  }
  if (!isWhole(bytes, from, at)) return -1;
  if (digit === (POINT ^ ZERO)) {
    const point = at++;
    while ((bytes.getUint8(at) ^ ZERO) <= 9) at++;
    if (at === point + 1) return -1;
  }
  return isWithin(bytes, start, at, sign, size, column) ? at : -1;
}

/** 1 for a minus, else 0; without a branch, as signs cannot be foretold. */
const signAt = (bytes: DataView, at: number) => ((bytes.getUint8(at) ^ MINUS) - 1) >>> 31;

/** Whether the digits are a number as JSON writes it, and few enough to be exact. */
function isWhole(bytes: DataView, start: number, end: number): boolean {
  const digits = end - start;
  return digits === 1 || (digits > 1 && digits <= MAX_WHOLE_DIGITS && bytes.getUint8(start) !== ZERO);
}

/** Whether a number is in the range; `size` is what stands before its point, and settles it except near a bound. */
function isWithin(
  bytes: DataView,
  start: number,
  end: number,
  sign: number,
  size: number,
  { bounds, min, max }: PlainColumn,
): boolean {
  if (size >= (bounds[2 * sign] as number) && size < (bounds[2 * sign + 1] as number)) return true;
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes.getUint8(at));
  return Number(text) >= min && Number(text) <= max;
}
