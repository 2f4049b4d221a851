import type { Case, CaseRow } from './cases';

/** What a case gave, beside what it should. */
export interface CaseResult {
  readonly name: string;
  /** Rows that it should have given, and those that it should not. */
  readonly missing: readonly CaseRow[];
  readonly unexpected: readonly CaseRow[];
  /** Why it gave none. */
  readonly error?: string;
}

/** Rows are equal by their values, in any order, and as often as they are there. */
export function resultOf({ name, expect }: Case, made: readonly CaseRow[] | string): CaseResult {
  if (typeof made === 'string') return { name, missing: [], unexpected: [], error: made };
  return { name, missing: without(expect, made), unexpected: without(made, expect) };
}

export const passes = ({ missing, unexpected, error }: CaseResult): boolean =>
  missing.length + unexpected.length === 0 && error === undefined;

const keyOf = (row: CaseRow) => JSON.stringify(Object.entries(row).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** The rows less the others, each as often as it is there. */
function without(rows: readonly CaseRow[], others: readonly CaseRow[]): CaseRow[] {
  const left = new Map<string, number>();
  for (const key of others.map(keyOf)) left.set(key, (left.get(key) ?? 0) + 1);
  return rows.filter((row) => {
    const count = left.get(keyOf(row)) ?? 0;
    left.set(keyOf(row), count - 1);
    return count <= 0;
  });
}
