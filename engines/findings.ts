// What checks of a table found, as people may see it: by DuckDB here, by the runner on Spark and on Glue.
import { DELIVERED_ONCE, expectationsOf, type Pipeline, type Shown } from '../model';
import type { Finding, QueryColumn, TableSummary } from './engine';
import { counted, grouped, percent } from './words';

export const MASK = '•••';

/** How a value of a bad row is printed: as it is where it may be shown, masked where not. `_masked` of the runner does the same. */
export const masker =
  ({ columns, counts }: Shown) =>
  ({ name, type }: QueryColumn, value: string | null): string | null => {
    if (value === null) return null;
    const isCount = counts.includes(name) && type === 'number' && /^-?\d+$/.test(value);
    return isCount || columns.includes(name) ? value : MASK;
  };

/** What an engine found, values of personal data masked. The runner writes it so too, with values as JSON has them. */
export interface Found extends Omit<Finding, 'description' | 'samples'> {
  readonly samples: readonly Readonly<Record<string, unknown>>[];
}

/** Bad rows with what may be shown of them. */
export function samplesOf(
  shown: Shown,
  { columns, rows }: { columns: readonly QueryColumn[]; rows: readonly (readonly (string | null)[])[] },
): Found['samples'] {
  const mask = masker(shown);
  return rows.map((row) =>
    Object.fromEntries(columns.map((column, i) => [column.name, mask(column, row[i] ?? null)])),
  );
}

/** A value of a row as text, `null` kept apart. */
export const valueText = (value: unknown): string | null => {
  if (value === null) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};

/** Findings, each once, however many jobs read a source, with what was expected. */
export function findingsOf({ tables, jobs }: Pipeline, all: readonly Found[]): Finding[] {
  const isSame = (a: Found, b: Found) => a.table === b.table && a.expectation === b.expectation;
  const first = all.filter((one, i) => all.findIndex((other) => isSame(one, other)) === i);
  return first.map(({ samples, ...found }) => {
    const table = tables.get(found.table);
    const job = jobs.find(({ output }) => output === table);
    const known = table ? [...expectationsOf(table, job), DELIVERED_ONCE] : [];
    const expected = known.find(({ name }) => name === found.expectation);
    const isCount = (name: string) => expected && 'counts' in expected && expected.counts.includes(name);
    const shownText = (name: string, value: unknown) => {
      const text = valueText(value) ?? 'NULL';
      return isCount(name) && /^\d+$/.test(text) ? grouped(Number(text)) : text;
    };
    return {
      ...found,
      // A stack may be of another version.
      description: expected?.description ?? '',
      samples: samples.map((row) =>
        Object.fromEntries(Object.entries(row).map(([name, value]) => [name, shownText(name, value)])),
      ),
    };
  });
}

/** Why a finding keeps its table from being published; nothing where it does not. `failure` of the runner says the same. */
export const failureOf = ({ expectation, severity, failed }: Omit<Found, 'samples'>): string | undefined =>
  severity === 'fail' ? `expectation ${expectation} failed with ${counted(failed, 'bad row')}` : undefined;

/** What of a table's summary its findings are printed with. */
export type MadeTable = Pick<TableSummary, 'table' | 'written' | 'quarantined'>;

const SEVERITIES = { fail: 'FAILED', quarantine: 'quarantined', warn: 'warning' } as const;

/** `warning customer_landing.unique_email: 2 values are repeated, in 5 of 1,000 rows (0.5 %)`. The runner's log has the same. */
export function findingText(
  { table, expectation, severity, failed, affected }: Omit<Finding, 'description' | 'samples'>,
  tables: readonly MadeTable[],
): string {
  const made = tables.find((each) => each.table === table);
  // What is moved out was among the rows.
  const total = made ? made.written + (severity === 'quarantine' ? made.quarantined : 0) : 0;
  const of = (n: number) => `${grouped(n)} of ${counted(total, 'row')} (${percent(n / total)})`;
  const what =
    affected === null || total === 0
      ? counted(failed, 'bad row')
      : affected === failed
        ? of(failed)
        : `${counted(failed, 'value is', 'values are')} repeated, in ${of(affected)}`;
  return `${SEVERITIES[severity]} ${table}.${expectation}: ${what}`;
}
