import type { ColumnType } from './column';
import type { Job } from './job';
import { quoteString } from './sql';
import type { Table } from './table';

/**
 * `fail` keeps the run from publishing; `quarantine` moves the rows that share the values of `columns` with a
 * bad row out of the table; `warn` is reported and nothing else.
 */
export type Severity = 'fail' | 'quarantine' | 'warn';

/** A statement about a table that is checked before the table is published. */
export interface Expectation<ColumnName extends string = string> {
  readonly name: string;
  readonly severity: Severity;
  readonly description: string;
  /** The table's own columns that the expectation is about. */
  readonly columns: readonly ColumnName[];
  /** Columns of the query's result that count rows, so that they may be shown. */
  readonly counts: readonly string[];
  /** Where a bad row stands for several of the table's: its column that counts them. */
  readonly groups?: string;
  /** Other tables the query reads. */
  readonly reads: readonly string[];
  /** Where each row has its counterpart: its own columns by those of the other table. */
  readonly counterparts?: { readonly table: string; readonly columns: Readonly<Record<string, string>> };
  /** A table that has rows passes, so that nobody has to ask. */
  readonly onlyEmpty?: true;
  /**
   * What decides whether a row is bad: the row alone (and its counterpart), or all rows that share the values of these columns
   * with it, of other tables those that stand for them by the increments of the job. A bad row is about one such value: bad
   * rows are counted by adding up those of all values. Default: anything.
   */
  readonly per?: 'row' | readonly string[];
  /** The query that returns the bad rows of `table`: no row, no fault. */
  readonly sql: (table: string) => string;
}

interface Naming {
  /** Default: made from the rule and what it is about. */
  readonly name?: string;
  readonly severity?: Severity;
  readonly description: string;
}

const equalities = (columns: readonly string[], others: readonly string[]) =>
  columns.map((column, i) => `o.${others[i]} = t.${column}`).join(' AND ');

/** No two rows share the values of `columns`, NULLs being equal. Default severity: `fail`. */
export function unique<const K extends string>(columns: readonly K[], naming: Naming): Expectation<K> {
  const list = columns.map((c) => `t.${c}`).join(', ');
  return {
    name: naming.name ?? `unique_${columns.join('_')}`,
    severity: naming.severity ?? 'fail',
    description: naming.description,
    columns,
    counts: ['records'],
    groups: 'records',
    reads: [],
    per: columns,
    sql: (table) =>
      `SELECT ${list}, COUNT(*) AS records FROM ${table} t GROUP BY ${list} HAVING COUNT(*) > 1`,
  };
}

/**
 * Every row has its counterpart in another table; a NULL has none. `columns` maps this table's columns to the
 * other's. Default severity: `fail`.
 */
export function references<const K extends string, C extends Readonly<Record<string, unknown>>>(
  to: { readonly name: string; readonly columns: C },
  columns: Readonly<Record<K, keyof C & string>>,
  naming: Naming,
): Expectation<K> {
  const own = Object.keys(columns) as K[];
  const others = own.map((name) => columns[name]);
  const found = `SELECT DISTINCT ${others.map((name) => `c.${name}`).join(', ')} FROM ${to.name} c`;
  return {
    name: naming.name ?? `references_${to.name}`,
    severity: naming.severity ?? 'fail',
    description: naming.description,
    columns: own,
    counts: [],
    reads: [to.name],
    counterparts: { table: to.name, columns },
    per: 'row',
    // DISTINCT halves the time of DuckDB, which else joins all values of both sides first.
    sql: (table) =>
      `SELECT t.* FROM ${table} t WHERE NOT EXISTS (SELECT 1 FROM (${found}) o WHERE ${equalities(own, others)})`,
  };
}

/**
 * The newest `column` is at most `days` behind the newest of another table; where that has one and this has
 * none, it is behind. Severity: `warn`.
 */
export function keepsUpWith<const K extends string, C extends Readonly<Record<string, unknown>>>(
  column: K,
  other: { readonly name: string; readonly columns: C },
  otherColumn: keyof C & string,
  days: number,
): Expectation<K> {
  return {
    name: `keeps_up_with_${other.name}`,
    severity: 'warn',
    description: `The newest ${column} is at most ${days} day(s) behind the newest of ${other.name}.`,
    columns: [column],
    counts: [],
    reads: [other.name],
    sql: (table) =>
      // By the names of their columns, which say whether they may be shown.
      `SELECT n.newest AS ${column}${otherColumn === column ? '' : `, m.newest AS ${otherColumn}`} FROM (SELECT MAX(t.${column}) AS newest FROM ${table} t) n ` +
      `CROSS JOIN (SELECT MAX(o.${otherColumn}) AS newest FROM ${other.name} o) m ` +
      `WHERE n.newest + INTERVAL '${days}' DAY < m.newest OR (n.newest IS NULL AND m.newest IS NOT NULL)`,
  };
}

