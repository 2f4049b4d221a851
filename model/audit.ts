import { type Expectation, expectationsOf, type Severity } from './expectation';
import type { Job } from './job';
import { type Shown, shownColumns } from './shown';
import type { Table } from './table';

/** How many bad rows are shown of an expectation. */
export const SAMPLES = 5;

/** An expectation as engines check it, by SQL that runs unchanged on DuckDB and Spark. */
export interface Check {
  readonly name: string;
  readonly severity: Severity;
  /** What of the bad rows people may see. */
  readonly shown: Shown;
  /**
   * Gives a row: its `name`, how many bad rows `failed`, and how many rows of the table are `affected` by that: NULL
   * where bad rows are none of the table's.
   */
  readonly count: string;
  /** The first bad rows, in an order of their own: each engine, and each run, shows the same. */
  readonly samples: string;
  /** Of one that moves rows: which go, and which stay. */
  readonly moves?: { readonly gone: string; readonly kept: string };
  /** A table that has rows passes, and nobody has to ask. */
  readonly onlyEmpty?: true;
}

/** Rows of a table, each once, by a query like those of `references` and of what columns imply. */
const OWN_ROWS = /^SELECT t\.\* FROM (\w+) t(?:\s+WHERE\s|$)/;

function checkOf(table: Table, others: readonly Table[], e: Expectation): Check {
  const { name, severity, columns, groups, sql, onlyEmpty } = e;
  const bad = sql(table.name);
  const same = columns.map((column) => `b.${column} IS NOT DISTINCT FROM t.${column}`).join(' AND ');
  const isBad = `EXISTS (SELECT 1 FROM (${bad}) b WHERE ${same})`;
  const affected = groups ? `SUM(${groups})` : OWN_ROWS.exec(bad)?.[1] === table.name ? 'COUNT(*)' : 'NULL';
  return {
    name,
    severity,
    shown: shownColumns(table, others, e),
    count: `SELECT '${name}' AS name, COUNT(*) AS failed, CAST(${affected} AS BIGINT) AS affected FROM (${bad})`,
    samples: `SELECT * FROM (${bad}) ORDER BY ALL NULLS LAST LIMIT ${SAMPLES}`,
    ...(onlyEmpty && { onlyEmpty }),
    ...(severity === 'quarantine' && {
      moves: {
        gone: `SELECT t.* FROM ${table.name} t WHERE ${isBad}`,
        kept: `SELECT t.* FROM ${table.name} t WHERE NOT ${isBad}`,
      },
    }),
  };
}

/**
 * All that is checked of a table, and of the job that makes it, before it is published. `tables` are at least those that
 * its expectations read. Checks that move rows come first: the others see what is left.
 */
export function auditOf(table: Table, tables: Iterable<Table>, job?: Job | null): readonly Check[] {
  const byName = new Map(Array.from(tables, (one) => [one.name, one]));
  const checks = expectationsOf(table, job).map((e) =>
    checkOf(
      table,
      e.reads.flatMap((name) => byName.get(name) ?? []),
      e,
    ),
  );
  return [...checks.filter(({ moves }) => moves), ...checks.filter(({ moves }) => !moves)];
}

/** How the driving rows are counted that no row of the finished output comes from. NULL is no key, and matches none. */
export interface Unmatched {
  /** The keys of the driving rows in the clear, by the names of the output's columns. */
  readonly keys: string;
  /** Counts them in `_driving`, the keys with pseudonyms where the output has them. */
  readonly count: string;
}

/** See {@link Unmatched}; of a job that says what drives it. */
export function unmatchedOf({ inputs, output, drivenBy }: Job): Unmatched | undefined {
  if (!drivenBy) return undefined;
  const keys = Object.entries(drivenBy);
  const same = keys.map(([, to]) => `o.${to} = d.${to}`).join(' AND ');
  return {
    keys: `SELECT ${keys.map(([from, to]) => `d.${from} AS ${to}`).join(', ')} FROM ${inputs[0]?.name} d`,
    // Of DuckDB, NOT EXISTS takes twice the time.
    count: `SELECT COUNT(*) AS unmatched FROM _driving d LEFT JOIN ${output.name} o ON ${same} WHERE o.${keys[0]?.[1]} IS NULL`,
  };
}
