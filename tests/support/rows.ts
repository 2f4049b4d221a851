/** Rows of text, as an engine's query gives them. */
export type TextRows = readonly (readonly (string | null)[])[];

/** What two sets of rows do not share, in no order; a few of them tell enough. */
export function differences(found: TextRows, expected: TextRows) {
  const count = new Map<string, number>();
  const add = (rows: TextRows, n: number) => {
    for (const row of rows.map((r) => JSON.stringify(r))) count.set(row, (count.get(row) ?? 0) + n);
  };
  add(found, 1);
  add(expected, -1);
  const rowsWhere = (holds: (n: number) => boolean) =>
    [...count].flatMap(([row, n]) => (holds(n) ? [row] : [])).slice(0, 5);
  return { unexpected: rowsWhere((n) => n > 0), missing: rowsWhere((n) => n < 0) };
}
export const NONE = { unexpected: [], missing: [] };
