import type { Column, SourceTable } from '../../model';
import { isDayOf, rangeOf } from './read-line';

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** More digits than these may round; the careful reader takes them. */
const MAX_WHOLE_DIGITS = 15;
const MAX_FRACTION_DIGITS = 20;

/**
 * Looks for a plain object at `at` in UTF-8 bytes: the declared keys in their declared order (nullable ones may
 * be missing), each with a good value, spelled without escapes or exponents, and nothing else. Returns the index
 * after its closing brace, or -1. What is not plain is not bad: `readLine` decides.
 */
export type PlainScanner = (bytes: Buffer, at: number, end: number) => number;

/**
 * The scanner of a source. It is the price of every good line, so it goes over the bytes once and makes no strings
 * of what it passes; and it is generated from the contract, since code for these very keys and types takes half the
 * time of a loop over them. Names come from the checked definition, and stand in the code as numbers only.
 */
export function plainScanner(table: SourceTable): PlainScanner {
  const steps = Object.entries(table.columns).map(([name, column], i) => stepCode(name, column, i));
  const keys = Object.keys(table.columns).map((name) => Buffer.from(JSON.stringify(name)));
  const code = `
    return function scan(bytes, start, end) {
      let at = skipSpace(bytes, start, end), from = 0, c = 0, size = 0, negative = false;
      if (bytes[at++] !== ${OPEN}) return -1;
      ${steps.join('\n')}
      at = skipSpace(bytes, at, end);
      return at < end && bytes[at] === ${CLOSE} ? at + 1 : -1;
    }`;
  return new Function('keys', ...Object.keys(HELPERS), code)(keys, ...Object.values(HELPERS)) as PlainScanner;
}

/** Code that takes one pair from `at` on, or leaves the function with -1. */
function stepCode(name: string, column: Column, i: number): string {
  const first = i === 0;
  const key = JSON.stringify(name);
  // The two ways in which nearly all JSON is written.
  const spellings = [`${first ? '' : ','}${key}:`, `${first ? '' : ', '}${key}: `].map((text) =>
    Buffer.from(text),
  );
  // Only later pairs can be left out: the comma stands before a pair.
  const missing = column.nullable && !first ? '' : 'return -1;';
  const value = valueCode(column);
  return `
    from = ${spellings.map((text) => `${isLiteral(text)} ? at + ${text.length} : `).join('')} looseKeyEnd(bytes, at, end, ${first}, keys[${i}]);
    if (from < 0) { ${missing} } else {
      at = skipSpace(bytes, from, end);
      ${column.nullable ? `if (${isLiteral(Buffer.from('null'))}) at += 4; else {${value}}` : value}
    }`;
}

const isLiteral = (literal: Buffer) =>
  [...literal].map((byte, i) => `bytes[at + ${i}] === ${byte}`).join(' && ');

const isDigit = `c >= ${ZERO} && c <= ${NINE}`;

/** Code that takes a value from `at` on. A byte past the end is undefined and equals nothing. */
function valueCode(column: Column): string {
  const { min, max } = rangeOf(column);
  if (column.type === 'text' || column.type === 'isoDate') {
    const fits =
      column.type === 'isoDate' ? 'isDay(bytes, from, at)' : `at - from >= ${column.nullable ? 0 : 1}`;
    return `
      if (bytes[at++] !== ${QUOTE}) return -1;
      from = at;
      while (at < end && inText[bytes[at]] === 1) at++;
      if (at >= end || bytes[at] !== ${QUOTE} || !(${fits})) return -1;
      at++;`;
  }
  const fraction = `
      if (c === ${POINT}) {
        const point = ++at;
        c = bytes[at];
        while (${isDigit}) c = bytes[++at];
        if (at === point || at - point > ${MAX_FRACTION_DIGITS}) return -1;
        size += wholeNumber(bytes, point, at) / powers[at - point];
      }`;
  return `
      negative = bytes[at] === ${MINUS};
      if (negative) at++;
      from = at;
      c = bytes[at];
      while (${isDigit}) c = bytes[++at];
      if (at === from || at - from > ${MAX_WHOLE_DIGITS} || (at - from > 1 && bytes[from] === ${ZERO})) return -1;
      size = wholeNumber(bytes, from, at);
      ${column.type === 'double' ? fraction : 'if (negative && size === 0) return -1;'}
      if (c === ${POINT} || c === 0x65 || c === 0x45 || at > end) return -1;
      if (negative) size = -size;
      if (!(size > ${min} && size < ${max}) && !isWithin(bytes, from, at, negative, ${min}, ${max})) return -1;`;
}

/** What the generated code calls. */
const HELPERS = {
  /** Bytes that may stand in a string as they are. */
  inText: Uint8Array.from({ length: 256 }, (_, c) =>
    c >= 0x20 && c !== QUOTE && c !== BACKSLASH && c !== 0x7f ? 1 : 0,
  ),

  powers: Array.from({ length: MAX_FRACTION_DIGITS + 1 }, (_, n) => 10 ** n),

  skipSpace(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && (bytes[at] === 0x20 || bytes[at] === 0x09)) at++;
    return at;
  },

  /** Where a value begins if its key stands here, with spaces around it, or -1. */
  looseKeyEnd(bytes: Buffer, start: number, end: number, first: boolean, key: Buffer): number {
    let at = HELPERS.skipSpace(bytes, start, end);
    if (!first) {
      if (bytes[at] !== COMMA) return -1;
      at = HELPERS.skipSpace(bytes, at + 1, end);
    }
    for (const byte of key) if (bytes[at++] !== byte) return -1;
    at = HELPERS.skipSpace(bytes, at, end);
    return at < end && bytes[at] === COLON ? at + 1 : -1;
  },

  /** YYYY-MM-DD or YYY-MM-DD. */
  isDay(bytes: Buffer, start: number, end: number): boolean {
    const year = end - start - 6;
    if ((year !== 3 && year !== 4) || bytes[start] === ZERO) return false;
    for (let i = 0; i < year + 6; i++) {
      const c = bytes[start + i] as number;
      if (i === year || i === year + 3 ? c !== MINUS : c < ZERO || c > NINE) return false;
    }
    const part = (from: number, to: number) => HELPERS.wholeNumber(bytes, start + from, start + to);
    return isDayOf(part(0, year), part(year + 1, year + 3), part(year + 4, year + 6));
  },

  /** Exact up to 15 digits. */
  wholeNumber(bytes: Buffer, start: number, end: number): number {
    let value = 0;
    for (let at = start; at < end; at++) value = value * 10 + ((bytes[at] as number) - ZERO);
    return value;
  },

  /** Settles what is at a bound, or so near that the sum of its parts may be off in the last bit. */
  isWithin(bytes: Buffer, start: number, end: number, negative: boolean, min: number, max: number): boolean {
    const value = Number(bytes.toString('latin1', negative ? start - 1 : start, end));
    return value >= min && value <= max;
  },
};
