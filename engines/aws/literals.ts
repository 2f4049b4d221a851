import { UsageError } from '../engine';
import { quoteString } from '../sql';

/** A value bound to a `?` of a query. A date is given as `{ date: 'YYYY-MM-DD' }`, an instant as a Date, in UTC. */
export type QueryParameter = string | number | bigint | boolean | Date | { readonly date: string };

/** What Athena takes of one. */
const LONGEST = 1024;

/**
 * A value as a literal of SQL, which is how Athena takes parameters: whatever a text holds, it stays a text. Throws a
 * UsageError of a value that no literal can say, or that is too long for Athena.
 */
export function literalOf(value: QueryParameter): string {
  const literal = written(value);
  if (literal.length <= LONGEST) return literal;
  throw new UsageError(
    `a parameter of ${literal.length} characters is too long: Athena takes ${LONGEST}, its quotes included`,
  );
}

function written(value: QueryParameter): string {
  switch (typeof value) {
    case 'string':
      return quoteString(value);
    case 'boolean':
      return String(value);
    case 'bigint':
      // The least bigint is a minus before a number that is none.
      if (value >= 2n ** 63n || value <= -(2n ** 63n))
        throw new UsageError(`${value} is beyond a bigint literal`);
      return String(value);
    case 'number':
      return numberLiteral(value);
    default:
      return value instanceof Date ? instantLiteral(value) : dateLiteral(value.date);
  }
}

function numberLiteral(value: number): string {
  if (!Number.isFinite(value)) throw new UsageError(`${value} has no literal in SQL; a parameter is finite`);
  if (Number.isSafeInteger(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 63) {
    throw new UsageError(
      `${value} may have lost digits already; give a whole number of this size as a bigint`,
    );
  }
  // With an exponent, without which it would be a decimal.
  return value.toExponential().replace('e+', 'E').replace('e', 'E');
}

function instantLiteral(value: Date): string {
  const iso = Number.isNaN(value.getTime()) ? '' : value.toISOString();
  // The years 0 to 9999.
  if (!/^\d{4}-/.test(iso)) throw new UsageError('a parameter is no instant of the years 0000 to 9999');
  return `TIMESTAMP '${iso.replace('T', ' ').replace('Z', '')}'`;
}

function dateLiteral(date: string): string {
  const day = new Date(`${date}T00:00:00.000Z`);
  const isDate =
    /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(date);
  if (!isDate) throw new UsageError(`"${date}" is no date; write it as YYYY-MM-DD`);
  return `DATE '${date}'`;
}
