import type { SourceTable } from '../../model';

// JSON as the sources write it, in the subset on which RE2 (DuckDB) and JavaScript agree: no escapes in
// strings, no number that a safe integer or a finite double could not hold.
const SPACE = '[ \\t]*';
const CHARACTER = '[^"\\\\\\x00-\\x1f\\x7f]';
const WHOLE = '(?:0|-?[1-9][0-9]{0,14})';

const VALUES: Readonly<Record<string, string>> = {
  text: `"${CHARACTER}*"`,
  int: WHOLE,
  double: '-?(?:0|[1-9][0-9]{0,14})(?:\\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?',
  epochMillis: WHOLE,
  // The 29th to the 31st are left to the careful reader, which knows the calendar.
  isoDate: '"[1-9][0-9]{2,3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"',
};

/**
 * A regular expression for an object on a line of its own that is good beyond doubt but for its ranges: the declared keys in
 * their declared order (nullable ones may be missing), each with a value of its type. What it does not match
 * is not bad: `readLine` decides.
 */
export function plainLine(table: SourceTable): string {
  const pairs = Object.entries(table.columns).map(([name, column], i) => {
    let value = VALUES[column.type] as string;
    if (column.type === 'text' && !column.nullable) value = `"${CHARACTER}+"`;
    if (column.nullable) value = `(?:${value}|null)`;
    const pair = `${i === 0 ? '' : `,${SPACE}`}"${name}"${SPACE}:${SPACE}${value}${SPACE}`;
    // The comma stands before a pair, so only later ones can be left out without look-ahead.
    return column.nullable && i > 0 ? `(?:${pair})?` : pair;
  });
  return `${SPACE}\\{${SPACE}${pairs.join('')}\\}`;
}