const literal = (type: ColumnType, bound: number) =>
  type === 'timestamp'
    ? `TIMESTAMP '${new Date(bound).toISOString().replace('T', ' ').replace('Z', '')}'`
    : String(bound);

/** What the columns and keys of a table that a job writes imply; what a source's columns say, its reader keeps. */
function implied(table: Table): Expectation[] {
  if (table.format !== 'iceberg') return [];
  const columns = Object.entries(table.columns);
  const required = columns.filter(([, column]) => !column.nullable).map(([name]) => name);
  const ranged = columns.filter(
    ([, { min, max, oneOf }]) => min !== undefined || max !== undefined || oneOf !== undefined,
  );
  // Made when the query is: a bound that is no instant is a fault of the definition, told with all the others.
  const outside = () =>
    ranged.flatMap(([name, { type, min, max, oneOf }]) => [
      ...(min === undefined ? [] : [`t.${name} < ${literal(type, min)}`]),
      ...(max === undefined ? [] : [`t.${name} > ${literal(type, max)}`]),
      ...(oneOf === undefined ? [] : [`t.${name} NOT IN (${oneOf.map(quoteString).join(', ')})`]),
    ]);
  const rule = (name: string, description: string, names: string[], bad: () => string[]): Expectation[] =>
    names.length === 0
      ? []
      : [
          {
            name,
            severity: 'fail',
            description,
            columns: names,
            counts: [],
            reads: [],
            per: 'row',
            sql: (from) => `SELECT t.* FROM ${from} t WHERE ${bad().join(' OR ')}`,
          },
        ];
  return [
    ...rule('required_values', 'Every column that is not nullable has a value.', required, () =>
      required.map((name) => `t.${name} IS NULL`),
    ),
    ...rule(
      'values_in_range',
      'Every value is within the range of its column.',
      ranged.map(([name]) => name),
      outside,
    ),
    ...table.keys.map((key) => unique(key, { description: `No two rows share ${key.join(', ')}.` })),
  ];
}

/** A job gives rows where each of its inputs has some. Shows how many they have. */
function givesRows({ inputs }: Job): Expectation {
  const names = inputs.map(({ name }) => name);
  return {
    name: 'gives_rows',
    severity: 'warn',
    description: 'The job gives rows where each of its inputs has some.',
    columns: [],
    counts: names,
    reads: names,
    onlyEmpty: true,
    sql: (table) =>
      `SELECT * FROM (SELECT ${names.map((name) => `(SELECT COUNT(*) FROM ${name}) AS ${name}`).join(', ')}) n ` +
      `WHERE ${names.map((name) => `n.${name} > 0`).join(' AND ')} AND NOT EXISTS (SELECT 1 FROM ${table})`,
  };
}

/**
 * What engines find by the bytes of a source's files, as a table of rows says nothing of it. The records of the
 * files that are the same as another are its bad rows.
 */
export const DELIVERED_ONCE = {
  name: 'delivered_once',
  severity: 'warn',
  description: 'No file is the same as another, so that no record is delivered twice.',
} as const satisfies Partial<Expectation>;

/**
 * Everything that is checked of a table before it is published: what its contract implies, what it declares, and what
 * the job that makes it implies.
 */
export const expectationsOf = (table: Table, job?: Job | null): readonly Expectation[] => [
  ...implied(table),
  ...table.expectations,
  ...(job ? [givesRows(job)] : []),
];

/** Any other query over the table, named by `table` in the function, that returns its bad rows. */
export function expectation<const K extends string>(options: {
  readonly name: string;
  readonly severity: Severity;
  readonly description: string;
  readonly columns: readonly K[];
  /** Default: none. */
  readonly counts?: readonly string[];
  /** Default: none. */
  readonly reads?: readonly { readonly name: string }[];
  /** See {@link Expectation.per}. */
  readonly per?: 'row' | readonly string[];
  readonly sql: (table: string) => string;
}): Expectation<K> {
  return { ...options, counts: options.counts ?? [], reads: (options.reads ?? []).map((t) => t.name) };
}
